"""Pack: a function to its zip; the same input gives the same bytes on any machine."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import starmap
from pathlib import Path, PurePosixPath

from routelet_bundler.cache import Cache, digest, parted, parts_of
from routelet_bundler.elsewhere import Elsewhere
from routelet_bundler.interpreters import exact_version
from routelet_bundler.model import (
    DISTRIBUTION,
    Distribution,
    Function,
    Limits,
    PartSize,
    Target,
    TracedFile,
    Zip,
)
from routelet_bundler.pack.archive import COMPRESSOR, Member, archive, folder, size_of
from routelet_bundler.pack.away import made_away
from routelet_bundler.pack.bytecode import (
    Pycs,
    can_compile,
    compiled,
    makes_bytecode,
    runtime_apart,
)
from routelet_bundler.pack.kept import FOLDERS, Kept, load, save
from routelet_bundler.pack.limits import check_limits
from routelet_bundler.pack.names import refuse_unsafe_name
from routelet_bundler.pack.pieces import Piece, is_read, members_of, piece_of
from routelet_bundler.pack.recorded import refuse_damaged
from routelet_bundler.sources import Digests

__all__ = ["FOLDERS", "Kept", "Packer", "Part", "lacks_bytecode", "load", "save"]

Part = TracedFile | Distribution

_ENOUGH = 100
"""So many sources are compiled in one process before another is started."""


def lacks_bytecode(target: Target) -> bool:
    """Tell whether bytecode is wanted and this machine has no Python to make it."""
    return target.bytecode is True and not can_compile(target.python)


class Packer:
    """Packs the functions of one build; what two of them share is compressed once."""

    def __init__(
        self,
        target: Target,
        cache: Cache,
        digests: Digests,
        known_sizes: Mapping[str, PartSize] | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._target = target
        self._cache = cache
        self._digests = digests
        self._elsewhere = elsewhere
        self._bytecode = makes_bytecode(target)
        kinds = f"bytecode {target.bytecode}, strip {target.strip}"
        python = exact_version(target.python) if self._bytecode else ""
        self._how = (COMPRESSOR, python, target.folder, kinds)
        """What the bytes of a member depend on, beside its file, on any machine."""
        self._kept: dict[str, tuple[Member, ...]] = {}
        self._keys: dict[tuple[str, Path, bool], str] = {}
        """Keys of local files, by their path in a zip and on disk, and by whether they are read."""
        self._known_sizes = known_sizes or {}
        self.asked_sizes: dict[str, PartSize] = {}
        """Of the parts that `sizes` was asked for, by their keys."""

    def key(self, function: Function) -> str:
        """Return a digest of all that the zip of a function is packed from."""
        return digest(
            "zip",
            *self._how,
            self._entry_key(function),
            *map(self._file_key, function.traced.files),
            *(one.key for one, _ in function.traced.distributions),
        )

    def prepare(self, functions: Sequence[Function], folder: Path, executor: Executor) -> None:
        """Compile and compress what these functions hold: each file and distribution once.

        Their entry modules are below `folder` already.
        """
        pieces: dict[str, Piece] = {}
        for function in functions:
            entry = (function.entry, folder / function.entry_on_disk)
            pieces[self._entry_key(function)] = Piece(files=(entry,), label=function.entry)
            for file in function.traced.files:
                if (key := self._file_key(file)) not in pieces:
                    pieces[key] = piece_of(file)
            for one, _ in function.traced.distributions:
                pieces[self._distribution_key(one)] = piece_of(one)
        self._prepare(pieces, executor)

    def sizes(self, parts: Sequence[Part], executor: Executor) -> tuple[PartSize, ...]:
        """Return what each of `parts` adds to a zip; those not prepared yet are, before."""
        keys = [
            self._file_key(one) if isinstance(one, TracedFile) else self._distribution_key(one)
            for one in parts
        ]
        known = {**self._known_sizes, **self.asked_sizes}
        unknown = {key: one for key, one in zip(keys, parts, strict=True) if key not in known}
        self._prepare({key: piece_of(one) for key, one in unknown.items()}, executor)
        known |= {key: size_of(self._kept[key]) for key in unknown}
        self.asked_sizes |= {key: known[key] for key in keys}
        return tuple(known[key] for key in keys)

    def _prepare(self, pieces: Mapping[str, Piece], executor: Executor) -> None:
        found = executor.map(self._has, pieces.values(), pieces)
        missing = {key: pieces[key] for key, known in zip(pieces, found, strict=True) if not known}
        for _ in executor.map(refuse_damaged, missing.values()):
            pass
        if self._elsewhere and self._bytecode == bool(self._target.bytecode):
            for key, members in made_away(missing, self._target, self._elsewhere):
                self._keep(missing[key], key, members)
            missing = {key: piece for key, piece in missing.items() if key not in self._kept}
        sources = [file for piece in missing.values() for file in piece.files]
        pycs = self._compiled(sources, executor)

        def keep(key: str) -> None:
            self._keep(missing[key], key, members_of(missing[key], self._target, pycs))

        for _ in executor.map(keep, missing):
            pass

    def pack(self, function: Function, path: Path, limits: Limits) -> Zip:
        """Write the zip of a function to `path`.

        Raises `RouteletError` where it would be larger than the host takes.
        """
        parts: dict[str, tuple[Member, ...]] = {}
        for file in function.traced.files:
            parts[file.archive] = self._kept[self._file_key(file)]
        parts[function.entry] = self._kept[self._entry_key(function)]
        for distribution, _ in function.traced.distributions:
            name = f"{DISTRIBUTION}{distribution.name}"  # which a file may have as well
            parts[name] = self._kept[self._distribution_key(distribution)]
        # What two distributions own, such as the __init__.py of their namespace, is packed once.
        once = {(one.name, one.crc): one for part in parts.values() for one in part}
        members = list(once.values())
        data = archive([*members, *_folders(members)])
        packed = Zip(
            path=path,
            sha256=hashlib.sha256(data).hexdigest(),
            zipped_bytes=len(data),
            unzipped_bytes=sum(one.size for one in members),
            files=len(members),
            distribution_bytes={
                distribution.name: sum(
                    one.size for one in parts[f"{DISTRIBUTION}{distribution.name}"]
                )
                for distribution, _ in function.traced.distributions
            },
        )
        sizes = {name: sum(one.size for one in members) for name, members in parts.items()}
        check_limits(function, packed, limits, sizes)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return packed

    def _compiled(self, files: Sequence[tuple[str, Path]], executor: Executor) -> Pycs:
        """Compile in as few processes as keep all cores busy: each costs 25 ms to start."""
        if not self._bytecode:
            return {}
        sources = [file for file in files if file[0].endswith(".py")]
        count = min(os.cpu_count() or 1, 1 + len(sources) // _ENOUGH)
        runtime, others = runtime_apart(sources)
        parts = [*(others[start::count] for start in range(count)), runtime]
        compile_ = partial(compiled, python=self._target.python, folder=self._target.folder)
        return {file: pyc for part in executor.map(compile_, parts) for file, pyc in part.items()}

    def _file_key(self, file: TracedFile) -> str:
        which = (file.archive, file.source, is_read(file))
        if which not in self._keys:
            refuse_unsafe_name(file.archive, where=file.label)
            told = ("file", file.archive, self._digests.of(file.source), str(which[-1]))
            self._keys[which] = digest(*told, *self._how)
        return self._keys[which]

    def _entry_key(self, function: Function) -> str:
        sha = hashlib.sha256(function.entry_text.encode()).hexdigest()
        return digest("file", function.entry, sha, *self._how)

    def _distribution_key(self, distribution: Distribution) -> str:
        return digest("distribution", distribution.key, *self._how)

    def _has(self, piece: Piece, key: str) -> bool:
        if key not in self._kept:
            stored = self._cache.read(_kind(piece), key)
            try:
                found = [(*values, data) for values, data in parts_of(stored or b"")]
                self._kept[key] = tuple(starmap(_member, found))
            except (TypeError, ValueError):  # nothing, or what no build wrote
                return False
        return True

    def _keep(self, piece: Piece, key: str, members: tuple[Member, ...]) -> None:
        self._kept[key] = members
        plain = (([one.name, one.method, one.crc, one.size], one.data) for one in members)
        self._cache.write(_kind(piece), key, parted(plain))


def _member(name: str, method: int, crc: int, size: int, data: bytes) -> Member:
    return Member(name=name, method=method, crc=crc, size=size, data=data)


def _kind(piece: Piece) -> str:
    return "distributions" if piece.is_distribution else "members"


def _folders(members: Sequence[Member]) -> list[Member]:
    """Return an entry for each folder of modules that has no `__init__.py`.

    A zip that is imported from as it is needs them: before Python 3.13 its importer knows no
    namespace package without one.
    """
    names = {one.name for one in members}
    folders = {
        str(parent)
        for name in names
        if name.endswith((".py", ".pyc")) and "__pycache__" not in name
        for parent in PurePosixPath(name).parents
    }
    return [
        folder(name)
        for name in sorted(folders)
        if name != "." and names.isdisjoint({f"{name}/__init__.py", f"{name}/__init__.pyc"})
    ]
