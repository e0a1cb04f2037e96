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
from typing import Any

from routelet.routing import literal_text
from routelet_bundler.render.shapes import DEFAULT_KEY, Shape, ShapeTree

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
    found = _Claims(claims)
    owners, complete = _closed(found)
    keys = tuple(RouteKey(shape.key, owner.function) for shape, owner in owners.items())
    conflicts = tuple(dict.fromkeys(_conflicts(owners, found)))
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


class _Claims:
    """The claims of a site in matching order, found by the shapes that they ask for."""

    def __init__(self, claims: Sequence[_Claim]) -> None:
        self._claims = claims
        self._numbers: dict[Shape, list[int]] = {}
        self._tree = ShapeTree()
        for number, claim in enumerate(claims):
            for shape in claim.shapes:
                if shape not in self._numbers:
                    self._tree.add(shape)
                self._numbers.setdefault(shape, []).append(number)

    @property
    def shapes(self) -> list[Shape]:
        """All shapes, each once, in matching order."""
        return list(self._numbers)

    def covering(self, shape: Shape) -> list[_Claim]:
        """Return the claims that answer all paths of a shape."""
        covers = (one for one in self._tree.near(shape) if one.contains(shape))
        numbers = {number for one in covers for number in self._numbers[one]}
        return [self._claims[number] for number in sorted(numbers)]

    def owner(self, shape: Shape) -> _Claim:
        """Return who gets a key: the first that answers all of it, or that asked for just it.

        An inexact route is passed over where the key is another's: it answers few of its URLs.
        """
        covering = self.covering(shape)
        return next((it for it in covering if it.exact or shape in it.shapes), covering[0])


def _closed(claims: _Claims) -> tuple[dict[Shape, _Claim], bool]:
    """Return who gets each key, and whether all the intersections that are needed are there."""
    shapes = claims.shapes
    owners = {shape: claims.owner(shape) for shape in shapes}
    limit = len(shapes) + MAX_INTERSECTIONS
    before = ShapeTree()
    for shape in shapes:  # which grows: intersections are compared as well
        for other in before.near(shape):
            meet = shape.meet(other)
            same = owners[shape].function == owners[other].function
            if meet is None or meet in owners or same:
                continue
            if len(shapes) == limit:
                return owners, False
            owners[meet] = claims.owner(meet)
            shapes.append(meet)
        before.add(shape)
    return owners, True


def _conflicts(owners: Mapping[Shape, _Claim], claims: _Claims) -> Iterable[Conflict]:
    """Yield who else, up to the first that answers all of a key, may be the right one under it."""
    for shape, owner in owners.items():
        for claim in claims.covering(shape):
            if claim.function != owner.function:
                yield Conflict(key=shape.key, kept=owner.route, lost=claim.route)
            if claim.exact:
                break


def _ties(owners: Mapping[Shape, _Claim]) -> Iterable[str]:
    """Yield a warning for nested `{proxy+}` keys that start with the same literal segments."""
    greedy = ShapeTree()
    for shape in owners:
        if shape.rest and not shape.is_default:
            greedy.add(shape)
    for outer, one in owners.items():
        if not outer.rest or outer.is_default:
            continue
        for inner in greedy.near(outer):
            other = owners[inner]
            nested = outer.contains(inner) and outer.literal_prefix == inner.literal_prefix
            if nested and one.function != other.function:
                yield (
                    f"API Gateway does not document which of {outer.key} ({one.route}) and "
                    f"{inner.key} ({other.route}) it takes where both match. "
                    'Put both in one function: config = {"group": "NAME"} in each page.'
                )
