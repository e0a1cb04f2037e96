"""Pieces of zips, each compressed once for all that have it: a file of the site, a distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from routelet_bundler.model import RUNTIME_FILES, Distribution, Target, TracedFile
from routelet_bundler.pack.archive import Member, member
from routelet_bundler.pack.bytecode import Pycs, in_place_of_sources
from routelet_bundler.pack.elf import stripped
from routelet_bundler.pack.names import refuse_unsafe_name

_READ = {"data", "include"}
"""Reasons for a source that may be read as it is, and so comes along beside bytecode alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Files by their path in a zip and on disk; `label` is what people know them by."""

    files: tuple[tuple[str, Path], ...]
    label: str
    is_distribution: bool = False
    is_read: bool = False
    """Whether a source in it may be read, and not only imported."""


def piece_of(one: TracedFile | Distribution) -> Piece:
    """Return the piece of a file or of a distribution."""
    if isinstance(one, Distribution):
        return Piece(files=one.files, label=one.name, is_distribution=True)
    return Piece(files=((one.archive, one.source),), label=one.label, is_read=is_read(one))


def is_read(file: TracedFile) -> bool:
    """Tell whether a source may be read, and not only imported."""
    return file.reason.kind in _READ


def members_of(piece: Piece, target: Target, pycs: Pycs) -> tuple[Member, ...]:
    """Return what is packed of a piece, compressed; raises as `contents_of` does."""
    contents = contents_of(piece, target, pycs)
    return tuple(member(name, content) for name, content in sorted(contents.items()))


def contents_of(piece: Piece, target: Target, pycs: Pycs) -> Mapping[str, bytes]:
    """Return what is packed of a piece by name: its files, bytecode, or both.

    Raises `RouteletError` for a name of a distribution that no zip may have.
    """
    for name, _ in piece.files:
        mend = f'exclude = ["{piece.label}"], or require another version'
        refuse_unsafe_name(name, where=piece.label, mend=mend)
    contents = {name: path.read_bytes() for name, path in piece.files}
    if target.strip and piece.is_distribution:
        contents = {name: stripped(name, content) for name, content in contents.items()}
    own = {file: pycs[file] for file in piece.files if file in pycs}
    is_runtime = piece.files[0][0].startswith(RUNTIME_FILES)
    if (target.bytecode == "only" or is_runtime) and not piece.is_read:
        return in_place_of_sources(contents, own)
    return contents | dict(own.values())
