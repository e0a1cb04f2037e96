"""Trace: from what a function starts with to every file and distribution that it reaches.

Local code is followed file by file, through every form of import, with the data files it names.
Third-party code comes as whole distributions: the owner of what is imported, and what it requires.
Every file has the reason it is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath

from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.interpreters import standard_library
from routelet_bundler.model import Distribution, Reason, RouteConfig, Target, Traced, TracedFile
from routelet_bundler.sources import parse_python
from routelet_bundler.trace.data_files import DataPath, data_paths
from routelet_bundler.trace.distributions import Closures, Index
from routelet_bundler.trace.imports import Import, Imports, imports_of
from routelet_bundler.trace.modules import LocalModules, absolute_name

_LOADS_BY_MANIFEST = ("routelet/", "site_templates/environment.py")
"""What they load when they run is named in a manifest or a template, and traced from there."""

PROVIDED_MODULES = {"python-dateutil": "dateutil"}
"""Import names of provided distributions that differ from their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one local Python file needs."""

    imports: Imports
    data: tuple[DataPath, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a trace looks: local files by path in a zip, and what is installed."""

    files: Mapping[str, Path]
    labels: Mapping[str, str]
    """How a file is named to people, where that is not its path in a zip."""
    templates: Mapping[str, str]
    index: Index
    dependencies: tuple[str, ...]


class Tracer:
    """Traces functions of one site for one target; each file is read once for all of them."""

    def __init__(self, sources: Sources, target: Target) -> None:
        self._sources = sources
        self._target = target
        self._modules = LocalModules(sources.files)
        self._closures = Closures(sources.index, target, sources.dependencies)
        self._standard = standard_library(target.python)
        self._read: dict[str, Source] = {}

    def trace(self, modules: Sequence[str], config: RouteConfig) -> Traced:
        """Return what a function that imports `modules` reaches.

        Raises `RouteletError` for every import that nothing provides, with its file and line.
        """
        walk = _Walk(self, config)
        for module in modules:
            walk.start(module)
        walk.run()
        raise_all(walk.errors)
        return walk.result()

    @cached_property
    def drivers(self) -> frozenset[str]:
        """The project's own requirements that none of its files imports: `email-validator`.

        They are there for another distribution, which lists them in an extra.
        """
        imported = set()
        for archive in self._sources.labels:
            if archive.endswith(".py"):
                imported |= self._owners_imported_by(archive)
        return self._closures.direct - imported

    def _owners_imported_by(self, archive: str) -> set[str]:
        try:
            found = self.source_of(archive).imports.imports
        except RouteletError:
            return set()  # told where a function reaches the file
        names = {f"{one.module}.{name}" for one in found for name in one.names or [""]}
        owners = (self._sources.index.owner_of(name.rstrip(".*")) for name in names)
        return {owner.name for owner in owners if owner}

    def source_of(self, archive: str) -> Source:
        """Return what a local file needs, read once."""
        if archive not in self._read:
            label = self.label(archive)
            tree = parse_python(_text(self._sources.files[archive], label), label)
            self._read[archive] = Source(
                imports=imports_of(tree, self._target.python), data=data_paths(tree, archive)
            )
        return self._read[archive]

    def label(self, archive: str) -> str:
        """Return how a local file is named to people."""
        return self._sources.labels.get(archive, archive)


