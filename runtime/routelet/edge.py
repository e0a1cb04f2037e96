"""Lambda@Edge: the site's middleware before CloudFront asks a function or the files.

`create_exports` gives the handler of viewer requests. What the middleware answers is the response;
where it returns what `next()` gave, the request goes on, with `ctx.locals` signed in its header
`x-routelet-locals`. No page is here: `next()` gives a response that is still to be answered.
"""

import os
import time

from routelet.edge_app import EdgeApp, Unanswered
from routelet.edge_request import (
    HeadTooLargeError,
    LostPathError,
    received_path,
    refuse_large_head,
    uri_and_query,
    viewer_request_of,
)
from routelet.events import EventError, edge, member
from routelet.headers import LOCALS_HEADER
from routelet.http import Request, Response
from routelet.secrets_manager import SecretError, secret_string
from routelet.signing import MIN_KEY_CHARACTERS, Claims, WeakKeyError, is_locals_header, sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from routelet.edge_front import Answer

KEY_REGION = "us-east-1"
"""Functions of Lambda@Edge are made there, wherever they run, and so is the secret beside them."""
KEY_AGE_S = 300
"""A key is asked for again after so long, so that one that was rotated is taken up."""
RETRY_S = 30
"""While a key cannot be asked for again, the one that is there serves for so long each time."""


def create_exports(
    manifest: "Mapping[str, Any]",
    args: "Mapping[str, Any]",  # noqa: ARG001 - as of every entry point; they are the functions'
) -> "Mapping[str, object]":
    """Return `{"handler": ...}` for the events of CloudFront: viewer and origin requests."""
    viewer_request = ViewerRequest(manifest)

    def origin_request(event: "Mapping[str, Any]") -> "dict[str, Any]":
        from routelet.edge_front import answer_of  # only after viewer requests  # noqa: PLC0415

        handlers["origin-request"] = answer_of(manifest)
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

    def __init__(self, manifest: "Mapping[str, Any]") -> None:
        self._app = EdgeApp(manifest)
        self._key = Key(_key_of_this_function, time.time)

    def answer(self, event: "Mapping[str, Any]") -> "dict[str, Any]":
        """Return the request as it goes on, or a response."""
        try:
            request = viewer_request_of(event)
            if not request.url.malformed:  # what the middleware sees is what a function matches
                request.url.canonical_path = received_path(request.raw_path)
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
        except (LostPathError, SecretError, WeakKeyError) as error:
            self._app.log(f"no request goes on: {error}")
            response = Response("Internal Server Error", 500)
        return edge.result_of(response, event)

    def _passed_on(
        self, event: "Mapping[str, Any]", request: Request, response: "Unanswered"
    ) -> "dict[str, Any]":
        passed = dict(event["Records"][0]["cf"]["request"])
        if response.request is not request:
            passed["uri"], passed["querystring"] = uri_and_query(response.request.url)
        url = edge.url_of(passed)
        url.canonical_path = received_path(passed["uri"])
        target = Request(url, method=request.method)
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
        refuse_large_head(passed, len(text))
        return passed


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
    key = secret_string(name, KEY_REGION, os.environ)
    if len(key) < MIN_KEY_CHARACTERS:  # an older one then serves on
        raise SecretError(f"the secret {name} has fewer than {MIN_KEY_CHARACTERS} characters")
    return key
