"""Routes to the route keys of an API Gateway HTTP API.

In: routelet.json, whose routes are in matching order. Out: one key for each set of URLs that one
function answers, and the routes that a key cannot tell apart. Files come first, so routes without
a function are left out here. Nothing is read or written.

API Gateway takes the most specific key: a full match, then `{proxy+}`, then `$default`
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html). What
it does with two keys that overlap while neither contains the other is not documented, so their
intersection becomes a key of its own, until no such pair is left. Whether `/x/` reaches the key
`/x` is not documented either; a key cannot end in a slash, so nothing is done about it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from routelet.routing import literal_text

DEFAULT_KEY = "$default"
MAX_KEYS = 300
"""Routes of one HTTP API, and integrations, which is the one that no request raises.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""
MAX_INTERSECTIONS = 100
"""More than this is a site whose routes should share functions; the rest is left to warnings."""

_KEY_LITERAL = re.compile(r"[A-Za-z0-9._~:-]+")
"""Which other characters a key may hold is not documented; such a segment becomes a parameter."""


@dataclass(frozen=True, slots=True)
class RouteKey:
    """A route key and the function that it invokes."""

    key: str
    """`ANY /blog/{p0}`, `ANY /docs/{proxy+}` or `$default`."""
    function: str
    """A function's name in routelet.json."""

    @property
    def path(self) -> str | None:
        """The key without its method, or None for `$default`."""
        return None if self.key == DEFAULT_KEY else self.key.removeprefix("ANY ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two routes that API Gateway cannot tell apart under one key."""

    key: str
    kept: str
    """The route whose function gets the key."""
    lost: str
    """The route whose URLs under the key reach the other's function."""

    def __str__(self) -> str:
        return (
            f'API Gateway\'s route key "{self.key}" stands for URLs of {self.kept} and of '
            f"{self.lost}; the function of {self.kept} gets them all. "
            'Put both in one function: config = {"group": "NAME"} in each page.'
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The keys of a site's HTTP API."""

    keys: tuple[RouteKey, ...]
    conflicts: tuple[Conflict, ...]
    warnings: tuple[str, ...]
    """What a person is told: the conflicts, and limits that were met."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The set of paths that a key stands for; a key is written from it."""

    segments: tuple[str | None, ...]
    """Literal text, or None for any one segment."""
    rest: bool = False
    """One more segment or several; no segments and a rest is `$default`, which is everything."""

    @property
    def is_default(self) -> bool:
        """Tell whether this is everything, the root too."""
        return self.rest and not self.segments

    @property
    def key(self) -> str:
        """The key, with parameters named by their position: other names make no other key."""
        if self.is_default:
            return DEFAULT_KEY
        names = iter(range(len(self.segments)))
        parts = [f"{{p{next(names)}}}" if part is None else part for part in self.segments]
        return "ANY /" + "/".join([*parts, "{proxy+}"] if self.rest else parts)

    def contains(self, other: "Shape") -> bool:
        """Tell whether every path of `other` is one of this shape's."""
        if self.is_default or other.is_default:
            return self.is_default
        if other.rest and not self.rest:
            return False
        spare = len(other.segments) + other.rest - len(self.segments) - self.rest
        if spare < 0 or (spare and not self.rest):
            return False
        pairs = zip(self.segments, other.segments, strict=False)
        return all(mine is None or mine == its for mine, its in pairs)

    def meet(self, other: "Shape") -> "Shape | None":
        """Return the shape of the paths that both have, or None."""
        if self.is_default or other.is_default:
            return other if self.is_default else self
        if not (_reaches(self, other) and _reaches(other, self)):
            return None
        merged: list[str | None] = []
        for index in range(max(len(self.segments), len(other.segments))):
            mine, its = _segment(self, index), _segment(other, index)
            if mine is not None and its is not None and mine != its:
                return None
            merged.append(its if mine is None else mine)
        return Shape(tuple(merged), self.rest and other.rest)


def _segment(shape: Shape, index: int) -> str | None:
    return shape.segments[index] if index < len(shape.segments) else None


def _reaches(shape: Shape, other: Shape) -> bool:
    """Tell whether `shape` is not too short, and a rest has something left, to meet `other`."""
    if shape.rest:
        return other.rest or len(other.segments) > len(shape.segments)
    return other.rest or len(other.segments) == len(shape.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """The keys that one on-demand route asks for."""

    route: str
    function: str
    shapes: tuple[Shape, ...]
    exact: bool
    """Whether the route answers every path of its shapes."""


def gateway_of(manifest: Mapping[str, Any]) -> Gateway:
    """Return the route keys of a site's HTTP API.

    A key that two functions want goes to the route that is first in matching order.
    """
    base = [part for part in manifest["base"].split("/") if part]
    claims = [_claim(route, base) for route in manifest["routes"] if route["function"]]
    owners, complete = _closed(claims)
    keys = tuple(RouteKey(shape.key, owner.function) for shape, owner in owners.items())
    conflicts = tuple(dict.fromkeys(_conflicts(owners, claims)))
    warnings = [*map(str, conflicts), *_ties(owners)]
    if not complete:
        warnings.append(
            f"more than {MAX_INTERSECTIONS} pairs of routes overlap, and API Gateway may choose "
            "between them otherwise than the site does. Put routes that share URLs in one "
            'function: config = {"group": "NAME"}.'
        )
    if len(keys) > MAX_KEYS:
        warnings.append(
            f"the site needs {len(keys)} route keys, and an HTTP API has {MAX_KEYS}. Put routes "
            'in groups: config = {"group": "NAME"}, or set function-per-route = false.'
        )
    return Gateway(keys=keys, conflicts=conflicts, warnings=tuple(warnings))


def _claim(route: Mapping[str, Any], base: Sequence[str]) -> _Claim:
    """Translate one route; what a key cannot say exactly becomes the smallest key around it."""
    prefix: list[str | None] = []
    exact = True
    segments = [[{"content": name, "dynamic": False}] for name in base] + route["segments"]
    for index, segment in enumerate(segments):
        if any(part["dynamic"] and part["spread"] for part in segment):
            after = segments[index + 1 :]
            shapes = [Shape(tuple(prefix), rest=True)]
            if len(segment) == 1 and all(map(_is_rest, after)):
                shapes.insert(0, Shape(tuple(prefix)))
            if shapes[-1].is_default:
                shapes = shapes[-1:]
            alone = len(segment) == 1 and not after
            return _made(route, shapes, exact=exact and alone)
        literal = _literal(segment)
        untyped = len(segment) == 1 and segment[0]["dynamic"] and not segment[0].get("type")
        exact = exact and (literal is not None or bool(untyped))
        prefix.append(literal)
    return _made(route, [Shape(tuple(prefix))], exact=exact)


def _made(route: Mapping[str, Any], shapes: Sequence[Shape], *, exact: bool) -> _Claim:
    return _Claim(
        route=route["route"], function=route["function"], shapes=tuple(shapes), exact=exact
    )


def _is_rest(segment: Sequence[Mapping[str, Any]]) -> bool:
    return len(segment) == 1 and bool(segment[0]["dynamic"] and segment[0]["spread"])


def _literal(segment: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the text of a segment that has no parameter and that a key can hold."""
    if any(part["dynamic"] for part in segment):
        return None
    text = "".join(literal_text(part["content"]) for part in segment)
    return text if _KEY_LITERAL.fullmatch(text) else None


def _closed(claims: Sequence[_Claim]) -> tuple[dict[Shape, _Claim], bool]:
    """Return who gets each key, and whether all the intersections that are needed are there."""
    shapes = list(dict.fromkeys(shape for claim in claims for shape in claim.shapes))
    owners = {shape: _owner(shape, claims) for shape in shapes}
    limit = len(shapes) + MAX_INTERSECTIONS
    for index, shape in enumerate(shapes):  # which grows: intersections are compared as well
        for other in shapes[:index]:
            meet = shape.meet(other)
            same = owners[shape].function == owners[other].function
            if meet is None or meet in owners or same:
                continue
            if len(shapes) == limit:
                return owners, False
            owners[meet] = _owner(meet, claims)
            shapes.append(meet)
    return owners, True


def _covering(shape: Shape, claims: Iterable[_Claim]) -> list[_Claim]:
    return [claim for claim in claims if any(own.contains(shape) for own in claim.shapes)]


def _owner(shape: Shape, claims: Iterable[_Claim]) -> _Claim:
    """Return who gets a key: the first that answers all of it, or that asked for just this key.

    An inexact route is passed over where the key is another's: it answers few of its URLs.
    """
    covering = _covering(shape, claims)
    return next((it for it in covering if it.exact or shape in it.shapes), covering[0])


def _conflicts(owners: Mapping[Shape, _Claim], claims: Sequence[_Claim]) -> Iterable[Conflict]:
    """Yield who else, up to the first that answers all of a key, may be the right one under it."""
    for shape, owner in owners.items():
        for claim in _covering(shape, claims):
            if claim.function != owner.function:
                yield Conflict(key=shape.key, kept=owner.route, lost=claim.route)
            if claim.exact:
                break


def _ties(owners: Mapping[Shape, _Claim]) -> Iterable[str]:
    """Yield a warning for nested `{proxy+}` keys that start with the same literal segments."""
    greedy = [shape for shape in owners if shape.rest and not shape.is_default]
    for outer, inner in permutations(greedy, 2):
        one, other = owners[outer], owners[inner]
        nested = outer.contains(inner) and _literal_prefix(outer) == _literal_prefix(inner)
        if nested and one.function != other.function:
            yield (
                f"API Gateway does not document which of {outer.key} ({one.route}) and "
                f"{inner.key} ({other.route}) it takes where both match. "
                'Put both in one function: config = {"group": "NAME"} in each page.'
            )


def _literal_prefix(shape: Shape) -> tuple[str | None, ...]:
    first = next((i for i, part in enumerate(shape.segments) if part is None), None)
    return shape.segments[:first]
