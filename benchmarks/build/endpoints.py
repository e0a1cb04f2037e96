"""Many endpoints over twenty shared modules: routelet, and Astro beside it where asked for."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from cost import FailedError
from measure import Builder, Measured, measured, median
from sites import write_astro, write_endpoints
from tools import ROUTELET, install_astro

HEAD = """\
| endpoints | tool | build | wall s | CPU s | peak MB | total MB | changed, written |
| ---: | :--- | :--- | ---: | ---: | ---: | ---: | ---: |"""
ASTRO = "Astro 4, Vercel's adapter"
MOST_FOR_ASTRO = 1_000


def rows(counts: Sequence[int], tools: Path, *, astro: bool) -> Iterator[str]:
    """Yield the rows of the table; in brackets is a multiple of ours in the same run."""
    yield HEAD
    if astro:
        install_astro(tools)
    for count in counts:
        ours = measured(_routelet(count, tools), cold=False, elsewhere=False)
        yield from _rows(count, "routelet", ours, ours)
        if astro and count <= MOST_FOR_ASTRO:
            try:
                result = measured(_astro(count, tools), cold=False, elsewhere=False)
                yield from _rows(count, ASTRO, result, ours)
            except FailedError as failure:
                yield f"| {count} | {ASTRO} | failed: {failure} |"


def _routelet(count: int, tools: Path) -> Builder:
    root = _fresh(tools / f"endpoints-{count}")
    write_endpoints(root, count)
    return Builder(
        root=root,
        command=ROUTELET,
        environment={"ROUTELET_CACHE": "ROOT/.cache", "PYTHONDONTWRITEBYTECODE": ""},
        edited="src/pages/f0.py",
        left=("dist", ".cache"),
        zips="dist/functions/*.zip",
    )


def _astro(count: int, tools: Path) -> Builder:
    """Write the site below `tools`, where its modules are found."""
    root = _fresh(tools / f"astro-{count}")
    write_astro(root, count)
    return Builder(
        root=root,
        command=("node", str(tools / "node_modules/astro/astro.js"), "build"),
        environment={"ASTRO_TELEMETRY_DISABLED": "1"},
        edited="src/pages/f0.js",
        left=("dist", ".vercel", ".astro", "node_modules"),
        zips=".vercel/output/functions/*.func",
    )


def _fresh(root: Path) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    return root


def _rows(count: int, title: str, result: Measured, ours: Measured) -> Iterator[str]:
    total = sum(result.bytes_by_zip.values()) / 1e6
    for kind, costs in result.costs.items():
        figures = []
        for name in ("wall_s", "cpu_s", "pss_mb"):
            figure, reference = median(costs, name), median(ours.costs[kind], name)
            ratio = "" if result is ours else f" ({figure / reference:.1f} x)"
            figures.append(f"{figure:.2f}{ratio}" if name != "pss_mb" else f"{figure:.0f}{ratio}")
        edited = f"{result.changed}, {result.written}" if kind == "one line" else ""
        yield (
            f"| {count} | {title} | {kind} | {' | '.join(figures)} | {total:.2f} | {edited} |"
        )  # fmt: skip
