"""The HTTP API: a request to the function of its route, and the function's result to an answer."""

import re
import secrets
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from json import dumps

from routelet.routing import MalformedPathError, canonical_path, match_route
from routelet_bundler.emulator.built_site import BuiltSite
from routelet_bundler.emulator.http_api import (
    Arrival,
    Gateway,
    event_of,
    http_of,
    message,
    raw_path_of,
)
from routelet_bundler.emulator.sandbox import Log
from routelet_bundler.emulator.serving import HOST, HttpAnswer, HttpRequest
from routelet_bundler.emulator.worker import MAX_EVENT_BYTES, InvocationResult, new_trace_id
from routelet_bundler.errors import RouteletError

Invoke = Callable[[str, bytes, str], InvocationResult]
"""Runs a function: its name, the event's JSON, the trace header."""


class Api:
    """Answers with the functions of a site."""

    def __init__(self, site: BuiltSite, invoke: Invoke, log: Log, gateway: Gateway) -> None:
        self._site = site
        self._invoke = invoke
        self._log = log
        self._gateway = gateway

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer with the function whose route matches, or 404."""
        try:
            path = canonical_path(raw_path_of(request.target), decoded=True)
        except MalformedPathError:
            return message(400, "Bad Request")
        found = match_route(self._site.routes, path, self._site.base)
        function = found and self._site.function_of.get(found[0])
        return self.call(function, request) if function else message(404, "Not Found")

    def call(self, function: str, request: HttpRequest) -> HttpAnswer:
        """Answer with a function."""
        arrival = Arrival(
            time=datetime.now(UTC),
            request_id=b64encode(secrets.token_bytes(11)).decode(),
            trace_id=new_trace_id(time.time()),
        )
        event = dumps(event_of(request, arrival, self._gateway)).encode()
        if len(event) > MAX_EVENT_BYTES:
            return message(413, "Request Entity Too Large")
        try:
            result = self._invoke(function, event, arrival.trace_id)
        except RouteletError as error:
            self._log(str(error))
            return message(500, "Internal Server Error")
        answer = http_of(result.payload, function_error=result.function_error)
        return replace(answer, headers=(*answer.headers, ("apigw-requestid", arrival.request_id)))


def with_https(
    headers: tuple[tuple[str, str], ...], port: int, host: str = r"\g<host>"
) -> tuple[tuple[str, str], ...]:
    """Return `headers` with a front's own address, in Origin and Referer, as one of https.

    `host` takes the place of the front's own where functions see another one. They see https
    always, while a browser here says where its form came from with http: a check of the origin
    would refuse every form.
    """
    own = re.compile(rf"http://(?P<host>(?:{re.escape(HOST)}|localhost):{port})(?=/|$)")
    return tuple(
        (name, own.sub(f"https://{host}", value, count=1))
        if name.lower() in {"origin", "referer"} and own.match(value)
        else (name, value)
        for name, value in headers
    )


def origin_form(target: str) -> str:
    """Return path and query of a target that may be a whole URL, as proxies send it."""
    target = re.sub(r"^https?://[^/?#]*", "", target, flags=re.IGNORECASE)
    return target if target.startswith("/") else f"/{target}"
