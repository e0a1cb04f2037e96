"""File names to routes: `blog/[slug].py` answers `/blog/[slug]`.

The rules are Astro 4's (createRouteManifest), and the typed form `[id=int]` is routelet's own.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import takewhile

from routelet.routing import Part, Route, literal_text
from routelet_bundler.model import Kind

KINDS: Mapping[str, Kind] = {".py": "py", ".jinja": "jinja", ".md": "md", ".html": "html"}
"""What a page is written in, by the extension of its file."""

TYPES = {
    "int": "-?[0-9]+",
    "float": r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "slug": "[A-Za-z0-9_-]+",
}
"""Patterns of the typed parameters `[name=type]`; a value that does not fit is a non-match."""

UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and what stands for bytes that are no UTF-8."""

_BRACKETS = re.compile(r"\[(.+?)\]")
_PARAMETER_NAME = re.compile(r"(?P<rest>\.\.\.)?(?P<name>[A-Za-z0-9_$]+)(?:=(?P<type>[a-z]+))?")


class InvalidRouteError(ValueError):
    """A file name that cannot be a route; the message says why."""


def parse_route(
    file: str,
    *,
    trailing_slash: str = "ignore",
    base: str = "/",
    component: str | None = None,
    prerender: bool = False,
) -> Route:
    """Return the route of `file`, a path below `src/pages/` with `/` between its parts.

    Raises `InvalidRouteError` for a name that no URL can have.
    """
    *folders, name = file.split("/")
    stem, dot, extension = name.rpartition(".")
    is_index = name.startswith("index.")
    suffix = stem[len("index") :] if is_index else ""
    segments = [parse_segment(folder) for folder in folders]
    if not is_index or (suffix and not segments):
        segments.append(parse_segment(stem))
    elif suffix:
        segments[-1] = _with_suffix(segments[-1], suffix)
    suffix = f"{dot}{extension}"
    _refuse_rest_inside_a_segment(segments, suffix)
    return make_route(
        segments,
        trailing_slash=trailing_slash,
        base=base,
        type=type_of(suffix),
        is_index=is_index,
        component=component,
        prerender=prerender,
    )


def parse_pattern(pattern: str, suffix: str) -> tuple[str, tuple[tuple[Part, ...], ...]]:
    """Return the text and the segments of a route that is written out: `/blog/[slug]`.

    `suffix` is that of its page's file. Raises `InvalidRouteError`.
    """
    if not isinstance(pattern, str) or not pattern.startswith("/"):
        raise InvalidRouteError("a route begins with a slash")
    names = pattern[1:].removesuffix("/").split("/") if pattern != "/" else []
    if {"", ".", ".."}.intersection(names):
        raise InvalidRouteError("a segment is empty, or made of dots")
    segments = tuple(map(parse_segment, names))
    _refuse_rest_inside_a_segment(segments, suffix)
    return make_route(segments).route, segments


def type_of(suffix: str) -> str:
    """Return the type of the route that a file answers, by the file's extension."""
    return "endpoint" if suffix == ".py" else "page"


def make_route(
    segments: Sequence[Sequence[Part]],
    *,
    trailing_slash: str = "ignore",
    base: str = "/",
    type: str = "page",
    is_index: bool = False,
    component: str | None = None,
    prerender: bool = False,
    redirect: tuple[str, int | None] | None = None,
) -> Route:
    """Return the route that has these segments."""
    names = [part.name for segment in segments for part in segment if part.dynamic]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InvalidRouteError(f'parameter "{twice}" is named twice')
    text = "/" + "/".join("".join(part.text for part in segment) for segment in segments)
    if unwritable := UNWRITABLE.search(text):
        raise InvalidRouteError(f"no URL is written with the character {unwritable[0]!a}")
    return Route(
        text,
        _pattern(segments, trailing_slash, has_base=base.strip("/") != ""),
        names,
        component=component,
        type=type,
        segments=segments,
        prerender=prerender,
        redirect=redirect,
        is_index=is_index,
    )


def parse_segment(segment: str) -> tuple[Part, ...]:
    """Split one folder or file name at its brackets: `v[n]` is text and a parameter."""
    if "][" in segment:
        raise InvalidRouteError(f"put text between the parameters of {segment!r}")
    if segment.count("[") != segment.count("]"):
        raise InvalidRouteError(f"the brackets of {segment!r} do not pair up")
    parts = []
    for index, text in enumerate(_BRACKETS.split(segment)):
        if text:
            parts.append(_parameter(text) if index % 2 else Part(text))
    return tuple(parts)


def _parameter(text: str) -> Part:
    found = _PARAMETER_NAME.fullmatch(text)
    if found is None:
        raise InvalidRouteError(
            f"[{text}] is no parameter; a name has letters, digits, _ and $ only"
        )
    rest, name, kind = found["rest"] or "", found["name"], found["type"]
    if kind is not None and kind not in TYPES:
        raise InvalidRouteError(f"[{text}] has no known type; use {', '.join(TYPES)}")
    if kind and rest:
        raise InvalidRouteError(f"[{text}]: a rest parameter has no type")
    return Part(rest + name, dynamic=True, spread=bool(rest), type=kind)


def _with_suffix(segment: tuple[Part, ...], suffix: str) -> tuple[Part, ...]:
    """`foo/index.json.py` answers /foo.json: the suffix belongs to the folder's segment."""
    *head, last = segment
    if last.dynamic:
        return (*segment, Part(suffix))
    return (*head, Part(last.content + suffix))


def _refuse_rest_inside_a_segment(segments: Sequence[Sequence[Part]], suffix: str) -> None:
    for segment in segments if suffix == ".jinja" else ():
        if len(segment) > 1 and any(part.spread for part in segment):
            raise InvalidRouteError("a rest parameter stands alone in its segment")


def _pattern(segments: Sequence[Sequence[Part]], trailing_slash: str, *, has_base: bool) -> str:
    if not segments:
        if not has_base:
            return "^/$"
        return {"always": "^/$", "never": "^$"}.get(trailing_slash, "^/?$")
    end = {"always": "/$", "never": "$"}.get(trailing_slash, "/?$")
    parts = (_segment_pattern(one, segments[n + 1 :]) for n, one in enumerate(segments))
    return "^" + "".join(parts) + end


# A parameter ends at the first text that may follow it. Where the next parameter takes anything as
# well, a later end would never help: it is not tried, or the time to match would grow as a power of
# the URL's length.


def _segment_pattern(segment: Sequence[Part], following: Sequence[Sequence[Part]]) -> str:
    if len(segment) == 1 and segment[0].spread:
        texts = list(takewhile(lambda later: not any(part.dynamic for part in later), following))
        goes_on = len(texts) < len(following) and following[len(texts)][0].spread
        until = "".join("/" + "".join(map(_literal, text)) for text in texts) if goes_on else ""
        inside = f"(?:(?!{until}(?:/|$)).)*" if until else ".*?"
        return f"(?:/({inside}))?"
    return "/" + "".join(_part_pattern(one, segment[n + 1 :]) for n, one in enumerate(segment))


def _part_pattern(part: Part, following: Sequence[Part]) -> str:
    if part.spread:
        return "(.*?)"
    if part.type:
        return f"({TYPES[part.type]})"
    if not part.dynamic:
        return _literal(part)
    match following:
        case [text, Part(dynamic=True, type=None), *_]:
            return f"([^/](?:(?!{_literal(text)})[^/])*)"
    return "([^/]+?)"


def _literal(part: Part) -> str:
    return re.escape(literal_text(unicodedata.normalize("NFC", part.content)))
