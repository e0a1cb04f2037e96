"""A sync server with threads, by somebody outside: files, redirects and async pages."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler import build

DOCS = Path(__file__).parents[3] / "docs" / "writing-adapters.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
SERVE = next(block for block in BLOCKS if "routelet.front" in block)
"""The server entrypoint of the document, to which a server is added."""
START = """

def start(manifest, args):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from routelet import URL, Headers, Request

    serve = create_exports(manifest, args)["serve"]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            path, _, query = self.path.partition("?")
            url = URL(scheme="http", host="localhost", path=path, query=query)
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            headers = Headers.received(self.headers.items())
            response = serve(Request(url, method=self.command, headers=headers, body=body))
            self.send_response(response.status)
            for name, value in response.headers.raw():
                if name != "content-length":
                    self.send_header(name, value)
            content = response.read()
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

        do_GET = do_HEAD = do_POST = answer

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
"""
ADAPTER = """
from routelet_bundler.adapter import Adapter, ConfigDone, Integration

class Moon(Integration):
    name = "moon"

    def config_done(self, payload: ConfigDone) -> None:
        payload.set_adapter(Adapter(
            name="moon", server_entrypoint="moon_server", exports=("serve",), serves_client=True,
            supported_features={"hybrid_output": "stable", "server_output": "stable"},
        ))

def moon():
    return Moon()
"""
PYPROJECT = """[project]
name = "site"
version = "1"

[tool.routelet]
output = "hybrid"
adapter = "moon_adapter:moon"

[tool.routelet.redirects]
"/gone" = "/about"
"/old/[...at]" = { destination = "/new/[...at]", status = 302 }
"""
WHO = "import asyncio\nimport threading\nprerender = False\n"
SITE = {
    "moon_adapter.py": ADAPTER,
    "moon_server.py": SERVE + START,
    "public/style.css": "a {}",
    "src/pages/about.md": "# About",
    "src/pages/404.md": "# Nothing here",
    "src/pages/feed.py": "from routelet import Response\nprerender = True\n"
    "def GET(ctx): return Response('<rss/>', headers={'content-type': 'application/rss+xml'})\n",
    "src/pages/moved.py": "def GET(ctx): return ctx.redirect('/about')\n",
    "src/pages/posts/[...rest].py": "prerender = False\ndef ALL(ctx): return 'rest'\n",
    "src/pages/posts/[id].py": "prerender = True\n"
    "def get_static_paths(): return [{'params': {'id': '1'}}]\n"
    "def GET(ctx): return ctx.params['id']\n",
    "src/pages/meeting.py": f"{WHO}meeting = asyncio.Barrier(8)  # a client that a page keeps\n"
    "async def GET(ctx):\n"
    "    await meeting.wait()\n"
    "    return [id(asyncio.get_running_loop()), threading.current_thread().name]\n",
    "src/pages/sync.py": f"{WHO}meeting = threading.Barrier(8)\n"
    "def GET(ctx):\n    meeting.wait(30)\n    return [threading.current_thread().name]\n",
    "src/pages/again.py": f"{WHO}def GET(ctx): return ctx.rewrite('/inner')\n",
    "src/pages/inner.py": f"{WHO}from visitors import visitor\n"
    "async def GET(ctx):\n    await asyncio.sleep(0)\n    return [visitor.get()]\n",
    "src/pages/leaving.py": f"{WHO}async def GET(ctx): raise SystemExit(3)\n",
    "src/visitors.py": "from contextvars import ContextVar\nvisitor = ContextVar('visitor')\n",
}
ASYNC_STEP = (
    "from visitors import visitor\nasync def on_request(ctx, next):\n"
    "    if not ctx.is_prerendered:\n        visitor.set(ctx.request.headers['x-visitor'])\n"
    "    return await next()\n"
)
SYNC_STEP = ASYNC_STEP.replace("async ", "").replace("await ", "")

Ask = Callable[..., tuple[int, dict[str, str], str]]


def served(root: Path) -> Iterator[Ask]:
    """Build the site, run its entry, and yield a function that asks it."""
    sys.modules.pop("moon_adapter", None)
    built = build(root)
    assert not [one for one in built.warnings if "redirects" in one]
    # As it lies there, with what it needs on the path; -u: a port that is asked for at once.
    path = f"import sys\nsys.path[:0] = {[str(root), str(root / 'src'), *sys.path]!r}\n"
    run = f"import runpy\nrunpy.run_path({str(built.out_dir / 'entry.py')!r}, run_name='__main__')"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", path + run], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with closing(process.stdout):
        port = int(process.stdout.readline())

        def ask(
            target: str, method: str = "GET", **headers: str
        ) -> tuple[int, dict[str, str], str]:
            with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                connection.request(method, target, headers=headers)
                response = connection.getresponse()
                return response.status, dict(response.getheaders()), response.read().decode()

        try:
            yield ask
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Return a function that asks a site without middleware."""
    yield from served(written(tmp_path_factory.mktemp("site"), SITE))


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"pyproject.toml": PYPROJECT, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def at_once(ask: Ask, targets: list[str], *visitors: str) -> list[Any]:
    """Return what each is answered, asked together."""
    start = threading.Barrier(len(targets))

    def one(target: str, visitor: str) -> Any:
        start.wait(30)
        status, _, text = ask(target, **{"x-visitor": visitor})
        assert status == 200, text
        return json.loads(text)

    with ThreadPoolExecutor(len(targets)) as threads:
        return list(threads.map(one, targets, visitors or targets))


