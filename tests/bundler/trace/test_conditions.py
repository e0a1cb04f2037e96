"""Conditions that are known for the target before a module runs."""

import ast
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routelet_bundler.interpreters import HOST
from routelet_bundler.trace.conditions import truth_of

VERSIONS = st.tuples(st.sampled_from([2, 3, 4]), st.integers(0, 20))


def truth(text: str, python: str = "3.12") -> bool | None:
    return truth_of(ast.parse(text, mode="eval").body, python)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TYPE_CHECKING", False),
        ("typing.TYPE_CHECKING", False),
        ("not TYPE_CHECKING", True),
        ("False", False),
        ("0", False),
        ("'x'", True),
        ("TYPE_CHECKING or x", None),
        ("TYPE_CHECKING and x", False),
        ("x or True", True),
        ("sys.version_info >= (3, 12)", True),
        ("sys.version_info > (3, 12)", True),
        ("sys.version_info < (3, 12)", False),
        ("(3, 8) <= sys.version_info", True),
        ("sys.version_info[0] == 2", False),
        ("sys.version_info[:2] == (3, 12)", True),
        ("sys.version_info.major >= 3", True),
        ("sys.version_info.minor != 12", False),
        ("sys.platform == 'win32'", False),
        ("sys.platform != 'win32'", True),
        ("sys.platform.startswith('linux')", True),
        ("os.name == 'nt'", False),
    ],
)
def test_what_is_known_for_the_target(text: str, expected: bool | None) -> None:
    assert truth(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "sys.version_info >= (3, 12, 4)",
        "(3, 12, 4) <= sys.version_info",
        "sys.version_info >= (3, minor)",
        "sys.version_info[2] > 3",
        "sys.version_info.micro > 3",
        "sys.version_info >= '3'",
        "sys.platform.startswith(prefix)",
        "'linux'.startswith(prefix)",
        "sys.platform in ('linux', 'darwin')",
        "(3, 8) <= sys.version_info < (3, 10)",
        "(1,)[1] == 1",
        "platform.system() == 'Linux'",
    ],
)
def test_what_is_only_known_when_it_runs(text: str) -> None:
    assert truth(text) is None


@given(VERSIONS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
@example(version=sys.version_info[:2], compared="<=")
def test_version_conditions_are_as_this_python_has_them(
    version: tuple[int, int], compared: str
) -> None:
    text = f"sys.version_info {compared} {version}"
    assert truth(text, HOST) is eval(text)


def test_any_expression_is_judged_without_failing() -> None:
    with open(ast.__file__) as file:  # noqa: PTH123 - any large source
        tree = ast.parse(file.read())
    judged = {truth_of(node, HOST) for node in ast.walk(tree) if isinstance(node, ast.expr)}
    assert judged == {True, False, None}
