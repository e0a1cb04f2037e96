"""What each split would give."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import get_args

from routelet_bundler.errors import RouteletError
from routelet_bundler.grouping import groups_of, shared_config, split_of
from routelet_bundler.model import Adapter, Group, Limits, Page, Split, SplitFigures, Splits
from routelet_bundler.split.auto import auto
from routelet_bundler.split.candidates import Candidate, candidate
from routelet_bundler.split.cost import BASE_S, DOWNLOAD_S_A_BYTE
from routelet_bundler.split.explain import choices
from routelet_bundler.split.weights import Weights

_SPLITS: tuple[Split, ...] = get_args(Split)


def auto_groups(weights: Weights, pages: Iterable[Page], adapter: Adapter) -> tuple[Group, ...]:
    """Return the groups of `pages`, which are in matching order, that cost least."""
    owner = {route.file: one.first for one in _auto(weights, adapter) for route in one.routes}
    found: dict[str, list[Page]] = {}
    for page in pages:
        found.setdefault(owner[page.file], []).append(page)
    return tuple(Group(pages=tuple(one), name=one[0].config.group) for one in found.values())


def compare(
    weights: Weights,
    pages: Sequence[Page],
    adapter: Adapter,
    built: Sequence[int],
    *,
    has_traffic: bool,
) -> Splits:
    """Return what each split of `pages` would give.

    `built` are the bytes of the zips that are there: of the split that was used, they are told
    as they are.
    """
    used = split_of(adapter)
    compared: list[SplitFigures] = []
    impossible: list[tuple[Split, str]] = []
    functions: Mapping[Split, Sequence[Candidate]] = {}
    for split in _SPLITS:
        try:
            functions = {**functions, split: _functions(split, weights, pages, adapter)}
        except RouteletError as error:
            impossible.append((split, f"{error.where} {error.what}"))
            continue
        sizes = built if split == used else [one.zipped for one in functions[split]]
        notes = list(_over(functions[split], weights, sizes, adapter.limits))
        if any(one.is_mixed for one in functions[split]):
            what = "times are " if split == used else ""
            notes.append(f"{what}without {adapter.target.provided_through}, which it has to pack")
        compared.append(_figures(split, functions[split], weights, sizes, notes))
    return Splits(
        used=used,
        compared=tuple(compared),
        impossible=tuple(impossible),
        choices=choices(functions["auto"], weights, adapter.limits) if used == "auto" else (),
        has_traffic=has_traffic,
    )


def _auto(weights: Weights, adapter: Adapter) -> tuple[Candidate, ...]:
    site = adapter.limits.site
    most = site.functions(len(weights.routes)) if site else None
    return auto(weights, adapter.limits, most)


def _functions(
    split: Split, weights: Weights, pages: Sequence[Page], adapter: Adapter
) -> Sequence[Candidate]:
    """Return the functions of a split; raises `RouteletError` where settings do not go together."""
    if split == "auto":
        return _auto(weights, adapter)
    routes = {route.file: route for route in weights.routes}
    groups = groups_of(pages, split, adapter)
    for group in groups:
        if group.name is not None:
            shared_config(group.pages, adapter)
    return [candidate([routes[page.file] for page in one.pages], weights.parts) for one in groups]


def _figures(
    split: Split,
    functions: Sequence[Candidate],
    weights: Weights,
    sizes: Sequence[int],
    notes: Sequence[str],
) -> SplitFigures:
    parts = weights.parts
    imports = {
        route.file: route.own.import_s + sum(parts[part].import_s for part in route.shared)
        for route in weights.routes
    }
    starts = [
        BASE_S + DOWNLOAD_S_A_BYTE * one.zipped + imports[route.file]
        for one in functions
        for route in one.routes
    ]
    return SplitFigures(
        split=split,
        functions=len(functions),
        zipped_bytes=sum(sizes),
        median_zipped_bytes=int(median(sizes)),
        largest_zipped_bytes=max(sizes),
        import_ms=round(1000 * median(imports.values()), 1),
        cold_start_s=round(median(starts), 3),
        waiting_s=round(sum(one.waiting_s for one in functions), 3),
        notes=tuple(notes),
    )


def _over(
    functions: Sequence[Candidate], weights: Weights, sizes: Sequence[int], limits: Limits
) -> Iterable[str]:
    """Yield the limits of the host that a split does not keep to."""
    unzipped = max(one.unzipped for one in functions)
    if limits.zipped_bytes is not None and max(sizes) > limits.zipped_bytes:
        yield f"a zip of {max(sizes):,} bytes, the limit is {limits.zipped_bytes:,}"
    if limits.unzipped_bytes is not None and unzipped > limits.unzipped_bytes:
        yield f"{unzipped:,} bytes unzipped, the limit is {limits.unzipped_bytes:,}"
    if limits.site is None:
        return
    if len(functions) > (most := limits.site.functions(len(weights.routes))):
        yield f"{len(functions)} functions, and there is room for {most}"
    if sum(sizes) > limits.site.stored_bytes:
        yield f"{sum(sizes):,} bytes of zips, the limit is {limits.site.stored_bytes:,}"
