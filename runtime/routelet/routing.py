"""Routes, and which of them answers a URL.

The bundler makes `Route`s from file names, functions make them from their manifest, and both
match with `match_route`: there is one matcher. A path is decoded once, by `canonical_path`, and
everything that looks at a path afterwards looks at that value.

The rules are Astro 4's (App.match) except where its behaviour is a known fault: `base` matches
whole segments only, and a malformed escape is an error of its own.
"""

import re
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ENCODED_SLASH = "\0"
"""Stands for %2F in a canonical path: part of a segment, and never a separator."""

_PARAMETER = r"\[(?P<rest>\.\.\.)?(?P<name>[A-Za-z0-9_$]+)(?:=[a-z]+)?\]"
PARAMETER_TYPES = {
    "int": "-?[0-9]+",
    "float": r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "slug": "[A-Za-z0-9_-]+",
}
"""Patterns of typed parameters, `[name=type]` or by a handler's annotation.

They take less than Python's own `int("1_0")` and `UUID("{...}")`: one value, one URL.
"""
_PATH_SAFE = "!$&'()*+,;=:@"
"""What stands for itself in a segment beside letters, digits and -._~: RFC 3986, 3.3."""
_BAD_ESCAPE = "%(?![0-9A-Fa-f]{2})"
# Text, and compiled when one is used: a start that compiles both takes 0.6 ms longer.


class MalformedPathError(ValueError):
    """A URL path with a percent escape that is not one of UTF-8 text; answered with 400."""


class Part:
    """A piece of a segment: literal text, `[param]` or `[...rest]`."""

    __slots__ = ("content", "dynamic", "spread", "type")

    def __init__(
        self, content: str, dynamic: bool = False, spread: bool = False, type: str | None = None
    ) -> None:
        self.content = content
        self.dynamic = dynamic
        self.spread = spread
        self.type = type

    def __repr__(self) -> str:
        return f"Part({self.text!r})"

    @property
    def text(self) -> str:
        """The part as it stands in a route: `about`, `[id]`, `[id=int]`, `[...path]`."""
        if not self.dynamic:
            return self.content
        return f"[{'...' if self.spread else ''}{self.name}{f'={self.type}' if self.type else ''}]"

    @property
    def name(self) -> str:
        """The parameter's name, without the dots of a rest parameter."""
        return self.content.removeprefix("...")


class Route:
    """A route as `routes` in routelet.json describes it; never changed once made.

    `segments` may be empty in a function's own manifest, which needs only the pattern. `function`
    is the name of the one that answers: None where none does, and while it is not known yet.
    """

    __slots__ = (
        "_compiled", "component", "function", "is_index", "params", "pattern", "prerender",
        "redirect", "route", "segments", "type",
    )  # fmt: skip
    if TYPE_CHECKING:
        route: str
        pattern: str
        params: tuple[str, ...]
        component: str | None
        type: str
        segments: tuple[tuple[Part, ...], ...]
        prerender: bool
        redirect: tuple[str, int | None] | None
        is_index: bool
        function: str | None
        _compiled: re.Pattern[str] | None

    def __init__(
        self,
        route: str,
        pattern: str,
        params: "Sequence[str]" = (),
        *,
        component: str | None = None,
        type: str = "page",
        segments: "Sequence[Sequence[Part]]" = (),
        prerender: bool = False,
        redirect: "tuple[str, int | None] | None" = None,
        is_index: bool = False,
    ) -> None:
        put = partial(object.__setattr__, self)
        put("route", route)
        put("pattern", pattern)
        put("params", tuple(params))
        put("component", component)
        put("type", type)
        put("segments", tuple(tuple(segment) for segment in segments))
        put("prerender", prerender)
        put("redirect", redirect)
        put("is_index", is_index)
        put("function", None)
        put("_compiled", None)

    def __setattr__(self, name: str, value: object) -> None:
        if name != "_compiled" and hasattr(self, name):  # hooks of adapters are given routes
            raise AttributeError(f"a route is never changed: {name}")
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"Route({self.route!r}, component={self.component!r})"

    def match(self, path: str) -> "dict[str, str | None] | None":
        """Return the parameters of a canonical `path` below the base, or None.

        An empty rest parameter is None. Values are text, decoded once, never converted.
        """
        if self._compiled is None:
            self._compiled = re.compile(self.pattern)
        found = self._compiled.fullmatch(path)
        if found is None:
            return None
        return {
            name: value.replace(ENCODED_SLASH, "/") if value else None
            for name, value in zip(self.params, found.groups(), strict=True)
        }


