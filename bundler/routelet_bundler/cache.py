"""The content-addressed folder that trace, pack and verify share.

It is `ROUTELET_CACHE`, or `routelet` in the user's cache folder. An entry is written beside its
place and moved there, so that parallel builds never see half of one.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

FORMAT = "2"
"""Changes when what is stored changes its meaning."""

_SHA256_BYTES = 32


def default_cache() -> Path:
    """Return the folder of the cache."""
    if own := os.environ.get("ROUTELET_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "routelet"


def digest(*parts: str | bytes) -> str:
    """Return a SHA-256 of `parts`, which no other division of the same text gives."""
    sha = hashlib.sha256()
    for part in parts:
        octets = part.encode() if isinstance(part, str) else part
        sha.update(len(octets).to_bytes(8, "big") + octets)
    return sha.hexdigest()


class Cache:
    """A folder of entries by key; keys are hex digests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / f"v{FORMAT}"

    def place(self, kind: str, key: str) -> Path:
        """Return where the entry of a key is, or would be."""
        return self.folder / kind / key[:2] / key

    def read(self, kind: str, key: str) -> bytes | None:
        """Return the bytes of an entry, or None where there is none, or a damaged one."""
        try:
            stored = self.place(kind, key).read_bytes()
        except FileNotFoundError:
            return None
        told, data = stored[:_SHA256_BYTES], stored[_SHA256_BYTES:]
        return data if told == hashlib.sha256(data).digest() else None

    def write(self, kind: str, key: str, data: bytes) -> None:
        """Keep `data` under a key."""
        place = self.place(kind, key)
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place.parent)
        fresh = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(data).digest() + data)
            fresh.replace(place)
        finally:
            fresh.unlink(missing_ok=True)

    def folder_of(self, kind: str, key: str, fill: Callable[[Path], None]) -> Path:
        """Return the folder of a key, filled by `fill` where there is none yet."""
        place = self.place(kind, key)
        if not place.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=place.parent))
            try:
                fill(fresh)
                fresh.rename(place)
            except OSError:
                if not place.is_dir():  # else another build was first
                    raise
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        return place
