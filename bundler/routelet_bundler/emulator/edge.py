"""The front door of a site with edge middleware: CloudFront, before the bucket and the HTTP API.

The edge function is asked twice: with the viewer's request, and for the origin of what goes on.
Nothing is cached, as in the templates.
"""

import json
import secrets
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

from routelet.edge_front import API_HEADER
from routelet_bundler.emulator.api import Api, Invoke, origin_form, with_https
from routelet_bundler.emulator.built_site import BuiltSite
from routelet_bundler.emulator.client_files import file_answer, file_named, not_found
from routelet_bundler.emulator.cloudfront import (
    EdgeRequest,
    Origin,
    arrived,
    origin_request,
    viewer_request,
)
from routelet_bundler.emulator.edge_results import (
    MAX_URL_BYTES,
    RefusedResult,
    error_answer,
    read_result,
)
from routelet_bundler.emulator.http_api import MAX_BODY_BYTES, Gateway, message
from routelet_bundler.emulator.sandbox import REGION, Log
from routelet_bundler.emulator.serving import HttpAnswer, HttpRequest, Server
from routelet_bundler.errors import RouteletError

API_DOMAIN: Final = f"emulator.execute-api.{REGION}.amazonaws.com"
CUSTOM_HEADERS: Final = {API_HEADER: API_DOMAIN}
"""Those of the bucket's origin, as the templates have them."""


class EdgeFront:
    """Serves a build on a port of 127.0.0.1 from now until `stop`; port 0 takes a free one.

    `function` is the name of the edge function.
    """

    def __init__(
        self, site: BuiltSite, function: str, invoke: Invoke, log: Log, *, port: int = 0
    ) -> None:
        self._site = site
        self._function = function
        self._invoke = invoke
        self._log = log
        self._api = Api(site, invoke, log, Gateway(domain_name=API_DOMAIN))
        self._server = Server(self._answer, max_body_bytes=MAX_BODY_BYTES, port=port)
        self.port = self._server.port
        self._server.start()

    def stop(self) -> None:
        """Take no more requests."""
        self._server.stop()

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        if request.body is None:
            return message(413, "Request Entity Too Large")
        headers = with_https(request.headers, self.port)
        viewers = arrived(replace(request, target=origin_form(request.target), headers=headers))
        # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
        if request.method == "GET" and request.body:
            return error_answer(403)
        if len(viewers.target) > MAX_URL_BYTES:
            return error_answer(413)
        passed = self._ask(viewer_request(viewers, _request_id()), request.body)
        if isinstance(passed, HttpAnswer):
            return passed
        event = origin_request(passed[0], _request_id(), CUSTOM_HEADERS)
        chosen = self._ask(event, passed[0].body)
        return chosen if isinstance(chosen, HttpAnswer) else self._from_origin(*chosen)

    def _ask(self, event: dict[str, Any], body: bytes) -> tuple[EdgeRequest, Origin] | HttpAnswer:
        """Run the edge function: what is wrong with its result is a 502, its errors are a 503."""
        try:
            result = self._invoke(self._function, json.dumps(event).encode(), "")
        except RouteletError as error:
            self._log(str(error))
            return error_answer(503)
        if result.function_error:
            self._log("CloudFront: 503, LambdaExecutionError")
            return error_answer(503)
        try:
            return read_result(json.loads(result.payload), event, body)
        except RefusedResult as error:
            self._log(f"CloudFront: 502, LambdaValidationError: {error}")
            return error_answer(502)

    def _from_origin(self, request: EdgeRequest, origin: Origin) -> HttpAnswer:
        if origin.domain is None:
            return self._from_bucket(request)
        if {origin.domain, origin.host} != {API_DOMAIN}:
            self._log(f"CloudFront: no origin here is {origin.domain} with Host {origin.host}")
            return error_answer(502)
        return self._api.answer(request.to_origin(origin.host))

    def _from_bucket(self, request: EdgeRequest) -> HttpAnswer:
        if request.method not in {"GET", "HEAD"}:
            return HttpAnswer(status=405)
        file = file_named(self._site, unquote(request.uri)[1:])
        return file_answer(self._site, file) if file else not_found(self._site)


def _request_id() -> str:
    return secrets.token_urlsafe(42)
