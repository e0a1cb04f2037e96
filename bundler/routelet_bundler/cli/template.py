"""`routelet template`."""

import json
import shutil
from pathlib import Path
from typing import Any

import click

from routelet_bundler.cli.terminal import console, print_warnings, reports_errors, root_option
from routelet_bundler.config import read_config
from routelet_bundler.errors import RouteletError
from routelet_bundler.render import cdk_files, sam_template, template_warnings
from routelet_bundler.staging import files_below, write_texts


@click.command("template")
@click.argument("kind", type=click.Choice(["sam", "cdk"]))
@root_option
@click.option("--out-dir", type=click.Path(path_type=Path), help="The built site, if not dist/.")
@reports_errors
def command(*, kind: str, root: Path, out_dir: Path | None) -> None:
    """Write what deploys the built zips: dist/template.yaml, or a CDK app in dist/cdk/."""
    config, _ = read_config(root)
    dist = out_dir or root / config.out_dir
    manifest = _manifest(dist)
    files = files_below(dist / "client")
    if kind == "sam":
        written = write_texts(dist, {"template.yaml": sam_template(manifest, files)})
    else:
        shutil.rmtree(dist / "cdk", ignore_errors=True)
        written = write_texts(dist / "cdk", cdk_files(manifest, files))
    print_warnings(template_warnings(manifest, files))
    for path in written.values():
        console.print(f"wrote {path}")


def _manifest(dist: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((dist / "routelet.json").read_text())
    except FileNotFoundError:
        raise RouteletError(
            f"there is no {dist / 'routelet.json'}", mend="run `routelet build` first"
        ) from None
    if not all(one["runtime"] for one in manifest["functions"]):
        raise RouteletError(
            f"the build is by the adapter {manifest['adapter']['name']}, and templates are for AWS",
            where=str(dist / "routelet.json"),
            mend='build with adapter = "aws-lambda"',
        )
    return manifest
