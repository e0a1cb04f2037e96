import ast
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.errors import RouteletError
from routelet_bundler.sources import line_of_key, parse_python, source_of, split_front_matter


def test_python_becomes_a_tree() -> None:
    tree = parse_python("x = 1\n", "src/a.py")
    assert isinstance(tree.body[0], ast.Assign)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert len(parse_python("\ufeffx = 1\n", "src/a.py").body) == 1
    assert split_front_matter("\ufeff---\na: 1\n---\nb", "src/a.md") == ({"a": 1}, "b", 3)
    assert split_front_matter("\ufeffb", "src/a.md") == ({}, "b", 0)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("x = 1\ndef f(:\n", 2, "def f(:"),
        ("if x:\npass\n", 2, "expected an indented block"),
        ("print 'x'\n", 1, "Missing parentheses"),
        ("x = '''\n", 1, "unterminated"),
    ],
)
def test_a_syntax_error_has_file_and_line(text: str, line: int, what: str) -> None:
    with pytest.raises(RouteletError) as told:
        parse_python(text, "src/pages/a.py")
    assert what in told.value.what
    assert told.value.where == f"src/pages/a.py:{line}"


def test_a_nul_byte_is_a_mistake_of_its_file() -> None:
    with pytest.raises(RouteletError) as told:
        parse_python("x = 1\0", "src/a.py")
    assert told.value.where.startswith("src/a.py")
    assert "null" in told.value.what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ({}, "", 0)),
        ("text", ({}, "text", 0)),
        ("text\n---\na: 1\n---\n", ({}, "text\n---\na: 1\n---\n", 0)),
        ("----\na: 1\n", ({}, "----\na: 1\n", 0)),
        ("---\n---\n", ({}, "", 2)),
        ("---\n# nothing\n---\nb\n", ({}, "b\n", 3)),
        ("---\na: 1\n---\nb\n---\nc", ({"a": 1}, "b\n---\nc", 3)),
        ("---  \r\na: [x]\r\n---\r\nb", ({"a": ["x"]}, "b", 3)),
        ("---\nd: 2024-05-01\n---", ({"d": datetime.date(2024, 5, 1)}, "", 3)),
    ],
)
def test_front_matter_is_what_stands_between_two_fences(text: str, expected: object) -> None:
    assert split_front_matter(text, "src/pages/a.md") == expected


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("---\na: 1\n", 1, "not closed"),
        ("---\n- a\n---\n", 1, "no table"),
        ("---\ntext\n---\n", 1, "no table"),
        ("---\na: 1\nb: [\n---\n", 4, "faulty front matter"),
        ("---\na: 1\n\tb: 2\n---\n", 3, "faulty front matter"),
        ("---\na: !!python/object:os.system x\n---\n", 2, "constructor"),
        ("---\na: 2024-02-30\n---\n", 1, "day is out of range"),
    ],
)
def test_faulty_front_matter_has_file_and_line(text: str, line: int, what: str) -> None:
    with pytest.raises(RouteletError) as told:
        split_front_matter(text, "src/pages/a.md")
    assert what in told.value.what
    assert told.value.where == f"src/pages/a.md:{line}"


@given(st.text(max_size=60), st.integers(0, 3))
def test_any_text_splits_or_is_a_mistake(text: str, fences: int) -> None:
    text = "---\n" * fences + text
    try:
        _, rest, lines = split_front_matter(text, "src/a.md")
    except RouteletError as error:
        place, line = error.where.split(":")
    else:
        place, line = "src/a.md", str(lines)
        assert text.endswith(rest)
        assert lines or rest == text.removeprefix("\ufeff")
    assert (place, line.isdigit()) == ("src/a.md", True)


def test_a_key_of_front_matter_has_its_line() -> None:
    text = "---\ntitle: x\n  layout: inner\nlayout: y\n---\n"
    assert line_of_key(text, "layout") == 4
    assert line_of_key(text, "absent") == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("lib/m.py", "lib/m.py"),
        ("lib/m.pyc", "lib/m.py"),
        ("lib/__pycache__/m.cpython-312.pyc", "lib/m.py"),
        ("lib/__pycache__/m.cpython-312.opt-2.pyc", "lib/m.py"),
        ("lib/__pycache__/m.cpython-312.pyc.140213", "lib/m.py"),
        ("lib/__pycache__/tool.conf.cpython-312.pyc", "lib/tool.conf.py"),
        ("data.bin", "data.bin"),
    ],
)
def test_bytecode_has_the_source_it_was_compiled_from(name: str, source: str) -> None:
    assert source_of(name) == source
