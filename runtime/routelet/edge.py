"""Lambda@Edge: the site's middleware before CloudFront asks a function or the files.

`create_exports` gives the handler of viewer requests. What the middleware answers is the response;
where it returns what `next()` gave, the request goes on, with `ctx.locals` signed in its header
`x-routelet-locals`. No page is here: `next()` gives a response that is still to be answered.
"""

import os
import time

from routelet.app import App
from routelet.events import EventError, edge, member
from routelet.headers import LOCALS_HEADER, Headers
from routelet.http import Request, Response
from routelet.routing import ENCODED_SLASH, MalformedPathError, canonical_path
from routelet.secrets_manager import SecretError, secret_string
from routelet.signing import Claims, WeakKeyError, is_locals_header, plain, sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn

    from routelet.context import Context
    from routelet.edge_front import Answer
    from routelet.http import URL
    from routelet.signing import Change

KEY_REGION = "us-east-1"
"""Functions of Lambda@Edge are made there, wherever they run, and so is the secret beside them."""
KEY_AGE_S = 300
"""A key is asked for again after so long, so that one that was rotated is taken up."""
RETRY_S = 30
"""While a key cannot be asked for again, the one that is there serves for so long each time."""
MAX_HEAD_BYTES = 10_240
"""The request line and all headers that an HTTP API takes; more is its 431.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""
ADDED_BYTES = 1_024
"""Room for what CloudFront adds to a request on its way: Via, X-Forwarded-For, CloudFront-*.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
"""


def create_exports(
    manifest: "Mapping[str, Any]", args: "Mapping[str, Any]"
) -> "Mapping[str, object]":
    """Return `{"handler": ...}` for the events of CloudFront: viewer and origin requests.

    `args` names what stands before the functions, as `front`: it decides which path they see.
    """
    viewer_request = ViewerRequest(manifest, args)

    def origin_request(event: "Mapping[str, Any]") -> "dict[str, Any]":
        from routelet.edge_front import answer_of  # only after viewer requests  # noqa: PLC0415

        front = args.get("front", "http-api")
        handlers["origin-request"] = answer_of(manifest, lambda request: path_of(request, front))
        return handlers["origin-request"](event)

    handlers: dict[str, Answer] = {
        "viewer-request": viewer_request.answer,
        "origin-request": origin_request,
    }

    def handler(event: "Mapping[str, Any]", context: object) -> "dict[str, Any]":  # noqa: ARG001
        kind = member(event, "Records", 0, "cf", "config", "eventType")
        answer = handlers.get(kind)
        if answer is None:
            raise EventError(f"no event of CloudFront that is answered here: {kind}")
        return answer(event)

    return {"handler": handler}


class ViewerRequest:
    """Answers viewer requests, or has them go on."""

    def __init__(self, manifest: "Mapping[str, Any]", args: "Mapping[str, Any]") -> None:
        self._app = EdgeApp(manifest)
        self._front: str = args.get("front", "http-api")
        self._key = Key(_key_of_this_function, time.time)

    def answer(self, event: "Mapping[str, Any]") -> "dict[str, Any]":
        """Return the request as it goes on, or a response."""
        try:
            request = edge.viewer_request_of(event)
            if not request.url.malformed:  # what the middleware sees is what a function matches
                request.url.canonical_path = received_path(request.url, self._front)
            response = self._app.respond(request)
            if isinstance(response, Unanswered):
                return self._passed_on(event, request, response)
        except EventError as error:
            self._app.log(str(error))
            response = Response("Bad Request", 400)
        except HeadTooLargeError as error:
            self._app.log(str(error))
            if error.is_the_viewers:
                response = Response("Request Header Fields Too Large", 431)
            else:
                response = Response("Internal Server Error", 500)
        except (SecretError, WeakKeyError) as error:
            self._app.log(f"no request goes on: {error}")
            response = Response("Internal Server Error", 500)
        return edge.result_of(response, event)

    def _passed_on(
        self, event: "Mapping[str, Any]", request: Request, response: "Unanswered"
    ) -> "dict[str, Any]":
        passed = dict(event["Records"][0]["cf"]["request"])
        if response.request is not request:
            passed["uri"], passed["querystring"] = _uri_and_query(response.request.url)
        target = Request(self._received(passed), method=request.method)
        claims = Claims(
            locals=response.locals,
            scheme=request.url.scheme,
            host=request.url.host,
            port=request.url.port,
            client_address=request.client_address,
            headers=response.headers.changes,
        )
        text = sign(target, claims, self._key.get(self._app.log), time.time())
        headers = {
            name: lines
            for name, lines in passed.get("headers", {}).items()
            if not is_locals_header(name)
        }
        headers[LOCALS_HEADER] = [{"key": LOCALS_HEADER.title(), "value": text}]
        passed["headers"] = headers
        _refuse_large_head(passed, len(text))
        return passed

    def _received(self, passed: "Mapping[str, Any]") -> "URL":
        """Return the URL as the function will receive it."""
        url = edge.url_of(passed)
        url.canonical_path = received_path(url, self._front)
        return url


class EdgeApp(App):
    """The middleware of a site, with all of its routes and none of their pages."""

    def _page(self, ctx: "Context") -> Response:
        if ctx.request.url.malformed:
            raise ValueError(f"a rewrite to a malformed path: {ctx.request.url.path!r}")
        if ctx.request.host_context is None:  # a Request of the middleware's own
            raise ValueError(
                "a rewrite to another Request: CloudFront sends the request on with its own method "
                "and body; rewrite to a path"
            )
        return Unanswered(ctx.request, plain(ctx.locals))

    def _finished(self, request: Request, response: Response, add_cookie_header: bool) -> Response:
        if not isinstance(response, Unanswered):
            return super()._finished(request, response, add_cookie_header)
        if request._cookies is not None:
            for header in request._cookies.set_cookie_headers():
                response.headers.append("set-cookie", header)
        return response


class Unanswered(Response):
    """What `next()` gives at the edge: the page has not answered yet.

    Headers that are set on it travel to the function, which sets them on its response. It has no
    body and no status: reading or changing them raises `RuntimeError`.
    """

    __slots__ = ("_changes", "locals", "request")

    def __init__(self, request: Request, locals: "dict[str, object]") -> None:
        self.request = request
        self.locals = locals
        self._changes = HeaderChanges()

    @property
    def headers(self) -> "HeaderChanges":  # type: ignore[override]
        """The headers that the response is to have."""
        return self._changes

    @property
    def body(self) -> "NoReturn":
        """Raises `RuntimeError`."""
        _not_yet("body")

    @body.setter
    def body(self, value: object) -> "NoReturn":  # noqa: ARG002
        _not_yet("body")

    @property
    def status(self) -> "NoReturn":
        """Raises `RuntimeError`."""
        _not_yet("status")

    @status.setter
    def status(self, value: object) -> "NoReturn":  # noqa: ARG002
        _not_yet("status")

    def whole(self) -> "Unanswered":
        """Return this: there is no body to read."""
        return self

    def __repr__(self) -> str:
        return f"Unanswered({self.request!r})"


class HeaderChanges(Headers):
    """Changes of headers that are not there yet, in order; reading them raises `RuntimeError`."""

    __slots__ = ("changes",)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Change] = []

    def append(self, name: str, value: str) -> None:
        """Have a value added beside those that the response has."""
        super().append(name, value)  # raises for what is no header
        self.changes.append(("append", *self._pairs.pop()))

    def set(self, name: str, value: str) -> None:
        """Have the values that the response has replaced."""
        Headers.append(self, name, value)
        self.changes.append(("set", *self._pairs.pop()))

    def delete(self, name: str) -> None:
        """Have the values that the response has removed."""
        self.changes.append(("delete", name.lower(), ""))

    def get_all(self, name: str) -> "NoReturn":
        """Raise `RuntimeError`."""
        _not_yet(f"header {name!r}")

    def raw(self) -> "NoReturn":
        """Raise `RuntimeError`."""
        _not_yet("headers")

    joined = items = raw

    def __iter__(self) -> "NoReturn":
        _not_yet("headers")

    def __len__(self) -> "NoReturn":  # noqa: PLE0303 - never any
        _not_yet("headers")

    def __repr__(self) -> str:
        return f"HeaderChanges({self.changes!r})"


def _not_yet(what: str) -> "NoReturn":
    raise RuntimeError(
        f"the {what} of a response that is not there yet: the middleware runs at the edge, before "
        "the page answers; it can set headers and cookies, or return a Response of its own"
    )


class HeadTooLargeError(ValueError):
    """A request whose headers are more than its function would be given.

    `is_the_viewers` tells that they were before ours was added.
    """

    def __init__(self, what: str, *, is_the_viewers: bool) -> None:
        super().__init__(what)
        self.is_the_viewers = is_the_viewers


class Key:
    """The key that locals are signed with: asked for at the first request, and kept for a while.

    `fetch` gives it or raises `SecretError`; `clock` is in seconds.
    """

    def __init__(self, fetch: "Callable[[], str]", clock: "Callable[[], float]") -> None:
        self._fetch = fetch
        self._clock = clock
        self._key = ""
        self._until = 0.0

    def get(self, log: "Callable[[str], None]") -> str:
        """Return the key; raises `SecretError` where there is none to be had.

        An older one serves on where it cannot be asked for again, which is logged.
        """
        now = self._clock()
        if now < self._until:
            return self._key
        try:
            self._key = self._fetch()
            self._until = now + KEY_AGE_S
        except SecretError as error:
            if not self._key:
                raise
            log(f"the key is not asked for again before {RETRY_S} s are over: {error}")
            self._until = now + RETRY_S
        return self._key


def _key_of_this_function() -> str:
    """Return the secret of this function's own name; at the edge that is `us-east-1.NAME`."""
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "").rpartition(".")[2]
    return secret_string(name, KEY_REGION, os.environ)


