"""A server of its own: `app` is an ASGI application, `start` serves it with uvicorn.

Files of `dist/client` come first, then redirects, then pages. Sync pages run in threads, so that
one that waits keeps nobody else waiting; async ones run on the loop of the server.
https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from routelet.app import App
from routelet.events.bodies import host_and_port
from routelet.front import NOT_FOUND, Found, Front, FrontError
from routelet.headers import Headers
from routelet.http import URL, Request, Response
from routelet.routing import MalformedPathError
from routelet.threads import aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from routelet.client_files import FileAnswer
    from routelet.routing import Route

    Scope = Mapping[str, Any]
    Message = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"
PORT = 8000
MAX_BODY_BYTES = 10_485_760
"""What a request may carry where nothing is said: what API Gateway takes."""
THREADS = 40
"""How many requests sync pages answer at a time."""

_OF_CONNECTIONS = frozenset(
    {
        "connection", "content-length", "date", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers that are the server's to say: RFC 9110, 7.6.1, with length and date."""
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]{0,5})?")
"""RFC 9110, 7.2: another value is answered with 400."""


class ClientGoneError(Exception):
    """The client closed the connection before its request was whole."""


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
        found = _found(front, request)
        if request is None or found is None:
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


def _found(front: "Front | None", request: "Request | None") -> "Found | None":
    """Return what answers a request; None for a Host or a path that is none."""
    if request is None or request.url.malformed:
        return None
    try:
        return front.find(request) if front else Found()
    except MalformedPathError:
        return None


def request_of(scope: "Scope") -> "Request | None":
    """Return the Request of a scope, without its body, or None for a Host that is none.

    Scheme, host and client are those of the scope: no X-Forwarded header is looked at here.
    """
    headers = Headers.received(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    )
    authority = headers.get("host") or ""
    if not _HOST.fullmatch(authority):
        return None
    host, port = host_and_port(authority)
    raw_path = scope.get("raw_path")
    path = scope["path"] if raw_path is None else raw_path.decode("utf-8", "replace")
    url = URL(
        scheme=scope.get("scheme", "http"),
        host=host,
        port=port,
        path=_origin_form(path),
        path_is_decoded=raw_path is None,
        query=scope["query_string"].decode("utf-8", "replace"),
    )
    return Request(url, method=scope["method"], headers=headers, raw_path=path, host_context=scope)


def _origin_form(target: str) -> str:
    """Return the path of a target that may be a whole URL: RFC 9112, 3.2.2."""
    target = re.sub(r"^https?://[^/?#]*", "", target, flags=re.IGNORECASE)
    return target if target.startswith("/") else f"/{target}"


async def body_of(headers: Headers, receive: "Receive", max_bytes: int) -> "bytes | None":
    """Return the whole body, or None for a longer one, which is read to its end all the same.

    A client that is still sending would not see the answer; one that waits for a word before it
    sends (RFC 9110, 10.1.1) gets the answer at once. Raises `ClientGoneError`.
    """
    length = headers.get("content-length") or ""
    if "expect" in headers and length.isdecimal() and int(length) > max_bytes:
        return None
    pieces: list[bytes] = []
    size, has_more = 0, True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size <= max_bytes:
            pieces.append(piece)
        has_more = message.get("more_body", False)
    return b"".join(pieces) if size <= max_bytes else None


async def send_response(response: Response, method: str, send: "Send") -> None:
    """Send a page's answer: whole, with its length, without what is the server's to say."""
    if response.status < 200:  # what follows such a one is the answer: RFC 9110, 15.2
        response = Response("Internal Server Error", 500)
    headers = [
        (name.encode(), value.encode())
        for name, value in response.headers.raw()
        if name not in _OF_CONNECTIONS
    ]
    body = b""
    if method != "HEAD" and response.status not in {204, 304}:
        body = response.read()
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_file(answer: "FileAnswer", piece: bytes, receive: "Receive", send: "Send") -> None:
    """Send the first `piece` of a file and those that follow, until the client is gone."""
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        while answer.file:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await asyncio.to_thread(answer.read)
            if gone.done():
                return
        await send({"type": "http.response.body", "body": piece})
    finally:
        gone.cancel()
        answer.close()


async def _gone(receive: "Receive") -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
