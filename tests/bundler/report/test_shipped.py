"""Finished zips as values: whose file is whose, and sizes that add up."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.report.needs import cuts_of, edges_of
from routelet_bundler.report.shipped import (
    Shipped,
    members_of,
    module_of,
    owner_of,
    read_shipped,
    total,
)
from routelet_bundler.sources import source_of

Make = Callable[..., Shipped]

PYPROJECT = (
    '[project]\nname = "site"\nversion = "1"\ndependencies = ["jinja2"]\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("lib/__pycache__/m.cpython-311.pyc", "lib/m.py"),
        ("__pycache__/six.cpython-312.pyc", "six.py"),
        ("routelet/app.pyc", "routelet/app.py"),
        ("lib/m.py", "lib/m.py"),
        ("lib/data.json", "lib/data.json"),
    ],
)
def test_bytecode_counts_with_its_source(name: str, source: str) -> None:
    assert source_of(name) == source


def test_a_module_is_named_by_its_file() -> None:
    names = ("pages/a.py", "lib/__init__.py", "one.py")
    assert [module_of(name) for name in names] == ["pages.a", "lib", "one"]


def test_the_innermost_owner_of_a_folder_has_the_file() -> None:
    owners: Mapping[str, str] = {"ns/a": "one", "ns/b.py": "two", "six.py": "six"}
    found = [owner_of(file, owners) for file in ("ns/a/x/y.py", "ns/b.py", "six.py", "ns/c.py")]
    assert found == ["one", "two", "six", None]


@pytest.mark.parametrize("bytecode", ["true", '"only"', "false"])
def test_sizes_of_all_parts_are_that_of_the_zip(
    write_site: Callable[..., Path], bytecode: str
) -> None:
    root = write_site(
        {
            "src/pages/a.py": "import lib.m\ndef GET(ctx):\n    return 'x'\n",
            "src/lib/m.py": "import jinja2\n",
        },
        pyproject=f"{PYPROJECT}adapters.aws-lambda.bytecode = {bytecode}\n",
    )
    build(root)
    one = read_shipped(root / "dist").functions["a"]
    whole = total(one.sizes.values())
    assert whole.unzipped == one.size.unzipped
    assert 22 <= one.size.zipped - whole.zipped < 1000  # the end of the directory, and folders
    assert total(one.size_by_part.values()) == whole
    own = {"pages/entry_a.py", "pages/a.py", "lib/m.py"}
    assert set(one.size_by_part) == own | {
        "routelet/", "distribution:jinja2", "distribution:markupsafe",
    }  # fmt: skip
    (first, *_) = cuts_of(one, edges_of(one), 1)
    assert set(first.frees) == {"lib/m.py", "distribution:jinja2", "distribution:markupsafe"}
    assert (one.modules[0], one.modules[-1]) == ("pages.entry_a", "pages.a")


def test_a_zip_that_is_gone_is_told(shipped: Make) -> None:
    function = shipped({"pages/a.py": ""}, {})
    function.zip.unlink()
    with pytest.raises(RouteletError, match="is not there"):
        members_of(function.zip)


def test_a_build_of_an_older_routelet_has_to_be_built_again(
    write_site: Callable[..., Path],
) -> None:
    root = write_site({"src/pages/a.py": "def GET(ctx):\n    return 'x'\n"}, pyproject=PYPROJECT)
    build(root)
    (root / "dist/graph.json").unlink()
    with pytest.raises(RouteletError) as raised:
        read_shipped(root / "dist")
    assert "build again" in raised.value.mend
