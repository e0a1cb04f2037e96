"""Shared objects without what only linkers and debuggers read: symbol tables and debug information.

A loader goes by program headers alone (System V ABI, "Program Loading"), so what no segment holds
can go, with the section headers. Segments move down in the file by whole multiples of their
alignment: their offsets stay congruent to their addresses, which a loader asks for. It is done here
and not by `strip`, which breaks that in what patchelf has changed ("ELF load command ... not
page-aligned"), knows foreign architectures in some builds only, and gives other bytes by version.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_ELF64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
"""x86_64 and aarch64 on Linux."""
_SHARED_OBJECT = 3
_LOADED = 1
_SYMBOLS, _STRINGS, _NO_BITS, _SYMBOL_SECTIONS = 2, 3, 8, 18
_IN_MEMORY = 2
_NAME = re.compile(r"\.so(\.\d+)*$")
_FOREIGN_FOLDERS = (".libs", ".dylibs")
"""Where wheels keep libraries of others, which were changed after they were linked: PEP 513."""
_FOR_DEBUGGERS = re.compile(
    rb"\.(z?debug|gnu_debug|gnu\.build\.attributes|gnu\.lto|comment|note|stab|llvm_addrsig|"
    rb"GCC\.command\.line|gdb_index)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    size_in_memory: int
    align: int

    def packed(self) -> bytes:
        return _SEGMENT.pack(
            self.kind, self.flags, self.offset, self.address, self.physical, self.size,
            self.size_in_memory, self.align,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    name: bytes
    kind: int
    is_in_memory: bool
    end: int
    """Where its bytes end in the file; 0 for one that has none there."""

    @property
    def is_needed(self) -> bool:
        """Tell whether a program may read it: it is in memory, or nothing we know."""
        if self.is_in_memory or self.kind in {0, _SYMBOLS, _STRINGS, _SYMBOL_SECTIONS}:
            return self.is_in_memory
        return not _FOR_DEBUGGERS.match(self.name)


def stripped(name: str, content: bytes) -> bytes:
    """Return a file of a distribution, without symbols where it is a shared object that has them.

    Left as they are: what is stripped already, libraries in `*.libs` and `*.dylibs`, and objects
    with sections of their own or with data after their end, which a program may read itself.
    """
    *folders, file = name.split("/")
    if not _NAME.search(file) or any(folder.endswith(_FOREIGN_FOLDERS) for folder in folders):
        return content
    if len(content) < _HEADER.size or not content.startswith(_ELF64_LITTLE_ENDIAN):
        return content
    try:
        return _without_symbols(content)
    except (struct.error, IndexError, OverflowError, ValueError):  # its importer will tell
        return content


def _without_symbols(content: bytes) -> bytes:
    ident, kind, machine, version, entry, phoff, shoff, flags, *sizes = _HEADER.unpack_from(content)
    size, segment_size, segment_count, section_size, section_count, names_at = sizes
    if (size, segment_size, section_size) != (_HEADER.size, _SEGMENT.size, _SECTION.size):
        return content
    segments = [_segment(content, phoff + number * segment_size) for number in range(segment_count)]
    sections = list(_sections(content, shoff, section_count, names_at))
    end = max(
        [shoff + section_count * section_size, *(one.end for one in sections)]
        + [one.offset + one.size for one in segments]
    )
    is_whole = len(content) >= end and not content[end:].strip(b"\0")  # patchelf leaves some zeros
    if kind != _SHARED_OBJECT or not is_whole or not _has_symbols(sections):
        return content
    if any(one.kind == _LOADED and not one.size for one in segments):
        return content  # its place in the file says nothing of where it may be
    table = segment_count * segment_size
    align = max([1, *(one.align for one in segments if one.kind == _LOADED)])
    moves = list(_moves(_ranges(segments, [(0, size), (phoff, phoff + table)]), align))
    body = bytearray(max(end + shift for _, end, shift in moves))
    for start, stop, shift in moves:
        body[start + shift : stop + shift] = content[start:stop]
    moved = [replace(one, offset=_moved(one.offset, moves)) for one in segments]
    new_phoff = _moved(phoff, moves)
    body[: _HEADER.size] = _HEADER.pack(
        ident, kind, machine, version, entry, new_phoff, 0, flags, size, segment_size,
        segment_count, section_size, 0, 0,
    )  # fmt: skip
    body[new_phoff : new_phoff + table] = b"".join(one.packed() for one in moved)
    return bytes(body)


def _segment(content: bytes, at: int) -> _Segment:
    values = _SEGMENT.unpack_from(content, at)
    return _Segment(**dict(zip(_Segment.__slots__, values, strict=True)))


def _sections(content: bytes, shoff: int, count: int, names_at: int) -> Iterator[_Section]:
    if not shoff:
        return
    headers = [_SECTION.unpack_from(content, shoff + n * _SECTION.size) for n in range(count)]
    names = headers[names_at][4]
    for name, kind, flags, _, offset, size, *_ in headers:
        start = names + name
        yield _Section(
            name=content[start : content.index(b"\0", start)],
            kind=kind,
            is_in_memory=bool(flags & _IN_MEMORY),
            end=0 if kind == _NO_BITS else offset + size,
        )


def _has_symbols(sections: Sequence[_Section]) -> bool:
    """Tell whether there is something to strip, and nothing beside it that may be needed."""
    beside = [one for one in sections if not one.is_in_memory]
    has = any(one.kind == _SYMBOLS or b"debug" in one.name for one in beside)
    return has and not any(one.is_needed for one in beside)


def _ranges(
    segments: Sequence[_Segment], headers: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return start and end of what stays, sorted, none of them overlapping or touching."""
    kept = [(one.offset, one.offset + one.size) for one in segments if one.size]
    joined: list[tuple[int, int]] = []
    for start, end in sorted([*kept, *headers]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _moves(ranges: Sequence[tuple[int, int]], align: int) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and shift of each range: down by multiples of `align`, or by nothing."""
    shift = 0
    yield (*ranges[0], shift)
    for (_, before), (start, end) in pairwise(ranges):
        shift -= (start - before) // align * align
        yield start, end, shift


def _moved(offset: int, moves: Sequence[tuple[int, int, int]]) -> int:
    return next((offset + shift for start, end, shift in moves if start <= offset < end), offset)
