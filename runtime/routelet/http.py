"""URL, Request and Response, in the Fetch standard's terms.

Bodies are whole: a host hands over all of a request before a page runs, so readers are plain
functions. Nothing here knows a host.
"""

from functools import cache

from routelet.headers import Headers, MultiMap
from routelet.routing import ENCODED_SLASH, MalformedPathError, canonical_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from routelet.cookies import Cookies
    from routelet.forms import Form
    from routelet.headers import Pairs


class SearchParams(MultiMap):
    """The decoded parameters of a query or a form, in order: WHATWG URL, 5."""

    __slots__ = ()

    def __init__(self, query: "str | Iterable[tuple[str, str]]" = "") -> None:
        self._pairs = [] if isinstance(query, str) else list(query)
        if query and isinstance(query, str):
            from urllib.parse import parse_qsl  # 6 ms, only with a query  # noqa: PLC0415

            self._pairs = parse_qsl(query, keep_blank_values=True, errors="replace")

    def items(self) -> "Iterator[tuple[str, str]]":
        """Yield every (name, value) pair."""
        return iter(self._pairs)


class URL:
    """A URL whose path was decoded once.

    `path` is decoded text, `query` is percent-encoded and without its question mark, `port` is
    None for the scheme's own. `canonical_path` is what routes are matched with; it differs from
    `path` only in an encoded slash. `malformed` tells that the path has an escape that cannot be
    decoded; `path` then is as it came.
    """

    __slots__ = ("_params", "canonical_path", "fragment", "host", "malformed", "port",
                 "query", "scheme")  # fmt: skip

    def __init__(
        self,
        url: str | None = None,
        *,
        scheme: str = "https",
        host: str = "localhost",
        port: int | None = None,
        path: str = "/",
        path_is_decoded: bool = False,
        query: str = "",
        fragment: str = "",
    ) -> None:
        if url is not None:
            scheme, host, port, path, query, fragment = _split(url)
        if not isinstance(path, str) or not isinstance(query, str):
            raise TypeError("path and query of a URL are text")
        self.scheme = scheme
        self.host = host
        self.port = port
        self.query = query
        self.fragment = fragment
        self._params: SearchParams | None = None
        try:
            self.canonical_path = canonical_path(path, decoded=path_is_decoded)
            self.malformed = False
        except MalformedPathError:
            self.canonical_path = path
            self.malformed = True

    @property
    def path(self) -> str:
        """The decoded path; that of `/%2Fa` is `/a`, for a redirect to `//a` is one to a host."""
        path = self.canonical_path
        if self.malformed or ENCODED_SLASH not in path:
            return path
        decoded = path.replace(ENCODED_SLASH, "/")
        return "/" + decoded.lstrip("/") if path.startswith("/" + ENCODED_SLASH) else decoded

    @property
    def origin(self) -> str:
        """Scheme, host and port, such as `https://example.com`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = self.port is None or self.port == {"http": 80, "https": 443}.get(self.scheme)
        return f"{self.scheme}://{host}{'' if default else f':{self.port}'}"

    @property
    def search_params(self) -> SearchParams:
        """The parameters of the query, decoded."""
        if self._params is None:
            self._params = SearchParams(self.query)
        return self._params

    def __str__(self) -> str:
        from urllib.parse import quote  # 6 ms, and most functions print no URL  # noqa: PLC0415

        escaped = self.canonical_path
        if not self.malformed:
            escaped = quote(escaped, safe="/!$&'()*+,;=:@").replace("%00", "%2F")
        query = f"?{self.query}" if self.query else ""
        return self.origin + escaped + query + (f"#{self.fragment}" if self.fragment else "")

    def __repr__(self) -> str:
        return f"URL({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URL) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def _split(url: str) -> "tuple[str, str, int | None, str, str, str]":
    from urllib.parse import urlsplit  # 6 ms; hosts give the parts of a URL  # noqa: PLC0415

    if url.startswith("/"):  # a path, never a host: "//about" is a path with two slashes
        url = "https://localhost" + url
    parts = urlsplit(url)
    host, path = parts.hostname or "localhost", parts.path
    path = path if path.startswith("/") else f"/{path}"
    return parts.scheme or "https", host, parts.port, path, parts.query, parts.fragment


class Request:
    """A request whose body is whole.

    `client_address` is the peer that the host saw, never one that a header claims. `raw_path` is
    the path as the host gave it, `root_path` what was in front of the site's own (a stage).
    """

    __slots__ = ("_body", "_cookies", "client_address", "headers", "host_context", "method",
                 "raw_path", "root_path", "url")  # fmt: skip

    def __init__(
        self,
        url: "URL | str",
        *,
        method: str = "GET",
        headers: "Headers | Pairs | None" = None,
        body: "bytes | str" = b"",
        client_address: str | None = None,
        raw_path: str | None = None,
        root_path: str = "",
        host_context: "Mapping[str, object] | None" = None,
    ) -> None:
        self.url = url if isinstance(url, URL) else URL(url)
        self.method = method.upper()
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self._body = body
        self.client_address = client_address
        self.raw_path = self.url.path if raw_path is None else raw_path
        self.root_path = root_path
        self.host_context = host_context
        self._cookies: Cookies | None = None

    @property
    def body(self) -> bytes:
        """The whole body."""
        if isinstance(self._body, str):  # a host's event; JSON is read from it as it is
            self._body = self._body.encode("utf-8", "replace")
        return self._body

    @property
    def path(self) -> str:
        """The path, decoded once."""
        return self.url.path

    @property
    def cookies(self) -> "Cookies":
        """The cookies that came with the request."""
        if self._cookies is None:
            from routelet.cookies import Cookies  # 1 ms, only with cookies  # noqa: PLC0415

            self._cookies = Cookies(self.headers.get("cookie") or "")
        return self._cookies

    def at(self, target: "URL | str") -> "Request":
        """Return this request for another path of its host."""
        moved: Request = object.__new__(type(self))
        for name in Request.__slots__:  # not as `self.name`: while prerendering some raise
            setattr(moved, name, object.__getattribute__(self, name))
        moved._cookies = None
        moved.url = URL(str(target))
        moved.url.scheme, moved.url.host = self.url.scheme, self.url.host
        moved.url.port = self.url.port
        return moved

    def text(self) -> str:
        """Return the body as UTF-8 text, its faulty bytes replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        """Return the body read as JSON; raises `ValueError` where it is none."""
        import json  # 5 ms, only for handlers that read JSON  # noqa: PLC0415

        body = self._body
        return json.loads(body.removeprefix("\ufeff") if isinstance(body, str) else body)

    def form(self) -> "Form":
        """Return the fields and files of an urlencoded or multipart form.

        Raises `routelet.forms.FormError`, a `ValueError`, for another body or one beyond the
        limits there.
        """
        from routelet.forms import form_of  # 1 ms, only for forms  # noqa: PLC0415

        return form_of(self.headers.get("content-type") or "", self.body)

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url})"


