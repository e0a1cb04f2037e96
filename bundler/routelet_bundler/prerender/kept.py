"""What a build keeps of `dist/client`, so that the next one renders only what changed.

Files count as those of the last build only while each has the inode, size and time that were
written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from routelet_bundler.cache import Cache, digest
from routelet_bundler.model import Prerendered
from routelet_bundler.stamps import Stamp, stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPage:
    """The inputs of a page, None where it is rendered each time, and the files that it gave."""

    inputs: str | None
    files: tuple[Prerendered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The pages of a build by their own path, its files, and what sources read when they ran."""

    key: str
    """Changes with what all pages are made from: configuration, environment, routelet."""
    pages: Mapping[str, KeptPage]
    public: Mapping[str, Stamp]
    """Stamps of the files of `public/`: size, time of change, and that of its inode."""
    assets: Mapping[str, str]
    """Hashed names of files of `public/`, by their own."""
    reads: Mapping[str, tuple[str, ...]]
    files: Mapping[str, Stamp]
    """Stamps of all files of `client/`: inode, size, time of change."""


_STORED = TypeAdapter(Kept)


def load(cache: Cache, out_dir: Path) -> Kept | None:
    """Return what is kept of the build in `out_dir`; None where its files are others by now."""
    text = cache.read("client", digest(str(out_dir)))
    if text is None:
        return None
    try:
        kept = _STORED.validate_json(text)
    except ValidationError:
        return None
    is_there = (out_dir / "routelet.json").is_file() and (out_dir / "client").is_dir()
    return kept if is_there and kept.files == stamps(out_dir / "client") else None


def save(cache: Cache, out_dir: Path, kept: Kept) -> None:
    """Keep what is to be known of the build that is in `out_dir` now."""
    cache.write("client", digest(str(out_dir)), _STORED.dump_json(kept))
