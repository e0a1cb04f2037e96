"""An HTTP/1.1 server on this machine: a function from request to answer, behind a socket.

Both doors of the emulator are one: the Runtime API that functions ask for work, and the front
that browsers ask for pages. Bodies are whole. What a request means is not known here.
"""

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Final

HOST: Final = "127.0.0.1"
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_PIECE_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it came."""

    method: str
    target: str
    """What stands in the request line: path and query, percent-encoded."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = b""
    """None where it was longer than the server takes."""
    peer: str = HOST


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer; its length is counted by the server."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Answerer = Callable[[HttpRequest], HttpAnswer | None]
"""Called in a thread of each connection; None closes the connection without a word."""


class Server:
    """A socket of 127.0.0.1 whose requests `answer` answers, from `start` until `stop`.

    A client may connect as soon as this is made, and waits until the start.
    """

    def __init__(self, answer: Answerer, *, max_body_bytes: int, port: int = 0) -> None:
        self._listener = _Listener((HOST, port), partial(_Connection, answer, max_body_bytes))
        self.port: int = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.run, daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections and close those that are open."""
        self._listener.stopping = True
        with socket.create_connection((HOST, self.port)):  # wakes the thread that accepts
            self._thread.join()
        self._listener.close_connections()
        self._listener.server_close()


class _Listener(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    stopping = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def run(self) -> None:
        # Not serve_forever: it looks twice a second whether it should stop, and stops as slowly.
        while not self.stopping:
            self.handle_request()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
            super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):  # the other side was faster
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # the other side went away
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, answer: Answerer, max_body_bytes: int, *connection: Any) -> None:
        self._answer = answer
        self._max_body_bytes = max_body_bytes
        super().__init__(*connection)

    def _serve(self) -> None:
        length = self.headers.get("content-length") or "0"
        if "transfer-encoding" in self.headers:
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return
        if not length.isdecimal():
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        answer = self._answer(
            HttpRequest(
                method=self.command,
                # Not self.path, which has "//" at the beginning made one. Bytes beyond ASCII
                # are UTF-8 as in every URL; http.server reads them as Latin-1.
                target=self.requestline.split()[1].encode("latin-1").decode("utf-8", "replace"),
                headers=tuple(self.headers.items()),
                body=self._body(int(length)),
                peer=self.client_address[0],
            )
        )
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = _serve  # noqa: N815 - http.server calls them so

    def _body(self, length: int) -> bytes | None:
        if length <= self._max_body_bytes:
            return self.rfile.read(length)
        # To the end, or a client that is still sending never sees the answer.
        while length > 0 and (piece := self.rfile.read(min(length, _PIECE_BYTES))):
            length -= len(piece)
        return None

    def _send(self, answer: HttpAnswer) -> None:
        has_body = answer.status >= 200 and answer.status not in _BODILESS
        fields = [*answer.headers, ("date", self.date_time_string())]
        if has_body:
            fields.append(("content-length", str(len(answer.body))))
        if self.close_connection:
            fields.append(("connection", "close"))
        reason = _REASONS.get(answer.status, "")
        lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{n}: {v}" for n, v in fields), "", ""]
        head = "\r\n".join(lines).encode()
        # One send: with two, the other side's delayed acknowledgement costs 40 ms.
        self.wfile.write(head + answer.body if has_body and self.command != "HEAD" else head)

    def log_message(self, *_: object) -> None:
        """Say nothing: the emulator logs requests itself."""
