"""Which routes share a function: the two whose merger spares most, again and again.

Functions of equal settings merge while their cost falls and the host takes the result; then also
while there are more of them than the host has room for. Nothing is random: routes are sorted by
their files first, and what is equal is decided by them. For routes of equal settings the result is
never dearer than a function for each, or one for all.

Where many may merge, those of equal distributions are taken together first, and a function is
compared with the nearest in size alone: the time is then proportional to the number of routes.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from math import inf

from routelet_bundler.model import Limits
from routelet_bundler.split.candidates import Candidate, candidate, joined
from routelet_bundler.split.weights import WeighedRoute, Weight, Weights

MOST_COMPARED = 24
"""Functions of equal settings that are all compared with each other."""
LARGE_BYTES = 256 * 1024
"""A route that has more than this alone is not taken together with others unseen."""
_GAIN_S = 1e-9
"""Less than this is an error of rounding."""


def auto(weights: Weights, limits: Limits, most: int | None = None) -> tuple[Candidate, ...]:
    """Return the functions of routes, by their first files; at most `most` where that can be."""
    found = [
        one
        for routes in _by_key(sorted(weights.routes, key=lambda route: route.file)).values()
        for one in _best(routes, weights.parts, limits)
    ]
    if most is not None and len(found) > most:
        found = _merged(found, weights.parts, limits, most)
    return tuple(sorted(found, key=lambda one: one.first))


def key_of(route: WeighedRoute) -> object:
    """Return what two routes have in common that may share a function unseen.

    A reservation of concurrency is a function's own: two routes with one each are not one.
    """
    settings = route.settings
    if settings.group is not None:
        return "group", settings.group
    return ("page", route.file) if settings.reserved_concurrency is not None else settings


def _by_key(routes: Iterable[WeighedRoute]) -> Mapping[object, list[WeighedRoute]]:
    found: dict[object, list[WeighedRoute]] = {}
    for route in routes:
        found.setdefault(key_of(route), []).append(route)
    return found


def _best(
    routes: Sequence[WeighedRoute], parts: Sequence[Weight], limits: Limits
) -> Sequence[Candidate]:
    """Return the cheapest of what merging gives, one for each, and one for all."""
    if routes[0].settings.group is not None:
        return [candidate(routes, parts)]
    alone = [candidate([route], parts) for route in routes]
    some = alone if len(alone) <= MOST_COMPARED else _alike(routes, parts, limits)
    every = candidate(routes, parts)
    options = [_merged(some, parts, limits, len(routes)), alone]
    if every.fits(limits):
        options.append([every])
    return min(options, key=lambda option: sum(one.cost_s for one in option))


def _alike(
    routes: Sequence[WeighedRoute], parts: Sequence[Weight], limits: Limits
) -> list[Candidate]:
    """Take routes of equal distributions together."""
    found: dict[object, list[WeighedRoute]] = {}
    for route in routes:
        large = route.file if route.own.zipped > LARGE_BYTES else None
        found.setdefault((route.packages, route.relies_on_host, large), []).append(route)
    return [one for alike in found.values() for one in _halved(alike, parts, limits)]


def _halved(
    routes: Sequence[WeighedRoute], parts: Sequence[Weight], limits: Limits
) -> list[Candidate]:
    """Return one function, or those of two halves where it is too large, or dearer than two."""
    whole = candidate(routes, parts)
    if len(routes) == 1:
        return [whole]
    ordered = sorted(routes, key=lambda route: (route.rate, route.file))
    halves = ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]
    two = sum(candidate(half, parts).cost_s for half in halves)
    if whole.fits(limits) and whole.cost_s <= two:
        return [whole]
    return [one for half in halves for one in _halved(half, parts, limits)]


def _merged(
    candidates: Sequence[Candidate], parts: Sequence[Weight], limits: Limits, most: int
) -> list[Candidate]:
    """Merge pairs while that spares something, and as long as there are more than `most`."""
    alive = dict(enumerate(candidates))
    near = _near(candidates)
    queue = [
        (_gain_s(alive[one], alive[other], parts, limits), alive[one].first, one, other)
        for one, others in near.items()
        for other in sorted(others)
        if one < other
    ]
    heapify(queue)
    while queue:
        gain, _, first, second = heappop(queue)
        if gain == inf or (gain >= -_GAIN_S and len(alive) <= most):
            break
        if first not in alive or second not in alive:
            continue
        number = len(near)
        merged = joined(alive.pop(first), alive.pop(second), parts)
        near[number] = {one for one in near[first] | near[second] if one in alive}
        for other in sorted(near[number]):
            near[other].add(number)
            gain = _gain_s(alive[other], merged, parts, limits)
            heappush(queue, (gain, min(alive[other].first, merged.first), other, number))
        alive[number] = merged
    return list(alive.values())


def _gain_s(one: Candidate, other: Candidate, parts: Sequence[Weight], limits: Limits) -> float:
    """Return what a merger adds to the cost: less than nothing where it spares something."""
    both = joined(one, other, parts)
    return both.cost_s - one.cost_s - other.cost_s if both.fits(limits) else inf


def _near(candidates: Sequence[Candidate]) -> dict[int, set[int]]:
    """Return whom each is compared with: all of its key, or of many those that are next in size."""
    keys: dict[object, list[int]] = {}
    for number, one in enumerate(candidates):
        keys.setdefault(key_of(one.routes[0]), []).append(number)
    near: dict[int, set[int]] = {number: set() for number in range(len(candidates))}
    for numbers in keys.values():
        ordered = sorted(numbers, key=lambda one: (candidates[one].zipped, candidates[one].first))
        for place, number in enumerate(ordered):
            others = ordered[place + 1 : place + MOST_COMPARED]
            near[number].update(others)
            for other in others:
                near[other].add(number)
    return near
