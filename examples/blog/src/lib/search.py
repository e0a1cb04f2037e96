"""Find posts by words. A post is found when it holds every word of the query."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lib.posts import Post

MAX_QUERY_LENGTH = 100  # characters
MAX_WORDS = 8
EXCERPT_LENGTH = 180  # characters
TITLE_WEIGHT, TAG_WEIGHT, SUMMARY_WEIGHT, TEXT_WEIGHT = 10, 6, 3, 1
MARKDOWN_MARKS = re.compile(r"^#+ .*$|```\w*|[`*#|>]|\]\([^)]*\)|\[|-{3,}", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of an excerpt; `matched` when it is a word of the query."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    post: Post
    score: int
    excerpt: tuple[Piece, ...]


def search(posts: Iterable[Post], query: str) -> list[Hit]:
    """Return the posts that hold every word of the query, best first."""
    words = words_of(query)
    if not words:
        return []
    hits = [
        Hit(post=post, score=points, excerpt=excerpt(post, words))
        for post in posts
        if (points := score(post, words))
    ]
    return sorted(hits, key=lambda hit: hit.score, reverse=True)


def words_of(query: str) -> list[str]:
    return query[:MAX_QUERY_LENGTH].casefold().split()[:MAX_WORDS]


def score(post: Post, words: list[str]) -> int:
    """Return 0 when a word is missing, else more for the title than for the text."""
    points = [score_word(post, word) for word in words]
    return sum(points) if all(points) else 0


def score_word(post: Post, word: str) -> int:
    return (
        TITLE_WEIGHT * (word in post.title.casefold())
        + TAG_WEIGHT * any(word in tag.casefold() for tag in post.tags)
        + SUMMARY_WEIGHT * (word in post.summary.casefold())
        + TEXT_WEIGHT * (word in post.text.casefold())
    )


def excerpt(post: Post, words: list[str]) -> tuple[Piece, ...]:
    """Return the text around the first word found; in pieces, so that a template escapes each."""
    any_word = re.compile("(" + "|".join(re.escape(word) for word in words) + ")", re.IGNORECASE)
    text = " ".join(MARKDOWN_MARKS.sub(" ", post.text).split())
    found = any_word.search(text)
    if found is None:
        text, start = post.summary, 0
    else:
        start = text.rfind(" ", 0, max(0, found.start() - EXCERPT_LENGTH // 3)) + 1
    window = text[start : start + EXCERPT_LENGTH]
    if start:
        window = "… " + window
    if start + EXCERPT_LENGTH < len(text):
        window = window.rsplit(" ", 1)[0] + " …"
    # split() with one group gives text, match, text, match, ...
    pieces = enumerate(any_word.split(window))
    return tuple(Piece(text=part, matched=place % 2 == 1) for place, part in pieces if part)