@cache
def _json_encoder(
    default: "Callable[[object], object] | None",
) -> "Callable[[object], str]":
    import json  # 5 ms, only for handlers that write JSON  # noqa: PLC0415

    return json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=default).encode


class Response:
    """A response. `body` is text, bytes, an iterable of bytes, or None."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        body: "str | bytes | Iterable[bytes] | None" = None,
        status: int = 200,
        headers: "Headers | Pairs | None" = None,
    ) -> None:
        status = int(status)
        if not 100 <= status <= 599:
            raise ValueError(f"status {status} is not between 100 and 599")
        self.body = body
        self.status = status
        self.headers = Headers(headers)
        if isinstance(body, str) and status not in {204, 304}:  # those are sent without the body
            self._default_type("text/plain; charset=utf-8")

    @classmethod
    def json(
        cls,
        data: object,
        status: int = 200,
        headers: "Headers | Pairs | None" = None,
        *,
        default: "Callable[[object], object] | None" = None,
    ) -> "Response":
        """Return `data` as compact JSON; `default` turns what JSON has no word for into it."""
        return cls._typed(_json_encoder(default)(data), status, headers, "application/json")

    @classmethod
    def html(
        cls, text: str, status: int = 200, headers: "Headers | Pairs | None" = None
    ) -> "Response":
        """Return a page."""
        return cls._typed(text, status, headers, "text/html; charset=utf-8")

    @classmethod
    def redirect(cls, location: "str | URL", status: int = 302) -> "Response":
        """Return a redirect; raises `ValueError` for a status that is none: Fetch, 5.5."""
        if status not in {300, 301, 302, 303, 304, 307, 308}:
            raise ValueError(f"status {status} does not redirect")
        return cls(None, status, {"location": str(location)})

    @classmethod
    def _typed(
        cls, text: str, status: int, headers: "Headers | Pairs | None", content_type: str
    ) -> "Response":
        response = cls(None, status, headers)
        response.body = text
        response._default_type(content_type)
        return response

    def _default_type(self, content_type: str) -> None:
        if "content-type" not in self.headers:
            self.headers._pairs.append(("content-type", content_type))  # ours, with no line break

    def read(self) -> bytes:
        """Return the whole body; an iterable is read once and kept."""
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode("utf-8", "replace")
        if not isinstance(self.body, bytes):
            self.body = b"".join(self.body)
        return self.body

    def whole(self) -> "Response":
        """Read a body that is an iterable, where what it raises is still the page's."""
        if not isinstance(self.body, (str, bytes)):
            self.body = self.body and self.read()
        return self

    def clone(self) -> "Response":
        """Return a response whose status and headers can be changed without changing this one."""
        clone = Response(None, self.status, self.headers)
        clone.body = self.body
        return clone

    def text(self) -> str:
        """Return the body as UTF-8 text."""
        return self.read().decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"Response(status={self.status}, {self.headers!r})"
