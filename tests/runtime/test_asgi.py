"""The ASGI application behind real servers, over real sockets."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import pytest
import uvicorn

from routelet.asgi import create_exports
from routelet.asgi_messages import request_of, send_file, send_response
from routelet.client_files import ClientFiles
from routelet.headers import Headers
from routelet.http import Response
from routelet_bundler.discover.names import parse_route

Ask = Callable[..., "Answer"]

PAGES = {
    "sync.py": """
        import threading

        def GET(ctx):
            return {"thread": threading.current_thread().name}
    """,
    "async.py": """
        import asyncio
        import threading

        async def GET(ctx):
            await asyncio.sleep(0)
            return {"thread": threading.current_thread().name,
                    "loop": id(asyncio.get_running_loop())}
    """,
    "meeting.py": """
        import asyncio
        import threading

        barrier = threading.Barrier(8, timeout=30)

        def GET(ctx):
            barrier.wait()
            return "met"
    """,
    "echo.py": """
        from routelet import Response

        def ALL(ctx):
            url, request = ctx.url, ctx.request
            return {"method": request.method, "url": str(url), "path": url.path,
                    "query": url.query, "client": ctx.client_address,
                    "headers": dict(request.headers.items()), "size": len(request.body),
                    "cookies": ctx.cookies.get("a")}

        def POST(ctx):
            return Response(ctx.request.body, headers={"content-type": "x/y"})
    """,
    "headers.py": """
        from routelet import Response

        def GET(ctx):
            ctx.cookies.set("a", "1")
            ctx.cookies.set("b", "2")
            return Response("h\u00e9", headers=[
                ("x-name", "\u00e9"), ("x-twice", "1"), ("x-twice", "2"), ("connection", "close"),
                ("transfer-encoding", "chunked"), ("content-length", "999"), ("date", "never")])
    """,
    "counted.py": """
        from routelet import Response

        came = []

        def POST(ctx):
            came.append(ctx.request.body)

        def GET(ctx):
            return Response.json(len(came))
    """,
    "empty.py": "def GET(ctx): return None",
    "parts.py": """
        from routelet import Response

        def GET(ctx):
            return Response(piece for piece in (b"a", b"b"))
    """,
    "early.py": "from routelet import Response\ndef GET(ctx): return Response('x', 103)",
    "broken.py": "def GET(ctx): 1 / 0",
    "leaving.py": "import sys\ndef GET(ctx): sys.exit(3)",
    "there.py": "def GET(ctx): return ctx.rewrite('/async')",
    "[...rest].py": "def GET(ctx): return 'the rest: ' + ctx.params['rest']",
}


class Answer:
    """A response, read to its end."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.all_headers = [(name.lower(), value) for name, value in response.getheaders()]
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def served_by_uvicorn(app: Any, **options: Any) -> Iterator[int]:
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, lifespan="on", log_level="critical", **options)
    )
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def served_by_hypercorn(app: Any) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = hypercorn.config.Config()
    port = listener.getsockname()[1]
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = None
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    serving = hypercorn.asyncio.serve(app, config, shutdown_trigger=ended.wait)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


SERVERS = {"uvicorn": served_by_uvicorn, "hypercorn": served_by_hypercorn}


@pytest.fixture(params=SERVERS)
def served(request: pytest.FixtureRequest) -> Any:
    """Return each server."""
    return SERVERS[request.param]


