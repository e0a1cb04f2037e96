"""What changed since the last build: a summary of it is kept when another takes its place.

`dist/` itself holds nothing of the build before, so that equal input gives an equal `dist/`. The
summary is in the cache, by the folder of the build: sizes and digests of all functions, and the
central directories of those zips that are not the same any more. A build that changes no zip leaves
it as it is, so that what is told is always the difference to the last build that was another.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from routelet_bundler.cache import Cache, digest
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import BuiltFunction
from routelet_bundler.report.shipped import (
    Member,
    Shipped,
    ShippedSite,
    Size,
    functions_in,
    members_of,
    routes_in,
)
from routelet_bundler.sources import source_of

_MOST_ZIPS = 200
"""Of so many zips that changed the files are kept; of the others their size alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierFunction:
    """A function as it was in the last build that was another."""

    routes: tuple[str, ...]
    sha256: str
    size: Size
    files: Mapping[str, tuple[int, int]] | None
    """CRC-32 and unzipped bytes by path in the zip, bytecode within its source; None: not kept."""


Earlier = Mapping[str, EarlierFunction]
_STORED = TypeAdapter(dict[str, EarlierFunction])


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file of a zip that is not as it was; unzipped bytes, 0 where there is none."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of a function."""

    kind: Literal["new", "changed", "same", "removed"]
    before: Size
    files: tuple[FileChange, ...] = ()


def summary_of(old: Path, new: Path, built: Sequence[BuiltFunction]) -> Earlier | None:
    """Return what to keep of the build in `old`; None where that in `new` has the same zips.

    `built` are the functions of `new`. None as well where there is no build, or a damaged one.
    """
    with suppress(OSError, ValueError, KeyError, TypeError, RouteletError, zipfile.BadZipFile):
        text = (old / "routelet.json").read_bytes()
        if text == (new / "routelet.json").read_bytes():
            return None
        told = functions_in(json.loads(text))
        now = {one.name: one.zip.sha256 for one in built}
        changed = [one for one in told if now.get(one["name"]) != one["sha256"]]
        if changed or len(told) != len(now):
            largest = sorted(changed, key=lambda one: -int(one["zippedBytes"]))[:_MOST_ZIPS]
            zips = {one["name"]: old / one["zip"] for one in largest}
            return {one["name"]: _earlier(one, zips.get(one["name"])) for one in told}
    return None


def _earlier(entry: Mapping[str, Any], path: Path | None) -> EarlierFunction:
    return EarlierFunction(
        routes=routes_in(entry),
        sha256=entry["sha256"],
        size=Size(zipped=entry["zippedBytes"], unzipped=entry["unzippedBytes"]),
        files=_contents(members_of(path)) if path else None,
    )


def _contents(members: Sequence[Member]) -> Mapping[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for member in members:
        name = source_of(member.name)
        crc, size = found.get(name, (0, 0))
        found[name] = (crc ^ member.crc, size + member.size.unzipped)
    return found


def keep(cache: Cache, out_dir: Path, earlier: Earlier) -> None:
    """Keep the summary of what was in `out_dir`."""
    cache.write("earlier", digest(str(out_dir)), _STORED.dump_json(dict(earlier)))


def load(cache: Cache, out_dir: Path) -> Earlier | None:
    """Return the summary of the last other build in `out_dir`; None where there was none."""
    stored = cache.read("earlier", digest(str(out_dir)))
    with suppress(ValidationError):
        return _STORED.validate_json(stored) if stored is not None else None
    return None


def changes_of(site: ShippedSite, earlier: Earlier) -> Mapping[str, Change]:
    """Return what became of each function since `earlier`, of those that are gone too."""
    gone = {
        name: Change(kind="removed", before=one.size)
        for name, one in earlier.items()
        if name not in site.functions
    }
    return {name: _change(one, earlier.get(name)) for name, one in site.functions.items()} | gone


def _change(now: Shipped, before: EarlierFunction | None) -> Change:
    if before is None:
        return Change(kind="new", before=Size())
    if before.sha256 == now.sha256:
        return Change(kind="same", before=before.size)
    if before.files is None:
        return Change(kind="changed", before=before.size)
    then, contents = before.files, _contents(now.members)
    nothing = (0, 0)
    changed = [
        FileChange(
            name=name, before=then.get(name, nothing)[1], after=contents.get(name, nothing)[1]
        )
        for name in then.keys() | contents.keys()
        if then.get(name) != contents.get(name)
    ]
    files = sorted(changed, key=lambda one: (-abs(one.after - one.before), one.name))
    return Change(kind="changed", before=before.size, files=tuple(files))
