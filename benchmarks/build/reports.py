"""What `routelet report` and `routelet why` cost, and how large the page and graph.json get."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from cost import cost_of
from examples import copy
from sites import pinned, write_routelet
from tools import ROUTELET

HEAD = """\
| site | functions | command | wall s | CPU s | report.html KB | graph.json KB |
| :--- | ---: | :--- | ---: | ---: | ---: | ---: |"""


def rows(counts: Sequence[int]) -> Iterator[str]:
    """Yield the rows: of `examples/api`, and of sites with five kinds of functions."""
    with tempfile.TemporaryDirectory(prefix="reports-") as temporary:
        folder = Path(temporary)
        pins = pinned(folder / "pins")
        yield HEAD
        yield from _rows("api", copy("api", folder / "api"), "/summary")
        for count in counts:
            root = folder / str(count)
            write_routelet(root, count, pins)
            yield from _rows("generated", root, "/f1")


def _rows(name: str, root: Path, route: str) -> Iterator[str]:
    environment = {"ROUTELET_CACHE": str(root / ".cache"), "PYTHONDONTWRITEBYTECODE": ""}
    cost_of(ROUTELET, root, environment)
    dist = root / "dist"
    count = len(list((dist / "functions").glob("*.zip")))
    for title, command in (
        ("report", ["report"]),
        ("report, again", ["report"]),
        ("why", ["why", route, "routelet.http"]),
    ):
        cost = cost_of([ROUTELET[0], *command], root, environment)
        sizes = [(dist / file).stat().st_size / 1000 for file in ("report.html", "graph.json")]
        yield (
            f"| {name} | {count} | {title} | {cost.wall_s:.2f} | {cost.cpu_s:.2f} "
            f"| {sizes[0]:,.0f} | {sizes[1]:,.0f} |"
        )
