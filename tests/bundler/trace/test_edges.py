"""What modules of a distribution import, in absolute names."""

from typing import Any

import pytest

from routelet_bundler.cache import Cache
from routelet_bundler.model import HOST
from routelet_bundler.trace.distributions import index_of
from routelet_bundler.trace.edges import Edges, Modules, spare_folder

Installed = Any


def modules_of(installed: Installed, files: dict[str, str], *, spare: bool = False) -> Modules:
    installed.add("p", {"p/__init__.py": "", **files})
    return Edges(HOST, None).of(index_of(installed.folder).distributions["p"], spare=spare)


def own(modules: Modules, name: str) -> set[str]:
    return {inner for inner, _ in modules[name].own}


def test_relative_imports_are_resolved_to_the_nearest_module(installed: Installed) -> None:
    files = {
        "p/a/__init__.py": "",
        "p/a/b.py": "from . import c\nfrom ..d import Thing\nimport p.e.gone\n",
        "p/a/c.py": "",
        "p/d.py": "",
        "p/e.py": "",
    }
    assert own(modules_of(installed, files), "p.a.b") == {"p.a", "p.a.c", "p.d", "p.e"}


def test_others_are_told_by_strength_without_the_standard_library(installed: Installed) -> None:
    source = "import os, numpy.linalg\ndef f():\n    from yaml import load\n"
    modules = modules_of(installed, {"p/a.py": source})
    assert modules["p.a"].others == (
        ("numpy.linalg", "hard"),
        ("yaml", "function"),
        ("yaml.load", "function"),
    )


@pytest.mark.parametrize(
    ("file", "source", "reached", "by_statement"),
    [
        ("p/a.py", "x = 'p.b.c:Class'", "p.b.c", False),
        ("p/b/__init__.py", "__all__ = ['c']", "p.b.c", False),
        ("p/b/d.py", "x = '.c'", "p.b.c", False),
        ("p/b/d.py", "import_module(x)\nNAMES = ['c']", "p.b.c", False),
        ("p/a.py", "__import__('p.b.%s' % name)", "p.b.c", True),
        ("p/a.py", "import_module('.b.c', __package__)", "p.b.c", False),
    ],
)
def test_names_in_strings_reach_modules(
    installed: Installed, file: str, source: str, reached: str, *, by_statement: bool
) -> None:
    files = {"p/b/__init__.py": "", "p/b/c.py": "", "p/b/other.py": "", file: source}
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    found = dict(modules_of(installed, files)[module].own)
    assert found[reached] is by_statement


def test_a_plain_word_names_no_module_elsewhere(installed: Installed) -> None:
    files = {"p/b.py": "", "p/a.py": "x = 'b'"}
    assert own(modules_of(installed, files), "p.a") == set()


def test_a_shared_object_may_import_all_beside_it_but_tests(installed: Installed) -> None:
    files = {"p/a.py": "", "p/c.cpython-311-x86_64-linux-gnu.so": "", "p/tests/__init__.py": ""}
    assert own(modules_of(installed, files), "p.c") == {"p.a", "p.c"}


def test_modules_in_spare_folders_are_read_apart(installed: Installed) -> None:
    files = {"p/a.py": "", "p/tests/__init__.py": "import a"}
    assert modules_of(installed, files).keys() == {"p", "p.a"}
    assert modules_of(installed, files, spare=True).keys() == {"p.tests"}


@pytest.mark.parametrize(
    ("archive", "folder"),
    [
        ("p/tests/data/tests/x.py", "p/tests"),
        ("p/Docs/x.rst", "p/Docs"),
        ("p/testing/x.py", None),
        ("p/tests.py", None),
    ],
)
def test_a_spare_folder_is_the_topmost_of_such_a_name(archive: str, folder: str | None) -> None:
    assert spare_folder(archive) == folder


def test_a_distribution_is_read_once_and_kept(installed: Installed, cache: Cache) -> None:
    installed.add("p", {"p/__init__.py": "import q, p.a\n", "p/a.py": "open('tests/x')\n"})
    found = index_of(installed.folder).distributions["p"]
    first = Edges(HOST, cache).of(found)
    (installed.folder / "p/__init__.py").unlink()
    assert Edges(HOST, cache).of(found) == first
    assert first["p.a"].reads == ("p/tests", "./tests")


def test_names_in_strings_come_in_the_same_order_whatever_the_hash_seed(
    installed: Installed,
) -> None:
    names = [f"m{number}" for number in range(9)]
    files = {f"p/{name}.py": "" for name in names} | {"p/a.py": f"x = {[f'p.{n}' for n in names]}"}
    found = modules_of(installed, files)["p.a"].own
    assert [name for name, _ in found] == [f"p.{name}" for name in names]


def test_a_byte_order_mark_hides_nothing(installed: Installed) -> None:
    modules = modules_of(installed, {"p/a.py": "\ufeffimport yaml\n"})
    assert modules["p.a"].others == (("yaml", "hard"),)
