"""The line of a key in a TOML text, which parsers do not tell."""

import re

_HEADER = re.compile(r"\s*\[\[?(?P<name>[^\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*(?P<key>(?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*="""
)
_NAME = re.compile(r""""[^"]*"|'[^']*'|[\w-]+""")


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """Return the number, from 1, of the line that sets `keys`.

    Where the very key is not on a line of its own (in an inline table, say), the nearest key or
    table above it is told; None where there is none.
    """
    places: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _names(header["name"])
            places.setdefault(table, number)
        elif key := _KEY.match(line):
            places.setdefault((*table, *_names(key["key"])), number)
    for end in range(len(keys), 0, -1):
        if keys[:end] in places:
            return places[keys[:end]]
    return None


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip("\"'") for name in _NAME.findall(dotted))
