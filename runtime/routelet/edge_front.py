"""Lambda@Edge, origin request: files of the bucket first, then functions, then redirects.

The same function version answers viewer requests, in `routelet.edge`; this module is loaded for
origin requests only. CloudFront's default origin is the bucket of `dist/client`, and a request for
a function is turned to the API, whose domain is in a custom header of that origin.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-examples.html
"""

from routelet.edge_request import received_path
from routelet.routing import MalformedPathError, Route, below_base, match_route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Answer = Callable[[Mapping[str, Any]], dict[str, Any]]
    Matched = tuple[Route, dict[str, str | None]]

API_HEADER = "x-routelet-api"
"""A custom header of the bucket's origin: the API's domain. No viewer's header takes its place.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html
"""
NOT_FOR_FILES = ("cookie", "x-routelet-locals")
"""Headers that the bucket does not get: it has no use for them, and takes 8 KB of headers."""
API_SECONDS = 30
"""How long an HTTP API waits for a function.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""
_ERROR_PAGES = ("/404.html", "/500.html")


def answer_of(manifest: "Mapping[str, Any]") -> "Answer":
    """Return what answers events of origin requests: with a request, or with a redirect.

    `manifest` has the whole table of `routes`, in matching order, with `prerender` and `redirect`
    (destination and status) where they are not false, `base` and `trailing_slash` where they are
    not the defaults, and `front`: `suffix` that most pages add to their URL, `files` by URLs that
    the rule does not find or that a route of a function matches too, and `moved`, status and
    location of pages that redirect. URLs of both are without the base, and without a slash at the
    end where a route does not demand it of a file that is no HTML.
    """
    front = _Front(manifest)

    def answer(event: "Mapping[str, Any]") -> "dict[str, Any]":
        request: dict[str, Any] = event["Records"][0]["cf"]["request"]
        return front.answer(request)

    return answer


class _Front:
    def __init__(self, manifest: "Mapping[str, Any]") -> None:
        front = manifest["front"]
        self._base: str = manifest.get("base", "/")
        self._prefix = self._base.rstrip("/")
        self._slash: str = manifest.get("trailing_slash", "ignore")
        self._suffix: str = front["suffix"]
        self._files: Mapping[str, str] = front["files"]
        self._moved: Mapping[str, tuple[int, str]] = front["moved"]
        self._routes = [
            Route(
                one["route"],
                one["pattern"],
                one["params"],
                prerender=one.get("prerender", False),
                redirect=one.get("redirect"),
            )
            for one in manifest["routes"]
        ]

    def answer(self, request: "dict[str, Any]") -> "dict[str, Any]":
        try:
            return self._answer(request, received_path(request["uri"]))
        except MalformedPathError:
            return {"status": "400", "statusDescription": "Bad Request"}

    def _answer(self, request: "Mapping[str, Any]", path: str) -> "dict[str, Any]":
        below = below_base(path, self._base)
        if below is None:
            return to_api(request)
        reads = request["method"] in {"GET", "HEAD"}
        if reads and (answer := self._page(request, below)):
            return answer
        if found := self._matched(below):
            route, params = found
            if route.redirect is not None:
                return _redirect(route, params, request["method"], self._base)
            if not route.prerender:
                return to_api(request)
        file = self._by_rule(below) if reads else None
        return to_api(request) if file is None else self._page_or_file(request, below, file)

    def _page(self, request: "Mapping[str, Any]", below: str) -> "dict[str, Any] | None":
        """Return what stands before all routes: pages that moved, and files that share URLs."""
        moved = self._moved.get(below.removesuffix("/index.html").removesuffix("/"))
        if moved is not None:
            return moved_to(*moved)
        if f"{below}/" in self._files:
            return self._moved_to_page(f"{below}/", request)
        own = self._files.get(below)
        if own is not None and below.endswith(".html"):  # a file that is no page
            return to_file(request, own)
        page = self._page_of_file(below)
        if page is not None:
            return self._moved_to_page(page, request)
        for url in (below.removesuffix("/"), below.removesuffix("/index.html")):
            file = self._files.get(url, "")
            if file.endswith(".html") and below in {url, f"{url}/", f"/{file}"}:
                return self._page_or_file(request, below, file)
        return None if own is None else to_file(request, own)

    def _page_or_file(
        self, request: "Mapping[str, Any]", below: str, file: str
    ) -> "dict[str, Any]":
        """Return the request for a file, or, where that is the page of another URL, a redirect.

        A page is answered at its route's URL alone. Under another one, such as with a slash that
        the route does not take, it would be there for who may not see it: middleware matches URLs
        with routes.
        """
        page = self._page_of_file(f"/{file}")
        if page is None or self._matched(page) == self._matched(below):
            return to_file(request, file)
        return self._moved_to_page(page, request)

    def _page_of_file(self, name: str) -> str | None:
        """Return the URL of the prerendered page whose file has this name, a path."""
        if name.endswith("/index.html"):
            url = name.removesuffix("index.html")
        elif name.endswith(".html"):
            url = name.removesuffix(".html")
        else:
            return None
        if self._slash == "always":
            url = url.rstrip("/") + "/"
        elif self._slash == "never":
            url = url.rstrip("/") or ("" if self._prefix else "/")
        found = self._matched(url)
        is_page = found is not None and found[0].prerender and name not in _ERROR_PAGES
        return url if is_page else None

    def _matched(self, below: str) -> "Matched | None":
        return match_route(self._routes, self._prefix + below, self._base)

    def _moved_to_page(self, page: str, request: "Mapping[str, Any]") -> "dict[str, Any]":
        return moved_to(301, _quoted(self._prefix + page, request["querystring"]))

    def _by_rule(self, below: str) -> str | None:
        """Return where a file is that has no entry of its own; None where none can be."""
        url = below.removesuffix("/")
        if not url:
            return "index.html"
        if "." not in url.rpartition("/")[2]:
            return (url + self._suffix)[1:]
        return None if below.endswith("/") else url[1:]


def to_api(request: "Mapping[str, Any]") -> "dict[str, Any]":
    """Return `request` for the API, with its path as it came."""
    domain = request["origin"]["s3"]["customHeaders"][API_HEADER][0]["value"]
    origin = {
        "domainName": domain,
        "port": 443,
        "protocol": "https",
        "path": "",
        "sslProtocols": ["TLSv1.2"],
        "readTimeout": API_SECONDS,
        "keepaliveTimeout": 5,
        "customHeaders": {},
    }
    host = [{"key": "Host", "value": domain}]
    headers = {**request["headers"], "host": host}
    return {**request, "headers": headers, "origin": {"custom": origin}}


def to_file(request: "Mapping[str, Any]", file: str) -> "dict[str, Any]":
    """Return `request` for a file of the bucket, without a query: S3 obeys some."""
    kept = {name: lines for name, lines in request["headers"].items() if name not in NOT_FOR_FILES}
    return {**request, "uri": _quoted(f"/{file}", ""), "querystring": "", "headers": kept}


def moved_to(status: int, location: str) -> "dict[str, Any]":
    """Return a redirect."""
    headers = {"location": [{"key": "Location", "value": location}]}
    return {"status": str(status), "headers": headers}


def _redirect(
    route: Route, params: "Mapping[str, str | None]", method: str, base: str
) -> "dict[str, Any]":
    from routelet.redirects import target_of  # urllib, only for redirects  # noqa: PLC0415

    return moved_to(*target_of(route, params, method, base))


def _quoted(path: str, query: str) -> str:
    from urllib.parse import quote  # 6 ms, and functions need none of it  # noqa: PLC0415

    return quote(path) + (f"?{query}" if query else "")