def _text(path: Path, label: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RouteletError(f"is no UTF-8 text: {error.reason}", where=label) from None


class _Walk:
    """The state of one trace."""

    def __init__(self, tracer: Tracer, config: RouteConfig) -> None:
        self._tracer = tracer
        self._config = config
        self._sources = tracer._sources
        self._modules = tracer._modules
        self._index = tracer._sources.index
        self._files: dict[str, Reason] = {}
        self._owners: dict[str, Reason] = {}
        self._provided: dict[str, Reason] = {}
        self._pending: list[str] = []
        self._warnings: list[str] = []
        self.errors: list[RouteletError] = []

    def start(self, module: str) -> None:
        self._reach_module(module, Reason(kind="entry"))

    def run(self) -> None:
        self._include()
        while self._pending:
            archive = self._pending.pop()
            source = self._tracer.source_of(archive)
            for found in source.imports.imports:
                self._import(found, archive)
            for name, line in source.imports.templates:
                self._template(name, archive, line)
            self._warn_of_unknown(source, archive)
            for data in source.data:
                self._data(data, archive)

    def _warn_of_unknown(self, source: Source, archive: str) -> None:
        if archive.startswith(_LOADS_BY_MANIFEST):
            return
        for unknown in source.imports.unknown:
            self._warnings.append(
                f"{self._tracer.label(archive)}:{unknown.line}: {unknown.expression} is only "
                "known when it runs; name what it imports with include"
            )

    def _import(self, found: Import, archive: str) -> None:
        name = absolute_name(found, archive)
        reason = Reason(kind="import", parent=archive, line=found.line)
        if found.is_prefix:
            for module in self._modules.beginning_with(name):
                self._reach_module(module, reason)
            return
        if self._modules.owns(name):
            self._local(name, found, reason)
        elif name.partition(".")[0] not in self._tracer._standard:
            self._third_party(name, found, reason)

    def _local(self, name: str, found: Import, reason: Reason) -> None:
        if not self._modules.knows(name):
            if not found.guarded and not self._from_distribution(name, reason):
                self._missing(name, reason)
            return
        self._reach_module(name, reason)
        names = found.names
        if "*" in names and (file := self._modules.file_of(name)):
            names = self._tracer.source_of(file).imports.exported
        for attribute in names:
            if self._modules.knows(f"{name}.{attribute}"):
                self._reach_module(f"{name}.{attribute}", reason)

    def _reach_module(self, module: str, reason: Reason) -> None:
        for file in self._modules.chain(module):
            self._reach_file(file, reason)

    def _reach_file(self, archive: str, reason: Reason) -> None:
        if archive in self._files:
            return
        self._files[archive] = reason
        if archive.endswith(".py"):
            self._pending.append(archive)

    def _third_party(self, name: str, found: Import, reason: Reason) -> None:
        reached = [self._from_distribution(f"{name}.{one}", reason) for one in found.names or [""]]
        if any(reached) or found.guarded:
            return
        self._missing(name, reason)

    def _from_distribution(self, name: str, reason: Reason) -> bool:
        name = name.rstrip(".*")
        provided = self._provider_of(name)
        owner = self._index.owner_of(name)
        if provided is not None:
            self._provided.setdefault(provided, reason)
        elif owner is not None:
            self._owners.setdefault(owner.name, reason)
        return provided is not None or owner is not None

    def _provider_of(self, module: str) -> str | None:
        top = module.partition(".")[0]
        names = self._tracer._target.provided
        return next((name for name in names if PROVIDED_MODULES.get(name, name) == top), None)

    def _missing(self, name: str, reason: Reason) -> None:
        top = name.partition(".")[0]
        local = self._modules.owns(name)
        self.errors.append(
            RouteletError(
                f"imports {name}, which no dependency provides"
                if not local
                else f"imports {name}, which is not in the site",
                where=f"{self._tracer.label(reason.parent)}:{reason.line}",
                mend=(
                    f"add the distribution that has {top} to dependencies in pyproject.toml"
                    if not local
                    else "correct the name, or add the module"
                )
                + self._chain_text(reason.parent),
            )
        )

    def _chain_text(self, archive: str) -> str:
        chain = [archive]
        while (parent := self._files[chain[-1]].parent) and parent not in chain:
            chain.append(parent)
        names = " <- ".join(map(self._tracer.label, chain))
        return f" (imported by {names})" if len(chain) > 1 else ""

    def _template(self, name: str, archive: str, line: int) -> None:
        reason = Reason(kind="import", parent=archive, line=line)
        if name in self._sources.templates:
            self._reach_module("site_templates.environment", reason)
            self._reach_module(f"site_templates.{self._sources.templates[name]}", reason)
            return
        self.errors.append(
            RouteletError(
                f'renders "{name}", which is not there',
                where=f"{self._tracer.label(archive)}:{line}",
                mend="name a template by its path below src/, such as layouts/post.jinja",
            )
        )

    def _data(self, data: DataPath, archive: str) -> None:
        reason = Reason(kind="data", parent=archive, line=data.line)
        for name in _matching(data.path, self._sources.files):
            self._files.setdefault(name, reason)

    def _include(self) -> None:
        reason = Reason(kind="include", parent="include")
        for pattern in self._config.include:
            names = [n for n in self._sources.files if _globbed(pattern, n)]
            for name in names:
                self._reach_file(name, reason)
            normal = pattern.lower().replace("_", "-")
            if normal in self._index.distributions:
                self._owners.setdefault(normal, reason)
            elif not names:
                self._warnings.append(f'include = "{pattern}" matches no file and no distribution')

    def result(self) -> Traced:
        """Return the files and distributions that were reached, sorted."""
        distributions, provided = self._distributions()
        kept = {
            archive: reason
            for archive, reason in self._files.items()
            if not any(_globbed(pattern, archive) for pattern in self._config.exclude)
        }
        return Traced(
            files=tuple(
                TracedFile(archive=archive, source=self._sources.files[archive], reason=reason)
                for archive, reason in sorted(kept.items())
            ),
            distributions=distributions,
            provided=provided,
            warnings=tuple(self._warnings),
        )

    def _distributions(self) -> tuple[tuple[tuple[Distribution, Reason], ...], tuple[str, ...]]:
        needed = self._tracer._closures.of(self._with_companions(set(self._owners)))
        target = self._tracer._target
        left_out = target.provided if self._host_provides(set(needed)) else ()
        if self._provided and not left_out:
            needed = self._tracer._closures.of({*needed, *self._provided})
            self._refuse_half_provided(needed)
        reasons = {
            name: self._owners.get(name)
            or self._provided.get(name)
            or Reason(kind="requires", parent=parent)
            for name, parent in needed.items()
            if name not in self._config.exclude
        }
        found = self._index.distributions
        distributions = tuple((found[name], reason) for name, reason in sorted(reasons.items()))
        return distributions, left_out

    def _host_provides(self, needed: set[str]) -> bool:
        """Tell whether what the host has is left to it: all of it, or nothing.

        Nothing where a packed distribution needs one of them, and where the project chose one
        itself: imported without `provided_through`, or with it but named in its dependencies.
        """
        target, imported = self._tracer._target, set(self._provided)
        beside = imported - {target.provided_through}
        if not imported or needed & set(target.provided):
            return False
        if target.provided_through in imported:
            return not beside & self._tracer._closures.direct
        return not beside <= self._index.distributions.keys()

    def _with_companions(self, names: set[str]) -> set[str]:
        """Add what a reached distribution lists in an extra: the project's drivers, or all."""
        wanted = self._tracer._target.companions
        closures = self._tracer._closures
        if wanted == "declared":
            return names
        among = self._index.distributions if wanted == "all" else self._tracer.drivers
        return names | closures.companions(closures.of(names), among=among)

    def _refuse_half_provided(self, needed: Mapping[str, str]) -> None:
        for name, reason in self._provided.items():
            if name not in needed:
                raise RouteletError(
                    f"needs {name}, which the host has, together with a distribution that packs "
                    f"one of {', '.join(self._tracer._target.provided)}: they come all from the "
                    "host or all from the zip",
                    where=f"{self._tracer.label(reason.parent)}:{reason.line}",
                    mend=f"add {name} to dependencies in pyproject.toml",
                )


def _matching(path: str, files: Iterable[str]) -> list[str]:
    """Return the files that a data path names: itself, those below it, or those that fit it."""
    if "*" in path:
        return [name for name in files if fnmatchcase(name, path) and not name.endswith(".py")]
    below = path.rstrip("/") + "/"
    return [name for name in files if name == path or name.startswith(below)]


def _globbed(pattern: str, archive: str) -> bool:
    """Tell whether a file is meant by a glob of include or exclude, below `src/` or with it."""
    pattern = pattern.removeprefix("./").removeprefix("src/")
    return PurePosixPath(archive).match(pattern) or fnmatchcase(archive, pattern)
