import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.content.markdown import markdown_to_html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a *b* **c** `d`", "<p>a <em>b</em> <strong>c</strong> <code>d</code></p>\n"),
        ("- a\n- b\n", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("~~a~~", "<p><s>a</s></p>\n"),
        ("[a](/b 'c')", '<p><a href="/b" title="c">a</a></p>\n'),
        ("```what\nx < 1\n```", '<pre><code class="language-what">x &lt; 1\n</code></pre>\n'),
        ("    x < 1\n", "<pre><code>x &lt; 1\n</code></pre>\n"),
        ("{{ x }}", "<p>{{ x }}</p>\n"),
        ("", ""),
    ],
)
def test_commonmark_becomes_html(text: str, expected: str) -> None:
    assert markdown_to_html(text).html == expected


def test_a_table_becomes_html() -> None:
    assert "<td>1</td>" in markdown_to_html("|a|\n|-|\n|1|\n").html


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a <b onclick='x'>b</b>", "<!-- a -->", "&lt;i&gt;"]
)
def test_raw_html_is_escaped(text: str) -> None:
    assert re.sub("</?p>", "", markdown_to_html(text).html).count("<") == 0


def test_raw_html_is_kept_where_the_site_wants_it() -> None:
    text = "<aside>a</aside>\n\nb <kbd>c</kbd>\n"
    assert markdown_to_html(text, raw_html=True).html == (
        "<aside>a</aside>\n<p>b <kbd>c</kbd></p>\n"
    )


@pytest.mark.parametrize("language", ["python", "py", "Python"])
def test_code_of_a_known_language_has_the_classes_of_pygments(language: str) -> None:
    rendered = markdown_to_html(f"```{language}\n\ndef f(): return '<b>'\n```\n").html
    assert rendered.startswith(
        f'<pre><code class="language-{language}">\n<span class="k">def</span>'
    )
    assert "&lt;b&gt;" in rendered
    assert rendered.endswith("\n</code></pre>\n")


def test_footnotes_are_at_the_end_and_lead_back() -> None:
    rendered = markdown_to_html("a[^1]\n\n[^1]: The *note*.\n\nb\n").html
    assert '<a href="#fn1"' in rendered
    assert rendered.index("The <em>note</em>") > rendered.index("<p>b</p>")
    assert 'href="#fnref1"' in rendered


def test_footnotes_of_one_page_are_not_those_of_the_next() -> None:
    first = markdown_to_html("a[^1]\n\n[^1]: one\n")
    assert markdown_to_html("a[^1]\n\n[^1]: one\n") == first
    assert "<sup" not in markdown_to_html("b").html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "vbscript:x", "data:text/html,x"])
def test_a_link_that_would_run_code_is_none(url: str) -> None:
    assert "<a" not in markdown_to_html(f"[a]({url})").html


def test_headings_have_ids_and_are_listed() -> None:
    rendered = markdown_to_html("# The *rules* of `x`\n\ntext\n\n> ## Inner\n\nUnder\n-----\n")
    assert rendered.headings == (
        {"depth": 1, "slug": "the-rules-of-x", "text": "The rules of x"},
        {"depth": 2, "slug": "inner", "text": "Inner"},
        {"depth": 2, "slug": "under", "text": "Under"},
    )
    assert '<h1 id="the-rules-of-x">The <em>rules</em>' in rendered.html
    assert '<h2 id="under">' in rendered.html


@pytest.mark.parametrize(
    ("headings", "slugs"),
    [
        (["A", "A", "A"], ["a", "a-1", "a-2"]),
        (["A", "A", "A 1"], ["a", "a-1", "a-1-1"]),
        (["A 1", "A", "A"], ["a-1", "a", "a-2"]),
        (["!!", "?"], ["section", "section-1"]),
        (["Café und Öl", "日本"], ["café-und-öl", "日本"]),
        (["Foo & Bar", "`a.b(c)` x_y-z"], ["foo--bar", "abc-x_y-z"]),
    ],
)
def test_ids_are_those_of_github_each_taken_once(headings: list[str], slugs: list[str]) -> None:
    rendered = markdown_to_html("\n\n".join(f"# {heading}" for heading in headings))
    assert [heading["slug"] for heading in rendered.headings] == slugs


def test_the_text_of_a_heading_has_no_tags() -> None:
    text = "## <a name='x'></a>Intro <b>bold</b>[^1]\n\nTwo\nlines\n---\n\n[^1]: note\n"
    rendered = markdown_to_html(text, raw_html=True)
    assert [(one["slug"], one["text"]) for one in rendered.headings] == [
        ("intro-bold", "Intro bold"),
        ("two-lines", "Two lines"),
    ]


def test_what_looks_like_a_footnote_inside_a_line_is_text() -> None:
    assert '<a href="#y">x</a>^' in markdown_to_html("CSS^[x](#y)^").html


def test_a_list_may_be_one_of_tasks() -> None:
    rendered = markdown_to_html("- [x] done\n- [ ] open\n").html
    assert rendered.count('type="checkbox"') == 2
    assert rendered.count('checked="checked"') == 1


@given(st.lists(st.text(st.sampled_from("ab 2-!#*\n"), max_size=6), max_size=6))
def test_ids_are_those_of_the_list_and_unique(headings: list[str]) -> None:
    rendered = markdown_to_html("\n".join(f"# {heading}" for heading in headings))
    ids = [html.unescape(found) for found in re.findall(r'<h\d id="([^"]*)"', rendered.html)]
    assert ids == [heading["slug"] for heading in rendered.headings]
    assert len(set(ids)) == len(ids)
