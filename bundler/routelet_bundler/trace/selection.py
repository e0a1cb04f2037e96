"""Which distributions a function packs, and which it leaves to the host."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Distribution, Omission, Reason
from routelet_bundler.trace.companions import Answer, Question
from routelet_bundler.trace.ground import Ground
from routelet_bundler.trace.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Packed distributions with the reason of each, and the names left to the host."""

    packed: tuple[tuple[Distribution, Reason], ...]
    provided: tuple[str, ...]
    omitted: tuple[Omission, ...]


def select(ground: Ground, walk: Walk, exclude: tuple[str, ...]) -> Selection:
    """Return what a function needs, from what its local code imports.

    Raises `RouteletError` where it would mix distributions of the host with packed ones of the
    same set.
    """
    excluded = frozenset(map(canonicalize_name, exclude))
    owners, provided = dict(walk.owners), dict(walk.provided)
    answer = _companions(ground, walk, owners.keys(), excluded)
    for name in answer.chosen.keys() & set(ground.target.provided):
        provided.setdefault(name, Reason(kind="requires", parent=answer.chosen[name]))
    roots = owners.keys() | (answer.chosen.keys() - provided.keys())
    needed = ground.closures.of(roots, excluded)
    left_out = ground.target.provided if _host_provides(ground, set(provided), set(needed)) else ()
    if provided and not left_out:
        answer = _companions(ground, walk, owners.keys() | provided.keys(), excluded)
        needed = ground.closures.of(
            owners.keys() | provided.keys() | answer.chosen.keys(), excluded
        )
        _refuse_a_mixture(ground, provided, needed.keys() | excluded)
    reasons = {
        name: owners.get(name)
        or provided.get(name)
        or Reason(kind="requires", parent=parent or answer.chosen[name])
        for name, parent in needed.items()
    }
    found = ground.index.distributions
    return Selection(
        packed=tuple((found[name], reason) for name, reason in sorted(reasons.items())),
        provided=left_out,
        omitted=tuple(one for one in answer.omitted if one.name not in {*reasons, *left_out}),
    )


def _companions(ground: Ground, walk: Walk, roots: Set[str], excluded: frozenset[str]) -> Answer:
    if not roots and not walk.outside:
        return Answer(chosen={}, omitted=())
    included = [name for name, reason in walk.owners.items() if reason.kind == "include"]
    tops = (top for name in included for top in ground.third_party.tops(name))
    return ground.companions.of(
        Question(
            names=frozenset(walk.outside) | frozenset(tops),
            named=frozenset(walk.named),
            roots=frozenset(roots),
            excluded=excluded,
            hints=frozenset(pair for archive in walk.files for pair in ground.hints_of(archive)),
            provided=frozenset(ground.target.provided).difference(roots),
        )
    )


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
