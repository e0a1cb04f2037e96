"""What answers a URL of a built site, for a server that is all of it: a file, a redirect, a page.

The folder of the build has `client/`, and routelet.json beside it, which knows the order of all
routes, redirects, and what the files of pages are. It is read when the server starts, or with the
first request, and is in no zip: else each new post would change the function.
"""

import json
import os

from routelet.client_files import ClientFiles, PageFile
from routelet.redirects import target_of
from routelet.routing import MalformedPathError, Route, below_base, match_route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.http import Request

NOT_FOUND = "404.html"
"""The file that a host of files gives for an unknown URL."""


class FrontError(RuntimeError):
    """A folder that is no build's."""


class Found:
    """One of: the name of a file, status and location of a redirect, a route of a page.

    All are None where nothing answers; `route` may be one that was prerendered, whose URL then is
    unknown or whose method has no handler. `is_malformed` is for a path that is none, or one whose
    redirect would have no URL: 400.
    """

    __slots__ = ("file", "is_malformed", "redirect", "route")

    def __init__(
        self,
        *,
        file: "str | None" = None,
        redirect: "tuple[int, str] | None" = None,
        route: "Route | None" = None,
        is_malformed: bool = False,
    ) -> None:
        self.file = file
        self.is_malformed = is_malformed
        self.redirect = redirect
        self.route = route


class Front:
    """The build that the folder `client` belongs to. Raises `FrontError` where there is none."""

    def __init__(self, client: str) -> None:
        built = _read(os.path.join(os.path.dirname(client), "routelet.json"))  # noqa: PTH118, PTH120
        self._base: str = built["base"]
        self._routes = tuple(map(route_of, built["routes"]))
        by_name = {route.route: route for route in self._routes}
        pages = {
            entry["path"]: page_file_of(entry, by_name[entry["route"]])
            for entry in built["prerendered"]
        }
        self.files = ClientFiles(client, pages, built["assets"].values())

    def find(self, request: "Request") -> Found:
        """Return what answers a request, files first."""
        if request.url.malformed:
            return Found(is_malformed=True)
        path = request.url.canonical_path
        rest = below_base(path, self._base)
        if rest is None:
            return Found()
        if request.method in {"GET", "HEAD"} and (file := self.files.name_at(rest)) is not None:
            return Found(file=file)
        found = match_route(self._routes, path, self._base)
        if found is None:
            return Found()
        route, params = found
        if route.redirect is None:
            return Found(route=route)
        try:
            return Found(redirect=target_of(route, params, request.method, self._base))
        except MalformedPathError:
            return Found(is_malformed=True)


def _read(path: str) -> "dict[str, Any]":
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            built: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        raise FrontError(
            f"there is no {path}: `routelet build` leaves it beside client/, and both go along"
        ) from None
    return built


def route_of(entry: "Mapping[str, Any]") -> Route:
    """Return a route of routelet.json."""
    redirect = entry.get("redirect")
    return Route(
        entry["route"],
        entry["pattern"],
        entry["params"],
        component=entry["component"],
        type=entry["type"],
        prerender=entry["prerender"],
        redirect=(redirect["destination"], redirect.get("status")) if redirect else None,
    )


def page_file_of(entry: "Mapping[str, Any]", route: Route) -> PageFile:
    """Return what routelet.json says of a prerendered file."""
    redirect = entry.get("redirect")
    return PageFile(
        route,
        entry.get("contentType"),
        (redirect["status"], redirect["location"]) if redirect else None,
    )
