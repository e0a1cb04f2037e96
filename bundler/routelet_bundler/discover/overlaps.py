"""Overlaps: routes that answer each other's URLs where nobody may have meant it.

In: routes in matching order. Out: warnings, each with a URL that both routes were seen to match.
A more specific route before a general one is what the order is for. Told is a route of which an
earlier one matches all URLs, and two that each have URLs of their own beside the common ones. Not
found are a route that only several others hide together, and two where a third route answers each
of the few URLs that are tried: most often it was written to settle just that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, product
from urllib.parse import quote

from routelet.routing import Part, Route, below_base, canonical_path, match_route
from routelet_bundler.discover.names import make_route
from routelet_bundler.discover.url_sets import (
    FREE,
    REST,
    Segments,
    common_paths,
    fixed,
    is_inside,
    may_meet,
    segments_of,
)

MAX_WORK = 1_000_000
"""How many segments are looked at in a site, in about a second.

It takes hundreds of routes that may each meet hundreds of others; the last are not compared then.
"""
COMPARISON = 10
"""What comparing two routes costs beside looking at one segment."""
MAX_TOLD = 3
"""Warnings for one file: more of them would have the same cause."""


def overlap_warnings(
    routes: Sequence[Route], *, base: str = "/", trailing_slash: str = "ignore"
) -> Iterator[str]:
    """Yield a warning for each of the ordered `routes` that an earlier one hides or overlaps."""
    earlier = _Earlier(base=base, trailing_slash=trailing_slash)
    for route in routes:
        # Other static pages come before all that match their URL, and there may be many.
        if route.params or route.redirect or earlier.has_two_rests:
            yield from islice(_warnings(route, segments_of(route), earlier), MAX_TOLD)
        earlier.add(route)


def _warnings(later: Route, segments: Segments, earlier: "_Earlier") -> Iterator[str]:
    others = earlier.that_may_match(segments, later.pattern)
    if any(_collide(other, later) for other, _ in others):
        return
    hiding = (one for one, theirs in others if is_inside(segments, theirs))
    if first := next((one for one in hiding if _is_worth_hiding(one, later)), None):
        yield from _hidden(first, later, earlier)
        return
    for other, theirs in others:
        if _is_worth_overlap(other, later) and not is_inside(theirs, segments):
            yield from _overlap(other, later, earlier)


def _is_listed(route: Route) -> bool:
    """Tell whether it is a page that lists its URLs."""
    return route.prerender and bool(route.params)


def _collide(first: Route, later: Route) -> bool:
    """Tell whether two pages are an error by themselves."""
    are_pages = not (first.redirect or later.redirect)
    are_listed = _is_listed(first) or _is_listed(later)
    return are_pages and not are_listed and first.pattern == later.pattern


def _is_worth_hiding(first: Route, later: Route) -> bool:
    """Tell whether it is worth a warning that `first` matches all URLs of `later`.

    A redirect may be meant for what a page does not list, if it is for some of its URLs only.
    """
    return not (later.redirect and _is_listed(first)) or first.pattern == later.pattern


def _is_worth_overlap(first: Route, later: Route) -> bool:
    """Tell whether it is worth a warning that `first` matches some URLs of `later`.

    The build refuses one that a prerendered page lists, and a file is meant to win over a redirect.
    """
    return not later.prerender and bool(first.redirect or not later.redirect)


def _hidden(first: Route, later: Route, earlier: "_Earlier") -> Iterator[str]:
    if url := next(earlier.common_urls(first, later), None):
        why = (
            f"comes after {_named(first)}, which matches"
            if _is_listed(first) or _is_listed(later)
            else f"never answers, for {_named(first)} comes first and matches"
        )
        yield f"{_where(later)} {why} all its URLs, such as {url}; rename or remove one of the two"


def _overlap(first: Route, later: Route, earlier: "_Earlier") -> Iterator[str]:
    urls = earlier.common_urls(first, later)
    if url := next((url for url in urls if earlier.answers(first, url)), None):
        yield (
            f"{_where(later)} matches {url}, and so does {_named(first)}, which comes first; "
            "rename one of the two, or add a page for that URL"
        )


def _where(route: Route) -> str:
    if route.redirect:
        return f'pyproject.toml [tool.routelet.redirects]: "{route.route}"'
    return f"{route.component}:"


def _named(route: Route) -> str:
    return f"the redirect of {route.route}" if route.redirect else str(route.component)


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    number: int
    route: Route = field(compare=False)
    segments: Segments = field(compare=False)


@dataclass(slots=True)
class _Node:
    """Routes that begin alike: those that end here, those that go on with a rest, and more."""

    ends: list[_Entry] = field(default_factory=list)
    rests: list[_Entry] = field(default_factory=list)
    static: dict[str, "_Node"] = field(default_factory=dict)
    dynamic: dict[str, "_Node"] = field(default_factory=dict)

    def below(self, segment: str) -> Iterator["_Node"]:
        """Yield the nodes whose segment may match what `segment` matches."""
        if "[" in segment:
            yield from (child for other, child in self.static.items() if may_meet(segment, other))
        elif segment in self.static:
            yield self.static[segment]
        yield from (child for other, child in self.dynamic.items() if may_meet(segment, other))


def _may_end_alike(first: Segments, second: Segments) -> bool:
    if not first or not second or REST in first[-1] or REST in second[-1]:
        return True
    return may_meet(first[-1], second[-1])


class _Earlier:
    """The routes before one, found by what a URL begins with."""

    def __init__(self, *, base: str, trailing_slash: str) -> None:
        self.has_two_rests = False
        """Whether a route ends in two rests: such a one is before a static page that it matches."""
        self._base = base
        self._trailing_slash = trailing_slash
        self._count = 0
        self._work = 0
        self._root = _Node()
        self._static: dict[str, tuple[int, Route]] = {}

    def add(self, route: Route) -> None:
        """Add the next route in order."""
        self._count += 1
        if not route.params:
            self._static.setdefault(route.pattern, (self._count, route))
            return
        segments = segments_of(route)
        entry = _Entry(self._count, route, segments)
        self.has_two_rests |= segments[-2:] == (REST, REST)
        node = self._root
        for segment in segments:
            if REST in segment:
                node.rests.append(entry)
                return
            children = node.dynamic if "[" in segment else node.static
            node = children.setdefault(segment, _Node())
        node.ends.append(entry)

    def that_may_match(self, segments: Segments, pattern: str) -> list[tuple[Route, Segments]]:
        """Return the routes, in order, that may match what a route matches."""
        static = self._static.get(pattern)
        found = [_Entry(*static, segments)] if static else []
        nodes = [self._root] if self._work < MAX_WORK else []
        for segment in segments:
            if REST in segment:
                found += self._all_of(nodes)
                break
            found += chain.from_iterable(node.rests for node in nodes)
            for node in nodes:
                self._work += len(node.dynamic) + ("[" in segment and len(node.static))
            nodes = [child for node in nodes for child in node.below(segment)]
        else:
            found += chain.from_iterable((*node.rests, *node.ends) for node in nodes)
        found = [entry for entry in found if _may_end_alike(segments, entry.segments)]
        self._work += COMPARISON * len(found)
        return [(entry.route, entry.segments) for entry in sorted(found)]

    def _all_of(self, nodes: list[_Node]) -> Iterator[_Entry]:
        for node in nodes:  # which grows
            yield from (*node.ends, *node.rests)
            nodes += (*node.static.values(), *node.dynamic.values())

    def common_urls(self, first: Route, later: Route) -> Iterator[str]:
        """Yield URLs that both match, each tried."""
        paths = common_paths(segments_of(first), segments_of(later))
        for path, letter in product(paths, "xyz"):
            url = self._url([segment.replace(FREE, letter) for segment in path])
            if all(match_route([one], canonical_path(url), self._base) for one in (first, later)):
                yield url

    def _url(self, segments: Sequence[str]) -> str:
        path = self._base.rstrip("/") + "/" + "/".join(segments)
        if self._trailing_slash != "ignore":
            path = path.rstrip("/")
            path += "/" if self._trailing_slash == "always" or not path else ""
        return quote(path, safe="/!$&'()*+,;=:@")

    def answers(self, route: Route, url: str) -> bool:
        """Tell whether `route` is the first that matches `url`."""
        path = canonical_path(url)
        rest = (below_base(path, self._base) or "").strip("/")
        segments = tuple(map(fixed, rest.split("/"))) if rest else ()
        same = make_route(
            [[Part(segment)] for segment in segments],
            trailing_slash=self._trailing_slash,
            base=self._base,
        )
        found = match_route(
            [one for one, _ in self.that_may_match(segments, same.pattern)], path, self._base
        )
        return found is not None and found[0] is route
