import pytest

from routelet_bundler.content.templates import Reference, compile_template, referenced_templates
from routelet_bundler.errors import RouteletError


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a\n{% if x %}", 2, "endif"),
        ("\n\n{{ x", 3, "unexpected end"),
        ("{% nope %}", 1, "nope"),
        ("\n{{ x | nope }}", 2, "nope"),
        ("\n{{ x is nope }}", 2, "nope"),
        ("{% block a %}{% endblock %}\n{% block a %}{% endblock %}", 2, "twice"),
    ],
)
def test_a_faulty_template_is_told_with_its_line(text: str, line: int, what: str) -> None:
    for lines in (0, 4):
        with pytest.raises(RouteletError) as told:
            compile_template(text, "a.jinja", "src/a.jinja", lines)
        assert what in told.value.what
        assert told.value.where == f"src/a.jinja:{line + lines}"


def test_a_syntax_error_is_told_before_references_are() -> None:
    with pytest.raises(RouteletError) as told:
        referenced_templates("\n{% if %}", "src/a.jinja", 0)
    assert told.value.where == "src/a.jinja:2"


def test_every_form_that_names_a_template_is_found() -> None:
    text = """\
{% extends "a" %}
{% include "b" %}
{% include ["c", "d"] %}
{% include ("e", "f") ignore missing %}
{% import "g" as g %}
{% from "h" import x %}
{% if y %}{% include "i" if z else "j" %}{% endif %}
"""
    found = referenced_templates(text, "src/a.jinja", 2)
    lines = {"a": 3, "b": 4, "c": 5, "d": 5, "e": 6, "f": 6, "g": 7, "h": 8, "i": 9, "j": 9}
    by_name = sorted(found, key=lambda reference: reference.name)
    assert by_name == [
        Reference(name=name, line=line, optional=name in {"e", "f"}) for name, line in lines.items()
    ]


@pytest.mark.parametrize(
    "expression", ["name", "'a' ~ b", "names[0]", "['a', name]", "'a' if x else name", "3"]
)
def test_a_name_that_is_only_known_later_is_told(expression: str) -> None:
    with pytest.raises(RouteletError) as told:
        referenced_templates(f"\n{{% include {expression} %}}", "src/a.jinja", 1)
    assert told.value.where == "src/a.jinja:3"
    assert "only known when the page is rendered" in told.value.what
    assert "write the name out" in told.value.mend
