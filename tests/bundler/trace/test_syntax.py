"""Sources in the grammar of the target, which may be newer than that of the running Python."""

import ast

import pytest

from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST
from routelet_bundler.trace.data_files import data_paths
from routelet_bundler.trace.imports import imports_of
from routelet_bundler.trace.syntax import parse

NEWER = next((minor for minor in ("3.12", "3.13", "3.14") if find_interpreter(minor)), "")
needs_newer = pytest.mark.skipif(
    not NEWER or HOST >= "3.12", reason="needs a Python older than 3.12, and a newer one"
)
NEW_SYNTAX = """
from pathlib import Path
type Pair[T] = tuple[T, T]

class Box[T: (int, str)](Base):
    async def get[**P](self, x: T) -> f"{"nested"}":
        import a.b
        return open(Path(__file__).parent / "d.json"), ..., b"x", 1j, None
"""


def test_a_source_that_the_running_python_reads_is_parsed_by_it() -> None:
    assert ast.dump(parse("x = 1", "x.py", "3.14")) == ast.dump(ast.parse("x = 1"))


@needs_newer
def test_syntax_of_a_newer_target_is_parsed_by_it() -> None:
    tree = parse(NEW_SYNTAX, "lib/x.py", NEWER)
    imports = imports_of(tree, NEW_SYNTAX, NEWER).imports
    assert [(one.module, one.line) for one in imports] == [("pathlib", 2), ("a.b", 7)]
    (data,) = data_paths(tree, NEW_SYNTAX, "lib/x.py")
    assert (data.path, data.line) == ("lib/d.json", 8)


def test_lazy_imports_are_imports() -> None:
    """PEP 810, which no released Python has."""
    text = "lazy import a\nif x:\n    lazy from b import c\nlazy = 1\n"
    tree = parse(text, "x.py", HOST)
    assert [one.lineno for one in tree.body] == [1, 2, 4]
    imports = imports_of(tree, text, HOST).imports
    assert [(one.module, one.names, one.line) for one in imports] == [
        ("a", (), 1),
        ("b", ("c",), 3),
    ]


def test_a_mistake_beside_lazy_imports_is_told_as_it_stands() -> None:
    with pytest.raises(RouteletError) as caught:
        parse("lazy import a\ndef f(:\n", "x.py", HOST)
    assert caught.value.where == "x.py:1"


@needs_newer
def test_a_mistake_in_newer_syntax_is_told_where_the_target_sees_it() -> None:
    with pytest.raises(RouteletError, match="was never closed: def f") as caught:
        parse("type A = int\n\ndef f(", "src/x.py", NEWER)
    assert caught.value.where == "src/x.py:3"
    assert f"Python {NEWER}" in caught.value.mend


@pytest.mark.parametrize("text", ["def", "x = \0"])
def test_a_mistake_is_told_with_file_and_line(text: str) -> None:
    for python in (HOST, "3.10", NEWER or HOST, "3.99"):
        with pytest.raises(RouteletError) as caught:
            parse(text, "src/x.py", python)
        assert caught.value.where.startswith("src/x.py")
