"""The same functions packaged by routelet and by others."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from cost import FailedError
from measure import Builder, Measured, measured, median
from sites import Pins, pinned
from tools import PACKAGES, TOOLS, install, search_path

HEAD = """\
| functions | tool | cold | clean | no-op | one line | peak MB | total MB | smallest B \
| equal again, elsewhere | changed |
| ---: | :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""
KINDS_OF_BUILD = ("cold", "clean", "no-op", "one line")


def rows(counts: Sequence[int], names: Sequence[str], tools: Path) -> Iterator[str]:
    """Yield the rows of the table.

    Times are wall / CPU seconds; in brackets is CPU as a multiple of that of the first tool.
    """
    yield HEAD
    for name in names:
        if name in PACKAGES:
            install(PACKAGES[name], tools)
    with tempfile.TemporaryDirectory(prefix="packagers-") as temporary:
        pins = pinned(Path(temporary, "pins"))
        for count in counts:
            first: Measured | None = None
            for name in names:
                folder = Path(temporary, f"{name}-{count}")
                try:
                    result = built(name, count, folder, pins, tools)
                except FailedError as failure:
                    yield f"| {count} | {TOOLS[name].title} | failed: {failure} |"
                    continue
                first = result if name == names[0] else first
                yield from _rows(count, TOOLS[name].title, result, first)
                shutil.rmtree(folder)


def built(name: str, count: int, folder: Path, pins: Pins, tools: Path) -> Measured:
    """Measure a tool on a fresh site; wheels come from caches that its cold build fills."""
    tool, root, wheels = TOOLS[name], folder / f"{name}-{count}", folder / "wheels"
    tool.write(root, count, pins)
    environment = {
        **tool.environment,
        "PATH": search_path(name, tools),
        "ROUTELET_CACHE": "ROOT/.cache",
        "UV_CACHE_DIR": str(wheels / "uv"),
        "PIP_CACHE_DIR": str(wheels / "pip"),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    builder = Builder(
        root=root,
        command=[part.replace("TOOLS", str(tools)) for part in tool.command],
        environment=environment,
        edited=tool.edited,
        left=tool.left,
        zips=tool.zips,
        zip_command=tool.zip_command,
    )
    return measured(builder, cold=True, elsewhere=True)


def _rows(count: int, title: str, result: Measured, first: Measured | None) -> Iterator[str]:
    peak = max(cost.pss_mb for costs in result.costs.values() for cost in costs)
    total, made = sum(result.bytes_by_zip.values()) / 1e6, len(result.bytes_by_zip)
    times = [_time(result, first, kind) for kind in KINDS_OF_BUILD]
    yield (
        f"| {count} | {title} | {' | '.join(times)} | {peak:.0f} | {total:.2f} "
        f"| {min(result.bytes_by_zip.values()):,} "
        f"| {result.equal_again}, {result.equal_elsewhere} of {made} | {result.changed} |"
    )
    if result.zipping:
        wall, cpu = median(result.zipping, "wall_s"), median(result.zipping, "cpu_s")
        time = f"{wall:.1f} / {cpu:.1f}"
        yield f"| {count} | zipping what that left | | {time} | {time} | {time} | | | | | |"


def _time(result: Measured, first: Measured | None, kind: str) -> str:
    wall, cpu = (median(result.costs[kind], name) for name in ("wall_s", "cpu_s"))
    time = f"{wall:.1f} / {cpu:.1f}"
    if first is None or first is result:
        return time
    return f"{time} ({cpu / median(first.costs[kind], 'cpu_s'):.1f} x)"
