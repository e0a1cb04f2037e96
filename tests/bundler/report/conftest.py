"""Functions as `report` reads them: a zip on disk, and a graph written by hand."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from routelet_bundler.model import Edge, Graph
from routelet_bundler.report.shipped import Shipped, Size
from routelet_bundler.sources import source_of

Row = tuple[str, int, str]
ENTRY = "pages/entry_a.py"


def edge(target: str, line: int = 1, kind: str = "import") -> Edge:
    return Edge(target=target, line=line, kind=kind)


@pytest.fixture
def shipped(tmp_path: Path) -> Callable[..., Shipped]:
    """Return a function that writes the zip of `/a` and says who needs what in it."""

    def make(
        files: Mapping[str, str | bytes],
        needs: Mapping[str, Sequence[Edge]],
        *,
        starts: Sequence[Edge] = (edge("pages/a.py", 0, "entry"),),
        requires: Mapping[str, tuple[str, ...]] | None = None,
        owns: Mapping[str, tuple[str, ...]] | None = None,
        provided: tuple[str, ...] = (),
        omitted: Mapping[str, str] | None = None,
        excluded: tuple[str, ...] = (),
    ) -> Shipped:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as opened:
            for name, text in {ENTRY: "", **files}.items():
                opened.writestr(name, text)
        tops = {source_of(name) for name in files}
        names = [
            name
            for name, paths in (owns or {}).items()
            if any(file == one or file.startswith(f"{one}/") for file in tops for one in paths)
        ]
        return Shipped(
            name="a",
            routes=("/a",),
            pages=("src/pages/a.py",),
            handler=f"{ENTRY.removesuffix('.py')}.handler",
            zip=path,
            sha256="",
            size=Size(zipped=path.stat().st_size, unzipped=0),
            python="3.11",
            architecture="x86_64",
            versions=dict.fromkeys(names, "1.0"),
            provided=provided,
            omitted=omitted or {},
            environment={},
            graph=Graph(
                files={name: tuple(edges) for name, edges in needs.items()},
                requires=requires or {},
                owns=owns or {},
                labels={
                    name: f"src/{name}" for name in files if name.startswith(("lib/", "pages/"))
                },
                starts={"a": tuple(starts)},
                excluded={"a": excluded} if excluded else {},
            ),
        )

    return make
