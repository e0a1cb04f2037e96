"""What all traces of one target share: files, modules, distributions, each read once."""

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from packaging.utils import canonicalize_name

from routelet_bundler.cache import Cache
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import standard_library
from routelet_bundler.model import Target
from routelet_bundler.sources import Digests, read_source
from routelet_bundler.trace.companions import Companions
from routelet_bundler.trace.distributions import Closures, Index
from routelet_bundler.trace.edges import Edges
from routelet_bundler.trace.hints import HINTS, hinted
from routelet_bundler.trace.modules import LocalModules
from routelet_bundler.trace.reach import ThirdParty, entry_points
from routelet_bundler.trace.records import Records, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What runs opened, by path in a zip, and the versions of the distributions they had."""

    files: frozenset[str]
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a trace looks: local files by path in a zip, and what is installed."""

    files: Mapping[str, Path]
    labels: Mapping[str, str]
    """How a file is named to people, where that is not its path in a zip."""
    templates: Mapping[str, str]
    index: Index
    dependencies: tuple[str, ...]
    public: Collection[str] = ()
    """The files of `public/`."""
    digests: Digests = field(default_factory=Digests)
    cache: Cache | None = None
    """Keeps what is read of distributions."""
    recording: Recording | None = None
    root: Path | None = None
    """The site's folder, which a source may take for the working directory."""
    server: Collection[str] = frozenset()
    """The files that server entrypoints bring along from beside `src/`."""
    siblings: Collection[str] = frozenset()
    """Those of them that no other file may import."""


class Ground:
    """The files of a site and the distributions of a target, as traces look at them."""

    def __init__(self, sources: Sources, target: Target, records: Records | None = None) -> None:
        self.sources = sources
        self.target = target
        self.index = sources.index
        self.modules = LocalModules(sources.files)
        self._modules_of_site = (
            LocalModules(name for name in sources.files if name not in sources.siblings)
            if sources.siblings
            else self.modules
        )
        self.closures = Closures(sources.index, target, sources.dependencies)
        self.standard_library = standard_library(target.python)
        self.third_party = ThirdParty(sources.index, Edges(target.python, sources.cache))
        self._records = records or Records(target.python)
        self._read: dict[str, Source] = {}
        self._hints: dict[str, frozenset[tuple[str, str]]] = {}

    def modules_for(self, archive: str) -> LocalModules:
        """Return the modules that a local file may import: `src/` is the import root of most."""
        return self.modules if archive in self.sources.server else self._modules_of_site

    @cached_property
    def companions(self) -> Companions:
        """What chooses optional distributions."""
        return Companions(self.third_party, self.closures, self.target, self.drivers)

    def hints_of(self, archive: str) -> frozenset[tuple[str, str]]:
        """Return what words of a local source ask for, where a requirement takes such hints."""
        if archive not in self._hints:
            asked = archive in self.sources.labels and not HINTS.keys().isdisjoint(
                self.index.distributions
            )
            text = (
                read_source(self.sources.files[archive], archive)
                if asked and archive.endswith(".py")
                else ""
            )
            self._hints[archive] = frozenset(hinted(text)) if text else frozenset()
        return self._hints[archive]

    @cached_property
    def drivers(self) -> frozenset[str]:
        """The project's own requirements that none of its files imports: `email-validator`.

        They are there for another distribution, which lists them in an extra.
        """
        imported = set()
        for archive in self.sources.labels:
            if archive.endswith(".py"):
                imported |= self._owners_imported_by(archive)
        return self.closures.direct - imported

    def _owners_imported_by(self, archive: str) -> set[str]:
        try:
            found = self.source_of(archive).imports.imports
        except RouteletError:
            return set()  # told where a function reaches the file
        names = {f"{one.module}.{name}" for one in found for name in one.names or [""]}
        owners = (self.sources.index.owner_of(name.rstrip(".*")) for name in names)
        return {owner.name for owner in owners if owner}

    def source_of(self, archive: str) -> Source:
        """Return what a local file needs, read once."""
        if archive not in self._read:
            path = self.sources.files[archive]
            self._read[archive] = self._records.source(
                archive, self.sources.digests.of(path), path, self.label(archive)
            )
        return self._read[archive]

    @cached_property
    def _names_of_requirements(self) -> Mapping[str, Collection[str]]:
        """Modules by each of the words that requirements of the project are known by."""
        tops = {
            name: self.third_party.tops(name)
            for name in self.closures.direct & self.index.distributions.keys()
        }
        return {top: (top,) for inner in tops.values() for top in inner} | tops

    @cached_property
    def plug_ins(self) -> Mapping[str, Set[str]]:
        """Modules by the names that distributions announce them under, in entry points."""
        found: dict[str, set[str]] = {}
        for distribution in self.index.distributions.values():
            for group, name, module in entry_points(distribution):
                if group not in {"console_scripts", "gui_scripts"}:
                    found.setdefault(name, set()).add(module)
        return found

    def modules_named(self, text: str) -> Iterator[str]:
        """Yield the modules of requirements that a string names: `redis`, `django.contrib.auth`."""
        known = self._names_of_requirements
        if "." not in text:
            yield from known.get(canonicalize_name(text), ()) or known.get(text, ())
        elif any(text == word or text.startswith(f"{word}.") for word in known):
            yield text

    def label(self, archive: str) -> str:
        """Return how a local file is named to people."""
        return self.sources.labels.get(archive, archive)

    def provider_of(self, module: str) -> str | None:
        """Return the distribution of the host that has `module`, by its normalised name."""
        return self.target.provided_modules.get(module.partition(".")[0])
