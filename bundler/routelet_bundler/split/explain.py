"""Why routes share a function, or why one has its own, in words."""

from collections.abc import Iterable, Sequence

from routelet_bundler.model import Choice, Limits
from routelet_bundler.split.auto import key_of
from routelet_bundler.split.candidates import Candidate, candidate, joined
from routelet_bundler.split.weights import Weights

_COMPARED = 50
"""With so many other functions one is compared, the smallest first, to say why it did not merge."""


def choices(functions: Sequence[Candidate], weights: Weights, limits: Limits) -> tuple[Choice, ...]:
    """Return the reason of each function of `auto`."""
    keys: dict[object, list[Candidate]] = {}
    for one in sorted(functions, key=lambda one: (one.zipped, one.first)):
        keys.setdefault(key_of(one.routes[0]), []).append(one)
    return tuple(
        Choice(
            routes=tuple(route.name for route in one.routes),
            why="; ".join(_why(one, keys[key_of(one.routes[0])], weights, limits)),
        )
        for one in functions
    )


def _why(
    one: Candidate, alike: Sequence[Candidate], weights: Weights, limits: Limits
) -> Iterable[str]:
    settings = one.routes[0].settings
    if settings.group is not None:
        yield f"the group {settings.group}"
        return
    if len(one.routes) > 1:
        alone = [candidate([route], weights.parts) for route in one.routes]
        waiting = one.waiting_s - sum(each.waiting_s for each in alone)
        yield f"one function, not {len(alone)}: {_waiting(waiting)}"
    others = [other for other in alike if other is not one][:_COMPARED]
    if settings.reserved_concurrency is not None:
        yield "has reserved concurrency of its own"
    elif others:
        yield _nearest(one, others, weights, limits)
    elif len(one.routes) == 1:
        yield "no other route has its configuration"


def _nearest(one: Candidate, others: Sequence[Candidate], weights: Weights, limits: Limits) -> str:
    """Tell what the cheapest further merger would add."""
    mergers = [(other, joined(one, other, weights.parts)) for other in others]
    fitting = [
        (both.cost_s - other.cost_s, other, both) for other, both in mergers if both.fits(limits)
    ]
    if not fitting:
        mixed = all(both.is_mixed for _, both in mergers)
        return (
            "with any other, what one of them leaves to the host would be packed"
            if mixed
            else "with any other it would be too large"
        )
    _, other, both = min(fitting, key=lambda found: (found[0], found[1].first))
    added = both.waiting_s - one.waiting_s - other.waiting_s
    larger = (both.zipped - min(one.zipped, other.zipped)) / 1e6
    return f"not with {other.routes[0].name}: {_waiting(added)}, {larger:.1f} MB more to load"


def _waiting(seconds: float) -> str:
    """Tell of waiting; what rounds to nothing has no sign."""
    return f"{round(seconds, 2) + 0.0:+.2f} s of waiting an hour"