def received_path(url: "URL", front: str) -> str:
    """Return the canonical path that a function behind `front` makes of `url`.

    An HTTP API decodes %2F as well, and ends the path at a question mark that was encoded. Raises
    `MalformedPathError`.
    """
    if front != "http-api":
        return url.canonical_path
    path = url.canonical_path.replace(ENCODED_SLASH, "/").partition("?")[0]
    return canonical_path(path, decoded=True)


def path_of(request: "Mapping[str, Any]", front: str) -> str:
    """Return the canonical path of CloudFront's own form of a request, as functions see it.

    Raises `MalformedPathError`.
    """
    url = edge.url_of(request)
    if url.malformed:
        raise MalformedPathError(url.path)
    return received_path(url, front)


def _uri_and_query(url: "URL") -> "tuple[str, str]":
    path, _, query = str(url).removeprefix(url.origin).partition("#")[0].partition("?")
    return path, query


def _refuse_large_head(passed: "Mapping[str, Any]", own: int) -> None:
    """Raise `HeadTooLargeError` for a request that the functions' front would not take."""
    line = len(passed["method"]) + len(passed["uri"]) + len(passed.get("querystring") or "")
    size = line + sum(
        len(one["key"]) + len(one["value"].encode()) + len(": \r\n")
        for lines in passed["headers"].values()
        for one in lines
    )
    room = MAX_HEAD_BYTES - ADDED_BYTES
    if size > room:
        raise HeadTooLargeError(
            f"{size} bytes of request line and headers, {own} of them {LOCALS_HEADER}: an HTTP "
            f"API takes {MAX_HEAD_BYTES}, of which CloudFront needs {ADDED_BYTES}; put less into "
            "ctx.locals",
            is_the_viewers=size - own > room,
        )
