import traceback
from collections.abc import Callable, Mapping

import pytest
from jinja2 import UndefinedError

from routelet.app import App
from routelet.context import Context
from routelet.http import Request
from routelet_bundler.content import Content
from routelet_bundler.errors import RouteletError

Compiled = Callable[..., Content]
Rendered = Callable[..., str]

BASE = "<title>{{ title | default('none') }}</title>{% block main %}{% endblock %}"
POST = "{{ frontmatter.title }}|{{ content }}|{% for h in headings %}{{ h.slug }} {% endfor %}"


def mistakes_in(compiled: Compiled, files: Mapping[str, str | bytes]) -> list[RouteletError]:
    with pytest.raises(RouteletError) as told:
        compiled(files)
    return [told.value, *told.value.others]


def test_a_template_page_renders_with_its_layout_and_parts(rendered: Rendered) -> None:
    files = {
        "src/layouts/base.jinja": BASE,
        "src/parts/card.jinja": "<i>{{ text }}</i>",
        "src/parts/macros.jinja": "{% macro shout(text) %}{{ text | upper }}!{% endmacro %}",
        "src/pages/a.jinja": (
            "---\ntitle: A\n---\n"
            "{% extends 'layouts/base.jinja' %}"
            "{% from 'parts/macros.jinja' import shout %}"
            "{% block main %}{% set text = frontmatter.title %}"
            "{{ shout(text) }}{% include 'parts/card.jinja' %}{% endblock %}"
        ),
    }
    assert rendered("pages/a.jinja", files) == "<title>none</title>A!<i>A</i>"


def test_a_template_sees_the_context(rendered: Rendered) -> None:
    files = {"src/pages/[id].jinja": "{{ ctx.params.id }} {{ ctx.request.method }}"}
    ctx = Context(App({"routes": ()}), Request("http://localhost/7"), params={"id": "<7>"})
    assert rendered("pages/[id].jinja", files, ctx) == "&lt;7&gt; GET"


def test_front_matter_leaves_no_lines_before_the_page(rendered: Rendered) -> None:
    files = {"src/pages/feed.xml.jinja": "---\na: 1\nb: 2\n---\n<?xml version='1.0'?>\n"}
    assert rendered("pages/feed.xml.jinja", files) == "<?xml version='1.0'?>"


def test_a_markdown_page_fills_its_layout(rendered: Rendered) -> None:
    files = {
        "src/layouts/post.jinja": POST,
        "src/pages/a.md": "---\nlayout: layouts/post.jinja\ntitle: A & B\n---\n# One\n\n*two*\n",
    }
    body = rendered("pages/a.md", files)
    assert body == 'A &amp; B|<h1 id="one">One</h1>\n<p><em>two</em></p>\n|one '


@pytest.mark.parametrize(
    ("text", "title"),
    [("*a*", "a"), ("# A & b", "A &amp; b"), ("---\ntitle: <T>\n---\n# A", "&lt;T&gt;")],
)
def test_a_markdown_page_without_a_layout_is_a_document(
    rendered: Rendered, text: str, title: str
) -> None:
    head = f'<!doctype html>\n<meta charset="utf-8">\n<title>{title}</title>\n<'
    assert rendered("pages/a.md", {"src/pages/a.md": text}).startswith(head)


def test_an_html_page_is_served_as_it_is(rendered: Rendered) -> None:
    text = "<!doctype html>\n{{ no }} '''\"\"\" \\n é\n"
    assert rendered("pages/a.html", {"src/pages/a.html": text}) == text


@pytest.mark.parametrize("page", ["a.jinja", "a.md"])
def test_front_matter_may_hold_dates(rendered: Rendered, page: str) -> None:
    files = {
        "src/layouts/date.jinja": "{{ frontmatter.day.year }}{{ frontmatter.at.tzinfo }}",
        f"src/pages/{page}": (
            "---\nlayout: layouts/date.jinja\nday: 2024-05-01\nat: 2024-05-01T10:00:00Z\n---\n"
            "{{ frontmatter.day.year }}{{ frontmatter.at.tzinfo }}"
        ),
    }
    assert rendered(f"pages/{page}", files) == "2024UTC"


