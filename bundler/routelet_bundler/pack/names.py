"""Names that a zip may have: those that every reader unpacks to one and the same place.

Refused is what leads out of the folder that a zip is unpacked in, what Linux cannot have as a name,
and two names that are one file where case or Unicode's forms are not told apart.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from routelet_bundler.errors import RouteletError

_MAX_ENTRIES = 65_535
"""Without ZIP64: APPNOTE 4.4.1.4."""
_MAX_NAME_BYTES = 255
"""Of a file or a folder on Linux: limits.h, NAME_MAX."""


@lru_cache(maxsize=100_000)
def fault_of(name: str) -> str:
    """Return what is wrong with a name in a zip, or nothing; that of a folder ends in a slash."""
    parts = name.removesuffix("/").split("/")
    if "\\" in name or any(part in {"", ".", ".."} for part in parts):
        return "is no safe name in a zip"
    if any("\ud800" <= character <= "\udfff" for character in name):
        return "is no UTF-8"
    if not name.isprintable():
        return "has characters that do not print"
    if any(len(part.encode()) > _MAX_NAME_BYTES for part in parts):
        return f"has a part of over {_MAX_NAME_BYTES} bytes"
    return ""


def refuse_unsafe_name(name: str, *, where: str, mend: str = "rename the file") -> None:
    """Raise `RouteletError` for a faulty name; `where` is the file or the distribution it is of."""
    if fault := fault_of(name):
        printable = where.encode("utf-8", "backslashreplace").decode()
        raise RouteletError(f"{name!r} {fault}", where=printable, mend=mend)


def refuse_unsafe_names(names: list[str]) -> None:
    """Raise `RouteletError` for sorted names that cannot all be in one zip."""
    if len(names) > _MAX_ENTRIES:
        raise RouteletError(f"{len(names):,} files, and a zip has {_MAX_ENTRIES:,} at most")
    for name in names:
        refuse_unsafe_name(name, where="")
    for name, following in pairwise(names):
        if name == following:
            raise RouteletError(f"{name} would be in the zip twice", mend="rename one of the two")
    folders = {folder for name in names for folder in _folders_of(name)}
    if both := folders.intersection(names):
        raise RouteletError(f"{min(both)} is a file and a folder", mend="rename one of the two")
    _refuse_clashes({*names, *folders})


def _refuse_clashes(names: Iterable[str]) -> None:
    known: dict[str, str] = {}
    for name in names:
        plain = name.removesuffix("/")
        other = known.setdefault(_folded(plain), plain)
        if other != plain:
            first, second = sorted((other, plain))
            raise RouteletError(
                f"{first} and {second} are one name where case is not told apart, as on macOS and "
                "Windows",
                mend="rename one of the two",
            )


@lru_cache(maxsize=100_000)
def _folded(name: str) -> str:
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@lru_cache(maxsize=100_000)
def _folders_of(name: str) -> tuple[str, ...]:
    """Return the folders above a name; that of a folder itself, which ends in a slash, is one."""
    return tuple(_above(name))


def _above(name: str) -> Iterator[str]:
    while name := name.rpartition("/")[0]:
        yield name
