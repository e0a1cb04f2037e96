"""App: from a Request to a Response, whatever the host.

Pages and middleware may be sync or async. Everything here is written once, for both: a step
returns its value, or an awaitable where something async was met, and only then is asyncio loaded.
"""

import sys

from routelet.context import Context
from routelet.http import Request, Response
from routelet.pages import BadParameterError, bind, handlers_of, load_page, response_of
from routelet.routing import Route, below_base, match_route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from routelet.context import Rewritable

    Result = Response | Awaitable[Response]
    Next = Callable[..., Any]
    Middleware = Callable[[Context, Next], Any]

MAX_REWRITES = 3
"""The fourth rewrite of one request is a loop and gives 508, as Astro has it."""

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class App:
    """The routes of a manifest, ready to answer.

    `manifest` has `routes`: mappings with `route`, `pattern`, `params`, `module` (dotted name) and
    `source` (path below the import root), in matching order; and, where they differ from the
    defaults, `base`, `site`, `middleware` (dotted name), `error_pages` (status to a page),
    `method_not_allowed`, `check_origin`.
    """

    def __init__(self, manifest: "Mapping[str, Any]", *, prerendering: bool = False) -> None:
        self.base: str = manifest.get("base", "/")
        self.site: str | None = manifest.get("site")
        self.generator: str = manifest.get("generator", "routelet")
        self.prerendering = prerendering
        self._manifest = manifest
        self._pages: dict[Route, Mapping[str, Any]] = {}
        for page in manifest["routes"]:
            route = Route(
                page["route"], page["pattern"], page["params"],
                component=page.get("component"), prerender=page.get("prerender", False),
            )  # fmt: skip
            self._pages[route] = page
        self._handlers: dict[str, _Page] = {}
        self._middleware: Middleware | None = None
        if manifest.get("middleware"):
            self._middleware = load_page(manifest["middleware"], None).on_request

    def match(self, request: Request) -> Route | None:
        """Return the on-demand route that answers the URL of `request`, or None."""
        route = self.match_any(request)
        return None if route is None or route.prerender else route

    def preload(self) -> None:
        """Load the page where there is but one, while the host still counts it as starting."""
        if len(self._pages) == 1:
            self._load(*self._pages.values())

    def match_any(self, request: Request) -> Route | None:
        """Return the route that answers the URL of `request`, prerendered or not, or None."""
        found = None if request.url.malformed else self._find(request)
        return found and found[0]

    async def render(
        self,
        request: Request,
        route: Route | None = None,
        locals: "dict[str, object] | None" = None,
        *,
        client_address: str | None = None,
        add_cookie_header: bool = False,
    ) -> Response:
        """Answer `request` with `route`, or with the route that matches.

        Cookies set by the page are in `response.headers` with `add_cookie_header`.
        """
        if client_address is not None:
            request.client_address = client_address
        result = self._answer(request, route, locals)
        response = result if isinstance(result, Response) else await result
        return self._finished(request, response, add_cookie_header)

    def respond(self, request: Request, *, props: "Mapping[str, object] | None" = None) -> Response:
        """Answer `request` without being awaited, cookies included; for hosts that are sync."""
        response = wait_for(self._answer(request, None, None, props))
        return self._finished(request, response, add_cookie_header=True)

    def _finished(self, request: Request, response: Response, add_cookie_header: bool) -> Response:
        if add_cookie_header and request._cookies is not None:
            for header in request.cookies.set_cookie_headers():
                response.headers.append("set-cookie", header)
        return response

    def _answer(
        self,
        request: Request,
        route: Route | None,
        locals: "dict[str, object] | None",
        props: "Mapping[str, object] | None" = None,
    ) -> "Result":
        if request.url.malformed:
            return Response("Bad Request", 400)
        if locals is not None and not isinstance(locals, dict):
            raise TypeError("locals is not a dict")
        if self._manifest.get("check_origin") and _is_cross_site_form(request):
            return Response(f"Cross-site {request.method} form submissions are forbidden", 403)
        ctx = self._context(request, route, locals)
        ctx.props = dict(props or {})
        return self._chain(ctx)

    def _find(self, request: Request) -> "tuple[Route, dict[str, str | None]] | None":
        return match_route(self._pages, request.url.canonical_path, self.base)

    def _context(
        self,
        request: Request,
        route: Route | None = None,
        locals: "dict[str, object] | None" = None,
        depth: int = 0,
    ) -> Context:
        params: dict[str, str | None] = {}
        if route is not None:
            path = below_base(request.url.canonical_path, self.base)
            params = (path is not None and route.match(path)) or {}
        elif found := self._find(request):
            route, params = found
        return Context(self, request, route=route, params=params, locals=locals, depth=depth)

    def _chain(self, ctx: Context) -> "Result":
        try:
            if self._middleware is None:
                result = self._page(ctx)
            else:
                result = _checked(self._middleware(ctx, self._next(ctx)))
        except Exception as error:  # noqa: BLE001 - whatever a page raises is a 500
            return self._failed(ctx, error)
        return result if isinstance(result, Response) else self._guarded(ctx, result)

    async def _guarded(self, ctx: Context, result: "Awaitable[Any]") -> Response:
        try:
            return _as_response(await result)
        except Exception as error:  # noqa: BLE001 - whatever a page raises is a 500
            failed = self._failed(ctx, error)
            return failed if isinstance(failed, Response) else await failed

    def _next(self, ctx: Context) -> "Next":
        from routelet.middleware import is_async  # only with middleware  # noqa: PLC0415

        waits = not is_async(self._middleware)

        def next(target: "Rewritable | None" = None) -> "Result":
            if target is not None:
                self._retarget(ctx, target)
            result = self._page(ctx)
            if waits:
                return wait_for(result)
            return _ready(result) if isinstance(result, Response) else result

        return next

    def _retarget(self, ctx: Context, target: "Rewritable") -> None:
        request = _rewritten(ctx.request, target)
        fresh = self._context(request)
        ctx.request, ctx.route, ctx.params = request, fresh.route, fresh.params

    def rewrite(self, ctx: Context, target: "Rewritable") -> Response:
        """Answer `ctx` with another route, through the whole chain: `ctx.rewrite`."""
        if ctx._depth >= MAX_REWRITES:
            return Response("Loop Detected", 508)
        request = _rewritten(ctx.request, target)
        fresh = self._context(request, None, ctx.locals, ctx._depth + 1)
        return wait_for(self._chain(fresh))

    def _page(self, ctx: Context) -> "Result":
        if ctx.route is None:
            return self._error_page(ctx, 404)
        page = self._load(self._pages.get(ctx.route) or _page_of(self._pages, ctx.route))
        return page.answer(self, ctx)

    def _load(self, page: "Mapping[str, Any]") -> "_Page":
        name = page["module"]
        if name not in self._handlers:
            self._handlers[name] = _Page(page)
        return self._handlers[name]

    def not_found(self, ctx: Context, allowed: "list[str]") -> "Result":
        """Answer a method that the page has no handler for."""
        if self._manifest.get("method_not_allowed"):
            return Response(None, 405, {"allow": ", ".join(allowed)})
        return self._error_page(ctx, 404)

    def _failed(self, ctx: Context, error: Exception) -> "Result":
        if self.prerendering:
            raise error
        if isinstance(error, BadParameterError):
            return self._error_page(ctx, 404)
        import traceback  # 10 ms, only when a page fails  # noqa: PLC0415

        # One write, so that CloudWatch keeps the trace in one event.
        sys.stderr.write("".join(traceback.format_exception(error)))
        return self._error_page(ctx, 500)

    def _error_page(self, ctx: Context, status: int) -> "Result":
        page = self._manifest.get("error_pages", {}).get(status)
        plain = {404: "Not Found", 500: "Internal Server Error"}[status]
        if page is None or ctx._depth > MAX_REWRITES:
            return Response(plain, status)
        error_ctx = Context(self, ctx.request, locals=ctx.locals, depth=MAX_REWRITES + 1)
        try:
            result = self._load(page).answer(self, error_ctx, method="GET")
        except Exception:  # noqa: BLE001 - an error page that fails must not loop
            import traceback  # 10 ms, only when a page fails  # noqa: PLC0415

            sys.stderr.write(traceback.format_exc())
            return Response(plain, status)
        if isinstance(result, Response):
            return _with_status(result, status)
        return _awaited_with_status(result, status)


