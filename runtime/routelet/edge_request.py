"""A viewer's request at the edge: its body, its path as a function gets it, what goes on of it."""

from routelet.events import EventError, edge, reads_events
from routelet.headers import LOCALS_HEADER
from routelet.http import Request
from routelet.routing import ENCODED_SLASH, MalformedPathError, canonical_path, decoded_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

    from routelet.http import URL

MAX_HEAD_BYTES = 10_240
"""The request line and all headers that an HTTP API takes; more is its 431.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""
ADDED_BYTES = 1_024
"""Room for what CloudFront adds to a request on its way: Via, X-Forwarded-For, CloudFront-*.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
"""


@reads_events
def viewer_request_of(event: "Mapping[str, Any]") -> Request:
    """Return the Request of `event`, which goes on whole; raises `EventError`.

    Only reading a body of which CloudFront cut the end off raises `EventError`: a logged 413.
    """
    return edge.read(event, CutRequest if edge.is_body_cut(event) else Request)


class CutRequest(Request):
    """A request of whose body only the beginning is here."""

    __slots__ = ()

    @property
    def body(self) -> "NoReturn":
        """Raises `EventError`."""
        raise EventError(edge.CUT, 413)

    def json(self) -> "NoReturn":
        """Raise `EventError`."""
        raise EventError(edge.CUT, 413)


class HeadTooLargeError(ValueError):
    """A request whose headers are more than its function would be given.

    `is_the_viewers` tells that they were before ours was added.
    """

    def __init__(self, what: str, *, is_the_viewers: bool) -> None:
        super().__init__(what)
        self.is_the_viewers = is_the_viewers


class LostPathError(ValueError):
    """A rewrite to a path of which the functions' front would make another one."""


def received_path(uri: str) -> str:
    """Return the canonical path that a function behind an HTTP API makes of CloudFront's `uri`.

    The API decodes %2F as well, before anybody resolves dots, and ends the path at a question mark
    that was encoded; no page of AWS says so, live events do:
    https://github.com/middleapi/standard-server/pull/93. Were it otherwise, the signature would not
    fit, and the function refuse. Raises `MalformedPathError`.
    """
    if ENCODED_SLASH in uri:
        raise MalformedPathError(uri)
    decoded = "/".join(map(decoded_segment, uri.split("/"))).replace(ENCODED_SLASH, "/")
    return canonical_path(decoded.partition("?")[0], decoded=True)


def uri_and_query(url: "URL") -> "tuple[str, str]":
    """Return path and query of a rewrite's URL as CloudFront has them, percent-encoded.

    Raises `LostPathError`. Middleware may have made the path of what a viewer sent, and escaped
    that: `/posts/..%2Fadmin` is a post, for all that it knows.
    """
    from urllib.parse import quote  # only after a rewrite  # noqa: PLC0415

    path, _, query = str(url).removeprefix(url.origin).partition("#")[0].partition("?")
    if (received := received_path(path)) != url.canonical_path:
        raise LostPathError(
            f"a rewrite to {path}: an HTTP API makes another path of it, {received!r}; put what "
            "is escaped into the query or into ctx.locals"
        )
    return path, quote(query, safe="%/?:@!$&'()*+,;=[]")


def refuse_large_head(passed: "Mapping[str, Any]", own: int) -> None:
    """Raise `HeadTooLargeError` for a request that the functions' front would not take."""
    line = len(passed["method"]) + len(passed["uri"]) + len(passed.get("querystring") or "")
    size = line + sum(
        len(name) + len(one["value"].encode("utf-8", "replace")) + len(": \r\n")
        for name, lines in passed["headers"].items()
        for one in lines
    )
    room = MAX_HEAD_BYTES - ADDED_BYTES
    if size > room:
        is_the_viewers = size - own > room
        advice = "" if is_the_viewers else "; put less into ctx.locals"
        raise HeadTooLargeError(
            f"{size} bytes of request line and headers, {own} of them {LOCALS_HEADER}: an HTTP "
            f"API takes {MAX_HEAD_BYTES}, of which CloudFront needs {ADDED_BYTES}{advice}",
            is_the_viewers=is_the_viewers,
        )
