"""One trace: from a function's first modules along the edges of every file that they reach."""

from collections.abc import Mapping

from packaging.utils import canonicalize_name

from routelet_bundler.errors import RouteletError
from routelet_bundler.file_globs import is_meant
from routelet_bundler.model import Reason, Rewrite, RouteConfig
from routelet_bundler.trace.ground import Ground
from routelet_bundler.trace.resolve import Missing, Resolved, chain_of, resolve
from routelet_bundler.trace.settle import files_meant


class Graph:
    """The edges of a site's files, each file resolved when a trace first reaches it."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._resolved: dict[str, Resolved] = {}

    @property
    def known(self) -> Mapping[str, Resolved]:
        """What was reached so far, by path in a zip."""
        return self._resolved

    def resolved(self, archive: str) -> Resolved:
        """Return what the source at `archive` leads to."""
        found = self._resolved.get(archive)
        if found is None:
            found = self._resolved[archive] = resolve(self.ground, archive)
        return found


class Walk:
    """The state of one trace: what was reached, each with the reason, and what was not found."""

    def __init__(self, graph: Graph, config: RouteConfig) -> None:
        self._graph = graph
        self._ground = graph.ground
        self._config = config
        self._pending: list[str] = []
        self._followed: set[str] = set()
        self._is_settled = False
        self.files: dict[str, Reason] = {}
        self.owners: dict[str, Reason] = {}
        """Reasons by normalised name of a distribution that has what is imported."""
        self.provided: dict[str, Reason] = {}
        """Reasons by normalised name of a distribution that the host has."""
        self.outside: set[str] = set()
        """Names of modules that are not local, down to what is imported of them."""
        self.named: set[str] = set()
        """Such names that a string gives."""
        self.rewrites: list[Rewrite] = []
        self.assets: set[str] = set()
        self.warnings: list[str] = []
        self.missing: list[RouteletError] = []
        """Imports that nothing provides."""
        self.errors: list[RouteletError] = []
        self.unsettled: list[RouteletError] = []
        """Imports that are only known when they run, unless `include` names modules."""
        self.complete = True
        """Whether all that is imported is known before it runs, and there."""

    def start(self, module: str) -> None:
        """Begin with a module that the function imports."""
        self._take(chain_of(self._ground, module, Reason(kind="entry")))

    def run(self) -> None:
        """Follow all that was reached, until nothing new is."""
        self._include()
        while self._pending:
            self._take(self._graph.resolved(self._pending.pop()))
        if self._is_settled:
            self.unsettled.clear()

    def add(self, other: "Walk") -> None:
        """Take what another trace reached, which has the same configuration."""
        self.files = {**other.files, **self.files}
        self._followed |= other._followed
        self.missing += other.missing
        self._note(other)

    def _take(self, found: Resolved) -> None:
        for (archive, is_followed), reason in found.edges.items():
            if archive not in self._followed and (is_followed or archive not in self.files):
                self._reach(archive, reason, is_followed=is_followed)
        self.missing += map(self._told, found.missing)
        self._note(found)

    def _note(self, found: "Resolved | Walk") -> None:
        self.owners = {**found.owners, **self.owners} if found.owners else self.owners
        self.provided = {**found.provided, **self.provided} if found.provided else self.provided
        self.outside |= found.outside
        self.named |= found.named
        self.rewrites += found.rewrites
        self.assets |= found.assets
        self.warnings += found.warnings
        self.errors += found.errors
        self.unsettled += found.unsettled
        self.complete = self.complete and found.complete

    def _reach(self, archive: str, reason: Reason, *, is_followed: bool) -> None:
        exclude = self._config.exclude
        if exclude and any(is_meant(pattern, archive) for pattern in exclude):
            return
        self.files.setdefault(archive, reason)
        if is_followed:
            self._followed.add(archive)
            self._pending.append(archive)

    def _told(self, missing: Missing) -> RouteletError:
        top = missing.name.partition(".")[0]
        local = self._ground.modules_for(missing.reason.parent).owns(missing.name)
        return RouteletError(
            f"imports {missing.name}, which no dependency provides"
            if not local
            else f"imports {missing.name}, which is not in the site",
            where=f"{self._ground.label(missing.reason.parent)}:{missing.reason.line}",
            mend=(
                f"add the distribution that has {top} to dependencies in pyproject.toml"
                if not local
                else "correct the name, or add the module"
            )
            + self._chain_text(missing.reason.parent),
        )

    def _chain_text(self, archive: str) -> str:
        chain = [archive]
        while (parent := self.files[chain[-1]].parent) in self.files and parent not in chain:
            chain.append(parent)
        names = " <- ".join(map(self._ground.label, chain))
        return f" (imported by {names})" if len(chain) > 1 else ""

    def _include(self) -> None:
        reason = Reason(kind="include", parent="include")
        for pattern in self._config.include:
            names = files_meant(self._ground, pattern)
            for name in names:
                if module := self._ground.modules.module_at(name):
                    self._take(chain_of(self._ground, module, reason))
                else:
                    self._reach(name, reason, is_followed=name.endswith(".py"))
            normal = canonicalize_name(pattern)
            is_distribution = normal in self._ground.index.distributions
            self._is_settled |= is_distribution or any(name.endswith(".py") for name in names)
            if is_distribution:
                self.owners.setdefault(normal, reason)
            elif not names:
                self.warnings.append(f'include = "{pattern}" matches no file and no distribution')
