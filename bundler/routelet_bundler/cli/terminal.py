"""What commands share: options, words for people on standard error, and how they end.

Data goes to standard output, everything for people to standard error, and with `--json` also what
adapters and integrations print. NO_COLOR and pipes are
respected by rich; in GitHub Actions mistakes are annotations as well.
"""

import functools
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, ParamSpec

import click
from rich.console import Console
from rich.markup import escape

from routelet_bundler.errors import RouteletError

P = ParamSpec("P")

_WIDTH_OF_A_LOG = 160
console = Console(
    stderr=True,
    emoji=False,  # `:x:` in a path stays what it is
    highlight=False,
    soft_wrap=True,
    width=None if sys.stderr.isatty() else _WIDTH_OF_A_LOG,
)

root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The site's folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


def reports_errors(command: Callable[P, Any]) -> Callable[P, None]:
    """Print what a command returns, if anything, as JSON.

    A `RouteletError` is printed for people, and the command exits with its status.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        _log_to_console()
        try:
            with _stdout_to_stderr() if kwargs.get("as_json") else nullcontext():
                data = command(*args, **kwargs)
        except RouteletError as error:
            for one in _all_of(error):
                _print_error(one)
            sys.exit(error.status)
        if data is not None:
            click.echo(json.dumps(data, indent=2, ensure_ascii=False))

    return run


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Have all that is printed go to standard error, by processes that are started as well."""
    stdout, stderr = 1, 2
    before, kept = sys.stdout, os.dup(stdout)
    os.dup2(stderr, stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        before.flush()  # what was written to it by those who had it already
        os.dup2(kept, stdout)
        os.close(kept)


def print_warnings(warnings: tuple[str, ...]) -> None:
    """Print what is worth telling."""
    for warning in warnings:
        console.print(f"[yellow]warning[/] {escape(warning)}")
        _annotate("warning", warning)


def size(count: int) -> str:
    """Return bytes as people read them."""
    return f"{count / 1024:,.1f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:,.2f} MB"


def _all_of(error: RouteletError) -> list[RouteletError]:
    return [error, *(one for other in error.others for one in _all_of(other))]


def _print_error(error: RouteletError) -> None:
    where = f"[bold]{escape(error.where)}[/]: " if error.where else ""
    console.print(f"[red]error[/] {where}{escape(error.what)}")
    if error.mend:
        console.print(f"  [cyan]{escape(error.mend)}[/]")
    _annotate("error", error.what, error.where)


def _annotate(kind: str, message: str, where: str = "") -> None:
    """Print a GitHub annotation.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    file, _, line = where.rpartition(":")
    place = f" file={file},line={line}" if line.isdigit() else ""
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    click.echo(f"::{kind}{place}::{text}", err=True)


class _ToConsole(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said = self.format(record)
        if record.levelno >= logging.ERROR:
            _print_error(RouteletError(said))
        elif record.levelno >= logging.WARNING:
            print_warnings((said,))
        else:
            console.print(escape(said))


def _log_to_console() -> None:
    logger = logging.getLogger("routelet")
    if not logger.handlers:
        logger.addHandler(_ToConsole())
        logger.setLevel(logging.INFO)
