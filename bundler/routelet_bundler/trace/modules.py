"""Local modules: a dotted name to the files that importing it runs.

Looked up by path in a zip, never on disk, in the order of Python's own finder: a package before
an extension before a module, and a folder without `__init__` as a namespace.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from routelet_bundler.trace.distributions import module_of
from routelet_bundler.trace.found import Import
from routelet_bundler.trace.places import ANY, WORD


class LocalModules:
    """The modules among files that are known by their path in a zip."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files: dict[str, str] = {}
        self._children: dict[str, set[str]] = {}
        for archive in files:
            if (name := module_of(archive)) is not None:
                self._add(archive, name)

    def _add(self, archive: str, name: str) -> None:
        parts = name.split(".")
        self._files[name] = min(archive, self._files.get(name, archive), key=_finder_order)
        for end in range(1, len(parts)):
            self._children.setdefault(".".join(parts[:end]), set()).add(".".join(parts[: end + 1]))

    def file_of(self, module: str) -> str | None:
        """Return the file of a module, or None for a namespace or a name that is not here."""
        return self._files.get(module)

    def module_at(self, file: str) -> str | None:
        """Return the module whose file this is, None where Python would take another one for it."""
        name = module_of(file)
        return name if name and self._files.get(name) == file else None

    def knows(self, module: str) -> bool:
        """Tell whether a module or a namespace of that name is here."""
        return module in self._files or module in self._children

    def owns(self, module: str) -> bool:
        """Tell whether the top-level name of `module` is a local one."""
        return self.knows(module.partition(".")[0])

    def chain(self, module: str) -> Iterator[str]:
        """Yield the files that importing `module` runs: each parent's `__init__`, then its own."""
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            if file := self._files.get(".".join(parts[:end])):
                yield file

    def names(self) -> Iterable[str]:
        """Return the dotted names of all modules that have a file."""
        return self._files.keys()

    def fitting(self, pattern: str) -> list[str]:
        """Return the modules and namespaces whose dotted names fit a pattern.

        `ANY` in it stands for any text, `WORD` for one without a dot.
        """
        below = known_package(pattern)
        if not below:
            return []
        text = re.escape(pattern).replace(re.escape(ANY), ".+").replace(WORD, "[^.]+")
        fits = re.compile(text).fullmatch
        return sorted(name for name in self._below(below) if fits(name))

    def _below(self, package: str) -> Iterator[str]:
        for child in self._children.get(package, ()):
            yield child
            yield from self._below(child)


def known_package(pattern: str) -> str:
    """Return the package that all modules of a pattern are below, or an empty string."""
    return re.split(f"[{re.escape(ANY)}{WORD}]", pattern)[0].rpartition(".")[0]


def _finder_order(archive: str) -> tuple[bool, bool]:
    is_package = PurePosixPath(archive).name.startswith("__init__.")
    return (not is_package, not archive.endswith(".so"))


def absolute_name(found: Import, archive: str) -> str | None:
    """Return the module that an import in the file `archive` names; None above the top package."""
    package = found.package.split(".") if found.package else archive.split("/")[:-1]
    return name_in(package, found.module, found.level)


def name_in(package: Sequence[str], module: str, level: int) -> str | None:
    """Return what `module` with so many dots is in a package; None above the top one."""
    if not level:
        return module
    if level > max(1, len(package)):
        return None
    above = package[: len(package) - (level - 1)]
    return ".".join([*above, *([module] if module else [])])


def runtime_files(package: str, root: Path) -> Mapping[str, Path]:
    """Return the Python files of an importable package by their path in a zip."""
    return {
        f"{package}/{path.relative_to(root).as_posix()}": path
        for path in sorted(root.rglob("*.py"))
        if "__pycache__" not in path.parts
    }
