"""App: from a Request to a Response, whatever the host.

Pages and middleware may be sync or async. Everything here is written once, for both: a step
returns its value, or an awaitable where something async was met, and only then is asyncio loaded.
"""

import sys
from _thread import allocate_lock
from importlib import import_module

from routelet.context import Context
from routelet.headers import LOCALS_HEADER
from routelet.http import Request, Response
from routelet.pages import BadParameterError, Page
from routelet.routing import Route, below_base, match_route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from routelet.context import Rewritable
    from routelet.powertools import Powertools

    Result = Response | Awaitable[Response]
    Next = Callable[..., Any]
    Middleware = Callable[[Context, Next], Any]

_ENDS = (SystemExit, KeyboardInterrupt, GeneratorExit)
"""What is meant to end the process, or the coroutine; anything else that a page raises is a 500."""
MAX_REWRITES = 3
"""The fourth rewrite of one request is a loop and gives 508, as Astro has it."""

MIDDLEWARE = "routelet.middleware"
"""Named in a variable, because only functions with middleware have the module."""
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class App:
    """The routes of a manifest, ready to answer.

    `manifest` has `routes`: mappings with `route`, `pattern`, `params`, `module` (dotted name) and
    `source` (path below the import root), in matching order; and, where they differ from the
    defaults, `base`, `site`, `trailing_slash`, `middleware` (dotted names, the outermost first),
    `error_pages` (status to a page), `method_not_allowed`, `check_origin`, `assets` (name to URL
    path).

    With `edge_middleware`, the middleware runs before the function: a request without the `locals`
    that it hands over is refused with 403. No page sees a header `x-routelet-locals`: a host that
    reads it does so before.
    """

    def __init__(self, manifest: "Mapping[str, Any]", *, prerendering: bool = False) -> None:
        self.base: str = manifest.get("base", "/")
        self.site: str | None = manifest.get("site")
        self.generator: str = manifest.get("generator", "routelet")
        self.trailing_slash: str = manifest.get("trailing_slash", "ignore")
        self.prerendering = prerendering
        self.has_edge_middleware: bool = manifest.get("edge_middleware", False)
        self.log: Callable[[str | BaseException], None] = _log
        self.powertools: Powertools | None = None
        self.aside: Callable[..., Awaitable[Any]] | None = None
        """Calls sync code of pages elsewhere, for `render`: None is here, on the loop."""
        self._prefix = self.base.rstrip("/")
        self._manifest = manifest
        self._pages: dict[Route, Mapping[str, Any]] = {}
        for page in manifest["routes"]:
            route = Route(
                page["route"], page["pattern"], page["params"],
                component=page.get("component"), prerender=page.get("prerender", False),
            )  # fmt: skip
            self._pages[route] = page
        self._handlers: dict[str, Page] = {}
        self._loading = allocate_lock()  # threads of a server may meet a page at the same time
        self._middleware: Middleware | None = None
        if manifest.get("middleware"):
            self._middleware = import_module(MIDDLEWARE).load_middleware(manifest)

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
        found = self._find(request)
        return found and found[0]

    async def render(
        self,
        request: Request,
        route: Route | None = None,
        locals: "Mapping[str, object] | None" = None,
        *,
        client_address: str | None = None,
        add_cookie_header: bool = False,
    ) -> Response:
        """Answer `request` with `route`, or with the route that matches.

        Cookies set by the page are in `response.headers` with `add_cookie_header`.
        """
        if client_address is not None:
            request.client_address = client_address
        if self.aside is None:
            result = self._answer(request, route, locals)
        else:
            result = await self.aside(self._answer, request, route, locals)
        response = result if isinstance(result, Response) else await result
        return self._finished(request, response, add_cookie_header)

    def respond(
        self,
        request: Request,
        route: Route | None = None,
        locals: "Mapping[str, object] | None" = None,
        *,
        props: "Mapping[str, object] | None" = None,
    ) -> Response:
        """Answer `request` without being awaited, cookies included; for hosts that are sync.

        Any number of threads may call it at a time: their async code runs in one loop.
        """
        response: Response = wait_for(self._answer(request, route, locals, props))
        return self._finished(request, response, add_cookie_header=True)

    def _finished(self, request: Request, response: Response, add_cookie_header: bool) -> Response:
        # A clone is changed: a page may give the same Response to each of its visitors.
        if add_cookie_header and request._cookies is not None:
            response = response.clone()
            for header in request._cookies.set_cookie_headers():
                response.headers.append("set-cookie", header)
        if request.method == "HEAD":
            response = response.clone()
            response.body = None
        return response

    def _answer(
        self,
        request: Request,
        route: Route | None,
        locals: "Mapping[str, object] | None",
        props: "Mapping[str, object] | None" = None,
    ) -> "Result":
        if not self.prerendering:  # where no headers are known
            request.headers.delete(LOCALS_HEADER)  # whoever sent it, it is no page's to read
        if request.url.malformed:
            return Response("Bad Request", 400)
        if locals is None and self.has_edge_middleware:
            return Response("Forbidden", 403)  # nobody goes around the middleware
        if locals is not None and not hasattr(locals, "keys"):
            wrong = TypeError(f"locals is a {type(locals).__name__}, not a mapping")
            return self._failed(Context(self, request), wrong)
        if self._manifest.get("check_origin") and _is_cross_site_form(request):
            return Response(f"Cross-site {request.method} form submissions are forbidden", 403)
        ctx = self._context(request, route, None if locals is None else dict(locals))
        ctx.props.update(props or {})
        return self._chain(ctx)

    def _find(self, request: Request) -> "tuple[Route, dict[str, str | None]] | None":
        if request.url.malformed:
            return None
        return match_route(self._pages, request.url.canonical_path, self.base)

    def _context(
        self,
        request: Request,
        route: Route | None = None,
        locals: "dict[str, object] | None" = None,
        depth: int = 0,
    ) -> Context:
        params: dict[str, str | None] = {}
        url = request.url
        path = None if url.malformed else below_base(url.canonical_path, self.base)
        if path is not None:
            url.canonical_path = self._prefix + path  # what is matched is what a page sees
            for one in (route,) if route else self._pages:
                if (found := one.match(path)) is not None:
                    route, params = one, found
                    break
        return Context(self, request, route=route, params=params, locals=locals, depth=depth)

    def _chain(self, ctx: Context) -> "Result":
        try:
            if self._middleware is None:
                result = self._page(ctx)
            else:
                result = self._middleware(ctx, self._next(ctx))
            if hasattr(result, "__await__"):
                return self._guarded(ctx, result)
            return _as_response(result)
        except BaseException as error:  # noqa: BLE001 - whatever a page raises is a 500
            return self._failed(ctx, error)

    async def _guarded(self, ctx: Context, result: "Awaitable[Any]") -> Response:
        try:
            return _as_response(await settled(result))
        except BaseException as error:  # noqa: BLE001 - whatever a page raises is a 500
            failed = self._failed(ctx, error)
            return failed if isinstance(failed, Response) else await failed

    def _next(self, ctx: Context) -> "Next":
        is_async = import_module(MIDDLEWARE).is_async(self._middleware)
        waiting = settled if is_async else wait_for

        def next(target: "Rewritable | None" = None) -> "Result":
            if target is not None:
                self.retarget(ctx, target)
            if self.aside is not None and waiting is settled:
                return settled(self.aside(self._page, ctx))
            return waiting(self._page(ctx))

        return next

    def retarget(self, ctx: Context, target: "Rewritable") -> None:
        """Make `ctx` that of another route: `next("/path")`."""
        fresh = self._known(self._context(self._rewritten(ctx.request, target)))
        ctx.request, ctx.route = fresh.request, fresh.route
        ctx.params, ctx.props = fresh.params, fresh.props

    def rewrite(self, ctx: Context, target: "Rewritable") -> Response:
        """Answer `ctx` with another route, through the whole chain: `ctx.rewrite`."""
        if ctx._depth >= MAX_REWRITES:
            return Response("Loop Detected", 508)
        request = self._rewritten(ctx.request, target)
        fresh = self._known(self._context(request, None, ctx.locals, ctx._depth + 1))
        response: Response = wait_for(self._chain(fresh))
        return response

    def _known(self, ctx: Context) -> Context:
        if ctx.route is None:
            path = ctx.request.url.path
            self.log(f"rewrite to {path!r}: no page of this function answers it")
        return ctx

    def _rewritten(self, request: Request, target: "Rewritable") -> Request:
        # A copy is changed: a page may keep a Request and rewrite to it again and again.
        fresh = target.at(target.url) if isinstance(target, Request) else request.at(target)
        fresh.client_address = fresh.client_address or request.client_address
        if not self.prerendering:  # where no cookies are known
            fresh.cookies.share(request.cookies)
        return fresh

    def _page(self, ctx: Context) -> "Result":
        route = ctx.route
        if route is None or (route.prerender and not self.prerendering):
            return self._error_page(ctx, 404)
        page = self._load(self._pages.get(route) or _page_of(self._pages, route))
        try:
            return page.answer(self, ctx)
        except BadParameterError:
            if self.prerendering:
                raise
            return self._error_page(ctx, 404)

    def _load(self, page: "Mapping[str, Any]") -> "Page":
        name = page["module"]
        if name not in self._handlers:
            with self._loading:
                if name not in self._handlers:
                    self._handlers[name] = Page(page)
        return self._handlers[name]

    def asset(self, name: str) -> str:
        """Return the URL path of an asset: `Context.asset`."""
        url: str | None = self._manifest.get("assets", {}).get(name)
        if url is None:
            raise LookupError(
                f'no asset "{name}": public/ lacks it, or its name is no literal in ctx.asset'
            )
        return url

    def not_found(self, ctx: Context, allowed: "list[str]") -> "Result":
        """Answer a method that the page has no handler for."""
        if self._manifest.get("method_not_allowed"):
            return Response(None, 405, {"allow": ", ".join(allowed)})
        return self._error_page(ctx, 404)

    def _failed(self, ctx: Context, error: BaseException) -> "Result":
        if self.prerendering or isinstance(error, _ENDS):
            raise error
        self.log(error)
        return self._error_page(ctx, 500)

    def _error_page(self, ctx: Context, status: int) -> "Result":
        page = self._manifest.get("error_pages", {}).get(status)
        if page is None or ctx._depth > MAX_REWRITES:
            return _plain(status)
        error_ctx = Context(self, ctx.request, locals=ctx.locals, depth=MAX_REWRITES + 1)
        try:
            result = self._load(page).answer(self, error_ctx, method="GET")
            if isinstance(result, Response):
                return _with_status(result, status)
        except BaseException as error:  # noqa: BLE001 - an error page that fails must not loop
            return self._failed_again(error, status)
        return self._awaited_error_page(result, status)

    async def _awaited_error_page(self, result: "Awaitable[Response]", status: int) -> Response:
        try:
            return _with_status(await result, status)
        except BaseException as error:  # noqa: BLE001 - an error page that fails must not loop
            return self._failed_again(error, status)

    def _failed_again(self, error: BaseException, status: int) -> Response:
        if isinstance(error, _ENDS):
            raise error
        self.log(error)
        return _plain(status)


