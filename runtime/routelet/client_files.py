"""Files of `dist/client` for a server: which one answers a path, and how.

The folder is listed once, when a server starts, and only what was listed is ever opened: whatever
a URL says, it is looked up in a dictionary. A file is read when it is asked for.
"""

import os
import stat
from hashlib import sha256
from time import time

from routelet.conditional import UnsatisfiableRangeError, Validators, range_of
from routelet.media_types import content_type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

    from routelet.headers import Headers
    from routelet.routing import Route

_HASHED = "public, max-age=31536000, immutable"
_OTHERS = "no-cache"
"""Kept by clients, and asked for again each time: without it they guess how long it is good."""
_PIECE_BYTES = 262_144


class PageFile:
    """A file that a route gave, with what its name does not say; `redirect` is status, location."""

    __slots__ = ("content_type", "redirect", "route")

    def __init__(
        self, route: "Route", content_type: "str | None", redirect: "tuple[int, str] | None"
    ) -> None:
        self.route = route
        self.content_type = content_type
        self.redirect = redirect


class FileAnswer:
    """What a client gets: `file` has the body from where it stands, `length` bytes of it."""

    __slots__ = ("file", "headers", "length", "status")

    def __init__(
        self,
        status: int,
        headers: "list[tuple[str, str]]",
        file: "BinaryIO | None" = None,
        length: int = 0,
    ) -> None:
        self.status = status
        self.headers = headers
        self.file = file
        self.length = length

    def read(self) -> bytes:
        """Return the next piece of the body; nothing at its end, where the file is closed."""
        piece = self.file.read(min(self.length, _PIECE_BYTES)) if self.file else b""
        self.length -= len(piece)
        if not (piece and self.length):
            self.close()
        return piece

    def close(self) -> None:
        """Read no more."""
        if self.file:
            self.file.close()
        self.file = None


class ClientFiles:
    """The files below `folder`: `pages` are those that routes gave, `assets` never change.

    Links that lead out of the folder and names with a dot before them are not among them, but for
    `.well-known`.
    """

    def __init__(
        self, folder: str, pages: "Mapping[str, PageFile]", assets: "Iterable[str]"
    ) -> None:
        self._pages = pages
        self._assets = frozenset(assets)
        self._paths = dict(_listed(folder))
        self._etags: dict[str, tuple[tuple[int, int, int], str]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def name_at(self, path: str) -> "str | None":
        """Return the file that answers the canonical `path` below the base, or None."""
        return next((name for name in names_at(path, self._pages) if name in self._paths), None)

    def answer(
        self, name: str, method: str, headers: "Headers", *, status: int = 200
    ) -> "FileAnswer | None":
        """Return how a GET or HEAD with these headers is answered; None for a file that is gone.

        Conditions and ranges count for a file that is found, with status 200, alone.
        """
        page = self._pages.get(name)
        if page and page.redirect and status == 200:
            code, location = page.redirect
            return FileAnswer(code, [("location", location)])
        try:
            file = open(self._paths[name], "rb")  # noqa: PTH123, SIM115 - the answer closes it
        except OSError:
            return None
        try:
            answer = self._opened(name, file, method, headers, status)
        except BaseException:
            file.close()
            raise
        if answer.file is None:
            file.close()
        return answer

    def _opened(
        self, name: str, file: "BinaryIO", method: str, headers: "Headers", status: int
    ) -> FileAnswer:
        page = self._pages.get(name)
        kind = (page and page.content_type) or content_type_of(name)
        of_body = [("content-type", kind)]
        found = os.fstat(file.fileno())
        size, start = found.st_size, 0
        length = size
        if status == 200:
            validators = Validators(self._etag(name, file, found), _modified(found))
            shared = [
                ("cache-control", _HASHED if name in self._assets else _OTHERS),
                ("etag", validators.etag),
                ("last-modified", validators.last_modified),
            ]
            if (ended := validators.precondition(headers)) is not None:
                return FileAnswer(ended, shared)
            of_body += [*shared, ("accept-ranges", "bytes")]
            if method == "GET" and validators.allows_range(headers):
                try:
                    part = range_of(headers, size)
                except UnsatisfiableRangeError:
                    return FileAnswer(416, [("content-range", f"bytes */{size}")])
                if part is not None:
                    status, (start, end) = 206, part
                    length = end - start
                    of_body.append(("content-range", f"bytes {start}-{end - 1}/{size}"))
        of_body.append(("content-length", str(length)))
        if method == "HEAD":
            return FileAnswer(status, of_body)
        file.seek(start)
        return FileAnswer(status, of_body, file, length)

    def _etag(self, name: str, file: "BinaryIO", found: os.stat_result) -> str:
        """Return the digest of a file, which is the same on every machine; read when it changed."""
        stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
        known = self._etags.get(name)
        if known is None or known[0] != stamp:
            digest = sha256()
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
            known = self._etags[name] = (stamp, f'"{digest.hexdigest()[:32]}"')
        return known[1]


def names_at(path: str, pages: "Mapping[str, PageFile]") -> "list[str]":
    """Return the files that may answer the canonical `path` below the base; the first is to.

    A file's own name comes first, then the page that a route gave (where the route takes this
    form of the path), then other pages such as those of `public/`.
    """
    bare = path.strip("/")
    own = [] if path.endswith("/") else [bare]
    found = [f"{bare}/index.html", f"{bare}.html"] if bare else ["index.html"]
    of_routes = [
        name for name in found if name in pages and pages[name].route.match(path) is not None
    ]
    return [*own, *of_routes, *(name for name in found if name not in pages)]


def _modified(found: os.stat_result) -> int:
    """Return when a file changed, never in the future: RFC 9110, 8.8.2.1."""
    return min(int(found.st_mtime), int(time()))


def _listed(folder: str) -> "Iterator[tuple[str, str]]":
    """Yield the URL name and the path of each file that may be served."""
    root = os.path.realpath(folder)
    for parent, folders, files in os.walk(root):
        below = "" if parent == root else f"{os.path.relpath(parent, root)}/".replace(os.sep, "/")
        folders[:] = [one for one in folders if _is_shown(below + one)]
        for one in files:
            path = os.path.realpath(os.path.join(parent, one))  # noqa: PTH118
            if _is_shown(below + one) and path.startswith(root + os.sep) and _is_file(path):
                yield below + one, path


def _is_shown(name: str) -> bool:
    last = name.rpartition("/")[2]
    return (not last.startswith(".") or name == ".well-known") and "\\" not in last


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except OSError:
        return False
