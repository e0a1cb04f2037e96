"""Scopes and messages of ASGI as requests, and responses and files as messages.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import re

from routelet.events.bodies import host_and_port
from routelet.headers import Headers
from routelet.http import URL, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from routelet.client_files import FileAnswer

    Scope = Mapping[str, Any]
    Message = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

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
