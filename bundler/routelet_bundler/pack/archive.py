"""Zip files from members that are compressed already: sorted, with fixed times and modes.

The format is PKWARE's APPNOTE 6.3.10, without ZIP64: a function's zip is far below 4 GiB. Members
are compressed once and kept, and a zip is put together by concatenation.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version

from deflate import crc32, deflate_compress

from routelet_bundler.model import PartSize
from routelet_bundler.pack.names import refuse_unsafe_names

_LEVEL = 6
"""libdeflate's level; docs/decisions/0009-libdeflate.md has what others cost and give."""
COMPRESSOR = f"deflate {version('deflate')}, level {_LEVEL}"
"""Changes with the bytes that a file is compressed to.

Not the zlib of the running Python: that is another one on Debian, Fedora, macOS and Windows.
"""
_EPOCH_TIME, _EPOCH_DATE = 0, 0x21
"""1980-01-01 00:00:00, the earliest a zip can say."""
_UTF8 = 0x800
_FILE_0644 = 0o100644 << 16
_FOLDER_0755 = 0o040755 << 16 | 0x10  # MS-DOS's directory bit, which some readers go by
_VERSION = 20
_MADE_ON_UNIX = 3 << 8 | _VERSION
STORED, DEFLATED = 0, 8
_HEADERS = 30 + 46
"""Bytes of a member beside its data and, in both of its headers, its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of a zip: `data` is compressed as `method` says, `size` is that of the file."""

    name: str
    method: int
    crc: int
    size: int
    data: bytes


def member(name: str, content: bytes) -> Member:
    """Compress a file; one that does not get smaller is stored."""
    deflated = deflate_compress(content, _LEVEL)
    smaller = len(deflated) < len(content)
    return Member(
        name=name,
        method=DEFLATED if smaller else STORED,
        crc=crc32(content),
        size=len(content),
        data=bytes(deflated) if smaller else content,
    )


def size_of(members: Iterable[Member]) -> PartSize:
    """Return what members add to a zip; without sources, bytecode counts as such."""
    zipped = unzipped = source = bytecode = 0
    for one in members:
        zipped += _HEADERS + 2 * len(one.name.encode()) + len(one.data)
        unzipped += one.size
        source += one.size if one.name.endswith(".py") else 0
        bytecode += one.size if one.name.endswith(".pyc") else 0
    return PartSize(zipped=zipped, unzipped=unzipped, source=source or bytecode)


def folder(name: str) -> Member:
    """Return the entry of a folder, by its path without a slash at the end."""
    return Member(name=f"{name}/", method=STORED, crc=0, size=0, data=b"")


def archive(members: Iterable[Member]) -> bytes:
    """Return the zip of `members`, sorted by name.

    Raises `RouteletError` for a name that is unsafe or there twice.
    """
    ordered = sorted(members, key=lambda member: member.name)
    refuse_unsafe_names([member.name for member in ordered])
    body, directory, position = [], [], 0
    for member in ordered:
        name = member.name.encode()
        common = struct.pack(
            "<HHHHHIIIHH", _VERSION, _UTF8, member.method, _EPOCH_TIME, _EPOCH_DATE,
            member.crc, len(member.data), member.size, len(name), 0,
        )  # fmt: skip
        local = b"PK\x03\x04" + common + name
        body += [local, member.data]
        directory.append(
            b"PK\x01\x02" + struct.pack("<H", _MADE_ON_UNIX) + common
            + struct.pack("<HHHII", 0, 0, 0, _attributes(member.name), position) + name
        )  # fmt: skip
        position += len(local) + len(member.data)
    central = b"".join(directory)
    end = struct.pack(
        "<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(ordered), len(ordered), len(central), position, 0
    )
    return b"".join([*body, central, end])


def _attributes(name: str) -> int:
    return _FOLDER_0755 if name.endswith("/") else _FILE_0644
