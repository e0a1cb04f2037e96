"""What a function imports when it starts, from its zip under a real interpreter."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.cache import Cache
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST
from routelet_bundler.report import start
from routelet_bundler.report.shipped import Shipped
from routelet_bundler.report.start import (
    Loaded,
    chain_of,
    loaded_by,
    milliseconds,
    profile,
    total_us,
    unable,
    unpacked,
)

Make = Callable[..., Shipped]
NOISY = "import sys\nprint('out')\nprint('import time: no', file=sys.stderr)\nimport lib.m\n"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_modules_are_told_in_the_order_of_their_imports_with_who_imported_them(
    shipped: Make, cache: Cache
) -> None:
    function = shipped({"pages/a.py": NOISY, "lib/m.py": "import wave\n", "lib/n.py": ""}, {})
    with unpacked(function, cache) as one:
        loaded = loaded_by(one)
        assert milliseconds(one, 2) > 0
    assert [row.module for row in loaded][:2] == ["pages.entry_a", "pages"]
    assert chain_of("wave", loaded) == ("pages.a", "lib.m", "wave")
    assert chain_of("lib.n", loaded) == ()
    by_name = {row.module: row for row in loaded}
    assert by_name["lib.m"].total_us >= by_name["wave"].total_us > 0
    assert not {"json", "os", "site"} & by_name.keys()  # neither of the worker nor of a bare Python


@pytest.mark.parametrize("python", ["3.10", "3.12", "3.13"])
def test_every_python_of_a_target_tells_what_it_imports(
    shipped: Make, cache: Cache, python: str
) -> None:
    if find_interpreter(python) is None:
        pytest.skip(f"no Python {python} on this machine")
    function = replace(shipped({"pages/a.py": "import lib.m\n", "lib/m.py": ""}, {}), python=python)
    with unpacked(function, cache) as one:
        assert chain_of("lib.m", loaded_by(one)) == ("pages.a", "lib.m")
        assert milliseconds(one, 1) > 0


def test_a_profile_is_taken_once_for_each_zip(shipped: Make, cache: Cache) -> None:
    function = shipped({"pages/a.py": ""}, {})
    first = profile(function, cache)
    function.zip.unlink()
    assert profile(function, cache) == first
    assert total_us(first) == sum(row.own_us for row in first)


def test_a_function_that_does_not_start_is_told(shipped: Make, cache: Cache) -> None:
    function = shipped({"pages/a.py": "import nothing_of_this_name\n"}, {})
    with pytest.raises(RouteletError, match=r"ModuleNotFoundError.*nothing_of_this_name"):
        profile(function, cache)


def test_what_cannot_be_started_here_is_told_without_trying() -> None:
    assert unable("3.99", "x86_64") == "no Python 3.99 on this machine"
    assert "arm64" in unable(HOST, "arm64") + unable(HOST, "x86_64")


Tree = list[Any]  # of trees
trees: st.SearchStrategy[Tree] = st.recursive(
    st.just([]), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=12
)


@given(trees)
def test_the_tree_of_imports_is_what_the_interpreter_told_from_the_leaves_up(tree: Tree) -> None:
    expected: list[tuple[str, int]] = []
    lines: list[str] = []

    def tell(node: Tree, depth: int, name: str) -> None:
        expected.append((name, depth))
        for number, child in enumerate(node):
            tell(child, depth + 1, f"{name}.{number}")
        lines.append(f"import time:        7 |         9 | {'  ' * depth}{name}\n")

    for number, node in enumerate(tree):
        tell(node, 0, str(number))
    said = "import time: 1 | 1 | before\nrouteletX\nroutelet: begin\n" + "".join(lines)
    loaded = start._parsed(said)
    assert [(row.module, row.depth) for row in loaded] == expected
    assert all(isinstance(row, Loaded) and (row.own_us, row.total_us) == (7, 9) for row in loaded)
