"""Which distributions a function packs, and which it leaves to the host."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Distribution, Reason
from routelet_bundler.trace.ground import Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Packed distributions with the reason of each, and the names left to the host."""

    packed: tuple[tuple[Distribution, Reason], ...]
    provided: tuple[str, ...]


def select(
    ground: Ground,
    owners: Mapping[str, Reason],
    provided: Mapping[str, Reason],
    exclude: tuple[str, ...],
) -> Selection:
    """Return what a function needs, from the reasons for what it imports, by normalised name.

    Raises `RouteletError` where it would mix distributions of the host with packed ones of the
    same set.
    """
    excluded = set(map(canonicalize_name, exclude))
    companions = _companions(ground, owners)
    roots = owners.keys() | companions.keys()
    needed = ground.closures.of(roots, excluded)
    left_out = ground.target.provided if _host_provides(ground, set(provided), set(needed)) else ()
    if provided and not left_out:
        needed = ground.closures.of(roots | provided.keys(), excluded)
        _refuse_a_mixture(ground, provided, needed.keys() | excluded)
    reasons = {
        name: owners.get(name)
        or provided.get(name)
        or Reason(kind="requires", parent=parent or companions[name])
        for name, parent in needed.items()
    }
    found = ground.index.distributions
    packed = tuple((found[name], reason) for name, reason in sorted(reasons.items()))
    return Selection(packed=packed, provided=left_out)


def _host_provides(ground: Ground, imported: set[str], needed: set[str]) -> bool:
    """Tell whether what the host has is left to it: all of it, or nothing.

    Nothing where a packed distribution needs one of them, and where the project chose one
    itself: imported without `provided_through`, or with it but named in its dependencies.
    """
    target = ground.target
    beside = imported - {target.provided_through}
    if not imported or needed & set(target.provided):
        return False
    if target.provided_through in imported:
        return not beside & ground.closures.direct
    return not beside <= ground.index.distributions.keys()


def _companions(ground: Ground, names: Iterable[str]) -> Mapping[str, str]:
    """Return what a reached distribution lists in an extra: the project's drivers, or all."""
    wanted = ground.target.companions
    if wanted == "declared":
        return {}
    among = ground.index.distributions if wanted == "all" else ground.drivers
    return ground.closures.companions(ground.closures.of(names), among=among)


def _refuse_a_mixture(ground: Ground, provided: Mapping[str, Reason], settled: Set[str]) -> None:
    for name, reason in provided.items():
        if name not in settled:
            raise RouteletError(
                f"needs {name}, which the host has, together with a distribution that packs one "
                f"of {', '.join(ground.target.provided)}: they come all from the host or all "
                "from the zip",
                where=f"{ground.label(reason.parent)}:{reason.line}",
                mend=f"add {name} to dependencies in pyproject.toml",
            )