class _Page:
    """A loaded page module with its handlers, bound once."""

    __slots__ = ("_allowed", "_bound", "_module", "_raw")

    def __init__(self, page: "Mapping[str, Any]") -> None:
        self._module = load_page(page["module"], page.get("source"))
        self._raw = handlers_of(self._module)
        params = page.get("params", ())
        self._bound = {name: bind(handler, params) for name, handler in self._raw.items()}
        self._allowed = sorted(
            {*self._raw, "OPTIONS", *(["HEAD"] if "GET" in self._raw else [])} - {"ALL"}
        )

    def answer(self, app: App, ctx: Context, method: str | None = None) -> "Result":
        method = method or ctx.request.method
        name = method if method in self._bound and method != "ALL" else "ALL"
        if name not in self._bound:
            if method == "HEAD" and "GET" in self._bound:
                name = "GET"
            elif method == "OPTIONS":
                return Response(None, 204, {"allow": ", ".join(self._allowed)})
            else:
                return app.not_found(ctx, self._allowed)
        value = self._bound[name](ctx)
        if hasattr(value, "__await__"):
            return self._awaited(name, value)
        return response_of(value, self._raw[name], self._module)

    async def _awaited(self, name: str, value: "Awaitable[object]") -> Response:
        return response_of(await value, self._raw[name], self._module)


