"""Which optional distributions a function packs beside what is declared, and which it leaves out.

Three policies. `declared`: those of the project's own requirements that no local file imports, and
that something packed may import: they are there for another distribution. `reached`: also those
that a reached module imports, where its distribution lists them in an extra and the project
requires them; where a missing module is expected, only small ones. `all`: whatever a reached module
may import.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from routelet_bundler.model import Omission, Target
from routelet_bundler.trace.distributions import Closures
from routelet_bundler.trace.edges import TIME_ZONE_DATA
from routelet_bundler.trace.hints import HINTS
from routelet_bundler.trace.reach import Edge, Reach, ThirdParty, entry_points

SMALL_BYTES = 20_000_000
"""Of a companion with all that it requires: so much is packed where a missing module is expected.

It has room for cryptography beside PyJWT, and none for numpy.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a function imports: names of modules, the distributions that have them."""

    names: frozenset[str]
    named: frozenset[str]
    """Those of `names` that a string names."""
    roots: frozenset[str]
    excluded: frozenset[str]
    provided: frozenset[str]
    """What the host has, if it is not packed."""
    hints: frozenset[tuple[str, str]]
    """Importers and their companions that words of local code ask for: see `hints`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Companions, each with the distribution that needs it, and what is left out."""

    chosen: Mapping[str, str]
    omitted: tuple[Omission, ...]


class Companions:
    """Chooses companions by the policy of a target; the same question is answered once."""

    def __init__(
        self,
        third_party: ThirdParty,
        closures: Closures,
        target: Target,
        drivers: frozenset[str],
    ) -> None:
        self._third_party = third_party
        self._closures = closures
        self._wanted = target.companions
        self._drivers = drivers
        self._answers: dict[Question, Answer] = {}
        self._sizes: dict[str, int] = {}

    def of(self, question: Question) -> Answer:
        """Return the companions of what a function imports."""
        if question not in self._answers:
            self._answers[question] = self._answer(question)
        return self._answers[question]

    def _answer(self, question: Question) -> Answer:
        chosen: dict[str, str] = {}
        reach = Reach(self._third_party, self._closure(question, chosen))
        for name in sorted(question.names):
            reach.start(name, whole=name in question.named)
        reach.run()
        while new := self._new(reach, question, question.excluded | chosen.keys()):
            chosen |= new
            reach.include(self._closure(question, chosen))
            reach.run()
        return Answer(chosen=chosen, omitted=tuple(self._omitted(reach, question, chosen)))

    def _closure(self, question: Question, chosen: Mapping[str, str]) -> Set[str]:
        roots = question.roots | (chosen.keys() - question.provided)
        return self._closures.of(roots, question.excluded).keys()

    def _new(self, reach: Reach, question: Question, settled: Set[str]) -> Mapping[str, str]:
        """Return what is wanted of that which is not included yet, each with who wants it."""
        found = {
            name: edge.importer
            for name, edges in sorted(reach.left_out.items())
            for edge in sorted(edges, key=lambda one: (one.importer, one.archive), reverse=True)
            if name not in settled and self._is_followed(edge, question, reach.included)
        }
        for name in sorted(self._listed_among - reach.included - settled - found.keys()):
            if parent := self._parent_of(name, reach.included):
                found[name] = parent
        return found

    @property
    def _listed_among(self) -> Set[str]:
        """What comes along where anything packed has an edge to it, or lists it in an extra."""
        everything = self._third_party.index.distributions.keys()
        return everything if self._wanted == "all" else self._drivers & everything

    def _is_followed(self, edge: Edge, question: Question, included: Set[str]) -> bool:
        is_direct = edge.target in self._closures.direct
        if edge.module == edge.target == TIME_ZONE_DATA:
            return is_direct
        if self._wanted == "all":
            return is_direct or edge.strength != "string"
        if self._wanted == "declared":
            return False
        if edge.importer in HINTS:
            return is_direct and (edge.importer, edge.target) in question.hints
        if edge.strength in {"hard", "function"}:
            is_listed = edge.target in self._closures.extras_of(edge.importer)
            return (is_direct and edge.certain and is_listed) or self._completes(edge, included)
        return is_direct and edge.strength == "guarded" and self._is_worth_it(edge)

    def _is_worth_it(self, edge: Edge) -> bool:
        """Tell whether what is imported where a missing module is expected comes along."""
        is_listed = edge.certain and edge.target in self._closures.extras_of(edge.importer)
        return (is_listed or edge.near) and self._size_of(edge.target) <= SMALL_BYTES

    def _completes(self, edge: Edge, included: Set[str]) -> bool:
        """Tell whether an extra of the importer is packed, as far as the project requires it.

        `kombu[redis]` is redis and packaging: with redis, kombu imports the other as well.
        """
        direct = self._closures.direct
        return any(
            edge.target in members and members & direct and members & direct <= included
            for members in self._closures.members_of_extras(edge.importer)
        )

    def _size_of(self, name: str) -> int:
        """Return the bytes of a distribution with all that it requires."""
        if name not in self._sizes:
            found = self._third_party.index.distributions
            needed = (found[one] for one in self._closures.of([name]))
            self._sizes[name] = sum(path.stat().st_size for one in needed for _, path in one.files)
        return self._sizes[name]

    def _parent_of(self, name: str, included: Iterable[str]) -> str | None:
        """Return the first distribution that is packed and made to work with the driver `name`."""
        index = self._third_party.index
        groups = {group for group, _, _ in entry_points(index.distributions[name])}
        for importer in sorted(included):
            is_listed = name in self._closures.extras_of(importer)
            if self._wanted != "declared" and is_listed:
                return importer
            if name in self._drivers and (
                name in self._third_party.targets(importer)
                or any(group.replace(".", "_").startswith(f"{importer}_") for group in groups)
            ):
                return importer
        return None

    def _omitted(
        self, reach: Reach, question: Question, chosen: Mapping[str, str]
    ) -> Iterable[Omission]:
        for name, edges in sorted(reach.left_out.items()):
            useful = [edge for edge in edges if self._is_told(edge)]
            if useful and name not in question.provided and name not in chosen:
                edge = min(useful, key=lambda one: (not one.certain, one.archive))
                modules = tuple(self._third_party.tops(name))
                yield Omission(name=name, modules=modules, parent=edge.archive)

    def _is_told(self, edge: Edge) -> bool:
        return edge.strength != "string" or edge.target in self._closures.direct
