"""The front door: files of `dist/client` first, then the functions behind an HTTP API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from routelet.redirects import target_of
from routelet.routing import (
    MalformedPathError,
    Route,
    below_base,
    canonical_path,
    match_route,
)
from routelet_bundler.emulator.api import Api, Invoke, origin_form, with_https
from routelet_bundler.emulator.built_site import BuiltSite
from routelet_bundler.emulator.client_files import client_file, file_answer, not_found
from routelet_bundler.emulator.http_api import MAX_BODY_BYTES, Gateway, message, raw_path_of
from routelet_bundler.emulator.sandbox import Log
from routelet_bundler.emulator.serving import HttpAnswer, HttpRequest, Server

_GATEWAY: Final = Gateway()


class Front:
    """Serves a build on a port of 127.0.0.1 from now until `stop`; port 0 takes a free one."""

    def __init__(self, site: BuiltSite, invoke: Invoke, log: Log, *, port: int = 0) -> None:
        self._site = site
        self._api = Api(site, invoke, log, _GATEWAY)
        self._server = Server(self._answer, max_body_bytes=MAX_BODY_BYTES, port=port)
        self.port = self._server.port
        self._server.start()

    def stop(self) -> None:
        """Take no more requests."""
        self._server.stop()

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        request = replace(request, target=origin_form(request.target))
        try:
            canonical_path(request.target.partition("?")[0])
            # From here on as the gateway sees it, so that front and function agree.
            path = canonical_path(raw_path_of(request.target), decoded=True)
        except MalformedPathError:
            return message(400, "Bad Request")
        if request.body is None:
            return message(413, "Request Entity Too Large")
        rest = below_base(path, self._site.base)
        if rest is None:
            return not_found(self._site)
        if request.method in {"GET", "HEAD"} and (file := client_file(self._site, rest)):
            return file_answer(self._site, file)
        return self._route(request, path)

    def _route(self, request: HttpRequest, path: str) -> HttpAnswer:
        found = match_route(self._site.routes, path, self._site.base)
        if found is None:
            return not_found(self._site)
        route, params = found
        if route.redirect is not None:
            return redirect_of(route, params, request.method, self._site.base)
        if route not in self._site.function_of:
            return not_found(self._site)
        headers = with_https(request.headers, self.port, _GATEWAY.domain_name)
        request = replace(request, headers=headers)
        return self._api.call(self._site.function_of[route], request)


def redirect_of(
    route: Route, params: Mapping[str, str | None], method: str, base: str
) -> HttpAnswer:
    """Return the redirect of `route` with `params` in its destination."""
    status, location = target_of(route, params, method, base)
    return HttpAnswer(status=status, headers=(("location", location),))
