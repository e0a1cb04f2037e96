"""What the splits of a site cost: for `auto`, and for the table that a build tells."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pydantic import TypeAdapter

from routelet_bundler import pack
from routelet_bundler.cache import digest
from routelet_bundler.grouping import split_of
from routelet_bundler.model import Adapter, BuiltFunction, PartSize, Reached, Splits
from routelet_bundler.split import Weights, compare, rates_of, weigh
from routelet_bundler.version import __version__
from routelet_bundler.work import Work
from routelet_bundler.zips import Emitted, Packing

_SPLITS = TypeAdapter(Splits)


def weights_of(
    work: Work, routes: Sequence[Reached], adapter: Adapter, packing: Packing
) -> Weights:
    """Return what routes, each traced alone, weigh."""
    site, root, base = work.site, work.configured.root, work.configured.config.base
    file = adapter.traffic
    rates = rates_of(root / file, file, site, base) if file is not None else None

    with ThreadPoolExecutor(work.jobs) as executor:

        def sizes(architecture: str, parts: Sequence[pack.Part]) -> Sequence[PartSize]:
            target = next(one for one in packing.packers if one.architecture == architecture)
            return packing.packers[target].sizes(parts, executor)

        return weigh(routes, adapter, rates, sizes)


def compare_splits(
    work: Work,
    routes: Sequence[Reached],
    emitted: Emitted,
    built: Sequence[BuiltFunction],
    packing: Packing,
) -> Splits | None:
    """Return what each split would give; nothing where there is but one route.

    Times are of Lambda: they are for a host that says what it has room for, or where `auto` went
    by them. Kept for the same zips and configuration: of 10,000 routes it takes a second.
    """
    adapter = work.configured.adapter
    if adapter is None or len(routes) < 2:
        return None
    if adapter.limits.site is None and split_of(adapter) != "auto":
        return None
    traffic = work.configured.root / adapter.traffic if adapter.traffic is not None else None
    key = digest(
        "splits",
        __version__,
        repr(adapter),
        work.configured.config.model_dump_json(),
        traffic.read_bytes() if traffic and traffic.is_file() else b"",
        *(f"{name} {emitted.keys[name]}" for name in sorted(emitted.keys)),
    )
    kept = work.cache.read("splits", key)
    if kept is not None:
        return _SPLITS.validate_json(kept)
    weights = weights_of(work, routes, adapter, packing)
    pages = [one.planned.pages[0] for one in routes]
    zipped = [one.zip.zipped_bytes for one in built]
    splits = compare(weights, pages, adapter, zipped, has_traffic=adapter.traffic is not None)
    work.cache.write("splits", key, _SPLITS.dump_json(splits))
    return splits
