"""Functions of several routes: a group holds what each of its routes reaches alone."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from routelet_bundler.model import (
    Distribution,
    Group,
    Omission,
    Planned,
    Reached,
    Reason,
    Rewrite,
    Traced,
    TracedFile,
)

_READ = {"data", "include"}
"""Reasons for a file that may be read as it is: bytecode does not stand for it."""


class Plans(Protocol):
    """What plans functions of groups."""

    def plan_groups(self, groups: Sequence[Group]) -> tuple[Planned, ...]:
        """Return a function for each group."""

    def with_rewrites(self, planned: Planned, rewrites: Iterable[Rewrite]) -> Planned:
        """Return a function with the pages that it rewrites to."""


def together(
    routes: Sequence[Reached],
    groups: Sequence[Group],
    plans: Plans,
    trace: Callable[[Planned], Traced],
) -> tuple[Reached, ...]:
    """Return what each group reaches, from what its pages reach alone.

    `trace` is asked only where this is more than the sum: where the host's distributions, left
    out for one page, have to come along for another, and where two pages have different files of
    one distribution.
    """
    alone = {one.planned.pages[0].file: one for one in routes}
    shared = [group for group in groups if group.name is not None or len(group.pages) > 1]
    firsts = [group.pages[0].file for group in shared]
    planned = dict(zip(firsts, plans.plan_groups(shared), strict=True))

    def reached(group: Group) -> Reached:
        first = group.pages[0].file
        if first not in planned:
            return alone[first]
        traces = [alone[page.file].traced for page in group.pages]
        union = union_of(traces)
        whole = plans.with_rewrites(planned[first], union.rewrites)
        is_more = relies_and_packs(union) or have_different_files(traces)
        return Reached(planned=whole, traced=trace(whole) if is_more else union)

    return tuple(map(reached, groups))


def relies_and_packs(traced: Traced) -> bool:
    """Tell whether something is left to the host, and a distribution of that set is packed."""
    names = {one.name for one, _ in traced.distributions}
    return not names.isdisjoint(traced.provided)


def have_different_files(traces: Sequence[Traced]) -> bool:
    """Tell whether a distribution is not the same in all: recipes cut it to what is named."""
    keys = {(one.name, one.key) for traced in traces for one, _ in traced.distributions}
    return len(keys) > len({name for name, _ in keys})


def union_of(traces: Sequence[Traced]) -> Traced:
    """Return what several functions reach.

    The first that reaches something gives the reason, or the first that reads it as it is.
    """
    files: dict[str, TracedFile] = {}
    read: dict[str, TracedFile] = {}
    distributions: dict[str, tuple[Distribution, Reason]] = {}
    omitted: dict[str, Omission] = {}
    for traced in reversed(traces):
        omitted |= {one.name: one for one in traced.omitted}
        files |= {file.archive: file for file in traced.files}
        read |= {file.archive: file for file in traced.files if file.reason.kind in _READ}
        distributions |= {one.name: (one, reason) for one, reason in traced.distributions}
    files |= read
    return Traced(
        files=tuple(files[name] for name in sorted(files)),
        distributions=tuple(distributions[name] for name in sorted(distributions)),
        provided=next((one.provided for one in traces if one.provided), ()),
        omitted=tuple(omitted[name] for name in sorted(omitted.keys() - distributions.keys())),
        rewrites=tuple(dict.fromkeys(one for traced in traces for one in traced.rewrites)),
        assets=tuple(sorted({one for traced in traces for one in traced.assets})),
        warnings=tuple(dict.fromkeys(one for traced in traces for one in traced.warnings)),
    )
