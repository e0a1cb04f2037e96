import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.toml_lines import line_of

TEXT = '''\
title = "first"
tool.other.key = 1

[project]
description = """
[tool.routelet]
output = "not here"
"""
classifiers = [
  "[tool.routelet]",
  "output = 1",
  ["nested"]
]  # output = 2

[tool.routelet]  # [tool.wrong]
output = "server"
  "trailing-slash" = 'never'
build.format = "file"
redirects = { "/a" = "/b" }
'security' . 'check-origin' = true

[tool.routelet.routes."/blog/[slug]"]
memory = 256
[ tool.routelet.routes.'/a"b' ]
memory = 512
[tool.routelet.routes."/a\\"b\\u00e9"]
memory = 1024
[[tool.routelet.extra]]
key = 1
[[tool.routelet.extra]]
key = 2
'''


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("title",), 1),
        (("tool", "other", "key"), 2),
        (("project",), 4),
        (("project", "description"), 5),
        (("project", "classifiers"), 9),
        (("tool", "routelet"), 15),
        (("tool", "routelet", "output"), 16),
        (("tool", "routelet", "trailing-slash"), 17),
        (("tool", "routelet", "build", "format"), 18),
        (("tool", "routelet", "security", "check-origin"), 20),
        (("tool", "routelet", "routes", "/blog/[slug]", "memory"), 23),
        (("tool", "routelet", "routes", '/a"b', "memory"), 25),
        (("tool", "routelet", "routes", '/a"bé', "memory"), 27),
        (("tool", "routelet", "extra", "key"), 29),
    ],
)
def test_a_key_has_the_line_that_sets_it(keys: tuple[str, ...], line: int) -> None:
    assert tomllib.loads(TEXT)["title"] == "first"
    assert line_of(TEXT, keys) == line


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("tool", "routelet", "redirects", "/a", "status"), 19),
        (("tool", "routelet", "base"), 15),
        (("tool", "routelet", "routes", "/blog/[slug]", "timeout"), 22),
        (("project", "classifiers", "2"), 9),
    ],
)
def test_a_key_without_a_line_has_that_of_the_nearest_above(
    keys: tuple[str, ...], line: int
) -> None:
    assert line_of(TEXT, keys) == line


@pytest.mark.parametrize("text", ["", "# tool = 1\n", "other = 1\n", "[tools]\n"])
def test_a_key_that_is_nowhere_has_no_line(text: str) -> None:
    assert line_of(text, ("tool", "routelet")) is None


values = st.sampled_from(
    ['"x"', "'[a]'", "1", '"""\n[tool]\nkey = 1\n"""', "'''\nkey = 1'''", "[\n[1],\n]", "{a = 1}"]
)


# JSON writes characters above U+FFFF as two escapes, which TOML refuses.
keys = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=6)


@given(st.dictionaries(keys, values))
def test_every_key_of_a_document_is_found_on_its_line(document: dict[str, str]) -> None:
    text, lines = "[tool]\n", {}
    for key, value in document.items():
        lines[key] = text.count("\n") + 1
        text += f"{json.dumps(key)} = {value}  # [key] = 1\n"
    assert tomllib.loads(text)["tool"].keys() == document.keys()
    assert {key: line_of(text, ("tool", key)) for key in document} == lines
