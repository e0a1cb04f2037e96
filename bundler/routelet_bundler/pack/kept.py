"""What a build keeps of its zips, so that the next one packs and verifies only what changed.

Zips and entry modules count as those of the last build only while each has the inode, size and time
that were written down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from routelet_bundler.cache import Cache, digest
from routelet_bundler.model import BuiltFunction, PartSize, Zip
from routelet_bundler.stamps import Stamp, stamps
from routelet_bundler.version import __version__

FOLDERS = ("functions", "pages")
"""Folders of a build that have nothing but zips and entry modules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptZip:
    """The zip of a function, with the digest of what it was packed from and of its verdict."""

    key: str
    verdict: str
    zip: Zip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The zips of a build by the name of the function, and stamps of all files of `FOLDERS`."""

    zips: Mapping[str, KeptZip]
    files: Mapping[str, Stamp]
    sizes: Mapping[str, PartSize]
    """What parts add to a zip, by their keys."""


_STORED = TypeAdapter(Kept)


def load(cache: Cache, out_dir: Path) -> Kept | None:
    """Return what is kept of the build in `out_dir`; None where its files are others by now."""
    text = cache.read("zips", _key(out_dir))
    if text is None or not (out_dir / "routelet.json").is_file():
        return None
    try:
        kept = _STORED.validate_json(text)
    except ValidationError:
        return None
    return kept if kept.files == _files(out_dir) else None


def save(
    cache: Cache,
    out_dir: Path,
    functions: Sequence[BuiltFunction],
    keys: Mapping[str, str],
    sizes: Mapping[str, PartSize],
) -> None:
    """Keep what is to be known of the zips that are in `out_dir` now."""
    zips = {
        one.name: KeptZip(key=keys[one.name], verdict=one.verdict.key, zip=one.zip)
        for one in functions
    }
    kept = Kept(zips=zips, files=_files(out_dir), sizes=sizes)
    cache.write("zips", _key(out_dir), _STORED.dump_json(kept))


def _files(out_dir: Path) -> dict[str, Stamp]:
    return {
        f"{folder}/{name}": stamp
        for folder in FOLDERS
        for name, stamp in stamps(out_dir / folder).items()
    }


def _key(out_dir: Path) -> str:
    return digest(str(out_dir), __version__)
