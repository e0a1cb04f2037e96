"""Headers, in the Fetch standard's terms, and what they have in common with other multi-maps."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Pairs = Mapping[str, str] | Iterable[tuple[str, str]]

LOCALS_HEADER = "x-routelet-locals"
"""What middleware at the edge hands over to a function; no page sees it, whoever sent it."""
_FORBIDDEN_IN_HEADERS = frozenset("\r\n\0")


def _is_text(value: str) -> bool:
    """Tell whether `value` can be sent: half of a surrogate pair, as JSON may have it, cannot."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class MultiMap:
    """Names that have one value or more, in the order they came."""

    __slots__ = ("_pairs",)

    _pairs: "list[tuple[str, str]]"

    def get_all(self, name: str) -> list[str]:
        """Return each value of `name`, in order."""
        return [value for key, value in self._pairs if key == name]

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of `name`."""
        return next(iter(self.get_all(name)), default)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.get_all(name))

    def __iter__(self) -> "Iterator[str]":
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pairs!r})"


class Headers(MultiMap):
    """A case-insensitive multi-map, as the Fetch standard's; names are kept in lower case.

    A name or value with CR, LF or NUL raises `ValueError`: RFC 9110, 5.5.
    """

    __slots__ = ()

    def __init__(self, init: "Headers | Pairs | None" = None) -> None:
        self._pairs = []
        if isinstance(init, Headers):
            self._pairs.extend(init.raw())
        elif init is not None:
            for name, value in init.items() if hasattr(init, "items") else init:
                self.append(name, value)

    @classmethod
    def received(cls, pairs: "Iterable[tuple[str, str]]") -> "Headers":
        """Return headers that a host read from the wire: it has refused line breaks already."""
        headers = cls.__new__(cls)
        headers._pairs = [(name.lower(), value.strip(" \t")) for name, value in pairs]
        return headers

    def append(self, name: str, value: str) -> None:
        """Add a value beside those that `name` has."""
        value = str(value)
        if not _FORBIDDEN_IN_HEADERS.isdisjoint(name) or not name:
            raise ValueError(f"header name {name!r} is empty or has a line break or NUL")
        if not _FORBIDDEN_IN_HEADERS.isdisjoint(value):
            raise ValueError(f"header {name!r} has a line break or NUL in its value")
        if not _is_text(value):
            raise ValueError(f"header {name!r} has half of a surrogate pair in its value")
        self._pairs.append((name.lower(), value.strip(" \t")))

    def set(self, name: str, value: str) -> None:
        """Replace all values of `name`."""
        self.append(name, value)  # first, so that nothing is lost where it raises
        *others, new = self._pairs
        self._pairs = [*(pair for pair in others if pair[0] != new[0]), new]

    def delete(self, name: str) -> None:
        """Remove all values of `name`."""
        name = name.lower()
        self._pairs = [pair for pair in self._pairs if pair[0] != name]

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the values of `name` joined with ", " (cookies of a request with "; ")."""
        values = self.get_all(name)
        return ("; " if name.lower() == "cookie" else ", ").join(values) if values else default

    def get_all(self, name: str) -> list[str]:
        """Return each value of `name`, in order."""
        name = name.lower()
        return [value for key, value in self._pairs if key == name]

    def get_set_cookie(self) -> list[str]:
        """Return each Set-Cookie value; they cannot be joined: RFC 6265, 3."""
        return self.get_all("set-cookie")

    def raw(self) -> "list[tuple[str, str]]":
        """Return every (name, value) pair as it was added."""
        return list(self._pairs)

    def joined(self) -> "dict[str, str]":
        """Return each name with its joined values; all but set-cookie, which cannot be joined."""
        if len(self._pairs) == 1 and self._pairs[0][0] != "set-cookie":
            return dict(self._pairs)
        return {name: self.get(name) or "" for name in self if name != "set-cookie"}

    def items(self) -> "Iterator[tuple[str, str]]":
        """Yield each name once with its joined values; set-cookie once for each value."""
        yield from self.joined().items()
        yield from (("set-cookie", value) for value in self.get_set_cookie())

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self.delete(name)

    def __eq__(self, other: object) -> bool:
        def by_name(headers: Headers) -> "dict[str, list[str]]":
            return {name: headers.get_all(name) for name in headers}

        return isinstance(other, Headers) and by_name(self) == by_name(other)

    __hash__ = None  # type: ignore[assignment]  # it can change
