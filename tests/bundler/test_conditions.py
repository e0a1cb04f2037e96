"""Conditions that are known for the target before a module runs."""

import ast
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routelet_bundler.conditions import truth_of
from routelet_bundler.model import HOST

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
        ("sys.platform in ('linux', 'darwin')", True),
        ("sys.platform not in {'win32', 'cygwin'}", True),
        ("sys.platform.startswith(('win', 'cygwin'))", False),
        ("(3, 8) <= sys.version_info < (3, 10)", False),
        ("platform.system() == 'Linux'", True),
        ("platform.python_implementation() == 'PyPy'", False),
        ("sys.implementation.name == 'cpython'", True),
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
        "sys.platform in platforms",
        "(3, 8) <= sys.version_info < newest",
        "(1,)[1] == 1",
        "platform.machine() == 'x86_64'",
        "os.environ.get('STAGE') == 'dev'",
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


def test_names_are_what_they_are_set_to() -> None:
    meanings: dict[str, str | ast.expr] = {
        "v": "sys.version_info",
        "new": ast.parse("v >= (3, 10)", mode="eval").body,
    }
    test = ast.parse("not new", mode="eval").body
    assert truth_of(test, "3.12", meanings.get) is False


def test_a_constant_of_the_source_may_be_set_by_another() -> None:
    off = ast.parse("False", mode="eval").body
    meanings = {"DEBUG": off, "TYPE_CHECKING": off}
    known = [truth_of(ast.parse(one, mode="eval").body, "3.12", meanings.get) for one in meanings]
    assert known == [None, False]


@pytest.mark.parametrize("text", ["a", "a.b", "a.b == 1", "a[0]"])
def test_a_name_that_is_set_to_itself_is_not_known(text: str) -> None:
    itself = ast.parse("a.b", mode="eval").body
    assert truth_of(ast.parse(text, mode="eval").body, "3.12", {"a": itself}.get) is None
