"""What routes weigh: parts that several have, and what each has alone.

In: routes traced alone, and the size of each file and distribution in a zip. A zip is a
concatenation of its members, so that what several routes reach weighs the sum of its parts. Parts
that the same routes have count as one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from routelet_bundler.grouping import Settings, settings_of
from routelet_bundler.model import Adapter, Distribution, PartSize, Reached, Traced, TracedFile
from routelet_bundler.split.cost import (
    EQUAL_RATE,
    HOST_S,
    LOCAL_S_A_BYTE,
    distribution_import_s,
)

ENTRY_BYTES, ENTRY_UNZIPPED_BYTES = 1200, 700
"""An entry module without routes and its bytecode in a zip, with the zip's own end (measured)."""

Part = TracedFile | Distribution
Sizes = Callable[[str, Sequence[Part]], Sequence[PartSize]]
"""Gives the size of each part in the zips of an architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Bytes in a zip, bytes unpacked, and the seconds that importing takes (an estimate)."""

    zipped: int
    unzipped: int
    import_s: float


_ENTRY_OF_A_ROUTE = Weight(zipped=70, unzipped=420, import_s=1e-6)
"""A route in an entry module's manifest, compressed, as source and bytecode (measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedRoute:
    """A route as the model sees it."""

    name: str
    file: str
    """Path of its page below `src/pages/`."""
    settings: Settings
    rate: float
    shared: tuple[int, ...]
    """Numbers of the parts that other routes have as well."""
    own: Weight
    packages: frozenset[str]
    """Names of its distributions."""
    relies_on_host: bool
    packs_of_host: bool
    """Whether it packs a distribution that others may leave to the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """All routes, sorted by their pages' files, and the parts that several of them have."""

    routes: tuple[WeighedRoute, ...]
    parts: tuple[Weight, ...]


def weigh(
    routes: Iterable[Reached],
    adapter: Adapter,
    rates: Mapping[str, float] | None,
    sizes: Sizes,
) -> Weights:
    """Return what routes weigh; `rates` are requests an hour by route, equal where not given."""
    ordered = sorted(routes, key=lambda one: one.planned.pages[0].file)
    settings = [settings_of(one.planned.pages[0], adapter) for one in ordered]
    shared: list[list[int]] = [[] for _ in ordered]
    own = [[_ENTRY_OF_A_ROUTE] for _ in ordered]
    weights: list[Weight] = []
    for architecture in sorted({one.architecture for one in settings}):
        numbers = [n for n, one in enumerate(settings) if one.architecture == architecture]
        traces = [ordered[n].traced for n in numbers]
        known = _weights(traces, partial(sizes, architecture))
        for users, names in _by_users(numbers, list(map(_names, traces))):
            weight = _sum(known[name] for name in names)
            if len(users) == 1:
                own[users[0]].append(weight)
                continue
            for number in users:
                shared[number].append(len(weights))
            weights.append(weight)
    return Weights(
        routes=tuple(
            _route(one, settings[n], rates, adapter.target.provided, (shared[n], own[n]))
            for n, one in enumerate(ordered)
        ),
        parts=tuple(weights),
    )


_HOST, _DISTRIBUTION = "\0", "\0distribution "
"""No path of a file begins so."""


def _name(one: Distribution) -> str:
    """Name a distribution by its content too: recipes cut it to what a route needs."""
    return f"{_DISTRIBUTION}{one.name} {one.key}"


def _names(traced: Traced) -> frozenset[str]:
    """Return the names of a route's parts."""
    packed = (_name(one) for one, _ in traced.distributions)
    left_out = [_HOST] if traced.provided else []
    return frozenset([*(file.archive for file in traced.files), *packed, *left_out])


def _weights(
    traces: Iterable[Traced], sizes: Callable[[Sequence[Part]], Sequence[PartSize]]
) -> Mapping[str, Weight]:
    """Return the weight of each part by its name."""
    parts: dict[str, Part] = {}
    for traced in traces:
        parts |= {file.archive: file for file in traced.files}
        parts |= {_name(one): one for one, _ in traced.distributions}
    measured = zip(parts.items(), sizes(list(parts.values())), strict=True)
    weights = {name: _weight(part, size) for (name, part), size in measured}
    return {**weights, _HOST: Weight(zipped=0, unzipped=0, import_s=HOST_S)}


def _by_users(
    numbers: Sequence[int], keys: Sequence[frozenset[str]]
) -> Iterable[tuple[tuple[int, ...], list[str]]]:
    """Yield numbers of routes with the parts, sorted, that just these have."""
    everywhere = frozenset.intersection(*keys)  # most of what most sites' routes reach
    users: dict[str, list[int]] = {}
    for number, names in zip(numbers, keys, strict=True):
        for name in names - everywhere:
            users.setdefault(name, []).append(number)
    parts: dict[tuple[int, ...], list[str]] = {tuple(numbers): sorted(everywhere)}
    for name in sorted(users):
        parts.setdefault(tuple(users[name]), []).append(name)
    return parts.items()


def _weight(part: Part, size: PartSize) -> Weight:
    is_local = isinstance(part, TracedFile)
    import_s = size.source * LOCAL_S_A_BYTE if is_local else distribution_import_s(size.source)
    return Weight(zipped=size.zipped, unzipped=size.unzipped, import_s=import_s)


def _sum(weights: Iterable[Weight]) -> Weight:
    every = tuple(weights)
    return Weight(
        zipped=sum(one.zipped for one in every),
        unzipped=sum(one.unzipped for one in every),
        import_s=sum(one.import_s for one in every),
    )


def _route(
    one: Reached,
    settings: Settings,
    rates: Mapping[str, float] | None,
    provided: Sequence[str],
    parts: tuple[Sequence[int], Sequence[Weight]],
) -> WeighedRoute:
    [page] = one.planned.pages
    packages = frozenset(distribution.name for distribution, _ in one.traced.distributions)
    return WeighedRoute(
        name=page.route.route,
        file=page.file,
        settings=settings,
        rate=EQUAL_RATE if rates is None else rates.get(page.route.route, 0.0),
        shared=tuple(parts[0]),
        own=_sum(parts[1]),
        packages=packages,
        relies_on_host=bool(one.traced.provided),
        packs_of_host=not packages.isdisjoint(provided),
    )