def test_pages_escape_what_they_print(rendered: Rendered) -> None:
    files = {"src/pages/a.jinja": "---\nt: <b>\n---\n{{ frontmatter.t }}{{ '<i>' | safe }}"}
    assert rendered("pages/a.jinja", files) == "&lt;b&gt;<i>"


def test_an_unknown_variable_is_an_error_at_its_line(rendered: Rendered) -> None:
    files = {"src/pages/a.jinja": "---\nt: 1\n---\n\n{{ nope }}\n"}
    with pytest.raises(UndefinedError, match="'nope' is undefined") as told:
        rendered("pages/a.jinja", files)
    frames = traceback.extract_tb(told.value.__traceback__)
    assert [one.lineno for one in frames if one.name == "top-level template code"] == [5]


def test_an_error_while_rendering_names_the_template(rendered: Rendered) -> None:
    with pytest.raises(UndefinedError) as told:
        rendered("pages/a.jinja", {"src/pages/a.jinja": "{{ nope }}"})
    [file] = [
        frame.filename
        for frame in traceback.extract_tb(told.value.__traceback__)
        if frame.name == "top-level template code"
    ]
    assert file.endswith("pages/a.jinja")


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
def test_front_matter_may_hold_any_number(rendered: Rendered, number: str) -> None:
    files = {"src/pages/a.jinja": f"---\nn: {number}\n---\n{{{{ frontmatter.n }}}}"}
    assert rendered("pages/a.jinja", files) == number.replace(".", "")


@pytest.mark.parametrize("name", ["a\\N.md", 'a"""b.md', "a\\.html"])
def test_a_page_with_quotes_or_backslashes_in_its_name_is_a_module(
    rendered: Rendered, name: str
) -> None:
    assert rendered(f"pages/{name}", {f"src/pages/{name}": "a"}).endswith(("a", "<p>a</p>\n"))


def test_the_modules_are_of_one_package_by_the_names_of_templates(compiled: Compiled) -> None:
    made = compiled(
        {
            "src/layouts/post.jinja": POST,
            "src/pages/a.md": "",
            "src/pages/_part.jinja": "",
            "src/pages/[id]/_part.jinja": "",
            "src/pages/b.jinja": "",
            "src/pages/c.py": "",
        }
    )
    assert made.templates == {
        "layouts/post.jinja": "layouts_post_jinja",
        "pages/_part.jinja": "pages__part_jinja",
        "pages/[id]/_part.jinja": "pages__id___part_jinja",
        "pages/b.jinja": "pages_b_jinja",
    }
    assert sorted(made.modules) == [
        "site_templates/__init__.py",
        "site_templates/environment.py",
        "site_templates/layouts_post_jinja.py",
        "site_templates/pages__id___part_jinja.py",
        "site_templates/pages__part_jinja.py",
        "site_templates/pages_a_md.py",
        "site_templates/pages_b_jinja.py",
    ]
    assert all(compile(text, name, "exec") for name, text in made.modules.items())


def test_a_site_of_python_alone_has_no_generated_modules(compiled: Compiled) -> None:
    made = compiled({"src/pages/a.py": ""})
    assert (made.modules, made.templates) == ({}, {})


def test_a_site_without_templates_needs_no_jinja(compiled: Compiled) -> None:
    made = compiled({"src/pages/a.md": "# A", "src/pages/b.html": ""})
    assert "site_templates/environment.py" not in made.modules
    assert not any("jinja" in text for text in made.modules.values())


def test_a_template_is_compiled_to_the_same_text_each_time(compiled: Compiled) -> None:
    files = {"src/pages/a.jinja": "{% for a in b %}{{ a.c[d] | e }}{% endfor %}{{ f(g) }}"}
    assert compiled(files).modules == compiled(files).modules


@pytest.mark.parametrize("layout", ["layouts/other.jinja", "post.jinja", "[a]", "3"])
def test_a_layout_that_is_not_there_is_told_at_its_line(compiled: Compiled, layout: str) -> None:
    files: dict[str, str | bytes] = {
        "src/layouts/post.jinja": POST,
        "src/pages/a.md": f"---\ntitle: a\nlayout: {layout}\n---\n",
    }
    [mistake] = mistakes_in(compiled, files)
    assert mistake.where == "src/pages/a.md:3"
    assert mistake.what.endswith("is not there")
    assert "layouts/post.jinja" in mistake.mend


