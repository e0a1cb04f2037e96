"""The content-addressed folder that stages share.

It is `ROUTELET_CACHE`, or `routelet` in the user's cache folder. An entry is written beside its
place and moved there, so that parallel builds never see half of one.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

from routelet_bundler.cache.small import DAY_S, SmallEntries
from routelet_bundler.stamps import stamps

FORMAT = "4"
"""Changes when what is stored changes its meaning."""

SMALL_FILE = "small.db"
_SMALL = frozenset({"members", "verified"})
"""Kinds of which a build has thousands."""
_SHA256_BYTES = 32
_FILES, _STATE = "files", "state"
"""What the folder of a key has: what was filled, and what that looked like when it was whole."""


def default_cache() -> Path:
    """Return the folder of the cache."""
    if own := os.environ.get("ROUTELET_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "routelet"


def digest(*parts: str | bytes) -> str:
    """Return a SHA-256 of `parts`, which no other division of the same text gives."""
    told = [part.encode() if isinstance(part, str) else part for part in parts]
    lengths = ",".join([str(len(part)) for part in told])
    return hashlib.sha256(b"".join([lengths.encode(), b"\0", *told])).hexdigest()


class Behind(Protocol):
    """A store behind the folder, which other machines have too; it never raises."""

    def read(self, kind: str, key: str) -> bytes | None:
        """Return an entry, None where there is none that can be trusted."""

    def write(self, kind: str, key: str, data: bytes) -> None:
        """Keep an entry."""

    def close(self) -> tuple[str, ...]:
        """Finish writing; return what people are to be told."""


class Cache:
    """A folder of entries by key; keys are hex digests."""

    def __init__(self, folder: Path, behind: Behind | None = None) -> None:
        self.folder = folder / f"v{FORMAT}"
        self.warnings: tuple[str, ...] = ()
        """What closing it told."""
        self._small = SmallEntries(self.folder / SMALL_FILE)
        self._behind = behind

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._behind:
            self.warnings = self._behind.close()

    def place(self, kind: str, key: str) -> Path:
        """Return where the entry of a key is, or would be."""
        return self.folder / kind / key[:2] / key

    def read(self, kind: str, key: str) -> bytes | None:
        """Return the bytes of an entry, or None where there is none, or a damaged one."""
        data = self._read_here(kind, key)
        if data is None and self._behind:
            data = self._behind.read(kind, key)
            if data is not None:
                self._write_here(kind, key, data)
        return data

    def write(self, kind: str, key: str, data: bytes) -> None:
        """Keep `data` under a key."""
        self._write_here(kind, key, data)
        if self._behind:
            self._behind.write(kind, key, data)

    def _read_here(self, kind: str, key: str) -> bytes | None:
        if kind in _SMALL:
            stored = self._small.read(f"{kind}/{key}")
        else:
            stored = _read_file(self.place(kind, key))
        if stored is None:
            return None
        told, data = stored[:_SHA256_BYTES], stored[_SHA256_BYTES:]
        return data if told == hashlib.sha256(data).digest() else None

    def _write_here(self, kind: str, key: str, data: bytes) -> None:
        stored = hashlib.sha256(data).digest() + data
        if kind in _SMALL:
            self._small.write(f"{kind}/{key}", stored)
        else:
            write_file(self.place(kind, key), stored)

    def folder_of(self, kind: str, key: str, fill: Callable[[Path], None]) -> Path:
        """Return the folder of a key, filled by `fill` where there is none, or a damaged one."""
        place = self.place(kind, key)
        if not _is_whole(place):
            _remove(place)
            fresh = Path(tempfile.mkdtemp(dir=place.parent))
            try:
                (fresh / _FILES).mkdir()
                fill(fresh / _FILES)
                (fresh / _STATE).write_text(_state(fresh / _FILES))
                fresh.rename(place)
            except OSError:
                if not place.is_dir():  # else another build was first
                    raise
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        _mark_used(place)
        return place / _FILES


def _read_file(place: Path) -> bytes | None:
    try:
        with place.open("rb") as file:
            _mark_used(file.fileno())
            return file.read()
    except FileNotFoundError:
        return None


def write_file(place: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file beside its place and move it there; `mode` is that of chmod."""
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=place.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        fresh.chmod(mode)
        fresh.replace(place)
    finally:
        fresh.unlink(missing_ok=True)


def _is_whole(place: Path) -> bool:
    """Tell whether a folder is as it was filled."""
    try:
        return (place / _STATE).read_text() == _state(place / _FILES)
    except FileNotFoundError:
        return False


def _state(folder: Path) -> str:
    """Return a digest of the names, sizes and times of files, without what Python caches.

    Times are in seconds: archives in which a CI keeps a cache may have no finer ones.
    """
    if not folder.is_dir():
        return ""
    return digest(
        *(
            f"{name}\0{size}\0{time_ns // 10**9}"
            for name, (_, size, time_ns) in sorted(stamps(folder).items())
            if "__pycache__" not in name
        )
    )


def _remove(place: Path) -> None:
    """Remove a folder, moved aside first, so that no build sees half of it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as aside, suppress(FileNotFoundError):
        place.rename(Path(aside, "damaged"))


def _mark_used(file: int | Path) -> None:
    """Note that an entry is in use, once a day: entries that are not are removed some day."""
    with suppress(OSError):  # another user's folder
        if time.time() - os.stat(file).st_mtime > DAY_S:  # noqa: PTH116 - a descriptor, too
            os.utime(file)
