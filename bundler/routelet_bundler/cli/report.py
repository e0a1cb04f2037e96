"""`routelet report`."""

import os
from pathlib import Path
from typing import Any

import click

from routelet_bundler.cache import Cache, default_cache
from routelet_bundler.cli.progress import progress
from routelet_bundler.cli.terminal import (
    console,
    json_option,
    reports_errors,
    root_option,
    size,
)
from routelet_bundler.config import read_config
from routelet_bundler.render.report_html import report_html
from routelet_bundler.report import changes
from routelet_bundler.report.data import report_data
from routelet_bundler.report.shipped import read_shipped
from routelet_bundler.staging import write_texts


@click.command("report")
@root_option
@click.option("--out-dir", type=click.Path(path_type=Path), help="The built site, if not dist/.")
@click.option("--jobs", type=click.IntRange(min=1), help="Parallel work; all cores by default.")
@json_option
@reports_errors
def command(*, root: Path, out_dir: Path | None, jobs: int | None, as_json: bool) -> Any:
    """Write dist/report.html: sizes, import times, changes, and what to cut.

    Functions are started under the Python they are built for, to see what they import.
    """
    config, project = read_config(root)
    dist = (out_dir or root / config.out_dir).resolve()
    site, cache = read_shipped(dist), Cache(default_cache())
    with progress() as report:
        data = report_data(
            site,
            project.name,
            changes.load(cache, dist),
            cache,
            jobs=jobs or os.cpu_count() or 1,
            report=lambda done, total: report("start", done, total),
        )
    if as_json:
        return data
    (path,) = write_texts(dist, {"report.html": report_html(data)}).values()
    console.print(f"wrote {path} ({size(path.stat().st_size)})")
    return None
