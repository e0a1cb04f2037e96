"""One trace: from a function's first modules along every import and data file of local code."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Reason, Rewrite, RouteConfig
from routelet_bundler.trace.data_files import DataPath
from routelet_bundler.trace.ground import Ground, Source
from routelet_bundler.trace.imports import Import
from routelet_bundler.trace.modules import absolute_name

LOADS_BY_MANIFEST = ("routelet/", "site_templates/environment.py")
"""What they load when they run is named in a manifest or a template, and traced from there."""

_LITTER = ("~", ".swp", ".swo", ".pyc", ".orig", ".rej")


class Walk:
    """The state of one trace: what was reached, each with the reason, and what was not found."""

    def __init__(self, ground: Ground, config: RouteConfig) -> None:
        self._ground = ground
        self._config = config
        self._pending: list[str] = []
        self._followed: set[str] = set()
        self.files: dict[str, Reason] = {}
        self.owners: dict[str, Reason] = {}
        """Reasons by normalised name of a distribution that has what is imported."""
        self.provided: dict[str, Reason] = {}
        """Reasons by normalised name of a distribution that the host has."""
        self.rewrites: list[Rewrite] = []
        self.assets: set[str] = set()
        self.warnings: list[str] = []
        self.missing: list[RouteletError] = []
        """Imports that nothing provides."""
        self.errors: list[RouteletError] = []

    def start(self, module: str) -> None:
        """Begin with a module that the function imports."""
        self._reach_module(module, Reason(kind="entry"))

    def run(self) -> None:
        """Follow all that was reached, until nothing new is."""
        self._include()
        while self._pending:
            archive = self._pending.pop()
            source = self._ground.source_of(archive)
            for found in source.imports.imports:
                self._import(found, archive)
            for name, line in source.imports.templates:
                self._template(name, archive, line)
            for name, line in source.imports.collections:
                self._collection(name, archive, line)
            for asset, line in source.imports.assets:
                self._asset(asset, archive, line)
            for text, line in source.imports.strings:
                self._string(text, archive, line)
            self._rewrites(source, archive)
            self._warn_of_unknown(source, archive)
            for data in source.data:
                self._data(data, archive)

    def _rewrites(self, source: Source, archive: str) -> None:
        if archive.startswith(LOADS_BY_MANIFEST):
            return
        for call in source.imports.rewrites:
            where = f"{self._ground.label(archive)}:{call.line}"
            self.rewrites.append(Rewrite(examples=call.examples, where=where))

    def _warn_of_unknown(self, source: Source, archive: str) -> None:
        if archive.startswith(LOADS_BY_MANIFEST):
            return
        for unknown in source.imports.unknown:
            self.warnings.append(
                f"{self._ground.label(archive)}:{unknown.line}: {unknown.expression} is only "
                "known when it runs; name what it imports with include"
            )

    def _import(self, found: Import, archive: str) -> None:
        name = absolute_name(found, archive)
        reason = Reason(kind="import", parent=archive, line=found.line)
        if found.is_prefix:
            for module in self._ground.modules.beginning_with(name):
                self._reach_module(module, reason)
            return
        if self._is_local(name):
            self._local(name, found, reason)
        elif name.partition(".")[0] not in self._ground.standard_library:
            self._third_party(name, found, reason)

    def _is_local(self, name: str) -> bool:
        """Tell whether Python would look for `name` in the site.

        A folder without `__init__` gives way to a package of its name that is anywhere else.
        """
        top = name.partition(".")[0]
        if self._ground.modules.file_of(top):
            return True
        elsewhere = top in self._ground.standard_library or self._ground.index.owner_of(top)
        return self._ground.modules.knows(top) and not elsewhere

    def _string(self, text: str, archive: str, line: int) -> None:
        """Follow a string that names a local module, or something in one: `p.m.Class`."""
        relative = text.startswith(".")
        if archive.startswith("routelet/") or (relative and not self._is_dynamic(archive)):
            return
        found = Import(module=text.lstrip("."), line=line, level=int(relative))
        name = absolute_name(found, archive)
        while not self._ground.modules.knows(name) and "." in name:
            name = name.rpartition(".")[0]
        if "." in name and self._ground.modules.knows(name):
            self._reach_module(name, Reason(kind="import", parent=archive, line=line))

    def _is_dynamic(self, archive: str) -> bool:
        return bool(self._ground.source_of(archive).imports.unknown)

    def _local(self, name: str, found: Import, reason: Reason) -> None:
        if not self._ground.modules.knows(name):
            if not found.guarded and not self._from_distribution(name, reason):
                self._missing(name, reason)
            return
        self._reach_module(name, reason)
        file = self._ground.modules.file_of(name)
        names = found.names
        if "*" in names:
            is_source = file is not None and file.endswith(".py")
            names = self._ground.source_of(file).imports.exported if file and is_source else ()
        for module in (f"{name}.{attribute}" for attribute in names):
            if self._ground.modules.knows(module):
                self._reach_module(module, reason)
            elif not (file or found.guarded or self._from_distribution(module, reason)):
                self._missing(module, reason)  # a folder without __init__ has only modules

    def _reach_module(self, module: str, reason: Reason) -> None:
        for file in self._ground.modules.chain(module):
            self._reach_file(file, reason)

    def _reach_file(self, archive: str, reason: Reason, *, is_followed: bool = True) -> None:
        excluded = any(is_meant(pattern, archive) for pattern in self._config.exclude)
        if archive in self._followed or excluded:
            return
        self.files.setdefault(archive, reason)
        is_source = archive.endswith(".py") or (reason.kind == "data" and archive.endswith(".pyi"))
        if is_source and is_followed:
            self._followed.add(archive)
            self._pending.append(archive)

    def _third_party(self, name: str, found: Import, reason: Reason) -> None:
        wanted = {f"{name}.{one}".removesuffix(".*") for one in found.names} or {name}
        missing = {one for one in wanted if not self._from_distribution(one, reason)}
        if missing and not self._ground.index.is_namespace(name):
            missing = {name}
        if not found.guarded:
            for one in sorted(missing):
                self._missing(one, reason)

    def _from_distribution(self, name: str, reason: Reason) -> bool:
        provided = self._ground.provider_of(name)
        owner = self._ground.index.owner_of(name)
        if provided is not None:
            self.provided.setdefault(provided, reason)
        elif owner is not None:
            self.owners.setdefault(owner.name, reason)
        return provided is not None or owner is not None

    def _missing(self, name: str, reason: Reason) -> None:
        top = name.partition(".")[0]
        local = self._ground.modules.owns(name)
        self.missing.append(
            RouteletError(
                f"imports {name}, which no dependency provides"
                if not local
                else f"imports {name}, which is not in the site",
                where=f"{self._ground.label(reason.parent)}:{reason.line}",
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
        while (parent := self.files[chain[-1]].parent) and parent not in chain:
            chain.append(parent)
        names = " <- ".join(map(self._ground.label, chain))
        return f" (imported by {names})" if len(chain) > 1 else ""

    def _template(self, name: str, archive: str, line: int) -> None:
        reason = Reason(kind="import", parent=archive, line=line)
        if name in self._ground.sources.templates:
            self._reach_module("site_templates.environment", reason)
            self._reach_module(f"site_templates.{self._ground.sources.templates[name]}", reason)
            return
        self.errors.append(
            RouteletError(
                f'renders "{name}", which is not there',
                where=f"{self._ground.label(archive)}:{line}",
                mend="name a template by its path below src/, such as layouts/post.jinja",
            )
        )

    def _collection(self, name: str, archive: str, line: int) -> None:
        module = f"site_templates.collection_{name.replace('-', '_')}"
        if self._ground.modules.knows(module):
            self._reach_module(module, Reason(kind="import", parent=archive, line=line))
            return
        self.errors.append(
            RouteletError(
                f'reads the collection "{name}", which is not there',
                where=f"{self._ground.label(archive)}:{line}",
                mend=f"put Markdown files into src/content/{name}/",
            )
        )

    def _asset(self, name: str | None, archive: str, line: int) -> None:
        where = f"{self._ground.label(archive)}:{line}"
        if name is None:
            self.warnings.append(
                f"{where}: the name of this asset is only known when it runs, so that the function "
                "does not know its URL; write the name out"
            )
        elif name in self._ground.sources.public:
            self.assets.add(name)
        else:
            self.errors.append(
                RouteletError(
                    f'asks for the asset "{name}", which is not there',
                    where=where,
                    mend=f"put the file into public/{name}, or correct the name",
                )
            )

    def _data(self, data: DataPath, archive: str) -> None:
        reason = Reason(kind="data", parent=archive, line=data.line)
        for name in _matching(data.path, self._ground.sources.files):
            # A source that is named by itself is run, and a stub is what it stands for.
            self._reach_file(name, reason, is_followed=name == data.path)

    def _include(self) -> None:
        reason = Reason(kind="include", parent="include")
        for pattern in self._config.include:
            names = [
                name
                for name in self._ground.sources.files
                if is_meant(pattern, name) or is_meant(pattern, self._ground.label(name))
            ]
            for name in names:
                self._reach_file(name, reason)
            normal = canonicalize_name(pattern)
            if normal in self._ground.index.distributions:
                self.owners.setdefault(normal, reason)
            elif not names:
                self.warnings.append(f'include = "{pattern}" matches no file and no distribution')


def _matching(path: str, files: Iterable[str]) -> list[str]:
    """Return the files that a data path names: itself, those below it, or those that fit it."""
    if "*" in path:
        known = len(path.partition("*")[0])
        fitting = (name for name in files if fnmatchcase(name, path) and not name.endswith(".py"))
        return [name for name in fitting if not _is_litter(name[known:])]
    below = path.rstrip("/") + "/"
    return [
        name
        for name in files
        if name == path or (name.startswith(below) and not _is_litter(name[len(below) :]))
    ]


def _is_litter(path: str) -> bool:
    """Tell whether a file is one of VCS, editors, caches or secrets: a name for it brings it in."""
    parts = PurePosixPath(path).parts
    return any(part.startswith(".") for part in parts) or path.endswith(_LITTER)


def is_meant(pattern: str, archive: str) -> bool:
    """Tell whether a file is meant by a glob of include or exclude, below `src/` or with it."""
    pattern = pattern.removeprefix("./").removeprefix("src/")
    archive = archive.removeprefix("src/")
    return (
        pattern == archive or PurePosixPath(archive).match(pattern) or fnmatchcase(archive, pattern)
    )
