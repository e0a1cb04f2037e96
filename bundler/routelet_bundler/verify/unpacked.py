"""Where the files of zips are while these are verified.

Modules of a site are read from the zip itself. The runtime and distributions are unpacked, once for
all zips that have the same; and all of a zip where its own files are more than modules.
"""

import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from routelet_bundler.model import RUNTIME_FILES, Distribution, Function, Zip
from routelet_bundler.sources import source_of

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder is made in it by tempfile
"""Files cost a tenth there of what they cost on a disk: 0.04 ms each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """Where a function's files are: its own first, then those that other functions have too.

    With a `zip` its own are in there, and the first folder is empty.
    """

    folders: tuple[Path, ...]
    own: frozenset[str]
    """Top-level names of its own files."""
    zip: Path | None = None
    shared: Mapping[str, int] = field(default_factory=dict)
    """CRC-32 of the files of the other folders by name: what the zip has to have of them."""


class Shelf:
    """Folders below `folder`; what zips have in common is unpacked from the first that has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shared: dict[frozenset[tuple[str, int]], Path] = {}
        self._of_kind: dict[object, Unpacked] = {}
        self._count = 0
        self._empty = self._next()

    def place(self, function: Function, packed: Zip, twins: Sequence[Distribution]) -> Unpacked:
        """Return where the files of a function are, unpacking what has to be."""
        if not is_read_in_place(function, twins):
            return self.unpack(function, packed.path, twins)
        kind = kind_of(function)
        if kind not in self._of_kind:
            self._of_kind[kind] = self._share(function, packed.path)
        first = self._of_kind[kind]
        tops = frozenset(map(_top, [*_own(function), function.entry]))
        return Unpacked(folders=first.folders, own=tops, zip=packed.path, shared=first.shared)

    def _share(self, function: Function, path: Path) -> Unpacked:
        with zipfile.ZipFile(path) as opened:
            crcs = {info.filename: info.CRC for info in opened.infolist() if not info.is_dir()}
            runtime, packages = _common(function, crcs)
            folders = [self._common(opened, content) for content in (runtime, packages) if content]
        return Unpacked(
            folders=(self._empty, *folders), own=frozenset(), shared={**runtime, **packages}
        )

    def unpack(self, function: Function, path: Path, twins: Sequence[Distribution]) -> Unpacked:
        """Unpack the zip of a function, with `twins` instead of the same distributions in it.

        In one folder where the function and a distribution have a top-level name in common, of
        which Python would find only one otherwise; and where there are twins.
        """
        with zipfile.ZipFile(path) as opened:
            crcs = {info.filename: info.CRC for info in opened.infolist() if not info.is_dir()}
            runtime, packages = _common(function, crcs)
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

    def _common(self, opened: zipfile.ZipFile, content: Mapping[str, int]) -> Path:
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


def roomy_folder(unzipped_bytes: int) -> Path | None:
    """Return a folder in memory that has room for so much, or None for the usual one."""
    if not os.access(_IN_MEMORY, os.W_OK):
        return None
    return _IN_MEMORY if shutil.disk_usage(_IN_MEMORY).free > 2 * unzipped_bytes else None


def is_read_in_place(function: Function, twins: Sequence[Distribution]) -> bool:
    """Tell whether a function's own files are modules alone, of names that no distribution has."""
    own = _own(function)
    if twins or any(not name.endswith(".py") for name in own):
        return False
    theirs = {_top(name) for one, _ in function.traced.distributions for name, _ in one.files}
    return theirs.isdisjoint(map(_top, [*own, function.entry]))


def kind_of(function: Function) -> object:
    """Return what functions that share runtime and distributions have in common."""
    runtime = (
        one.archive for one in function.traced.files if one.archive.startswith(RUNTIME_FILES)
    )
    packages = (one.key for one, _ in function.traced.distributions)
    return (function.target, tuple(runtime), tuple(packages))


def _own(function: Function) -> list[str]:
    names = (one.archive for one in function.traced.files)
    return [name for name in names if not name.startswith(RUNTIME_FILES)]


def _common(
    function: Function, crcs: Mapping[str, int]
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return the files of the runtime and those of distributions."""
    theirs = {name for one, _ in function.traced.distributions for name, _ in one.files}
    runtime = {name: crc for name, crc in crcs.items() if name.startswith(RUNTIME_FILES)}
    packages = {name: crc for name, crc in crcs.items() if source_of(name) in theirs}
    return runtime, packages


def _top(name: str) -> str:
    return name.partition("/")[0].removesuffix(".pyc").removesuffix(".py")


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
    return [name for name in content if source_of(name) not in replaced]


def _copy(twins: Sequence[Distribution], folder: Path) -> None:
    for twin in twins:
        for name, source in twin.files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