def _page_of(pages: "Mapping[Route, Mapping[str, Any]]", wanted: Route) -> "Mapping[str, Any]":
    """Find the page of a route that another App made."""
    for route, page in pages.items():
        if route.route == wanted.route:
            return page
    raise LookupError(f"no route {wanted.route} in this manifest")


def _rewritten(request: Request, target: "Rewritable") -> Request:
    if isinstance(target, Request):
        return target
    url = target if not isinstance(target, str) else type(request.url)(target)
    url.scheme, url.host, url.port = request.url.scheme, request.url.host, request.url.port
    return Request(
        url, method=request.method, headers=request.headers, body=request.body,
        client_address=request.client_address, host_context=request.host_context,
    )  # fmt: skip


def _is_cross_site_form(request: Request) -> bool:
    """Tell whether to refuse, as Astro 5's checkOrigin: CVE-2024-56140 is why no type counts."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return False
    content_type = (request.headers.get("content-type") or "").lower()
    form_like = not content_type or any(kind in content_type for kind in _FORM_TYPES)
    return form_like and request.headers.get("origin") != request.url.origin


def _checked(value: object) -> "Result":
    return value if hasattr(value, "__await__") else _as_response(value)


def _as_response(value: object) -> Response:
    if not isinstance(value, Response):
        raise TypeError(
            f"on_request returned {type(value).__name__}; it returns a Response or what next() "
            "returned"
        )
    return value


def _with_status(response: Response, status: int) -> Response:
    response.status = status
    return response


async def _awaited_with_status(result: "Awaitable[Response]", status: int) -> Response:
    return _with_status(await result, status)


async def _ready(response: Response) -> Response:
    return response


def wait_for(result: "Result") -> Response:
    """Return the response, running the event loop where it must be waited for."""
    if isinstance(result, Response):
        return result
    from routelet.loop import run  # asyncio: 41 ms, only for async pages  # noqa: PLC0415

    return run(result)


def sequence(*steps: "Middleware") -> "Middleware":
    """Compose middleware: the first is the outermost."""
    from routelet.middleware import compose  # only with middleware  # noqa: PLC0415

    return compose(steps)
