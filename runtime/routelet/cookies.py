"""The cookies of a request, and those that a response sets: RFC 6265."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_FORBIDDEN = frozenset('"=;, \\')


class Cookies:
    """Cookies by name: first those that came, then over them those that were set.

    `set` and `delete` are told to the client by `set_cookie_headers`.
    """

    __slots__ = ("_came", "_set")

    def __init__(self, header: str = "") -> None:
        self._came: dict[str, str] = {}
        self._set: dict[str, tuple[str | None, str]] = {}
        for pair in header.split(";"):
            name, equals, value = pair.partition("=")
            name = name.strip(" \t")
            if equals and name:
                self._came.setdefault(name, _unquoted(value.strip(" \t")))

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a cookie."""
        if name in self._set:
            value = self._set[name][0]
            return default if value is None else value
        return self._came.get(name, default)

    def has(self, name: str) -> bool:
        """Tell whether there is such a cookie."""
        return self.get(name) is not None

    def set(
        self,
        name: str,
        value: str,
        *,
        path: str | None = None,
        domain: str | None = None,
        expires: "datetime | None" = None,
        max_age: int | None = None,
        http_only: bool = False,
        secure: bool = False,
        same_site: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Set a cookie. `max_age` is in seconds, `expires` in any zone it names.

        Raises `ValueError` for a name or attribute that would break the header.
        """
        is_printable = name.isascii() and name.isprintable()
        if not name or not is_printable or not _FORBIDDEN.isdisjoint(name):
            raise ValueError(f"{name!r} is no cookie name")
        if same_site is not None and same_site.lower() not in {"strict", "lax", "none"}:
            raise ValueError(f"same_site {same_site!r} is not strict, lax or none")
        parts = [f"{name}={_quoted(value)}"]
        parts += [f"{key}={_attribute(text)}" for key, text in (("Path", path), ("Domain", domain))
                  if text is not None]  # fmt: skip
        if expires is not None:
            from email.utils import format_datetime  # 11 ms, rarely used  # noqa: PLC0415

            parts.append(f"Expires={format_datetime(_in_utc(expires), usegmt=True)}")
        if max_age is not None:
            parts.append(f"Max-Age={int(max_age)}")
        parts += ["HttpOnly"] * http_only + ["Secure"] * secure
        if same_site is not None:
            parts.append(f"SameSite={same_site.capitalize()}")
        parts += ["Partitioned"] * partitioned
        self._set[name] = (value, "; ".join(parts))

    def delete(self, name: str, *, path: str | None = None, domain: str | None = None) -> None:
        """Make the client forget a cookie; `path` and `domain` are those it was set with."""
        self.set(name, "", path=path, domain=domain, max_age=0)
        self._set[name] = (None, self._set[name][1])

    def merge(self, other: "Cookies") -> None:
        """Take over what was set and deleted in `other`."""
        self._set.update(other._set)

    def share(self, other: "Cookies") -> None:
        """From now on, set and delete for `other` too, and the other way round."""
        other.merge(self)
        self._set = other._set

    def set_cookie_headers(self) -> list[str]:
        """Return a Set-Cookie value for each cookie that was set or deleted."""
        return [header for _, header in self._set.values()]

    def __iter__(self) -> "Iterator[str]":
        return iter([name for name in {**self._came, **self._set} if self.has(name)])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.has(name)


def _quoted(value: str) -> str:
    from urllib.parse import quote  # 6 ms, only for a cookie that is set  # noqa: PLC0415

    return quote(value, safe="!#$&'()*+/:<=>?@[]^`{|}~")


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if "%" not in value:
        return value
    from urllib.parse import unquote  # 6 ms, only for a cookie with escapes  # noqa: PLC0415

    return unquote(value)


def _attribute(text: str) -> str:
    if not {";", "\r", "\n", "\0"}.isdisjoint(text):
        raise ValueError(f"{text!r} would break the Set-Cookie header")
    return text


def _in_utc(moment: "datetime") -> "datetime":
    from datetime import timezone  # 2 ms, rarely used  # noqa: PLC0415

    return moment.astimezone(timezone.utc)  # noqa: UP017 - python3.10 is a target
