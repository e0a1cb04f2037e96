"""A server of its own: `app` is an ASGI application, `start` serves it with uvicorn.

Files of `dist/client` come first, then redirects, then pages. Sync pages run in threads, so that
one that waits keeps nobody else waiting; async ones run on the loop of the server.
https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from routelet.app import App
from routelet.asgi_messages import (
    ClientGoneError,
    body_of,
    request_of,
    send_file,
    send_response,
)
from routelet.front import NOT_FOUND, Found, Front, FrontError
from routelet.http import Request, Response
from routelet.threads import aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from routelet.asgi_messages import Receive, Scope, Send
    from routelet.client_files import FileAnswer
    from routelet.routing import Route

    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"
PORT = 8000
MAX_BODY_BYTES = 10_485_760
"""What a request may carry where nothing is said: what an HTTP API takes.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""
THREADS = 40
"""How many requests sync pages answer at a time."""


def create_exports(
    manifest: "Mapping[str, Any]", args: "Mapping[str, Any]"
) -> "Mapping[str, object]":
    """Return `{"app": ...}`, an ASGI application for the routes of `manifest`.

    `args` may have `client`, the path of `dist/client` with routelet.json beside it, and
    `max_body_bytes`.
    """
    return {"app": application_of(manifest, args)}


def start(manifest: "Mapping[str, Any]", args: "Mapping[str, Any]") -> None:
    """Serve with uvicorn until the process is told to end.

    HOST and PORT of the environment come before `host` and `port` of `args`. With `trust_proxy`,
    true or a list of addresses and networks, uvicorn takes the client's address and scheme from
    X-Forwarded-For and X-Forwarded-Proto that such a peer sends; no other X-Forwarded-* counts.
    """
    try:
        import uvicorn  # only where it is served with  # noqa: PLC0415
    except ImportError as error:
        raise SystemExit(f"this needs uvicorn: pip install uvicorn ({error})") from error
    trusted = args.get("trust_proxy", False)
    uvicorn.run(
        application_of(manifest, args),
        host=os.environ.get("HOST") or args.get("host", HOST),
        port=_port(os.environ.get("PORT") or args.get("port", PORT)),
        lifespan="on",
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips="*" if trusted is True else list(trusted or ()),
    )


def _port(value: "str | int") -> int:
    try:
        return int(value)
    except ValueError:
        raise SystemExit(f"PORT is {value!r}, which is no number") from None


def application_of(manifest: "Mapping[str, Any]", args: "Mapping[str, Any]") -> "Application":
    """Return the ASGI application of a site."""
    app = App(manifest)
    app.aside = partial(aside, ThreadPoolExecutor(THREADS, "routelet"))
    return Site(app, args.get("client"), args.get("max_body_bytes", MAX_BODY_BYTES))


class Site:
    """An ASGI application: the pages of `app`, and files of the folder `client` where there is one.

    The folder is read when the server starts, or with the first request.
    """

    def __init__(self, app: App, client: "str | None", max_body_bytes: int) -> None:
        self._app = app
        self._client = client
        self._max_body_bytes = max_body_bytes
        self._front: Front | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one connection of a server, or the life of the server itself."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})  # before it is accepted: 403
        else:
            raise ValueError(f"no application for the ASGI scope {scope['type']!r}")

    async def _lifespan(self, receive: "Receive", send: "Send") -> None:
        while (await receive())["type"] == "lifespan.startup":
            try:
                self._opened_front()
            except FrontError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    def _opened_front(self) -> "Front | None":
        if self._front is None and self._client is not None:
            self._front = Front(self._client)
        return self._front

    async def _http(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        request, front = request_of(scope), self._opened_front()
        found = front.find(request) if front and request else Found()
        if request is None or found.is_malformed:
            await send_response(Response("Bad Request", 400), scope["method"], send)
            return
        if front and found.file and await self._sent(front, found.file, request, receive, send):
            return
        try:
            body = await body_of(request.headers, receive, self._max_body_bytes)
        except ClientGoneError:
            return
        is_unknown = found.redirect is None and (found.route is None or found.route.prerender)
        if body is None:
            response = Response("Content Too Large", 413)
        elif found.redirect:
            status, location = found.redirect
            response = Response(None, status, {"location": location})
        elif (
            front
            and is_unknown
            and NOT_FOUND in front.files
            and await self._sent(front, NOT_FOUND, request, receive, send, status=404)
        ):
            return
        else:
            request._body = body
            response = await self._page(scope, request, found.route)
        await send_response(response, request.method, send)

    async def _page(self, scope: "Scope", request: Request, route: "Route | None") -> Response:
        return await self._app.render(
            request,
            # One that was prerendered is not among the pages, and another must not answer for it.
            route if route and route.prerender else None,
            client_address=scope["client"][0] if scope.get("client") else None,
            add_cookie_header=True,
        )

    async def _sent(
        self,
        front: Front,
        name: str,
        request: Request,
        receive: "Receive",
        send: "Send",
        *,
        status: int = 200,
    ) -> bool:
        """Send a file; tell whether it was there."""

        def opened() -> "tuple[FileAnswer, bytes] | None":
            answer = front.files.answer(name, request.method, request.headers, status=status)
            return None if answer is None else (answer, answer.read())

        found = await asyncio.to_thread(opened)
        if found is not None:
            await send_file(*found, receive, send)
        return found is not None
