"""Server entrypoints: what a module that an adapter names brings along from beside `src/`.

It is below the site's folder, or installed where the build runs, and is followed as a page is:
through modules and data files of that folder, or of its distribution. Only what it reaches comes
along, and what `src/`, a dependency or Python has by the same name goes before it.
"""

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.file_globs import is_litter
from routelet_bundler.model import RouteConfig, Target
from routelet_bundler.trace.distributions import module_of, record_of
from routelet_bundler.trace.graph import with_those_above
from routelet_bundler.trace.ground import Ground, Sources
from routelet_bundler.trace.modules import LocalModules, absolute_name
from routelet_bundler.trace.records import Records
from routelet_bundler.trace.walk import Graph, Walk

_NEVER_LOOKED_AT = {"__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFiles:
    """What server entrypoints bring along."""

    files: Mapping[str, Path] = field(default_factory=dict)
    """By path in a zip."""
    siblings: frozenset[str] = frozenset()
    """Modules beside the entrypoints: nothing but what server entrypoints bring imports them."""
    warnings: tuple[str, ...] = ()


def server_files(
    modules: Collection[str],
    sources: Sources,
    target: Target,
    records: Records,
    without: Collection[Path],
) -> ServerFiles:
    """Return the files that `modules` reach beside those of `sources`, the site's own.

    They are looked for in the site's folder, less the folders `without`, then where the build
    itself imports from; one that is nowhere has no files. Raises `RouteletError` for a file in
    whose place in a zip another one goes, and for a module of a package that another one hides.
    """
    root = sources.root
    places = {module: _place_of(module, root) for module in modules}
    wanted = {
        module: place
        for module, place in places.items()
        if place and (place == root or sources.files.keys().isdisjoint(_names_of(module)))
    }
    if not wanted:
        return ServerFiles()
    own = Ground(sources, target, records)
    found: dict[str, Path] = {}
    told: list[str | RouteletError] = []
    for module, place in wanted.items():
        is_of_site = place == root
        files = _below(place, place, without) if is_of_site else _installed(place, module)
        if is_of_site and (place / _top(module)).is_symlink():
            files = {**files, **_below(place / _top(module), place)}
        beside = _Beside(own, module, files, records, is_of_site=is_of_site)
        walk = beside.walk()
        told += [*beside.told(walk), *_clashes(walk, own, found, files)]
        told += _links(walk, files, place) if is_of_site else ()
        found |= {name: files[name] for name in walk.files}
    raise_all([one for one in told if isinstance(one, RouteletError)])
    tops = {_top(module) for module in modules}
    siblings = (name for name in found if (one := module_of(name)) and _top(one) not in tops)
    return ServerFiles(
        files=found,
        siblings=frozenset(siblings),
        warnings=tuple(one for one in told if isinstance(one, str)),
    )


class _Beside:
    """The files that a server entrypoint may reach, and what goes before them."""

    def __init__(
        self,
        own: Ground,
        module: str,
        files: Mapping[str, Path],
        records: Records,
        *,
        is_of_site: bool,
    ) -> None:
        self._own = own
        self._module = module
        self._is_of_site = is_of_site
        self._there = LocalModules(files)
        seen = {name: path for name, path in files.items() if not self._is_hidden(name)}
        self._hidden = LocalModules(name for name in files if name not in seen)
        sources = replace(own.sources, files=seen, labels={}, server=frozenset(seen))
        self._ground = Ground(sources, own.target, records)

    def walk(self) -> Walk:
        """Return what the entrypoint reaches; each function tells what is wrong with that."""
        walk = Walk(Graph(self._ground), RouteConfig())
        walk.start(self._module)
        walk.run()
        return walk

    def told(self, walk: Walk) -> Iterator[str | RouteletError]:
        """Yield a warning for each imported module that is a file here, and is elsewhere too.

        An error for one that is here alone, in a package that is elsewhere.
        """
        for where, name in self._imported(walk):
            above = with_those_above(name, ".")
            for module in filter(self._hidden.file_of, above):
                file = self._hidden.file_of(module)
                if before := self._goes_before(module):
                    yield f"{where}: imports {module} of {before}, which goes before {file}"
                else:
                    package = next(filter(self._goes_before, above))
                    yield RouteletError(
                        f"imports {module}, but {self._goes_before(package)} has {package}, and "
                        f"goes before {file}",
                        where=where,
                        mend="rename one of the two",
                    )

    def _imported(self, walk: Walk) -> Iterator[tuple[str, str]]:
        """Yield the names that reached files import, each with file and line."""
        yield "the server entrypoint", self._module
        for archive in sorted(name for name in walk.files if name.endswith(".py")):
            for found in self._ground.source_of(archive).imports.imports:
                name = absolute_name(found, archive)
                for one in found.names or ("",) if name else ():
                    yield f"{archive}:{found.line}", f"{name}.{one}".rstrip(".*")

    def _is_hidden(self, archive: str) -> bool:
        module = module_of(archive)
        return module is not None and any(map(self._goes_before, with_those_above(module, ".")))

    def _goes_before(self, module: str) -> str | None:
        """Return what has a module before the folder of the entrypoint has it.

        Two folders without `__init__` are one namespace.
        """
        own = self._own
        if file := own.modules.file_of(module):
            return own.label(file)
        if own.modules.knows(module) and self._there.file_of(module):
            return f"the folder {module.replace('.', '/')}/ of the sources"
        if not self._is_of_site or _top(module) == _top(self._module):
            return None
        if module in own.standard_library:
            return "Python"
        owner = own.provider_of(module) or own.index.owners.get(module)
        return f"the distribution {owner}" if owner else None


def _clashes(
    walk: Walk, own: Ground, found: Mapping[str, Path], files: Mapping[str, Path]
) -> Iterator[RouteletError]:
    """Yield an error for each file whose place in a zip another one has."""
    for name, reason in walk.files.items():
        if name in own.sources.files or found.get(name, files[name]) != files[name]:
            yield RouteletError(
                f"reads {name}, and {own.label(name)} has its place in a zip",
                where=f"{reason.parent}:{reason.line}" if reason.line else reason.parent,
                mend="rename one of the two",
            )


def _links(walk: Walk, files: Mapping[str, Path], root: Path) -> Iterator[RouteletError]:
    """Yield an error for each reached file of the site that is a link to somewhere else."""
    for name in walk.files:
        file = files[name]
        if file.is_symlink() and not file.resolve().is_relative_to(root):
            yield RouteletError(
                f"is a link to {file.readlink()}, outside of the site",
                where=name,
                mend="put a copy in its place, or remove the link",
            )


def _place_of(module: str, root: Path | None) -> Path | None:
    """Return the folder that a module is imported from: the site's, or one of this Python's."""
    names = _names_of(module)
    folders = (*([root] if root else []), *_import_roots(module))
    return next((one for one in folders if any((one / name).is_file() for name in names)), None)


def _import_roots(module: str) -> Iterator[Path]:
    yield from (Path(folder).absolute() for folder in sys.path)
    with suppress(ImportError, ValueError):  # what is installed for its developers may say itself
        if spec := find_spec(_top(module)):
            origins = [spec.origin] if spec.origin and spec.has_location else []
            yield from (Path(one).parent for one in spec.submodule_search_locations or origins)


def _names_of(module: str) -> tuple[str, str]:
    path = module.replace(".", "/")
    return f"{path}/__init__.py", f"{path}.py"


def _installed(place: Path, module: str) -> Mapping[str, Path]:
    """Return the files of the distribution that has a module, or of its top-level name.

    What is installed for its developers has no list of its files.
    """
    for record in sorted(place.glob("*.dist-info/RECORD")):
        text = "\n" + record.read_text("utf-8")
        if any(f"\n{name}," in text for name in _names_of(module)):
            return {row[0]: place / row[0] for row in record_of(record.parent)}
    top = _top(module)
    alone = {name: place / name for name in [f"{top}.py"] if (place / name).is_file()}
    if alone and not any(place.glob("*.dist-info")):  # a folder of modules, not site-packages
        return _below(place, place)
    return _below(place / top, place) | alone


def _below(folder: Path, place: Path, without: Collection[Path] = ()) -> dict[str, Path]:
    """Return the files below a folder by their path below `place`, in order.

    Not those of VCS, editors, caches, environments and builds, nor of folders that are links.
    """
    found = {}
    for here, folders, files in os.walk(folder):
        top = Path(here)
        folders[:] = sorted(one for one in folders if _is_looked_at(top / one, without))
        step = top.relative_to(place).as_posix()
        prefix = "" if step == "." else f"{step}/"
        for name in sorted(files):
            if not is_litter(name) and (top / name).is_file():  # no pipe, no link to nowhere
                found[f"{prefix}{name}"] = top / name
    return found


def _is_looked_at(folder: Path, without: Collection[Path]) -> bool:
    name = folder.name
    is_made = any((folder / one).is_file() for one in ("pyvenv.cfg", "routelet.json"))
    return not (is_litter(name) or name in _NEVER_LOOKED_AT or folder in without or is_made)


def _top(module: str) -> str:
    return module.partition(".")[0]
