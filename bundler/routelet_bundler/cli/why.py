"""`routelet why`."""

from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from routelet_bundler.cli.terminal import (
    console,
    json_option,
    reports_errors,
    root_option,
    size,
)
from routelet_bundler.config import read_config
from routelet_bundler.report.shipped import Shipped, read_shipped
from routelet_bundler.report.why import Why, function_of, sentences, why


@click.command("why")
@click.argument("route")
@click.argument("name")
@root_option
@click.option("--out-dir", type=click.Path(path_type=Path), help="The built site, if not dist/.")
@json_option
@reports_errors
def command(*, route: str, name: str, root: Path, out_dir: Path | None, as_json: bool) -> Any:
    """Tell why a file or a distribution is in the zip of a route: the chain of imports to it.

    NAME is a file in the zip or below the site, a module, or a distribution.
    """
    config, _ = read_config(root)
    site = read_shipped(out_dir or root / config.out_dir)
    found, function = (
        why(site, route, name, (root, root / config.src_dir)),
        function_of(site, route),
    )
    return _as_json(found, function) if as_json else _print(found, function)


def _print(found: Why, function: Shipped) -> None:
    version = function.versions.get(found.label)
    title = f"{found.label} {version}" if version else found.label
    if found.state == "shipped":
        zipped, unzipped = size(found.size.zipped), size(found.size.unzipped)
        verdict = f"is in the zip of {found.route}: {zipped}, unzipped {unzipped}"
    else:
        verdict = f"is not in the zip of {found.route}"
    console.print(f"[bold]{escape(title)}[/] {escape(verdict)}")
    for line in sentences(found, function):
        console.print(f"  {escape(line)}")
    if found.note:
        console.print(f"  ({escape(found.note)})")


def _as_json(found: Why, function: Shipped) -> dict[str, object]:
    return {
        "route": found.route,
        "function": function.name,
        "name": found.label,
        "state": found.state,
        "zippedBytes": found.size.zipped,
        "unzippedBytes": found.size.unzipped,
        "chain": [
            {
                "from": function.label(link.source),
                "to": function.label(link.edge.target),
                "kind": link.edge.kind,
                "line": link.edge.line or None,
            }
            for link in found.chain
        ],
        "note": found.note,
    }
