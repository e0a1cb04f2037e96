"""Dotted names to local files, as Python's own finder would have them."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import routelet
from routelet_bundler.trace.found import Import
from routelet_bundler.trace.modules import (
    LocalModules,
    absolute_name,
    runtime_files,
)
from routelet_bundler.trace.places import ANY, WORD

FILES = ("main.py", "p/__init__.py", "p/a.py", "p/sub/b.py", "ns/c.py", "notes.txt", "p/d.json")


def test_a_name_has_the_file_that_is_imported() -> None:
    modules = LocalModules(FILES)
    assert modules.file_of("p") == "p/__init__.py"
    assert modules.file_of("p.sub.b") == "p/sub/b.py"
    assert modules.file_of("ns") is None
    assert modules.file_of("notes") is None


def test_a_folder_without_init_is_a_namespace() -> None:
    modules = LocalModules(FILES)
    assert modules.knows("ns")
    assert modules.knows("p.sub")
    assert not modules.knows("p.d")
    assert modules.owns("ns.whatever")
    assert not modules.owns("other.c")


def test_importing_a_module_runs_every_parent_first() -> None:
    modules = LocalModules(("a/__init__.py", "a/b/c/__init__.py", "a/b/c/d.py"))
    assert list(modules.chain("a.b.c.d")) == ["a/__init__.py", "a/b/c/__init__.py", "a/b/c/d.py"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_package_comes_before_an_extension_before_a_module(order: int) -> None:
    suffix = ".cpython-312-x86_64-linux-gnu.so"
    files = ("x/__init__.py", f"x{suffix}", "x.py", f"y{suffix}", "y.py")[::order]
    modules = LocalModules(files)
    assert modules.file_of("x") == "x/__init__.py"
    assert modules.file_of("y") == f"y{suffix}"


def test_a_pattern_names_the_modules_that_fit_it() -> None:
    modules = LocalModules(("p/__init__.py", "p/plug_a.py", "p/plug_b/c.py", "p/x.py", "plug.py"))
    assert modules.fitting(f"p.plug_{ANY}") == ["p.plug_a", "p.plug_b", "p.plug_b.c"]
    assert modules.fitting(f"p.{WORD}") == ["p.plug_a", "p.plug_b", "p.x"]
    assert modules.fitting(f"p.{ANY}.c") == ["p.plug_b.c"]
    assert modules.fitting(f"q.{ANY}") == []
    assert modules.fitting(f"plu{ANY}") == []  # nothing is known of the package


@pytest.mark.parametrize(
    ("archive", "module", "level", "package", "expected"),
    [
        ("a/b/c.py", "x", 0, None, "x"),
        ("a/b/c.py", "x", 1, None, "a.b.x"),
        ("a/b/c.py", "", 1, None, "a.b"),
        ("a/b/c.py", "x", 2, None, "a.x"),
        ("a/b/__init__.py", "x", 1, None, "a.b.x"),
        ("a/b/c.py", "x", 1, "q.r", "q.r.x"),
    ],
)
def test_relative_imports_are_resolved_as_python_does(
    archive: str, module: str, level: int, package: str | None, expected: str
) -> None:
    found = Import(module=module, level=level, package=package, line=1)
    assert absolute_name(found, archive) == expected
    if level:
        own = package or archive.rpartition("/")[0].replace("/", ".")
        assert importlib.util.resolve_name("." * level + module, own).rstrip(".") == expected


@given(st.lists(st.sampled_from(["a", "b", "__init__", "é"]), min_size=1, max_size=4))
def test_every_module_is_known_by_the_name_that_its_path_says(parts: list[str]) -> None:
    archive = "/".join(parts) + ".py"
    modules = LocalModules([archive])
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    assert modules.file_of(name) == archive
    assert not name or modules.owns(name)


def test_the_runtime_is_packed_with_its_python_files_alone() -> None:
    root = Path(routelet.__file__).parent
    files = runtime_files("routelet", root)
    assert files["routelet/__init__.py"] == root / "__init__.py"
    assert files["routelet/events/http_api.py"].is_file()
    assert all(name.endswith(".py") and "__pycache__" not in name for name in files)
