"""What a function looks for and its zip lacks is told while the site is tried out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler import build
from routelet_bundler.emulator import Emulator, MissingFile

SITE = (
    '[project]\nname = "site"\nversion = "1"\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
)
PAGE = """
import os
from importlib import import_module
from pathlib import Path

import lib.there


def GET(ctx):
    kind = ctx.url.search_params.get("kind")
    if kind == "open":
        return {"is": read(Path("texts", kind + ".txt"))}
    if kind == "import":
        try:
            name = "".join(reversed(["ed", kind, "lib."]))
            return import_module(name).NAME  # routelet: ignore
        except ImportError:
            return {"is": None}
    if kind == "source":
        return read(os.environ["FILE"])
    read("/tmp/routelet-not-there")
    read("texts/there.txt")
    read("library-1.0.dist-info/entry_points.txt")
    Path("/tmp/routelet-scratch").write_text("x")
    return {"is": None}


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return None
"""


@pytest.fixture
def site(write_site: Callable[..., Path]) -> Path:
    root = write_site(
        {
            "src/pages/[name].py": PAGE,
            "src/lib/imported.py": "NAME = 'x'\n",
            "src/lib/there.py": "",
            "src/texts/there.txt": "x",
            "src/texts/open.txt": "x",
        }
    )
    config = '[tool.routelet.routes."/*"]\nexclude = ["texts/open.txt"]\n'
    config += f'environment = {{ FILE = "{root}/src/texts/there.txt" }}\n'
    (root / "pyproject.toml").write_text(SITE + config)
    build(root)
    return root


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("open", "texts/open.txt"),
        ("import", "lib.imported"),
        ("source", "src/texts/there.txt"),
    ],
)
def test_a_file_that_the_zip_lacks_is_told_once_with_its_route(
    site: Path, kind: str, name: str
) -> None:
    log: list[str] = []
    with Emulator(site / "dist", log=log.append) as lambda_:
        for _ in range(2):
            lambda_.get(f"/a?kind={kind}")
        missing = MissingFile(function="_name_", routes=("/[name]",), how=kind, name=name)
        assert lambda_.missing_files == (missing,)
    warnings = [line for line in log if "WARNING" in line]
    assert warnings == [f"_name_: WARNING {missing}"]
    assert warnings[0].startswith(
        f"_name_: WARNING /[name] {kind.replace('source', 'open')}s {name}"
    )


def test_what_is_there_written_or_elsewhere_is_not_told(site: Path) -> None:
    with Emulator(site / "dist", log=lambda _: None) as lambda_:
        assert lambda_.get("/a").status == 200
        assert lambda_.missing_files == ()
