"""Installed files are held against RECORD before they are packed.

An installed folder is one with uv's cache, file by file: what somebody edits in one of them is
edited everywhere, and would be packed, kept and shared under the name of the wheel.
"""

import csv
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.pack.pieces import Piece

_SHA256 = "sha256="


def refuse_damaged(piece: Piece) -> None:
    """Raise `RouteletError` for a file of a distribution that is not as its wheel has it.

    Hashes are those of RECORD; a file that several distributions own is as one of them has it.
    https://packaging.python.org/specifications/recording-installed-packages
    """
    info = next((path.parent for name, path in piece.files if _is_metadata(name)), None)
    if info is None:
        return
    recorded = _hashes(info)
    wrong = [
        (name, path)
        for name, path in piece.files
        if name in recorded and _hash_of(path) != recorded[name]
    ]
    others = [_hashes(one) for one in info.parent.glob("*.dist-info")] if wrong else []
    raise_all(
        [
            RouteletError(
                f"{piece.label}: {name} is not as its wheel has it, somebody edited it",
                where=str(path),
                mend=f"run `uv cache clean {piece.label}`, and remove {info.parents[1]}",
            )
            for name, path in wrong
            if _hash_of(path) not in {hashes.get(name) for hashes in others}
        ]
    )


def _is_metadata(name: str) -> bool:
    return name.endswith(".dist-info/METADATA") and name.count("/") == 1


def _hashes(info: Path) -> dict[str, str]:
    return dict(_rows(info / "RECORD"))


def _rows(record: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and hash of each file that has one."""
    if record.is_file():
        for row in csv.reader(record.read_text(encoding="utf-8").splitlines()):
            if len(row) > 1 and row[1].startswith(_SHA256):
                yield row[0], row[1].removeprefix(_SHA256)


def _hash_of(path: Path) -> str:
    """Return the hash of a file as RECORD has it."""
    return urlsafe_b64encode(sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
