"""Pieces that are compiled and compressed elsewhere.

A task holds files as bytes, so that the other machine needs nothing of the site; its answer is the
members. That machine has the same Python of the target, or the task fails.
"""

import platform
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from routelet_bundler.elsewhere import Elsewhere
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import exact_version
from routelet_bundler.model import Target
from routelet_bundler.pack.archive import COMPRESSOR, Member
from routelet_bundler.pack.bytecode import Pycs, compiled, runtime_apart
from routelet_bundler.pack.pieces import Piece, members_of

MAX_BYTES = 8 * 1024 * 1024
"""A piece that is larger is made here: Dask warns of tasks above 10 MB, and means it."""
_BATCH_BYTES = 1024 * 1024
_BATCH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A piece with the content of its files."""

    piece: Piece
    contents: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(map(len, self.contents))


def made_away(
    pieces: Mapping[str, Piece], target: Target, elsewhere: Elsewhere
) -> Iterator[tuple[str, tuple[Member, ...]]]:
    """Yield the members of pieces by their keys, as they are made; not those that are too large."""
    made_with = (COMPRESSOR, exact_version(target.python) if target.bytecode else "")
    sent = (
        (key, Sent(piece=piece, contents=tuple(path.read_bytes() for _, path in piece.files)))
        for key, piece in pieces.items()
    )
    batches = list(_batches((key, one) for key, one in sent if one.size <= MAX_BYTES))
    make = partial(made, target=target, made_with=made_with)
    answers = elsewhere.results(make, ([one for _, one in batch] for batch in batches))
    for batch, answer in zip(batches, answers, strict=True):
        yield from zip((key for key, _ in batch), answer, strict=True)


def made(
    batch: Sequence[Sent], target: Target, made_with: tuple[str, str]
) -> list[tuple[Member, ...]]:
    """Compile and compress pieces; this is what runs elsewhere.

    Raises `RouteletError` where this machine would make other bytes.
    """
    ours = (COMPRESSOR, exact_version(target.python) if target.bytecode else "")
    if ours != made_with:
        raise RouteletError(
            f"{platform.node()} makes bytecode and zips with {' and Python '.join(ours)}",
            mend=f"give that machine {' and Python '.join(made_with)}, as the build has it",
        )
    with tempfile.TemporaryDirectory() as folder:
        pieces = [_placed(one, Path(folder, str(number))) for number, one in enumerate(batch)]
        pycs = _compiled([file for piece in pieces for file in piece.files], target)
        return [members_of(piece, target, pycs) for piece in pieces]


def _compiled(files: Sequence[tuple[str, Path]], target: Target) -> Pycs:
    if not target.bytecode:
        return {}
    apart = (compiled(part, target.python, target.folder) for part in runtime_apart(files))
    return {file: pyc for part in apart for file, pyc in part.items()}


def _placed(sent: Sent, folder: Path) -> Piece:
    """Write the files of a piece below `folder`, under numbers: their names are not to be used."""
    folder.mkdir()
    files = []
    for number, ((name, _), content) in enumerate(
        zip(sent.piece.files, sent.contents, strict=True)
    ):
        path = folder / str(number)
        path.write_bytes(content)
        files.append((name, path))
    return Piece(
        files=tuple(files),
        label=sent.piece.label,
        is_distribution=sent.piece.is_distribution,
        is_read=sent.piece.is_read,
    )


def _batches(sent: Iterable[tuple[str, Sent]]) -> Iterator[list[tuple[str, Sent]]]:
    batch: list[tuple[str, Sent]] = []
    size = 0
    for key, one in sent:
        if batch and (len(batch) == _BATCH or size + one.size > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((key, one))
        size += one.size
    if batch:
        yield batch
