"""The order in which routes are tried: the first that matches a URL answers it.

It is Astro 4's routeComparator, with three differences: ties sort by code point, so that the order
is the same everywhere; a typed parameter comes before an untyped one; and a rest parameter inside a
segment does not let a shorter route go first, for that order would go in circles.
"""

from collections.abc import Iterable, Sequence
from functools import cmp_to_key

from routelet.routing import Part, Route


def in_order(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return `routes` sorted for matching."""
    return tuple(sorted(routes, key=cmp_to_key(_compare)))


def _compare(a: Route, b: Route) -> int:
    for mine, theirs in zip(a.segments, b.segments, strict=False):
        if difference := _sign(_segment_rank(mine), _segment_rank(theirs)):
            return difference
    if len(a.segments) != len(b.segments):
        return _compare_lengths(a, b)
    return _sign(_tie_break(a), _tie_break(b))


def _segment_rank(segment: Sequence[Part]) -> tuple[int, bool, bool, str]:
    """Rank static by its text, then partly dynamic, then dynamic; no rest before rest."""
    if not any(part.dynamic for part in segment):
        return (0, False, False, "".join(part.content for part in segment))
    fully = all(part.dynamic for part in segment)
    rest = any(part.spread for part in segment)
    untyped = any(part.dynamic and part.type is None for part in segment)
    return (2 if fully else 1, rest, untyped, "")


def _compare_lengths(a: Route, b: Route) -> int:
    """Put the longer first, but `/a` before `/a/[...rest]`."""
    longer = a if len(a.segments) > len(b.segments) else b
    shorter = b if longer is a else a
    only_longer_ends_in_rest = _ends_in_rest(longer, alone=True) and not _ends_in_rest(shorter)
    by_one = len(longer.segments) - len(shorter.segments) == 1
    first = shorter if only_longer_ends_in_rest and by_one else longer
    return -1 if first is a else 1


def _ends_in_rest(route: Route, *, alone: bool = False) -> bool:
    last = route.segments[-1] if route.segments else ()
    return any(part.spread for part in last) and (len(last) == 1 or not alone)


def _tie_break(route: Route) -> tuple[bool, str, bool, str]:
    """Endpoints before pages, then by route; of `foo.py` and `foo/index.py` the folder wins."""
    return (route.type != "endpoint", route.route, not route.is_index, route.component or "")


def _sign(a: tuple[object, ...], b: tuple[object, ...]) -> int:
    return (a > b) - (a < b)
