"""What middleware at the edge hands over to a function, signed: the header `x-routelet-locals`.

Its text is `v1.EXPIRY.PAYLOAD.SIGNATURE`: seconds since the epoch, JSON in base64url (RFC 4648, 5,
without padding), and HMAC-SHA256 (RFC 2104) in base64url over the version, the expiry, the
request's method, canonical path and decoded query, and the payload. Body and other headers are not
signed. Nothing here knows a host: an adapter signs with `sign`, and reads with `accept`.
"""

import hmac
import json
from binascii import a2b_base64, b2a_base64

from routelet.headers import LOCALS_HEADER, Headers
from routelet.http import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from routelet.app import App
    from routelet.http import Request

    Change = tuple[str, str, str]

KEY_VARIABLE = "ROUTELET_LOCALS_KEY"
"""The environment variable of a function with the key."""
MIN_KEY_CHARACTERS = 32
"""A key is as long as the digest at least, 32 bytes: RFC 2104, 3."""
LIFETIME_S = 60
"""CloudFront waits 30 s for an origin that does not answer, and then asks again.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
"""
SKEW_S = 5
"""How far the clocks of the edge and of a function may be apart."""
MAX_TEXT_BYTES = 10_240
"""The request line and all headers that an HTTP API takes, so that no header can be longer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""
MAX_INTEGER_BITS = 1_024
"""Far below the 4,300 digits that Python writes: docs.python.org, sys.set_int_max_str_digits."""
VERSION = "v1"

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().decode
_SCALARS = frozenset((str, int, float, bool, type(None)))
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class RefusedError(ValueError):
    """A request that does not come through the edge, or not now; never has what it said."""


class WeakKeyError(ValueError):
    """There is no key, or a short one."""


class Claims:
    """What the edge says of a request.

    `locals` are those of the middleware, plain JSON. `scheme`, `host` and `port` are the viewer's,
    as is `client_address`. `headers` are changes of the response, in order: ("set" | "append" |
    "delete", name, value).
    """

    __slots__ = ("client_address", "headers", "host", "locals", "port", "scheme")

    def __init__(
        self,
        *,
        locals: "dict[str, object]",
        scheme: str = "https",
        host: str = "localhost",
        port: int | None = None,
        client_address: str | None = None,
        headers: "Sequence[Change]" = (),
    ) -> None:
        self.locals = locals
        self.scheme = scheme
        self.host = host
        self.port = port
        self.client_address = client_address
        self.headers = headers

    def changed(self, response: Response) -> Response:
        """Return `response` with the headers that the middleware set on it."""
        if not self.headers:
            return response
        response = response.clone()  # a page may give the same one to each of its visitors
        for how, name, value in self.headers:
            match how:
                case "set":
                    response.headers.set(name, value)
                case "append":
                    response.headers.append(name, value)
                case "delete":
                    response.headers.delete(name)
        return response


def sign(request: "Request", claims: Claims, key: str, now: float) -> str:
    """Return the header's value for `request` as a function will receive it.

    `now` is in seconds since the epoch. Raises `WeakKeyError`, and `TypeError` for locals that are
    no JSON, with their key.
    """
    told = {
        "locals": plain(claims.locals),
        "from": [claims.scheme, claims.host, claims.port, claims.client_address],
        "headers": claims.headers,
    }
    payload = _base64url(_encode(told).encode())
    expiry = str(int(now) + LIFETIME_S)
    return f"{VERSION}.{expiry}.{payload}.{_signature(expiry, request, payload, key)}"


def verify(text: str, request: "Request", key: str, now: float) -> Claims:
    """Return what the header's value `text` says of `request`.

    Raises `WeakKeyError`, and `RefusedError` for a value that is forged, expired or of another
    request.
    """
    version, _, rest = text.partition(".")
    parts = rest.split(".")
    if len(text) > MAX_TEXT_BYTES or version != VERSION or len(parts) != 3:
        raise RefusedError("malformed")
    expiry, payload, signature = parts
    expected = _signature(expiry, request, payload, key)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise RefusedError("not signed for this request with this key")
    if not -SKEW_S <= int(expiry) - now <= LIFETIME_S + SKEW_S:
        raise RefusedError("expired, or from a clock that is ahead")
    told = _decode(a2b_base64(payload.encode().translate(_FROM_URL_SAFE) + b"==").decode())
    scheme, host, port, client_address = told["from"]
    return Claims(
        locals=told["locals"],
        scheme=scheme,
        host=host,
        port=port,
        client_address=client_address,
        headers=told["headers"],
    )


def accept(request: "Request", key: str, now: float) -> Claims:
    """Return what the edge says of `request`, whose URL and client become the viewer's.

    The header is taken off, with what a host might take for it. Raises as `verify` does, and
    `RefusedError` where there is no such header, or more than one.
    """
    found = request.headers.get_all(LOCALS_HEADER)
    drop_locals_header(request.headers)
    if len(found) != 1:
        raise RefusedError("more than one" if found else "missing")
    claims = verify(found[0], request, key, now)
    request.url.scheme, request.url.host = claims.scheme, claims.host
    request.url.port = claims.port
    request.client_address = claims.client_address
    return claims


def answers_behind_middleware(
    app: "App", key: str | None, clock: "Callable[[], float]"
) -> "Callable[[Request], Response]":
    """Return what answers requests that come through the edge, and others with 403."""

    def answer(request: "Request") -> Response:
        try:
            claims = accept(request, key or "", clock())
        except RefusedError as error:
            app.log(f"{LOCALS_HEADER} refused: {error}")
            return Response("Forbidden", 403)
        except WeakKeyError as error:
            app.log(f"every request is refused: {KEY_VARIABLE}: {error}")
            return Response("Forbidden", 403)
        return claims.changed(app.respond(request, locals=claims.locals))

    return answer


def drop_locals_header(headers: Headers) -> None:
    """Take the header off, in whatever spelling a host may have taken for it."""
    headers._pairs = [pair for pair in headers._pairs if not is_locals_header(pair[0])]


def is_locals_header(name: str) -> bool:
    """Tell whether a host might read the header `name` as ours: some know no `-` in names."""
    return len(name) == len(LOCALS_HEADER) and name.lower().replace("_", "-") == LOCALS_HEADER


def plain(locals: object) -> "dict[str, object]":
    """Return a copy of `locals`; raises `TypeError` for what is no JSON, with its key."""
    if type(locals) is not dict:
        raise TypeError(f"ctx.locals is of type {type(locals).__name__}, not a dict")
    copy = _plain(locals, "ctx.locals")
    assert isinstance(copy, dict)  # noqa: S101 - as it went in
    return copy


def _plain(value: object, where: str) -> object:
    kind = type(value)
    if kind in _SCALARS:
        if kind is float and value - value != 0:  # type: ignore[operator]  # inf and nan
            raise TypeError(f"{where} is {value}: JSON has no such number")
        if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
            raise TypeError(f"{where} is an integer of {value.bit_length()} bits: it is too long")
        return value
    if isinstance(value, list) and kind is list:
        return [_plain(one, f"{where}[{number}]") for number, one in enumerate(value)]
    if isinstance(value, dict) and kind is dict:
        for name in value:
            if type(name) is not str:
                raise TypeError(f"{where} has the key {name!r}: JSON has text keys only")
        return {name: _plain(one, f"{where}[{name!r}]") for name, one in value.items()}
    raise TypeError(
        f"{where} is of type {kind.__name__}: it travels as JSON, which has no such value"
    )


def _signature(expiry: str, request: "Request", payload: str, key: str) -> str:
    if len(key) < MIN_KEY_CHARACTERS:
        what = f"has fewer than {MIN_KEY_CHARACTERS} characters" if key else "is missing"
        raise WeakKeyError(f"the key {what}")
    url = request.url
    fields = [VERSION, expiry, request.method, url.canonical_path]
    if url.query:
        # By name only, so that hosts may group the values of a name, and not swap two of them.
        for pair in sorted(url.search_params.items(), key=_name):
            fields += pair
    fields.append(payload)
    # Each with its length, so that nothing of one can be taken for another.
    message = "".join([f"{len(field)}:{field}" for field in fields])
    digest = hmac.digest(key.encode(), message.encode("utf-8", "surrogatepass"), "sha256")
    return _base64url(digest)


def _name(pair: "tuple[str, str]") -> str:
    return pair[0]


def _base64url(data: bytes) -> str:
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()