def asking(port: int) -> Ask:
    def ask(
        target: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        with closing(connection):
            connection.request(method, target, body, dict(headers or {}))
            return Answer(connection.getresponse())

    return ask


def raw(port: int, request: bytes) -> bytes:
    """Return all that comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
        return b"".join(parts)


FILES = {
    "index.html": b"home",
    "404.html": b"nothing here",
    "blog/one/index.html": b"one",
    "style.css": b"a { color: red }",
    "old/index.html": b"moved",
    "large.bin": bytes(range(256)) * 8192,  # 2 MB
}


def built(root: Path, *, base: str = "/") -> str:
    """Write what a build leaves of files, and return the folder of the client."""
    client = root / "client"
    for name, content in FILES.items():
        (client / name).parent.mkdir(parents=True, exist_ok=True)
        (client / name).write_bytes(content)
    pages = [("blog/[slug].py", True), ("old.py", True), ("index.py", True)]
    pages += [(name, False) for name in PAGES]
    found = [parse_route(name, component=name, prerender=static, base=base)
             for name, static in pages]  # fmt: skip
    routes: list[dict[str, Any]] = [
        {"route": one.route, "pattern": one.pattern, "params": list(one.params),
         "component": one.component, "type": one.type, "prerender": one.prerender}
        for one in found
    ]  # fmt: skip
    for source, destination in (("moved/[id].py", "/to/[id]"), ("gone/[...at].py", "/to/[...at]")):
        moved = parse_route(source, component="")
        routes.insert(0, {"route": moved.route, "pattern": moved.pattern,
                          "params": list(moved.params), "component": None, "type": "redirect",
                          "prerender": False,
                          "redirect": {"destination": destination, "status": None}})  # fmt: skip
    told = {
        "base": base,
        "routes": routes,
        "prerendered": [
            {"path": "index.html", "route": "/"},
            {"path": "blog/one/index.html", "route": "/blog/[slug]"},
            {"path": "old/index.html", "route": "/old",
             "redirect": {"url": "/old", "status": 302, "location": "/new"}},
        ],
        "assets": {},
    }  # fmt: skip
    (root / "routelet.json").write_text(json.dumps(told))
    return str(client)


@pytest.fixture
def make_app(make_site: Any, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that gives the ASGI application of PAGES and FILES."""

    def make(
        *, pages: Mapping[str, str] = PAGES, args: Mapping[str, Any] | None = None, **settings: Any
    ) -> Any:
        manifest = make_site(pages, **settings).app._manifest
        client = {"client": built(tmp_path, base=settings.get("base", "/"))}
        return create_exports(manifest, client if args is None else {**client, **args})["app"]

    return make


def without(app: Any, name: str) -> Any:
    """Remove a file of the client, before the application has looked for it."""
    (Path(app._client) / name).unlink()
    return app


@pytest.fixture
def ask(make_app: Callable[..., Any], served: Any) -> Iterator[Ask]:
    """Return a function that asks the site behind each server."""
    with served(make_app()) as port:
        yield asking(port)


def test_files_come_first_then_redirects_then_pages(ask: Ask) -> None:
    assert (ask("/").text, ask("/blog/one/").text) == ("home", "one")
    assert ask("/style.css").headers["content-type"] == "text/css; charset=utf-8"
    moved = ask("/old")
    assert (moved.status, moved.headers["location"], moved.body) == (302, "/new", b"")
    moved = ask("/moved/a%20b")
    assert (moved.status, moved.headers["location"], moved.body) == (301, "/to/a%20b", b"")
    assert ask("/moved/7", "POST").status == 308
    assert ask("/some/thing").text == "the rest: some/thing"


def test_a_redirect_that_no_url_can_be_made_of_is_a_bad_request(ask: Ask) -> None:
    assert ask("/gone/..%2Fx").status == 400
    assert ask("/gone/a%2Fx").headers["location"] == "/to/a/x"


def test_a_prerendered_route_hides_those_behind_it(ask: Ask) -> None:
    for answer in (ask("/blog/two"), ask("/blog/one", "POST", body=b"x")):
        assert (answer.status, answer.body) == (404, b"nothing here")
    head = ask("/blog/two", "HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (404, "12", b"")


def test_without_a_404_page_of_files_the_application_has_one(
    make_app: Callable[..., Any], served: Any
) -> None:
    pages = {**PAGES, "404.py": "def GET(ctx): return 'lost: ' + ctx.url.path"}
    with served(without(make_app(pages=pages), "404.html")) as port:
        ask = asking(port)
        for answer in (ask("/blog/two"), ask("/blog/two", "POST", body=b"x")):
            assert (answer.status, answer.text) == (404, "lost: /blog/two")
        assert ask("/blog/one/").text == "one"


def test_without_its_404_page_since_it_started_a_server_answers_all_the_same(
    make_app: Callable[..., Any], served: Any
) -> None:
    app = make_app()
    with served(app) as port:
        ask = asking(port)
        assert ask("/blog/two").text == "nothing here"
        without(app, "404.html")
        answer = ask("/blog/two")
        assert (answer.status, answer.text) == (404, "Not Found")


def test_a_request_has_all_that_came(ask: Ask) -> None:
    told = ask(
        "/echo?q=a%20b&q=%C3%A9",
        "PUT",
        headers={"x-one": "1", "cookie": "a=b", "host": "example.com:81",
                 "content-type": "text/css"},
        body=b"12345",
    ).json()  # fmt: skip
    assert (told["method"], told["url"]) == ("PUT", "http://example.com:81/echo?q=a%20b&q=%C3%A9")
    assert (told["client"], told["cookies"], told["size"]) == ("127.0.0.1", "b", 5)
    assert told["headers"]["x-one"] == "1"


def test_a_path_is_decoded_once(ask: Ask) -> None:
    assert ask("/a%20b/%C3%A9%2525").text == "the rest: a b/\u00e9%25"
    assert ask("/%66oo").text == "the rest: foo"
    assert ask("/%zz").status == 400
    assert ask("/%ff").status == 400
    assert ask("/a%00b").status == 400


def test_a_response_has_its_own_headers_and_those_of_the_server(ask: Ask) -> None:
    answer = ask("/headers")
    assert (answer.status, answer.body) == (200, "h\u00e9".encode())
    names = [name for name, _ in answer.all_headers]
    assert names.count("date") == names.count("content-length") == 1
    assert answer.headers["content-length"] == "3"
    assert answer.headers["x-name"].encode("latin-1").decode() == "\u00e9"
    assert [value for name, value in answer.all_headers if name == "x-twice"] == ["1", "2"]
    cookies = [value for name, value in answer.all_headers if name == "set-cookie"]
    assert cookies == ["a=1", "b=2"]
    assert "transfer-encoding" not in names
    assert ask("/parts").body == b"ab"


def test_responses_without_a_body_have_none(ask: Ask) -> None:
    empty = ask("/empty")
    assert (empty.status, empty.body) == (204, b"")
    head = ask("/sync", "HEAD")
    assert (head.status, head.headers["content-type"]) == (200, "application/json")
    assert head.body == b""


def test_a_status_that_ends_nothing_is_an_error(ask: Ask) -> None:
    assert ask("/early").status == 500


def test_a_page_that_fails_or_leaves_fails_alone(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("/broken").status == 500
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert ask("/sync").status == 200


def test_a_page_that_ends_the_process_ends_its_request_only(
    make_app: Callable[..., Any],
) -> None:
    with served_by_uvicorn(make_app()) as port:
        assert asking(port)("/leaving").status == 500
        assert asking(port)("/sync").status == 200


def test_sync_pages_run_in_threads_and_async_ones_on_the_servers_loop(ask: Ask) -> None:
    assert ask("/sync").json()["thread"].startswith("routelet_")
    first, second = ask("/async").json(), ask("/async").json()
    assert not first["thread"].startswith("routelet_")
    assert first == second


def test_sync_pages_that_wait_for_each_other_meet(ask: Ask) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ask("/meeting").text, range(8)))
    assert answers == ["met"] * 8


def test_a_page_that_is_met_by_many_at_first_is_loaded_once(
    make_app: Callable[..., Any], served: Any
) -> None:
    slow = "import time\ntime.sleep(0.2)\ndef GET(ctx): return str(id(GET))"
    with served(make_app(pages={"slow.py": slow})) as port, ThreadPoolExecutor(6) as threads:
        answers = [one.text for one in threads.map(asking(port), ["/slow"] * 6)]
    assert len(set(answers)) == 1
    assert answers[0].isdecimal()


VARIABLE = "from contextvars import ContextVar\nvisitor = ContextVar('visitor')\n"
SYNC_STEP = """
def sync_step(ctx, next):
    visitor.set(ctx.request.headers.get("x-visitor"))
    response = next()
    response.headers["x-sync"] = threading.current_thread().name
    return response
"""
ASYNC_STEP = """
async def async_step(ctx, next):
    visitor.set(ctx.request.headers.get("x-visitor"))
    response = await next()
    response.headers["x-async"] = str(id(asyncio.get_running_loop()))
    return response
"""
HEAD = "import asyncio, threading\nfrom routelet import sequence\nfrom lib_visitor import visitor\n"


@pytest.mark.parametrize(
    "steps",
    ["sync_step", "async_step", "sequence(sync_step, async_step)",
     "sequence(async_step, sync_step)"],
)  # fmt: skip
def test_middleware_of_both_kinds_has_pages_of_both_kinds_behind_it(
    make_app: Callable[..., Any], write: Any, served: Any, steps: str
) -> None:
    write("lib_visitor.py", VARIABLE)
    who = "from lib_visitor import visitor\nimport asyncio, threading\n"
    pages = {
        "sync.py": who + "def GET(ctx): return [visitor.get(), threading.current_thread().name]",
        "async.py": who + "async def GET(ctx):\n"
        "    return [visitor.get(), str(id(asyncio.get_running_loop()))]",
        "again.py": "def GET(ctx): return ctx.rewrite('/async')",
        "meeting.py": PAGES["meeting.py"],
    }
    middleware = f"{HEAD}{SYNC_STEP}{ASYNC_STEP}on_request = {steps}\n"
    with served(make_app(pages=pages, middleware=middleware)) as port:
        ask = asking(port)
        asynchronous = ask("/async", headers={"x-visitor": "a"})
        loop = asynchronous.json()[1]
        assert asynchronous.json()[0] == "a"
        assert asynchronous.headers.get("x-async") in {loop, None}
        assert asynchronous.headers.get("x-sync", "routelet").startswith("routelet")
        visitor, thread = ask("/sync", headers={"x-visitor": "b"}).json()
        assert visitor == "b"
        assert thread.startswith("routelet")
        assert ask("/again", headers={"x-visitor": "c"}).json() == ["c", loop]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: ask("/meeting").text, range(8)))
        assert answers == ["met"] * 8


