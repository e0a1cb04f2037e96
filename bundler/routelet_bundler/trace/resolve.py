"""Resolve: what one local file leads to, found once for all functions that reach the file.

The imports and data files of a source, which are names, become edges to files of the site and to
distributions, and what is wrong with them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from routelet import LATE
from routelet_bundler.errors import RouteletError
from routelet_bundler.file_globs import is_litter
from routelet_bundler.model import RUNTIME_FILES, Reason, Rewrite
from routelet_bundler.safe_names import INJECTED
from routelet_bundler.trace.data_files import DataPath
from routelet_bundler.trace.edges import TIME_ZONE_DATA, TIME_ZONES
from routelet_bundler.trace.found import Import, Imports
from routelet_bundler.trace.ground import Ground
from routelet_bundler.trace.injected import is_beside_itself
from routelet_bundler.trace.modules import absolute_name, known_package
from routelet_bundler.trace.places import ANY
from routelet_bundler.trace.settle import (
    beside_src,
    included_by,
    is_beside,
    not_known,
    nothing_included,
    own_folder,
)

LOADS_BY_MANIFEST = (RUNTIME_FILES, "site_templates/environment.py")
"""What they load when they run is named in a manifest or a template, and traced from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An import of `name` that nothing provides."""

    name: str
    reason: Reason


@dataclass(slots=True, kw_only=True)
class Resolved:
    """What a file leads to. Whole when `resolve` returns it, and not changed any more."""

    edges: dict[tuple[str, bool], Reason] = field(default_factory=dict)
    """Reasons by path in a zip, and whether what is there is followed in its turn."""
    owners: dict[str, Reason] = field(default_factory=dict)
    """Reasons by normalised name of a distribution that has what is imported."""
    provided: dict[str, Reason] = field(default_factory=dict)
    """Reasons by normalised name of a distribution that the host has."""
    outside: set[str] = field(default_factory=set)
    """Names of modules that are not local, down to what is imported of them."""
    named: set[str] = field(default_factory=set)
    """Such names that a string gives."""
    rewrites: list[Rewrite] = field(default_factory=list)
    assets: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    errors: list[RouteletError] = field(default_factory=list)
    unsettled: list[RouteletError] = field(default_factory=list)
    """What is only known when it runs, and no comment settles."""
    complete: bool = True
    """Whether all that it imports is known before it runs."""


def resolve(ground: Ground, archive: str) -> Resolved:
    """Return what the source at `archive` leads to."""
    return _Resolution(ground, archive).run()


def chain_of(ground: Ground, module: str, reason: Reason) -> Resolved:
    """Return the edges to the files that importing `module` runs."""
    resolution = _Resolution(ground, "")
    resolution.reach_module(module, reason)
    return resolution.found


class _Resolution:
    """The resolution of one file."""

    def __init__(self, ground: Ground, archive: str) -> None:
        self._ground = ground
        self._archive = archive
        self._modules = ground.modules_for(archive) if archive else ground.modules
        self.found = Resolved()

    def run(self) -> Resolved:
        source = self._ground.source_of(self._archive)
        by_manifest = self._archive.startswith(LOADS_BY_MANIFEST)
        for found in source.imports.imports:
            is_named_elsewhere = found.level > 0 or not found.is_pattern
            if not (by_manifest and found.is_dynamic and is_named_elsewhere):
                self._import(found)
        if not by_manifest:
            self._rewrites()
            self._pragmas()
            self._unknown()
            self._named()
        self._names(source.imports)
        for data in source.data:
            self._data(data)
        return self.found

    def _names(self, imports: Imports) -> None:
        """Follow what a source names besides modules that it imports."""
        for name, line in imports.templates:
            self._template(name, line)
        for name, line in imports.collections:
            self._collection(name, line)
        for asset, line in imports.assets:
            self._asset(asset, line)
        for text, line in imports.strings:
            self._string(text, line)

    def _where(self, line: int) -> str:
        return f"{self._ground.label(self._archive)}:{line}"

    def _reason(self, line: int) -> Reason:
        return Reason(kind="import", parent=self._archive, line=line)

    def _rewrites(self) -> None:
        for call in self._ground.source_of(self._archive).imports.rewrites:
            where = self._where(call.line)
            self.found.rewrites.append(Rewrite(examples=call.examples, where=where))

    def _pragmas(self) -> None:
        for pragma in self._ground.source_of(self._archive).pragmas:
            reason = Reason(kind="include", parent=self._archive, line=pragma.line)
            for pattern in pragma.patterns:
                included = included_by(self._ground, pattern)
                for module in included.modules:
                    self.reach_module(module, reason)
                for file in included.files:
                    if own := self._modules.module_at(file):
                        self.reach_module(own, reason)
                    else:
                        self._reach_file(file, reason)
                for name in included.distributions:
                    self.found.owners.setdefault(name, reason)
                if included.is_empty:
                    self.found.errors.append(nothing_included(pattern, self._where(pragma.line)))

    def _unknown(self) -> None:
        source = self._ground.source_of(self._archive)
        settled = {one.line for one in source.pragmas if one.kind != "skip-verify"}
        for unknown in source.imports.unknown:
            if settled.isdisjoint(range(unknown.line, unknown.end + 1)):
                self.found.complete = False
                error = not_known(unknown.expression, self._where(unknown.line))
                self.found.unsettled.append(error)

    def _import(self, found: Import) -> None:
        name = absolute_name(found, self._archive)
        reason = self._reason(found.line)
        if name is None:
            self._above_the_top(found)
            return
        if found.runs:
            reason = replace(reason, kind="data")
        if found.is_pattern:
            self._pattern(name, found, reason)
            return
        if self._is_local(name):
            self._local(name, found, reason)
        elif name.partition(".")[0] not in self._ground.standard_library:
            self._third_party(name, found, reason)
        elif name == TIME_ZONES and TIME_ZONE_DATA in self._ground.closures.direct:
            self._from_distribution(TIME_ZONE_DATA, reason)

    def _pattern(self, name: str, found: Import, reason: Reason) -> None:
        """Follow an import of which a pattern is known: all local modules that fit it."""
        modules = self._modules.fitting(name)
        for module in modules:
            self.reach_module(module, reason)
            for attribute in found.names:
                self.reach_module(f"{module}.{attribute}", reason)
        package = known_package(name)
        if package and not modules:
            self._import(replace(found, module=package, level=0, is_pattern=False))

    def _above_the_top(self, found: Import) -> None:
        """Tell of a relative import that Python refuses: its dots go above the top package."""
        if not found.guarded:
            self.found.errors.append(
                RouteletError(
                    f"imports {'.' * found.level}{found.module}, above its top-level package",
                    where=self._where(found.line),
                    mend="name the module from src/ on",
                )
            )

    def _is_local(self, name: str) -> bool:
        """Tell whether Python would look for `name` in the site.

        A folder without `__init__` gives way to a package of its name that is anywhere else.
        """
        top = name.partition(".")[0]
        if self._modules.file_of(top):
            return True
        elsewhere = top in self._ground.standard_library or self._ground.index.owner_of(top)
        return self._modules.knows(top) and not elsewhere

    def _string(self, text: str, line: int) -> None:
        """Follow a string that names a local module, or something in one: `p.m.Class`."""
        relative = text.startswith(".")
        if self._archive.startswith(RUNTIME_FILES) or (relative and self.found.complete):
            return
        found = Import(module=text.lstrip("."), line=line, level=int(relative))
        name = absolute_name(found, self._archive) or ""
        while not self._modules.knows(name) and "." in name:
            name = name.rpartition(".")[0]
        if "." in name and self._modules.knows(name):
            self.reach_module(name, self._reason(line))

    def _local(self, name: str, found: Import, reason: Reason) -> None:
        if not self._modules.knows(name):
            if not found.guarded and not self._from_distribution(name, reason):
                self._missing(name, reason)
            return
        self.reach_module(name, reason)
        file = self._modules.file_of(name)
        names = found.names
        if "*" in names:
            is_source = file is not None and file.endswith(".py")
            names = self._ground.source_of(file).imports.exported if file and is_source else ()
        for late in LATE.keys() & names if name == "routelet" else ():
            self.reach_module(LATE[late], reason)
        for module in (f"{name}.{attribute}" for attribute in names):
            if self._modules.knows(module):
                self.reach_module(module, reason)
            elif not (file or found.guarded or self._from_distribution(module, reason)):
                self._missing(module, reason)  # a folder without __init__ has only modules

    def reach_module(self, module: str, reason: Reason) -> None:
        for file in self._modules.chain(module):
            self._reach_file(file, reason)

    def _reach_file(self, archive: str, reason: Reason, *, is_followed: bool = True) -> None:
        is_source = archive.endswith(".py") or (reason.kind == "data" and archive.endswith(".pyi"))
        self.found.edges.setdefault((archive, is_source and is_followed), reason)

    def _third_party(self, name: str, found: Import, reason: Reason) -> None:
        wanted = {f"{name}.{one}".removesuffix(".*") for one in found.names} or {name}
        missing = {one for one in wanted if not self._from_distribution(one, reason)}
        if missing and not self._ground.index.is_namespace(name):
            missing = {name}
        if not found.guarded:
            for one in sorted(missing):
                self._missing(one, reason)

    def _named(self) -> None:
        """Follow strings that name a requirement of the project, or something in one of them."""
        imports = self._ground.source_of(self._archive).imports
        for text, line in (*imports.strings, *imports.words):
            self.found.outside |= self._ground.plug_ins.get(text, set())
            for name in self._ground.modules_named(text):
                if not self._is_local(name) and self._from_distribution(name, self._reason(line)):
                    self.found.named.add(name)

    def _from_distribution(self, name: str, reason: Reason) -> bool:
        self.found.outside.add(name)
        provided = self._ground.provider_of(name)
        owner = self._ground.index.owner_of(name)
        if provided is not None:
            self.found.provided.setdefault(provided, reason)
        elif owner is not None:
            self.found.owners.setdefault(owner.name, reason)
        return provided is not None or owner is not None

    def _missing(self, name: str, reason: Reason) -> None:
        self.found.missing.append(Missing(name=name, reason=reason))
        self.found.complete = False

    def _template(self, name: str, line: int) -> None:
        reason = self._reason(line)
        templates = self._ground.sources.templates
        names = [name] if ANY not in name else [one for one in templates if fnmatchcase(one, name)]
        if names and all(one in templates for one in names):
            self.reach_module("site_templates.environment", reason)
            for one in names:
                self.reach_module(f"site_templates.{templates[one]}", reason)
            return
        self.found.errors.append(
            RouteletError(
                f'renders "{name}", which is not there',
                where=self._where(line),
                mend="name a template by its path below src/, such as layouts/post.jinja",
            )
        )

    def _collection(self, name: str, line: int) -> None:
        module = f"site_templates.collection_{name.replace('-', '_')}"
        if self._modules.knows(module):
            self.reach_module(module, self._reason(line))
            return
        self.found.errors.append(
            RouteletError(
                f'reads the collection "{name}", which is not there',
                where=self._where(line),
                mend=f"put Markdown files into src/content/{name}/",
            )
        )

    def _asset(self, name: str | None, line: int) -> None:
        if name is None:
            self.found.warnings.append(
                f"{self._where(line)}: the name of this asset is only known when it runs, so that "
                "the function does not know its URL; write the name out"
            )
        elif name in self._ground.sources.public:
            self.found.assets.add(name)
        else:
            self.found.errors.append(
                RouteletError(
                    f'asks for the asset "{name}", which is not there',
                    where=self._where(line),
                    mend=f"put the file into public/{name}, or correct the name",
                )
            )

    def _data(self, data: DataPath) -> None:
        reason = Reason(kind="data", parent=self._archive, line=data.line)
        source = self._ground.source_of(self._archive)
        is_own = data.kind == "own" or self._is_beside(data)
        if is_own and data.line not in {one.line for one in source.pragmas}:
            self.found.warnings.append(own_folder(self._where(data.line)))
        is_read = data.is_inside and not is_own
        names = _matching(data.path, self._ground.sources.files) if is_read else ()
        for name in names:
            # A source that is named by itself is run, and a stub is what it stands for.
            self._reach_file(name, reason, is_followed=name == data.path)
        if data.kind in {"cwd", "outside"} and not names and is_beside(self._ground, data.path):
            self.found.warnings.append(beside_src(data.path, self._where(data.line)))

    def _is_beside(self, data: DataPath) -> bool:
        """Tell whether any file beside a source may be meant where not all are the site's."""
        if self._archive in self._ground.sources.server:
            return ANY in data.path.partition("/")[0]
        return self._archive.startswith(f"{INJECTED}/") and is_beside_itself(
            data.path, self._archive
        )


def _matching(path: str, files: Iterable[str]) -> list[str]:
    """Return the files that a data path names: itself, those below it, or those that fit it."""
    if "*" in path:
        known = len(path.partition("*")[0])
        fitting = (name for name in files if fnmatchcase(name, path) and not name.endswith(".py"))
        return [name for name in fitting if not is_litter(name[known:])]
    below = path.rstrip("/") + "/"
    return [
        name
        for name in files
        if name == path or (name.startswith(below) and not is_litter(name[len(below) :]))
    ]