def canonical_path(path: str, *, decoded: bool = False) -> str:
    """Return `path` decoded once, with `.` and `..` resolved and %2F as `ENCODED_SLASH`.

    `decoded` is for hosts that decode before they call, such as API Gateway's HTTP API. Raises
    `MalformedPathError`. Dots: RFC 3986, 5.2.4, and WHATWG URL for their escaped forms.
    """
    if ENCODED_SLASH in path:
        raise MalformedPathError(path)
    if not decoded and "%" in path:
        path = "/".join(map(decoded_segment, path.split("/")))
    return _without_dots(path) if "/." in path else path


def decoded_segment(segment: str) -> str:
    """Return a segment decoded once, %2F as `ENCODED_SLASH`; raises `MalformedPathError`."""
    if "%" not in segment:
        return segment
    if re.search(_BAD_ESCAPE, segment):
        raise MalformedPathError(segment)
    head, *escaped = segment.encode().split(b"%")
    octets = head + b"".join(bytes.fromhex(e[:2].decode()) + e[2:] for e in escaped)
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise MalformedPathError(segment) from None
    if ENCODED_SLASH in text:
        raise MalformedPathError(segment)
    return text.replace("/", ENCODED_SLASH)


def _without_dots(path: str) -> str:
    kept: list[str] = []
    pieces = path.split("/")[1:]
    for piece in pieces:
        if piece == "..":
            kept = kept[:-1]
        elif piece != ".":
            kept.append(piece)
    if pieces[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def below_base(path: str, base: str) -> str | None:
    """Return the canonical `path` below `base` (whole segments only), or None outside of it.

    Of several slashes at the beginning one is kept: Astro drops one of two, and a page that
    redirects to such a path would send its visitor to another host.
    """
    prefix = base.rstrip("/")
    if prefix and path != prefix and not path.startswith(prefix + "/"):
        return None
    rest = path[len(prefix) :]
    return "/" + rest.lstrip("/") if rest.startswith("//") else rest


def match_route(
    routes: "Iterable[Route]", path: str, base: str = "/"
) -> "tuple[Route, dict[str, str | None]] | None":
    """Return the first of the ordered `routes` that answers the canonical `path`."""
    rest = below_base(path, base)
    if rest is None:
        return None
    for route in routes:
        params = route.match(rest)
        if params is not None:
            return route, params
    return None


def url_for(
    route: str,
    params: "Mapping[str, object]",
    base: str = "/",
    *,
    trailing_slash: str = "ignore",
) -> str:
    """Return the percent-encoded URL path of `route`, such as `/blog/[slug]`, below `base`.

    An absent or empty rest parameter leaves its segment out. Raises `ValueError` for another
    parameter that is missing or empty, and for what no URL can have: NUL, and a segment `..`.
    """
    segments = (_url_segment(segment, params) for segment in route.strip("/").split("/"))
    path = "/" + "/".join(filter(None, segments))
    if "%00" in path or not {".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(f"{route} has no URL with {dict(params)}")
    path = base.rstrip("/") + path
    if trailing_slash == "ignore":
        return path
    return (path.rstrip("/") if trailing_slash == "never" else path.removesuffix("/") + "/") or "/"


def _url_segment(segment: str, params: "Mapping[str, object]") -> str:
    from urllib.parse import quote  # 6 ms, and most functions build no URL  # noqa: PLC0415

    def text_of(rest: str | None, name: str) -> str:
        value = params.get(name)
        if rest:
            return "" if value is None else quote(str(value).strip("/"), safe="/" + _PATH_SAFE)
        if value is None or value == "":
            raise ValueError(f'{segment} needs the parameter "{name}"')
        return quote(str(value), safe=_PATH_SAFE)

    url, end = "", 0
    for found in re.finditer(_PARAMETER, segment):
        url += quote(literal_text(segment[end : found.start()]), safe=_PATH_SAFE)
        url += text_of(found["rest"], found["name"])
        end = found.end()
    return url + quote(literal_text(segment[end:]), safe=_PATH_SAFE)


def literal_text(content: str) -> str:
    """Return what the literal part of a file name stands for: %5B and %5D are brackets."""
    return content.replace("%5B", "[").replace("%5D", "]")
