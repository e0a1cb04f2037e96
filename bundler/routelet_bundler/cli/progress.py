"""Progress of a build: a bar on a terminal, a line for each stage elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from routelet_bundler.cli.terminal import console


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Give what a build reports its progress to."""
    if not console.is_terminal:
        yield _lines()
        return
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        task = bars.add_task("build", total=None)

        def report(stage: str, done: int, total: int) -> None:
            bars.update(task, description=stage, completed=done, total=total)

        yield report


def _lines() -> Callable[[str, int, int], None]:
    told: set[str] = set()

    def report(stage: str, done: int, total: int) -> None:  # noqa: ARG001 - a stage is told once
        if stage not in told:
            told.add(stage)
            console.print(f"{stage} ...")

    return report
