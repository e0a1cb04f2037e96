"""`routelet build`."""

import json
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from routelet_bundler.cli.progress import progress
from routelet_bundler.cli.splits import print_splits
from routelet_bundler.cli.terminal import (
    console,
    json_option,
    print_warnings,
    reports_errors,
    root_option,
    size,
)
from routelet_bundler.elsewhere import elsewhere_at
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Build
from routelet_bundler.pipeline import build

MAX_ROWS, LARGEST = 100, 20
"""Of so many functions all are printed; of more, the largest."""


@click.command("build")
@root_option
@click.option("--out-dir", type=click.Path(path_type=Path), help="Instead of dist/.")
@click.option("--jobs", type=click.IntRange(min=1), help="Parallel work; all cores by default.")
@click.option("--locked", is_flag=True, help="Refuse a missing or stale lock file.")
@click.option(
    "--check-reproducible", is_flag=True, help="Build twice and compare the zips' SHA-256."
)
@click.option(
    "--executor",
    metavar="dask://HOST:PORT",
    help="A cluster that reads sources, compiles, compresses and prerenders.",
)
@json_option
@reports_errors
def command(
    *,
    root: Path,
    out_dir: Path | None,
    jobs: int | None,
    locked: bool,
    check_reproducible: bool,
    executor: str | None,
    as_json: bool,
) -> Any:
    """Build the site into dist/: one zip for each on-demand route."""
    start = time.monotonic()
    with progress() as report, elsewhere_at(executor) if executor else nullcontext() as elsewhere:
        made = build(root, out_dir, jobs=jobs, locked=locked, report=report, elsewhere=elsewhere)
        if check_reproducible:
            _compare_with_another(made, root, jobs, locked=locked)
    print_warnings(made.warnings)
    if not as_json:
        _print_table(made)
        if made.splits:
            print_splits(made.splits)
    console.print(
        f"functions: {len(made.packed)}, prerendered files: {len(made.prerendered)}, "
        f"in {time.monotonic() - start:.2f} s"
    )
    return json.loads((made.out_dir / "routelet.json").read_text()) if as_json else None


def _compare_with_another(made: Build, root: Path, jobs: int | None, *, locked: bool) -> None:
    """Build again, elsewhere and without the cache; raise where a zip differs."""
    with tempfile.TemporaryDirectory(prefix="routelet-again-") as folder:
        again = build(
            root, Path(folder, "dist"), jobs=jobs, locked=locked, cache_folder=Path(folder, "cache")
        )
        digests = {one.name: one.zip.sha256 for one in again.packed}
    differing = [one.name for one in made.packed if digests.get(one.name) != one.zip.sha256]
    if differing:
        raise RouteletError(f"two builds gave different zips: {', '.join(differing)}")
    console.print(f"reproducible: {len(digests)} zips have equal SHA-256 in two builds")


def _print_table(made: Build) -> None:
    shown = made.packed
    if not shown:
        return
    if len(shown) > MAX_ROWS:
        shown = tuple(sorted(shown, key=lambda one: -one.zip.zipped_bytes)[:LARGEST])
        console.print(f"the {LARGEST} largest of {len(made.packed)} functions:")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("route")
    table.add_column("file")
    table.add_column("zip", justify="right")
    table.add_column("unzipped", justify="right")
    table.add_column("distributions")
    table.add_column("verified")
    for one in shown:
        pages = one.function.pages
        distributions = [found.name for found, _ in one.function.traced.distributions]
        if one.function.traced.provided:
            distributions.append("(boto3 of the runtime)")
        table.add_row(
            escape("\n".join(page.route.route for page in pages) or one.function.title),
            escape("\n".join(page.route.component or "" for page in pages)),
            size(one.zip.zipped_bytes),
            size(one.zip.unzipped_bytes),
            ", ".join(distributions) or "-",
            one.verdict.how if one.verdict.verified else f"not verified: {one.verdict.how}",
        )
    console.print(table)
