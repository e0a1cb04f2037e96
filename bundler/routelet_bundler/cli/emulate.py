"""`routelet emulate`."""

import threading
from pathlib import Path

import click
from rich.markup import escape

from routelet_bundler.cli.terminal import console, reports_errors, root_option
from routelet_bundler.config import read_config
from routelet_bundler.emulator import Emulator


@click.command("emulate")
@root_option
@click.option("--out-dir", type=click.Path(path_type=Path), help="The built site, if not dist/.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8787,
    show_default=True,
    help="0 takes a free one.",
)
@click.option("--record", is_flag=True, help="Note what functions open: routelet.audit.json.")
@reports_errors
def command(*, root: Path, out_dir: Path | None, port: int, record: bool) -> None:
    """Run the built zips locally, under AWS's own runtime client, until interrupted."""
    config, _ = read_config(root)
    dist = out_dir or root / config.out_dir

    def log(line: str) -> None:
        console.print(escape(line))

    with Emulator(dist, port=port, log=log, record=root if record else None) as emulator:
        console.print(f"serving {dist} at [bold]{emulator.url}[/] (Ctrl-C stops)")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            console.print("stopped")
