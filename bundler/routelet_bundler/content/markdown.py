"""Markdown to HTML, with the headings that a layout makes a table of contents of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """HTML, and each heading as `{"depth": 2, "slug": "the-rules", "text": "The rules"}`."""

    html: str
    headings: tuple[dict[str, object], ...]


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def markdown_to_html(text: str) -> Rendered:
    """Return CommonMark with tables as HTML, an id on each heading; raw HTML is escaped."""
    tokens = _parser().parse(text)
    headings = tuple(_with_ids(tokens))
    html = _parser().renderer.render(tokens, _parser().options, {})
    return Rendered(html=str(html), headings=headings)


def _with_ids(tokens: Sequence[Token]) -> list[dict[str, object]]:
    headings: list[dict[str, object]] = []
    taken: set[str] = set()
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(child.content for child in inline.children or ())
        slug = _unused(re.sub(r"[^\w]+", "-", text.lower()).strip("-") or "section", taken)
        opening.attrSet("id", slug)
        headings.append({"depth": int(opening.tag[1:]), "slug": slug, "text": text})
    return headings


def _unused(slug: str, taken: set[str]) -> str:
    number, unused = 1, slug
    while unused in taken:
        number += 1
        unused = f"{slug}-{number}"
    taken.add(unused)
    return unused
