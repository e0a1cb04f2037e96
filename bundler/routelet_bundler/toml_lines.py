"""The line of a key in a TOML text, which parsers do not tell."""

import re
import tomllib
from typing import Any

_QUOTED = r'"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'"
_LONG = r'"""(?:\\.|[^\\])*?"{3,5}' + r"|'''.*?'{3,5}"
_OPAQUE = re.compile(rf"(?P<long>{_LONG})|{_QUOTED}|#[^\n]*", re.DOTALL)
"""Strings and comments: what stands in them is no key."""
_HEADER = re.compile(rf"\s*\[\[?(?P<name>(?:{_QUOTED}|[^\]\"'])+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*(?P<name>(?:{_QUOTED}|[^\"'=#\[\]])+?)\s*=")


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """Return the number, from 1, of the line of the valid TOML `text` that sets `keys`.

    Where the very key is not on a line of its own (in an inline table, say), the nearest key or
    table above it is told; None where there is none.
    """
    places: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    depth = 0
    for number, line in enumerate(_OPAQUE.sub(_shorten, text).split("\n"), 1):
        if depth == 0 and (header := _HEADER.match(line)):
            table = _names(header["name"])
            places.setdefault(table, number)
        elif depth == 0 and (key := _KEY.match(line)):
            places.setdefault((*table, *_names(key["name"])), number)
        depth += _opened_brackets(line)
    for end in range(len(keys), 0, -1):
        if keys[:end] in places:
            return places[keys[:end]]
    return None


def _shorten(found: re.Match[str]) -> str:
    """Leave of a string over several lines only its line ends."""
    return '""' + "\n" * found[0].count("\n") if found["long"] else found[0]


def _opened_brackets(line: str) -> int:
    bare = _OPAQUE.sub("", line)
    return sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))


def _names(dotted: str) -> tuple[str, ...]:
    names: list[str] = []
    inner: Any = tomllib.loads(f"{dotted} = 0")
    while isinstance(inner, dict):
        [(name, inner)] = inner.items()
        names.append(name)
    return tuple(names)