def test_threads_that_wait_for_threads_do_not_run_out(make_app: Callable[..., Any]) -> None:
    pages = {"again.py": "import time\ndef GET(ctx):\n    time.sleep(0.05)\n"
             "    return ctx.rewrite('/inner')",
             "inner.py": "def GET(ctx): return 'inner'"}  # fmt: skip
    middleware = "async def on_request(ctx, next): return await next()"
    with (
        served_by_uvicorn(make_app(pages=pages, middleware=middleware)) as port,
        ThreadPoolExecutor(100) as threads,
    ):
        answers = [one.text for one in threads.map(asking(port), ["/again"] * 100)]
    assert answers == ["inner"] * 100


def test_one_connection_takes_many_requests(make_app: Callable[..., Any], served: Any) -> None:
    with (
        served(make_app()) as port,
        closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection,
    ):
        connection.connect()
        own = connection.sock.getsockname()
        for target in ("/", "/sync", "/nothing-else", "/large.bin", "/empty", "/old"):
            connection.request("GET", target)
            connection.getresponse().read()
        connection.request("POST", "/echo", b"x" * 100_000, {"content-type": "x/y"})
        assert connection.getresponse().read() == b"x" * 100_000
        connection.request("POST", "/blog/one", b"x" * 100_000, {"content-type": "x/y"})
        assert connection.getresponse().read() == b"nothing here"
        connection.request("GET", "/sync")
        assert connection.getresponse().read()
        assert connection.sock.getsockname() == own


