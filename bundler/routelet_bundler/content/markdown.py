"""Markdown to HTML, with the headings that a layout makes a table of contents of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

RENDERERS = tuple(version(name) for name in ("markdown-it-py", "mdit-py-plugins", "pygments"))
"""Versions of what the HTML depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """HTML, and each heading as `{"depth": 2, "slug": "the-rules", "text": "The rules"}`."""

    html: str
    headings: tuple[dict[str, object], ...]


@cache
def _parser(*, raw_html: bool) -> MarkdownIt:
    options = {"html": raw_html, "highlight": _highlighted}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    return parser.use(footnote_plugin, inline=False).use(tasklists_plugin)


def markdown_to_html(text: str, *, raw_html: bool = False) -> Rendered:
    """Return CommonMark with tables, footnotes and task lists as HTML, an id on each heading.

    Code in a fence that names its language has the classes of pygments. Raw HTML is escaped,
    except with `raw_html`.
    """
    parser = _parser(raw_html=raw_html)
    env: dict[str, object] = {}
    tokens = parser.parse(text, env)
    headings = tuple(_with_ids(tokens))
    html = parser.renderer.render(tokens, parser.options, env)
    return Rendered(html=str(html), headings=headings)


def _highlighted(code: str, language: str, attributes: str) -> str:  # noqa: ARG001 - the parser's
    """Return code as HTML; nothing for a language that pygments does not know: it is escaped."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _with_ids(tokens: Sequence[Token]) -> list[dict[str, object]]:
    headings: list[dict[str, object]] = []
    taken: set[str] = set()
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = _text(inline.children or ())
        slug = _unused(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") or "section", taken)
        opening.attrSet("id", slug)
        headings.append({"depth": int(opening.tag[1:]), "slug": slug, "text": text})
    return headings


def _text(children: Sequence[Token]) -> str:
    """Return the text of a heading as a browser shows it: no tags, and no marks of footnotes."""
    breaks = {"softbreak": " ", "hardbreak": " ", "html_inline": "", "footnote_ref": ""}
    return "".join(breaks.get(child.type, child.content) for child in children)


def _unused(slug: str, taken: set[str]) -> str:
    """Return `slug`, or with the first number that is free: ids are those of GitHub."""
    number, unused = 0, slug
    while unused in taken:
        number += 1
        unused = f"{slug}-{number}"
    taken.add(unused)
    return unused
