"""Markdown pages of about 2.9 KB, the same in every run: text, lists, a table, code."""

from collections.abc import Iterator
from random import Random

WORDS = [
    "cold", "start", "handler", "layer", "bytecode", "wheel", "import", "zip", "route", "event",
    "function", "page", "middleware", "adapter", "target", "archive", "memory", "trace", "bundle",
    "deploy", "region", "queue", "stream", "table", "index", "cache",
]  # fmt: skip
CODE = "```\nif a < b and c & d:\n    print(a)\n```\n"


def pages(count: int) -> Iterator[str]:
    """Yield the text of `count` pages."""
    chance = Random(7)
    for number in range(count):
        sections = "\n".join(_section(number, chance) for _ in range(3))
        rows = "\n".join(f"| {chance.choice(WORDS)} | {row} |" for row in range(4))
        yield f"# Page {number}\n\n{sections}\n| a | b |\n|---|---|\n{rows}\n\n{CODE}"


def _section(number: int, chance: Random) -> str:
    link = f"Some *emphasis*, a [link](https://example.com/{number}) and `code`."
    items = "\n".join(f"- {_sentence(chance)}" for _ in range(4))
    heading = f"## {_sentence(chance)[:-1]}"
    return f"{heading}\n\n{_paragraph(chance)}\n\n{link} {_paragraph(chance)}\n\n{items}\n"


def _paragraph(chance: Random) -> str:
    return " ".join(_sentence(chance) for _ in range(chance.randint(3, 5)))


def _sentence(chance: Random) -> str:
    words = (chance.choice(WORDS) for _ in range(chance.randint(6, 14)))
    return " ".join(words).capitalize() + "."
