"""Functions that may be: routes together, what they weigh and what they cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from routelet_bundler.model import Limits
from routelet_bundler.split.cost import price_s, waiting_s
from routelet_bundler.split.weights import (
    ENTRY_BYTES,
    ENTRY_UNZIPPED_BYTES,
    WeighedRoute,
    Weight,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Routes, sorted by their pages' files, that may be one function."""

    routes: tuple[WeighedRoute, ...]
    rate: float
    shared: Mapping[int, float]
    """Rate of the requests that need a part, by the part's number."""
    own: Mapping[float, float]
    """Seconds of importing what one route has alone, by the rate of such routes."""
    zipped: int
    unzipped: int
    relies_on_host: bool
    packs_of_host: bool
    waiting_s: float

    @property
    def first(self) -> str:
        """The file that it is known by."""
        return self.routes[0].file

    @property
    def cost_s(self) -> float:
        """What it costs, in seconds an hour."""
        return self.waiting_s + price_s(self.zipped)

    @property
    def is_mixed(self) -> bool:
        """Tell whether it would need more than its parts: all that the host provides."""
        return self.relies_on_host and self.packs_of_host

    def fits(self, limits: Limits) -> bool:
        """Tell whether a host takes it, as far as its size is known."""
        zipped, unzipped = limits.zipped_bytes, limits.unzipped_bytes
        return (
            not self.is_mixed
            and (zipped is None or self.zipped <= zipped)
            and (unzipped is None or self.unzipped <= unzipped)
        )


def candidate(routes: Iterable[WeighedRoute], parts: Sequence[Weight]) -> Candidate:
    """Return the function that routes would be; `parts` are what several routes have."""
    ordered = tuple(sorted(routes, key=lambda route: route.file))
    shared: dict[int, float] = {}
    own: dict[float, float] = {}
    for route in ordered:
        own[route.rate] = own.get(route.rate, 0.0) + route.own.import_s
        for part in route.shared:
            shared[part] = shared.get(part, 0.0) + route.rate
    weights = [*(parts[part] for part in shared), *(route.own for route in ordered)]
    zipped = ENTRY_BYTES + sum(one.zipped for one in weights)
    unzipped = ENTRY_UNZIPPED_BYTES + sum(one.unzipped for one in weights)
    rate = sum(route.rate for route in ordered)
    return Candidate(
        routes=ordered,
        rate=rate,
        shared=shared,
        own=own,
        zipped=zipped,
        unzipped=unzipped,
        relies_on_host=any(route.relies_on_host for route in ordered),
        packs_of_host=any(route.packs_of_host for route in ordered),
        waiting_s=_waiting_s(rate, zipped, shared, own, parts),
    )


def joined(one: Candidate, other: Candidate, parts: Sequence[Weight]) -> Candidate:
    """Return both as one function: the same as `candidate` of all their routes, but sooner."""
    shared, own = dict(one.shared), dict(one.own)
    zipped = one.zipped + other.zipped - ENTRY_BYTES
    unzipped = one.unzipped + other.unzipped - ENTRY_UNZIPPED_BYTES
    for part, rate in other.shared.items():
        if part in shared:
            zipped -= parts[part].zipped
            unzipped -= parts[part].unzipped
        shared[part] = shared.get(part, 0.0) + rate
    for rate, seconds in other.own.items():
        own[rate] = own.get(rate, 0.0) + seconds
    rate = one.rate + other.rate
    return Candidate(
        routes=tuple(sorted([*one.routes, *other.routes], key=lambda route: route.file)),
        rate=rate,
        shared=shared,
        own=own,
        zipped=zipped,
        unzipped=unzipped,
        relies_on_host=one.relies_on_host or other.relies_on_host,
        packs_of_host=one.packs_of_host or other.packs_of_host,
        waiting_s=_waiting_s(rate, zipped, shared, own, parts),
    )


def _waiting_s(
    rate: float,
    zipped: int,
    shared: Mapping[int, float],
    own: Mapping[float, float],
    parts: Sequence[Weight],
) -> float:
    imports = [(needed, parts[part].import_s) for part, needed in shared.items()]
    return waiting_s(rate, zipped, [*imports, *own.items()])
