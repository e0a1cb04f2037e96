"""Which modules of distributions a function reaches, and which edges lead out of what it packs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from routelet_bundler.model import Distribution
from routelet_bundler.trace.distributions import Index
from routelet_bundler.trace.edges import SPARE, TIME_ZONE_DATA, TIME_ZONES, Edges, Module, Modules
from routelet_bundler.trace.lexer import Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An import of something in the distribution `target`, by a module of `importer`.

    `certain`: import statements lead to the module, not only strings that name it. `near`: local
    code names the module itself.
    """

    importer: str
    archive: str
    target: str
    module: str
    strength: Strength
    certain: bool
    near: bool


class ThirdParty:
    """The modules of all installed distributions, and what each imports of others."""

    def __init__(self, index: Index, edges: Edges) -> None:
        self.index = index
        self._edges = edges
        self._resolved: dict[str, tuple[str, str] | None] = {}
        self._targets: dict[str, Mapping[str, Edge]] = {}

    def resolve(self, name: str) -> tuple[str, str] | None:
        """Return the distribution and the module that have `name`, or None where none has."""
        if name not in self._resolved:
            self._resolved[name] = self._looked_up(name)
        return self._resolved[name]

    def _looked_up(self, name: str) -> tuple[str, str] | None:
        if name == TIME_ZONES:
            known = TIME_ZONE_DATA in self.index.distributions
            return (TIME_ZONE_DATA, TIME_ZONE_DATA) if known else None
        while name:
            owner = self.index.owners.get(name)
            if owner is not None:
                return owner, name
            name = name.rpartition(".")[0]
        return None

    def module(self, distribution: str, name: str) -> Module | None:
        """Return a module of a distribution."""
        found = self.index.distributions[distribution]
        return self._edges.of(found).get(name) or self._edges.of(found, spare=True).get(name)

    def modules(self, distribution: str) -> Modules:
        """Return the modules of a distribution, without those of tests and examples."""
        return self._edges.of(self.index.distributions[distribution])

    def spare_modules(self, distribution: str) -> Modules:
        """Return the modules in folders of tests and examples."""
        return self._edges.of(self.index.distributions[distribution], spare=True)

    def tops(self, distribution: str) -> Sequence[str]:
        """Return the modules that are in no other module of their distribution."""
        return self._tops.get(distribution, ())

    @cached_property
    def _tops(self) -> Mapping[str, Sequence[str]]:
        owners, found = self.index.owners, dict[str, list[str]]()
        for name, owner in owners.items():
            if owners.get(name.rpartition(".")[0]) != owner and name not in SPARE:
                found.setdefault(owner, []).append(name)
        return found

    def targets(self, distribution: str) -> Mapping[str, Edge]:
        """Return the distributions that any module of one imports, each with the first edge."""
        if distribution not in self._targets:
            found: dict[str, Edge] = {}
            for module in self.modules(distribution).values():
                for edge in self.edges(distribution, module, certain=False, near=False):
                    found.setdefault(edge.target, edge)
            self._targets[distribution] = found
        return self._targets[distribution]

    def edges(
        self, distribution: str, module: Module, *, certain: bool, near: bool
    ) -> Iterable[Edge]:
        """Yield the edges of a module to what other distributions have."""
        for name, strength in module.others:
            if found := self.resolve(name):
                target, inner = found
                yield Edge(
                    importer=distribution,
                    archive=module.archive,
                    target=target,
                    module=inner,
                    strength=strength,
                    certain=certain,
                    near=near,
                )


class Reach:
    """The modules that are reached inside of distributions; more of these may be added."""

    def __init__(self, third_party: ThirdParty, included: Iterable[str]) -> None:
        self.included = set(included)
        self.left_out: dict[str, list[Edge]] = {}
        """Edges to what is installed and not included, by distribution."""
        self._third_party = third_party
        self._seen: dict[tuple[str, str], bool] = {}
        self._pending: list[tuple[str, str, bool]] = []
        self._near: set[Module] = set()

    def start(self, name: str, *, whole: bool = False) -> None:
        """Begin with a name that local code imports; with `whole` also what a package has."""
        found = self._third_party.resolve(name)
        if found is None or found[0] not in self.included:
            return
        self._pending.append((*found, True))
        module = self._third_party.module(*found)
        if module and "." in found[1]:  # a package has guards for all that it can do
            self._near.add(module)
        if whole:
            below = f"{found[1]}."
            for inner in self._third_party.modules(found[0]):
                if inner.startswith(below) and "." not in inner[len(below) :]:
                    self._pending.append((found[0], inner, False))

    def include(self, names: Iterable[str]) -> None:
        """Add distributions: edges to them lead on."""
        for name in set(names) - self.included:
            self.included.add(name)
            for edge in self.left_out.pop(name, ()):
                self._follow(edge)

    def run(self) -> None:
        """Follow all edges between what is included."""
        while self._pending:
            distribution, name, certain = self._pending.pop()
            before = self._seen.get((distribution, name))
            if before or (before is False and not certain):
                continue
            self._seen[distribution, name] = certain
            if parent := name.rpartition(".")[0]:
                self._pending.append((distribution, parent, certain))
            if module := self._third_party.module(distribution, name):
                self._visit(distribution, module, certain=certain)

    def _visit(self, distribution: str, module: Module, *, certain: bool) -> None:
        for name, by_statement in module.own:
            self._pending.append((distribution, name, certain and by_statement))
        for edge in self._third_party.edges(
            distribution, module, certain=certain, near=module in self._near
        ):
            if edge.target in self.included:
                self._follow(edge)
            else:
                self.left_out.setdefault(edge.target, []).append(edge)

    def _follow(self, edge: Edge) -> None:
        certain = edge.certain and edge.strength != "string"
        self._pending.append((edge.target, edge.module, certain))


def entry_points(distribution: Distribution) -> Sequence[tuple[str, str, str]]:
    """Return group, name and module of what a distribution announces in entry_points.txt."""
    group, found = "", []
    for archive, path in distribution.files:
        if archive.endswith(".dist-info/entry_points.txt"):
            for line in path.read_text("utf-8").splitlines():
                if header := re.match(r"\s*\[([^\]\s]+)\s*\]", line):
                    group = header[1]
                elif entry := re.match(r"\s*([^=#\s][^=]*?)\s*=\s*([\w.]+)", line):
                    found.append((group, entry[1], entry[2]))
    return found
