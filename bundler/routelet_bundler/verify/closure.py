"""The static check of a finished zip: all that its local sources need when they run is in it.

Sources are read from the zip, by a lexer of its own; what they name has to be in the zip, the
standard library or what the host provides, or be left out on purpose. Nothing is run, so that
imports in functions, templates and data files are seen that no import of a module reaches.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from routelet_bundler.errors import RouteletError
from routelet_bundler.file_globs import is_litter, is_meant
from routelet_bundler.interpreters import standard_library
from routelet_bundler.model import RUNTIME_FILES, Distribution, Function, TracedFile, Zip
from routelet_bundler.verify.facts import Facts, Need, facts_of

_IMPORTED = {"entry", "import", "package"}
"""Reasons of files that a function imports; others it reads, or runs as scripts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What the check of a zip found: its mistakes, and its local modules."""

    mistakes: tuple[RouteletError, ...]
    modules: tuple[str, ...]


class Closure:
    """Checks zips; what a source says, and what a folder holds, is read once for all of them."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str, int, int], Facts] = {}
        self._stems: dict[str, frozenset[str]] = {}
        self._files: dict[Path, bool] = {}
        self._folders: dict[Path, tuple[str, ...]] = {}
        self._modules: dict[Path, tuple[str, ...]] = {}

    def check(self, function: Function, packed: Zip) -> Whole:
        """Return what is wrong with the zip of a function, and its modules."""
        with zipfile.ZipFile(packed.path) as opened:
            checked = _Checked(self, function, opened)
            mistakes = tuple(checked.mistakes())
        return Whole(mistakes=mistakes, modules=tuple(checked.modules()))

    def facts(self, opened: zipfile.ZipFile, file: TracedFile, python: str) -> Facts:
        """Return what a source of a zip needs; that of bytecode alone is read where it is from."""
        info = opened.NameToInfo.get(file.archive)
        key = (python, file.archive, info.CRC, info.file_size) if info else (
            python, str(file.source), 0, 0)  # fmt: skip
        if key not in self._facts:
            data = opened.read(info) if info else file.source.read_bytes()
            text = data.decode("utf-8", "replace").removeprefix("\ufeff")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            self._facts[key] = facts_of(text, python)
        return self._facts[key]

    def stems_of(self, distribution: Distribution) -> frozenset[str]:
        """Return the paths of a distribution's modules, without what follows their names."""
        if distribution.key not in self._stems:
            names = (name for name, _ in distribution.files)
            self._stems[distribution.key] = frozenset(_stems(names))
        return self._stems[distribution.key]

    def is_file(self, path: Path) -> bool:
        """Tell whether a file is there in the site."""
        if path not in self._files:
            self._files[path] = path.is_file()
        return self._files[path]

    def modules_in(self, folder: Path) -> tuple[str, ...]:
        """Return the names of the modules and packages of a folder of the site."""
        if folder not in self._modules:
            found = sorted(folder.iterdir()) if folder.is_dir() else []
            packages = (one.name for one in found if (one / "__init__.py").is_file())
            modules = (one.stem for one in found if one.suffix == ".py" and one.name[0] != "_")
            self._modules[folder] = (*packages, *modules)
        return self._modules[folder]

    def files_below(self, folder: Path) -> tuple[str, ...]:
        """Return the files of a folder of the site that its name brings along."""
        if folder not in self._folders:
            files = sorted(one for one in folder.rglob("*") if one.is_file())
            found = (one.relative_to(folder).as_posix() for one in files)
            self._folders[folder] = tuple(name for name in found if not is_litter(name))
        return self._folders[folder]