def test_async_pages_of_threads_meet_in_one_loop(ask: Ask) -> None:
    answers = [*at_once(ask, ["/meeting"] * 8), *at_once(ask, ["/meeting"] * 8)]
    [[_, thread]] = {tuple(one) for one in answers}
    assert thread == "routelet_loop"


def test_sync_pages_run_in_the_threads_of_the_host(ask: Ask) -> None:
    names = {name for [name] in at_once(ask, ["/sync"] * 8)}
    assert len(names) == 8


def test_a_page_that_leaves_takes_nobody_along(ask: Ask) -> None:
    with pytest.raises(ConnectionError):
        ask("/leaving")
    assert len(at_once(ask, ["/meeting"] * 8)) == 8


@pytest.mark.parametrize("middleware", [ASYNC_STEP, SYNC_STEP], ids=["async", "sync"])
@pytest.mark.parametrize("has_threads", [False, True], ids=["on the loop", "aside"])
def test_a_sync_page_behind_middleware_asks_for_an_async_one(
    tmp_path: Path, middleware: str, has_threads: bool
) -> None:
    server = SITE["moon_server.py"]
    if has_threads:
        given = "app.aside = partial(aside, ThreadPoolExecutor(40))"
        assert given in " ".join(DOCS.read_text().split())
        server = server.replace(
            "    app = App(manifest)\n",
            "    from concurrent.futures import ThreadPoolExecutor\n"
            "    from functools import partial\n    from routelet.threads import aside\n"
            f"    app = App(manifest)\n    {given}\n",
        )
    files = {**SITE, "moon_server.py": server, "src/middleware.py": middleware}
    visitors = [f"visitor {number}" for number in range(24)]
    for ask in served(written(tmp_path, files)):
        assert at_once(ask, ["/again", "/inner"] * 12, *visitors) == [[one] for one in visitors]
        if has_threads or middleware is SYNC_STEP:
            assert len({name for [name] in at_once(ask, ["/sync"] * 8)}) == 8


@pytest.mark.parametrize(
    ("target", "method", "status", "location"),
    [
        ("/gone", "GET", 301, "/about"),
        ("/gone", "POST", 308, "/about"),
        ("/old/a/b", "GET", 302, "/new/a/b"),
        ("/moved", "GET", 302, "/about"),
    ],
)
def test_redirects_are_answered(
    ask: Ask, target: str, method: str, status: int, location: str
) -> None:
    answer = ask(target, method)
    assert (answer[0], answer[1].get("location")) == (status, location)


def test_files_are_served_with_their_types(ask: Ask) -> None:
    status, headers, text = ask("/style.css")
    assert (status, headers["content-type"], text) == (200, "text/css; charset=utf-8", "a {}")
    assert ask("/style.css", **{"if-none-match": headers["etag"]})[0] == 304
    assert ask("/style.css", "HEAD")[2] == ""
    status, headers, text = ask("/feed")
    assert (status, headers["content-type"], text) == (200, "application/rss+xml", "<rss/>")
    assert "About" in ask("/about")[2]


def test_no_other_page_answers_for_one_that_was_prerendered(ask: Ask) -> None:
    status, _, text = ask("/posts/2")
    assert status == 404
    assert "Nothing here" in text


def test_malformed_urls_are_400(ask: Ask) -> None:
    assert ask("/%zz")[0] == 400


def test_redirects_that_nothing_is_known_to_make_are_told(tmp_path: Path) -> None:
    def told() -> list[str]:
        sys.modules.pop("moon_adapter", None)
        return [one for one in build(root).warnings if "redirects" in one]

    bare = ADAPTER.replace(" serves_client=True,", "")
    root = written(tmp_path, {**SITE, "moon_adapter.py": bare})
    [warning] = told()
    assert 'the adapter moon has neither `front` nor `serves_client`: "/gone"' in warning
    assert '"/old/[...at]"' in warning
    written(root, {"moon_adapter.py": bare.replace('name="moon",', 'name="moon", front="sea",')})
    assert not told()
    written(root, {"moon_adapter.py": bare})
    (root / "pyproject.toml").write_text(PYPROJECT.partition("[tool.routelet.redirects]")[0])
    assert not told()