def test_a_template_that_is_not_there_is_told_at_its_line(compiled: Compiled) -> None:
    files: dict[str, str | bytes] = {
        "src/pages/a.jinja": "---\na: 1\n---\n\n{% include 'parts/b.jinja' %}"
    }
    [mistake] = mistakes_in(compiled, files)
    assert mistake.what == 'the template "parts/b.jinja" is not there'
    assert mistake.where == "src/pages/a.jinja:5"


def test_a_template_that_may_be_missing_may_be_missing(rendered: Rendered) -> None:
    files = {"src/pages/a.jinja": "a{% include 'b.jinja' ignore missing %}c"}
    assert rendered("pages/a.jinja", files) == "ac"


def test_all_faulty_files_are_told_at_once(compiled: Compiled) -> None:
    found = mistakes_in(
        compiled,
        {
            "src/layouts/a.jinja": "\n{% if %}",
            "src/layouts/b.jinja": b"\xff",
            "src/pages/c.jinja": "{{ x | nope }}",
            "src/pages/d.md": "---\nlayout: e\n---\n",
            "src/pages/e.md": "fine",
        },
    )
    assert [mistake.where for mistake in found] == [
        "src/layouts/a.jinja:2",
        "src/layouts/b.jinja",
        "src/pages/c.jinja:1",
        "src/pages/d.md:2",
    ]


def test_templates_whose_names_differ_in_other_characters_are_both_there(
    rendered: Rendered,
) -> None:
    files = {
        "src/a/b.jinja": "one",
        "src/a_b.jinja": "two",
        "src/pages/テスト.jinja": "{% include 'a/b.jinja' %}",
        "src/pages/ブログ.jinja": "{% include 'a_b.jinja' %}",
        "src/pages/all.jinja": (
            "{% include 'pages/テスト.jinja' %} {% include 'pages/ブログ.jinja' %}"
        ),
    }
    assert rendered("pages/all.jinja", files) == "one two"


def test_mistakes_name_the_folder_that_is_configured(compiled: Compiled) -> None:
    with pytest.raises(RouteletError) as told:
        compiled({"web/a.jinja": "{% if %}", "web/pages/b.md": ""}, src_dir="web")
    assert told.value.where == "web/a.jinja:1"


def test_raw_html_of_a_page_is_that_of_the_configuration(compiled: Compiled) -> None:
    files = {"src/pages/a.md": "<b>x</b>"}
    name = "site_templates/pages_a_md.py"
    assert "<b>x</b>" not in compiled(files).modules[name]
    assert "<b>x</b>" in compiled(files, markdown={"raw-html": True}).modules[name]


def test_functions_of_the_site_are_filters(rendered: Rendered) -> None:
    files = {
        "src/filters.py": "def shout(text, mark='!'):\n    return text.upper() + mark\n",
        "src/pages/a.jinja": "{{ 'a' | shout }}{{ 'b' | shout('?') | lower }}",
    }
    assert rendered("pages/a.jinja", files) == "A!b?"


def test_a_filter_may_be_passed_the_context(rendered: Rendered) -> None:
    filters = (
        "import jinja2\n@jinja2.pass_context\ndef of(context, text):\n"
        "    return text + context['frontmatter']['t']\n"
    )
    files = {"src/filters.py": filters, "src/pages/a.jinja": "---\nt: b\n---\n{{ 'a' | of }}"}
    assert rendered("pages/a.jinja", files) == "ab"


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("'a' | shot", "No filter named 'shot'."),
        ("'a' | _own", "No filter named '_own'."),
        ("1 is ood", "No test named 'ood'."),
    ],
)
def test_an_unknown_filter_is_told_at_its_line(
    compiled: Compiled, expression: str, what: str
) -> None:
    files = {
        "src/filters.py": "def shout(text): return text\ndef _own(text): return text\n",
        "src/pages/a.jinja": f"---\nt: 1\n---\n\n{{{{ {expression} }}}}",
    }
    [mistake] = mistakes_in(compiled, files)
    assert (mistake.where, mistake.what) == ("src/pages/a.jinja:5", what)