def test_a_large_body_comes_and_goes_whole_and_one_too_large_is_refused(
    make_app: Callable[..., Any], served: Any
) -> None:
    binary = {"content-type": "application/octet-stream"}
    with served(make_app(args={"max_body_bytes": 3_000_000})) as port:
        ask = asking(port)
        large = bytes(range(256)) * 11_000
        assert ask("/echo", "POST", body=large, headers=binary).body == large
        assert ask("/echo", "POST", body=b"x" * 3_000_000, headers=binary).status == 200
        assert ask("/echo", "POST", body=b"x" * 3_000_001, headers=binary).status == 413
        assert ask("/echo", "POST", body=b"x" * 20_000_000, headers=binary).status == 413
        chunks = b"".join(b"10000\r\n" + b"x" * 65_536 + b"\r\n" for _ in range(60))
        request = (b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: x/y\r\nconnection: close\r\n"
                   b"transfer-encoding: chunked\r\n\r\n")  # fmt: skip
        assert raw(port, request + chunks + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


def test_who_asks_before_a_body_too_large_is_refused_at_once(
    make_app: Callable[..., Any],
) -> None:
    request = (b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n"
               b"content-type: x/y\r\nexpect: 100-continue\r\n\r\n")  # fmt: skip
    with (
        served_by_uvicorn(make_app()) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
    ):
        connection.sendall(request)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_goes_away_harms_nobody(
    make_app: Callable[..., Any], served: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(make_app()) as port:
        for request in (
            b"POST /counted HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf",
            b"GET /large.bin HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET /sync HTTP/1.1\r\nhost: a\r\n\r\n",
        ):
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(request)
        assert asking(port)("/large.bin").body == FILES["large.bin"]
        assert asking(port)("/counted").json() == 0
    assert "Traceback" not in capfd.readouterr().err


def test_ranges_and_conditions_are_for_files(ask: Ask) -> None:
    whole = ask("/large.bin")
    assert whole.body == FILES["large.bin"]
    part = ask("/large.bin", headers={"range": "bytes=1000000-1999999"})
    assert (part.status, part.body) == (206, FILES["large.bin"][1_000_000:2_000_000])
    assert ask("/large.bin", headers={"range": "bytes=9999999-"}).status == 416
    for name, value in (
        ("if-none-match", whole.headers["etag"]),
        ("if-modified-since", whole.headers["last-modified"]),
    ):
        known = ask("/large.bin", headers={name: value})
        assert (known.status, known.body) == (304, b"")
        assert known.headers["etag"] == whole.headers["etag"]
    head = ask("/large.bin", "HEAD")
    assert (head.headers["content-length"], head.body) == ("2097152", b"")
    assert ask("/sync", headers={"range": "bytes=0-1"}).status == 200


@pytest.mark.parametrize(
    "target",
    ["/../routelet.json", "/..%2frouteLet.json", "/%2e%2e/routelet.json", "/.%2e/routelet.json",
     "/%2e%2e%2frouteLet.json", "/blog/../../routelet.json", "/..\\routelet.json",
     "/..%5croutelet.json", "/%252e%252e/routelet.json", "//routelet.json", "/style.css/..",
     "/style.css%00.html", "/style.css/", "/STYLE.CSS", "/./../client/../routelet.json"],
)  # fmt: skip
def test_no_path_leads_out_of_the_client(make_app: Callable[..., Any], target: str) -> None:
    request = f"GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode()
    with served_by_uvicorn(make_app()) as port:
        answer = raw(port, request)
    assert b"prerendered" not in answer
    assert b"color: red" not in answer


@pytest.mark.parametrize("host", ["a/b", "a b", "a@b", "a, b", "[::1", "a:b", "a:123456"])
def test_a_host_that_is_none_is_refused(make_app: Callable[..., Any], host: str) -> None:
    with served_by_uvicorn(make_app()) as port:
        assert asking(port)("/echo", headers={"host": host}).status == 400


def test_forwarded_headers_are_not_believed(make_app: Callable[..., Any]) -> None:
    forged = {"x-forwarded-for": "192.0.2.9", "x-forwarded-proto": "https",
              "x-forwarded-host": "evil.example", "forwarded": "for=192.0.2.9",
              "host": "example.com"}  # fmt: skip
    with served_by_uvicorn(make_app(), proxy_headers=False) as port:
        told = asking(port)("/echo", headers=forged).json()
    assert (told["url"], told["client"]) == ("http://example.com/echo", "127.0.0.1")


def test_a_target_may_be_a_whole_url(make_app: Callable[..., Any]) -> None:
    request = b"GET http://a/some HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    with served_by_uvicorn(make_app(), http="h11") as port:
        assert raw(port, request).endswith(b"the rest: some")


def test_a_form_of_another_site_is_refused_and_an_own_one_is_not(
    make_app: Callable[..., Any], served: Any
) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    with served(make_app(check_origin=True)) as port:
        ask, own = asking(port), f"http://127.0.0.1:{port}"
        assert ask("/echo", "POST", headers={**form, "origin": own}).status == 200
        assert ask("/echo", "POST", headers={**form, "origin": "http://evil"}).status == 403


def test_a_site_may_lie_below_a_base(make_app: Callable[..., Any], served: Any) -> None:
    with served(make_app(base="/docs")) as port:
        ask = asking(port)
        assert ask("/docs/").text == "home"
        assert ask("/docs/sync").status == 200
        assert ask("/docs/moved/7").headers["location"] == "/docs/to/7"
        assert (ask("/sync").status, ask("/sync").text) == (404, "nothing here")
        assert ask("/docsy/sync").status == 404
        assert (ask("/docs/style.css").status, ask("/style.css").status) == (200, 404)


def test_a_websocket_is_refused(make_app: Callable[..., Any], served: Any) -> None:
    request = (b"GET /sync HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
               b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
               b"sec-websocket-version: 13\r\n\r\n")  # fmt: skip
    with (
        served(make_app()) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
    ):
        connection.sendall(request)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 403 ")


def test_a_folder_without_a_manifest_stops_the_server(
    make_site: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = make_site({"a.py": "def GET(ctx): return 1"}).app._manifest
    app: Any = create_exports(manifest, {"client": str(tmp_path / "client")})["app"]
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="on", log_level="error"))
    with pytest.raises(SystemExit):
        server.run()
    assert "both go along" in capsys.readouterr().err


def test_without_a_client_there_are_pages_alone(make_site: Any, served: Any) -> None:
    manifest = make_site({"[a].py": "def GET(ctx): return {'a': ctx.params['a']}"}).app._manifest
    with served(create_exports(manifest, {})["app"]) as port:
        assert asking(port)("/7").json() == {"a": "7"}
        assert asking(port)("/7/8").status == 404


def test_another_kind_of_connection_is_an_error(make_app: Callable[..., Any]) -> None:
    app = make_app()
    with pytest.raises(ValueError, match="mqtt"):
        asyncio.run(app({"type": "mqtt"}, None, None))


def test_a_server_that_gives_no_raw_path_has_decoded_it() -> None:
    scope = {"type": "http", "method": "GET", "path": "/a b%25", "query_string": b"",
             "headers": []}  # fmt: skip
    request = request_of(scope)
    assert request is not None
    assert (request.url.path, str(request.url)) == ("/a b%25", "http://localhost/a%20b%2525")


def test_half_of_a_surrogate_pair_in_a_body_is_replaced() -> None:
    sent: list[Mapping[str, Any]] = []

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(send_response(Response("\ud83d"), "GET", send))
    assert sent[1]["body"] == b"?"


def test_a_file_is_not_read_on_for_a_client_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(10_000_000))
    answer = ClientFiles(str(tmp_path), {}, []).answer("large.bin", "GET", Headers())
    assert answer is not None
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(send_file(answer, answer.read(), receive, send))
    assert len(sent) == 2  # of forty
    assert answer.file is None