def _page_of(pages: "Mapping[Route, Mapping[str, Any]]", wanted: Route) -> "Mapping[str, Any]":
    """Find the page of a route that another App made."""
    for route, page in pages.items():
        if route.route == wanted.route:
            return page
    raise LookupError(f"no route {wanted.route} in this manifest")


def _is_cross_site_form(request: Request) -> bool:
    """Tell whether to refuse, as Astro 5's checkOrigin: CVE-2024-56140 is why no type counts."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return False
    content_type = (request.headers.get("content-type") or "").lower()
    form_like = not content_type or any(kind in content_type for kind in _FORM_TYPES)
    return form_like and request.headers.get("origin") != request.url.origin


def _as_response(value: object) -> Response:
    if not isinstance(value, Response):
        raise TypeError(
            f"on_request returned {type(value).__name__}; it returns a Response or what next() "
            "returned"
        )
    return value.whole()


def _plain(status: int) -> Response:
    return Response({404: "Not Found", 500: "Internal Server Error"}[status], status)


def _with_status(response: Response, status: int) -> Response:
    response = response.whole().clone()
    response.status = status
    return response


def _log(what: "str | BaseException") -> None:
    if isinstance(what, str):
        sys.stderr.write(f"{what}\n")
        return
    import traceback  # 10 ms, only when a page fails  # noqa: PLC0415

    # One write, so that CloudWatch keeps the trace in one event.
    sys.stderr.write("".join(traceback.format_exception(what)))


def wait_for(result: "Any") -> "Any":
    """Return what `result` gives, running the event loop where it must be awaited."""
    if not hasattr(result, "__await__"):
        return result
    from routelet.loop import run  # asyncio: 41 ms, only for async pages  # noqa: PLC0415

    return run(settled(result))


async def settled(result: "Any") -> "Any":
    """Await `result` until it is a value: async middleware may return `next()` as it is."""
    while hasattr(result, "__await__"):
        result = await result
    return result
