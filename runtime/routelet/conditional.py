"""Conditional and range requests for a representation that is there: RFC 9110, 13 and 14.

What a client has already, and which part of the whole it wants. Nothing here reads a file.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from routelet.headers import Headers

_TAGS = re.compile(r'(W/)?("[^"]*")')
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


class Validators:
    """What tells one representation of a resource from another.

    `etag` is a strong entity tag with its quotes, `modified_s` the seconds since 1970.
    """

    __slots__ = ("etag", "modified_s")

    def __init__(self, etag: str, modified_s: int) -> None:
        self.etag = etag
        self.modified_s = modified_s

    @property
    def last_modified(self) -> str:
        """The time in the form of HTTP."""
        from email.utils import formatdate  # no function has a server  # noqa: PLC0415

        return formatdate(self.modified_s, usegmt=True)

    def precondition(self, headers: "Headers") -> "int | None":
        """Return the status that a GET or HEAD ends with, 304 or 412, or None: RFC 9110, 13.2.2."""
        if not self._is_expected(headers):
            return 412
        if (tags := headers.get("if-none-match")) is not None:
            return 304 if self._is_in(tags, strongly=False) else None
        since = _seconds(headers.get("if-modified-since"))
        return 304 if since is not None and self.modified_s <= since else None

    def _is_expected(self, headers: "Headers") -> bool:
        if (tags := headers.get("if-match")) is not None:
            return self._is_in(tags, strongly=True)
        since = _seconds(headers.get("if-unmodified-since"))
        return since is None or self.modified_s <= since

    def allows_range(self, headers: "Headers") -> bool:
        """Tell whether a part still belongs to what the client has: If-Range, RFC 9110, 13.1.5."""
        condition = headers.get("if-range")
        return condition is None or condition in {self.etag, self.last_modified}

    def _is_in(self, tags: str, *, strongly: bool) -> bool:
        if tags.strip() == "*":
            return True
        found = _TAGS.findall(tags)
        return any(tag == self.etag and not (strongly and weak) for weak, tag in found)


class UnsatisfiableRangeError(ValueError):
    """A range that begins behind the end; answered with 416."""


def range_of(headers: "Headers", size: int) -> "tuple[int, int] | None":
    """Return first and behind the last byte that a GET asks for, or None for the whole.

    Several ranges at once, and faulty ones, are ignored, as RFC 9110, 14.2 leaves to a server:
    they are few, and many small ones are an attack. Raises `UnsatisfiableRangeError`.
    """
    found = _RANGE.fullmatch(headers.get("range") or "")
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        return _suffix(last, size)
    start = int(first)
    end = int(last) + 1 if last else size
    if end <= start and last:
        return None
    if start >= size:
        raise UnsatisfiableRangeError(found[0])
    return start, min(end, size)


def _suffix(digits: str, size: int) -> "tuple[int, int] | None":
    if not digits:
        return None
    if int(digits) == 0:
        raise UnsatisfiableRangeError(digits)
    return (max(size - int(digits), 0), size) if size else None


def _seconds(date: "str | None") -> "int | None":
    """Return a date of HTTP as seconds since 1970; None for none, and for one that is none."""
    if date is None:
        return None
    from email.utils import mktime_tz, parsedate_tz  # no function has a server  # noqa: PLC0415

    parsed = parsedate_tz(date)
    try:
        return None if parsed is None else mktime_tz(parsed)
    except (OverflowError, ValueError):
        return None
