"""The lexer of verification finds the imports that a parser finds."""

import ast
import asyncio
import email
import importlib
import unittest
from collections.abc import Iterator
from pathlib import Path

import pytest

import routelet_bundler
from routelet_bundler.model import HOST
from routelet_bundler.verify import facts
from routelet_bundler.verify.facts import facts_of

Found = set[tuple[int, str, tuple[str, ...], int]]

FOLDERS = tuple(
    Path(one.__file__ or "").parent
    for one in (asyncio, email, importlib, unittest, routelet_bundler)
)


def parsed(text: str) -> Iterator[tuple[int, str, tuple[str, ...], int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, (), 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield node.lineno, node.module or "", names, node.level


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_imports_of_real_sources_are_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "truth_of", lambda *_: None)  # both branches of every condition
    for path in folder.rglob("*.py"):
        text = path.read_text("utf-8")
        needs = [one for one in facts_of(text, HOST).needs if one.kind == "import"]
        found = {(one.line, one.module, one.names, one.level) for one in needs}
        missed = set(parsed(text)) - found
        assert all(is_after_a_jump(line, text) for line, *_ in missed), (path, missed)
        extra = {one for one in found - set(parsed(text)) if one[2]}
        assert not extra, (path, extra)


def is_after_a_jump(line: int, text: str) -> bool:
    """Tell whether the statement before a line returns or raises, so that the line never runs."""
    before = text.splitlines()[line - 2].strip()
    return before.startswith(("return", "raise", "continue", "break"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a.b as c, d", {(1, "a.b", (), 0), (1, "d", (), 0)}),
        ("from . import (\n    a,\n    b as c,\n)", {(1, "", ("a", "b"), 1)}),
        ("from ..a.b import *", {(1, "a.b", ("*",), 2)}),
        ("x = 1; import a", {(1, "a", (), 0)}),
        ("if x: import a; import b", {(1, "a", (), 0), (1, "b", (), 0)}),
        ("from a import b \\\n    , c", {(1, "a", ("b", "c"), 0)}),
        ("x = [\n'''\nimport a\n''',\n]\nimport b", {(6, "b", (), 0)}),
        ("lambda x: {1: 2}[x]\nlazy from a import b", {(2, "a", ("b",), 0)}),
        ("importlib.import_module('.a', __package__)", {(1, "a", (), 1)}),
        ("f'{__import__(\"a\")}'", set()),
    ],
)
def test_forms_of_import(text: str, expected: Found) -> None:
    needs = facts_of(text, HOST).needs
    assert {(one.line, one.module, one.names, one.level) for one in needs} == expected
