"""Trace: from what a function starts with to every file and distribution that it reaches.

Local code is followed file by file, through every form of import, with the data files it names.
Third-party code comes as whole distributions: the owner of what is imported, and what it requires.
Every file has the reason it is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from routelet_bundler.errors import raise_all
from routelet_bundler.model import (
    RUNTIME_FILES,
    Distribution,
    Reason,
    RouteConfig,
    Target,
    Traced,
    TracedFile,
)
from routelet_bundler.trace.audit import Audit
from routelet_bundler.trace.ground import Ground, Sources
from routelet_bundler.trace.prune import Prune
from routelet_bundler.trace.recipes import Recipes
from routelet_bundler.trace.records import Records
from routelet_bundler.trace.selection import select
from routelet_bundler.trace.walk import Graph, Walk

TELLS_OF_OMISSIONS = "routelet.omitted"
"""What an entry module imports where something was left out."""

__all__ = ["Records", "Sources", "Tracer"]


class Tracer:
    """Traces functions of one site for one target; each file is read once for all of them."""

    def __init__(self, sources: Sources, target: Target, records: Records | None = None) -> None:
        self.target = target
        self._ground = Ground(sources, target, records)
        self.graph = Graph(self._ground)
        self._audit = Audit(self._ground, records) if target.is_audited else None
        self._recipes = Recipes(self._ground)
        self._walks: dict[str, Walk] = {}
        self._files: dict[tuple[str, int], TracedFile] = {}
        self._outside: set[str] = set()

    def local_files(self, modules: Sequence[str]) -> tuple[Mapping[str, Path], bool]:
        """Return the files of the site that importing `modules` reaches, by their path in a zip.

        And whether these are all: False where an import is only known when it runs, or nothing is
        known that provides it. Raises `RouteletError` for a template, a collection or an asset that
        is not there.
        """
        walk = self._walk(modules, RouteConfig())
        raise_all(walk.errors)
        sources = self._ground.sources.files
        own = (archive for archive in walk.files if not archive.startswith(RUNTIME_FILES))
        return {archive: sources[archive] for archive in own}, walk.complete

    def trace(self, modules: Sequence[str], config: RouteConfig) -> Traced:
        """Return what a function that imports `modules` reaches.

        Raises `RouteletError` for every import that nothing provides, and for those that are only
        known when they run and that nothing settles, with file and line.
        """
        walk = self._walk(modules, config)
        raise_all([*walk.missing, *walk.errors, *walk.unsettled])
        self._outside |= walk.outside
        selection = select(self._ground, walk, config.exclude)
        if selection.omitted:
            walk.start(TELLS_OF_OMISSIONS)
        packed, noted = self._audited([one for one, _ in selection.packed], modules, config)
        cut, told = self._recipes.applied(packed, walk.files)
        whole = {one.name: one for one in packed}
        return Traced(
            files=tuple(self._file(name, reason) for name, reason in sorted(walk.files.items())),
            distributions=tuple(
                (cut.get(one.name, whole[one.name]), why) for one, why in selection.packed
            ),
            provided=selection.provided,
            omitted=selection.omitted,
            rewrites=tuple(walk.rewrites),
            assets=tuple(sorted(walk.assets)),
            warnings=(*walk.warnings, *noted, *told),
        )

    def _audited(
        self, packed: Sequence[Distribution], modules: Sequence[str], config: RouteConfig
    ) -> tuple[Sequence[Distribution], Sequence[str]]:
        return self._audit.trimmed(packed, modules, config) if self._audit else (packed, ())

    def _file(self, archive: str, reason: Reason) -> TracedFile:
        """Return a file of a function; one value for all that have it for the same reason."""
        key = (archive, id(reason))
        if key not in self._files:
            self._files[key] = TracedFile(
                archive=archive,
                source=self._ground.sources.files[archive],
                label=self._ground.label(archive),
                reason=reason,
            )
        return self._files[key]

    def pruned(self, traced: Traced) -> Traced:
        """Return what a function reaches, without files of distributions that nothing reads.

        What any of the functions that were traced reaches of a distribution, all of them keep.
        """
        packed = tuple((self._prune.of(one), reason) for one, reason in traced.distributions)
        return replace(traced, distributions=packed)

    @cached_property
    def _prune(self) -> Prune:
        return Prune(self._ground.third_party, self._outside)

    def _walk(self, modules: Sequence[str], config: RouteConfig) -> Walk:
        walk = Walk(self.graph, config)
        for module in modules:
            if self._is_shared(module, config):
                walk.add(self._shared(module))
            else:
                walk.start(module)
        walk.run()
        return walk

    def _is_shared(self, module: str, config: RouteConfig) -> bool:
        """Tell whether many functions start with a module and reach the same from there."""
        own = module.partition(".")[0] == "pages"
        return not (own or config.include or config.exclude)

    def _shared(self, module: str) -> Walk:
        if module not in self._walks:
            walk = self._walks[module] = Walk(self.graph, RouteConfig())
            walk.start(module)
            walk.run()
        return self._walks[module]
