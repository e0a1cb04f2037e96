"""Zips on disk: the runtime and distributions are unpacked once for all that have the same."""

import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from routelet_bundler.model import Distribution, Function

_RUNTIME = "routelet/"

Content = Mapping[str, int]
"""CRC-32 of files of a zip by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """Where a function's files are: its own, then those that other functions have too."""

    folders: tuple[Path, ...]
    own: frozenset[str]
    """Top-level names of its own files."""


class Shelf:
    """Folders below `folder`; what zips have in common is unpacked from the first that has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shared: dict[frozenset[tuple[str, int]], Path] = {}
        self._count = 0

    def unpack(self, function: Function, path: Path, twins: Sequence[Distribution]) -> Unpacked:
        """Unpack the zip of a function, with `twins` instead of the same distributions in it.

        In one folder where the function and a distribution have a top-level name in common, of
        which Python would find only one otherwise; and where there are twins.
        """
        theirs = {name for one, _ in function.traced.distributions for name, _ in one.files}
        with zipfile.ZipFile(path) as opened:
            crcs = {info.filename: info.CRC for info in opened.infolist() if not info.is_dir()}
            runtime = {name: crc for name, crc in crcs.items() if name.startswith(_RUNTIME)}
            packages = {name: crc for name, crc in crcs.items() if _source_of(name) in theirs}
            own = [name for name in crcs if name not in runtime and name not in packages]
            tops = frozenset(map(_top, own))
            folder = self._next()
            if twins or not tops.isdisjoint(map(_top, packages)):
                opened.extractall(folder, [*own, *runtime, *_without(twins, function, packages)])
                _copy(twins, folder)
                return Unpacked(folders=(folder,), own=tops)
            opened.extractall(folder, own)
            shared = (self._common(opened, content) for content in (runtime, packages) if content)
            return Unpacked(folders=(folder, *shared), own=tops)

    def _common(self, opened: zipfile.ZipFile, content: Content) -> Path:
        """Return a folder that has exactly this content."""
        key = frozenset(content.items())
        if key not in self._shared:
            self._shared[key] = self._next()
            opened.extractall(self._shared[key], content)
        return self._shared[key]

    def _next(self) -> Path:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return folder


def _source_of(name: str) -> str:
    """Return the source that a member is of: itself, or what its bytecode was compiled from."""
    folder, cached, file = name.rpartition("__pycache__/")
    return f"{folder}{file.partition('.')[0]}.py" if cached else name


def _top(name: str) -> str:
    return name.partition("/")[0].removesuffix(".py")


def _without(
    twins: Sequence[Distribution], function: Function, content: Iterable[str]
) -> list[str]:
    names = {twin.name for twin in twins}
    replaced = {
        name
        for one, _ in function.traced.distributions
        if one.name in names
        for name, _ in one.files
    }
    return [name for name in content if _source_of(name) not in replaced]


def _copy(twins: Sequence[Distribution], folder: Path) -> None:
    for twin in twins:
        for name, source in twin.files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
