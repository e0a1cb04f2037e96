"""Read the posts: front matter and Markdown text, newest first.

Makes no HTML, so that search needs no Markdown compiler; see lib.markdown for that.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from math import ceil
from pathlib import Path

import yaml

HERE = Path(__file__).parent / "posts"
WORDS_PER_MINUTE = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One Markdown file. `text` is Markdown, without the front matter."""

    slug: str
    title: str
    published: date
    summary: str
    tags: tuple[str, ...]
    text: str

    @property
    def path(self) -> str:
        return f"/blog/{self.slug}/"

    @property
    def published_text(self) -> str:
        return f"{self.published.day} {self.published:%B %Y}"

    @property
    def minutes(self) -> int:
        return ceil(len(self.text.split()) / WORDS_PER_MINUTE)


@cache
def all_posts() -> tuple[Post, ...]:
    """Return every post, newest first."""
    posts = [parse_post(file.stem, file.read_text(encoding="utf-8")) for file in HERE.glob("*.md")]
    return tuple(sorted(posts, key=lambda post: (post.published, post.slug), reverse=True))


def parse_post(slug: str, source: str) -> Post:
    """Split a file into its front matter, which stands between two lines of `---`, and its text."""
    _, front_matter, text = source.split("---\n", 2)
    meta = yaml.safe_load(front_matter)
    return Post(
        slug=slug,
        title=meta["title"],
        published=meta["date"],
        summary=meta["summary"],
        tags=tuple(meta["tags"]),
        text=text.strip(),
    )