class _Checked:
    """The check of one zip."""

    def __init__(self, closure: Closure, function: Function, opened: zipfile.ZipFile) -> None:
        self._closure = closure
        self._function = function
        self._opened = opened
        self._names = opened.NameToInfo.keys()
        self._local = {
            one.archive: one
            for one in function.traced.files
            if not one.archive.startswith(RUNTIME_FILES)
        }
        self._theirs = [closure.stems_of(one) for one, _ in function.traced.distributions]
        python = function.target.python
        provided = function.target.provided_modules if function.traced.provided else {}
        self._elsewhere = standard_library(python) | provided.keys()

    @cached_property
    def _own(self) -> frozenset[str]:
        """The paths of modules and folders of the zip that no distribution has."""
        theirs = {name for one, _ in self._function.traced.distributions for name, _ in one.files}
        return frozenset(_stems(name for name in self._names if name not in theirs))

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(parent for name in self._names for parent in _parents(name))

    def mistakes(self) -> Iterator[RouteletError]:
        """Yield what is missing, once for each place that needs it."""
        for module in self._function.modules:
            if not self._has(module.replace(".", "/")):
                yield self._mistake(f"lacks {module}, which it answers with", self._function.entry)
        for distribution, _ in self._function.traced.distributions:
            yield from self._of_distribution(distribution)
        for file, facts in self._sources():
            yield from self._of_source(file, facts)

    def modules(self) -> Iterator[str]:
        """Yield the local modules that are imported when the function runs."""
        for file, facts in self._sources():
            parts = file.archive.removesuffix(".py").removesuffix("/__init__").split("/")
            is_module = file.reason.kind in _IMPORTED and parts[-1] != "__main__"
            if is_module and not facts.is_skipped and all(part.isidentifier() for part in parts):
                yield ".".join(parts)

    def _sources(self) -> Iterator[tuple[TracedFile, Facts]]:
        for archive, file in self._local.items():
            if archive.endswith(".py") and (archive in self._names or f"{archive}c" in self._names):
                yield file, self._closure.facts(self._opened, file, self._function.target.python)

    def _of_distribution(self, distribution: Distribution) -> Iterator[RouteletError]:
        for name, _ in distribution.files:
            if name not in self._names and f"{name}c" not in self._names:
                what = f"lacks {name} of {distribution.name} {distribution.version}"
                yield self._mistake(what, self._function.entry)
                return  # one file tells as much as all

    def _of_source(self, file: TracedFile, facts: Facts) -> Iterator[RouteletError]:
        for what, path, line in self._lacking(file, facts):
            if not self._is_excluded(path):
                yield self._mistake(what, file.label, line)

    def _lacking(self, file: TracedFile, facts: Facts) -> Iterator[tuple[str, str, int]]:
        """Yield what the zip lacks of what a source needs: in words, its path, and the line."""
        for need in facts.needs:
            for path in self._missing(need, file):
                yield f"lacks {path.replace('/', '.')}, which is imported", path, need.line
        for name, line in facts.templates:
            if not self._has_template(name):
                yield f'lacks the template "{name}"', name, line
        for named, line in facts.files:
            for path in self._missing_files(named, file):
                yield f"lacks {path}, which is read", path, line

    def _missing(self, need: Need, file: TracedFile) -> Iterator[str]:
        """Yield the paths of modules that a source imports and that nothing has."""
        if need.kind != "import":
            yield from self._missing_by_name(need, file)
            return
        above = file.archive.split("/")[:-1]
        kept = above[: len(above) - (need.level - 1)] if need.level else []
        path = "/".join([*kept, *([need.module.replace(".", "/")] if need.module else [])])
        top = path.partition("/")[0]
        if not self._is_local(top, file):
            is_missing = top and top not in self._elsewhere and not self._is_theirs(top)
            if is_missing and not need.guarded and not self._leaves_distributions_out():
                yield top
            return
        yield from (one for one in _parents(f"{path}/x") if self._lacks_init(one, file))
        if not self._has(path):
            if not need.guarded or self._is_in_site(path, file):
                yield path
            return
        for name in need.names:
            inner = f"{path}/{name}"
            if not self._has(inner) and self._is_in_site(inner, file):
                yield inner

    def _missing_by_name(self, need: Need, file: TracedFile) -> Iterator[str]:
        """Yield the modules of the site that a string names, and that the zip lacks."""
        path = need.module.replace(".", "/")
        if need.kind == "prefix":
            modules = self._closure.modules_in(self._root(file) / posixpath.dirname(path))
            folder, _, start = path.rpartition("/")
            inside = (f"{folder}/{name}" for name in modules if name.startswith(start))
            yield from (one for one in inside if folder and not self._has(one))
            return
        while "/" in path and not self._is_in_site(path, file):
            path = path.rpartition("/")[0]
        if "/" in path and not self._has(path) and not self._is_theirs(path.partition("/")[0]):
            yield path

    def _is_local(self, top: str, file: TracedFile) -> bool:
        if self._is_theirs(top) and not self._is_in_site(top, file):
            return False
        if top in self._own:
            return True
        return top not in self._elsewhere and self._is_in_site(top, file)

    def _is_theirs(self, path: str) -> bool:
        return any(path in stems for stems in self._theirs)

    def _has(self, path: str) -> bool:
        return path in self._own or self._is_theirs(path)

    def _is_in_site(self, path: str, file: TracedFile) -> bool:
        place = self._root(file) / path
        files = (place.with_name(f"{place.name}.py"), place / "__init__.py")
        return bool(path) and any(map(self._closure.is_file, files))

    def _lacks_init(self, path: str, file: TracedFile) -> bool:
        name = f"{path}/__init__.py"
        is_packed = name in self._names or f"{name}c" in self._names
        return not is_packed and self._closure.is_file(self._root(file) / name)

    def _root(self, file: TracedFile) -> Path:
        """Return the folder that the paths of a zip are below, where a file of it is from."""
        return file.source.parents[file.archive.count("/")]

    def _has_template(self, name: str) -> bool:
        stem = f"site_templates/{re.sub('[^A-Za-z0-9_]', '_', name)}"
        environment = "site_templates/environment.py"
        if not name.endswith(".jinja"):
            return True
        if stem in self._own:
            return environment.removesuffix(".py") in self._own
        # Templates of names that are alike have other modules, which the environment tells.
        return environment in self._names and repr(name) in self._text(environment)

    def _text(self, name: str) -> str:
        return self._opened.read(name).decode()

    def _missing_files(self, path: str, file: TracedFile) -> Iterator[str]:
        folder = "" if path.startswith("/") else posixpath.dirname(file.archive)
        name = posixpath.normpath(posixpath.join(folder, path.lstrip("/")))
        if name.startswith("..") or name in self._names or name == ".":
            return
        root = self._root(file)
        place = root / name
        above = (one for one in place.parents if one.is_relative_to(root))
        if any(self._closure.is_file(one / "routelet.json") for one in above):
            return  # in an earlier build, at which no trace looks
        if self._closure.is_file(place):
            yield name
        elif not file.archive.startswith(f"{name}/"):
            files = [f"{name}/{one}" for one in self._closure.files_below(place)]
            # The code may want but some files of a folder that it only goes on from.
            wanted = files if path.endswith("/") else files[: name not in self._folders]
            yield from (one for one in wanted if one not in self._names)

    def _is_excluded(self, path: str) -> bool:
        files = (path, f"{path}.py", f"{path}/__init__.py")
        patterns = self._function.config.exclude
        return any(is_meant(pattern, one) for pattern in patterns for one in files)

    def _leaves_distributions_out(self) -> bool:
        """Tell whether `exclude` may name a distribution, whose modules are not known here."""
        return any("/" not in pattern for pattern in self._function.config.exclude)

    def _mistake(self, what: str, label: str, line: int = 0) -> RouteletError:
        return RouteletError(
            f"the zip of {self._function.title} {what}",
            where=f"{label}:{line}" if line else label,
            mend="that it was not traced is a fault of routelet; include it in the route's config",
        )


def _stems(names: Iterable[str]) -> Iterator[str]:
    """Yield the paths of modules without what follows their names, and of the folders above."""
    for name in names:
        folder, _, file = name.rpartition("/")
        stem, _, suffix = file.partition(".")
        if folder.endswith("__pycache__") or not suffix.endswith(("py", "pyc", "so")):
            continue
        path = folder if stem == "__init__" else f"{folder}/{stem}".lstrip("/")
        yield path
        yield from _parents(name)


def _parents(name: str) -> Iterator[str]:
    at = name.rfind("/")
    while at > 0:
        yield name[:at]
        at = name.rfind("/", 0, at)


def check_all(functions: Iterable[tuple[Function, Zip]]) -> list[Whole]:
    """Return what is wrong with zips, and the modules of each."""
    closure = Closure()
    return [closure.check(function, packed) for function, packed in functions]
