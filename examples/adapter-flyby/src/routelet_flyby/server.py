"""What runs at flyby: a process imports an entry and calls its `serve` for each request.

`serve` takes and gives plain dicts. A request has `method`, `scheme`, `host`, `port`, `path` and
`query` as they are in the URL, `headers` (pairs of name and value), `body` (bytes) and `client`
(an address); a response has `status`, `headers` and `body`.
"""

import os
import time
from typing import Any

from routelet import URL, Headers, Request, Response
from routelet.app import App
from routelet.signing import KEY_VARIABLE, RefusedError, WeakKeyError, accept

MAX_BODY_BYTES = 10_000_000
"""`start` refuses a larger body before it is read."""


def create_exports(manifest: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    """Return `serve`, which an entry module exposes."""
    app = App(manifest)
    app.preload()  # while the process starts, and not with the first request

    def answer(asked: Request) -> Response:
        if not args["signed_locals"]:
            return app.respond(asked)
        try:
            claims = accept(asked, os.environ.get(KEY_VARIABLE, ""), time.time())
        except (RefusedError, WeakKeyError) as error:  # forged, old, of another request, not there
            app.log(str(error))
            return Response("Forbidden", 403)
        return claims.changed(app.respond(asked, None, claims.locals))

    def serve(request: dict[str, Any]) -> dict[str, Any]:
        response = answer(_request(request))
        return {
            "status": response.status,
            "headers": response.headers.raw(),
            "body": response.read(),
        }

    return {"serve": serve}


def start(manifest: dict[str, Any], args: dict[str, Any]) -> None:
    """Serve over HTTP: what an entry does that is run as a script.

    The port is PORT of the environment, or else the adapter's; 0 takes a free one.
    """
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer  # no function needs it

    serve = create_exports(manifest, args)["serve"]

    class Handler(BaseHTTPRequestHandler):
        """Speaks HTTP/1.0: a connection for each request."""

        server: ThreadingHTTPServer

        def answer(self) -> None:
            length = self.headers.get("content-length", "0")
            if not length.isdecimal() or "transfer-encoding" in self.headers:
                self.send_error(411)
            elif int(length) > MAX_BODY_BYTES:
                self.send_error(413)
            else:
                self.reply(serve(self.asked(self.rfile.read(int(length)))))

        def asked(self, body: bytes) -> dict[str, Any]:
            path, _, query = self.path.partition("?")
            host, port, *_ = self.server.server_address
            return {
                "method": self.command,
                "scheme": "http",
                "host": host,
                "port": port,
                "path": path,
                "query": query,
                "headers": self.headers.items(),
                "body": body,
                "client": self.client_address[0],
            }

        def reply(self, response: dict[str, Any]) -> None:
            self.send_response(response["status"])
            for name, value in response["headers"]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response["body"])

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    port = int(os.environ.get("PORT", args["port"]))
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


def _request(request: dict[str, Any]) -> Request:
    url = URL(
        scheme=request["scheme"],
        host=request["host"],
        port=request["port"],
        path=request["path"],
        query=request["query"],
    )
    return Request(
        url,
        method=request["method"],
        headers=Headers.received(request["headers"]),
        body=request["body"],
        client_address=request["client"],
    )
