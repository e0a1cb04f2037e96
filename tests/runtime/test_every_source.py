"""What a site does is the same through each of the five sources, and without any."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routelet import Request
from routelet.app import App

MakeSite = Callable[..., Any]

RUNTIME = Path(__file__).parents[2] / "runtime"
KINDS = pytest.mark.parametrize("kind", ["def", "async def"])
METHODS = """
from routelet import Response
{kind} GET(ctx): return Response("got", headers={{"x-by": "GET"}})
{kind} POST(ctx): return {{"read": ctx.request.text()}}
{kind} DELETE(ctx): return None
"""


@KINDS
@pytest.mark.parametrize(
    ("method", "status", "body"),
    [("GET", 200, "got"), ("HEAD", 200, ""), ("POST", 200, '{"read":"é"}'), ("DELETE", 204, ""),
     ("OPTIONS", 204, ""), ("PUT", 404, "lost"), ("PURGE", 404, "lost")],
)  # fmt: skip
def test_every_method(
    make_site: MakeSite, source: Any, *, kind: str, method: str, status: int, body: str
) -> None:
    pages = {"index.py": METHODS.format(kind=kind), "404.py": f"{kind} GET(ctx): return 'lost'"}
    answer = source.ask(make_site(pages).app._manifest, method=method, body="é".encode())
    assert (answer.status, answer.body.decode()) == (status, body)
    allowed = "DELETE, GET, HEAD, OPTIONS, POST" if method == "OPTIONS" else None
    assert answer.headers.get("allow") == allowed
    assert answer.headers.get("x-by") == ("GET" if method in {"GET", "HEAD"} else None)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "PURGE", "TRACE"])
def test_a_method_without_a_handler_is_405_where_the_site_says_so(
    make_site: MakeSite, source: Any, method: str
) -> None:
    site = make_site({"index.py": METHODS.format(kind="def")}, method_not_allowed=True)
    answer = source.ask(site.app._manifest, method=method)
    assert (answer.status, answer.body) == (405, b"")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PURGE"])
@KINDS
def test_the_404_page_answers_every_method_of_an_unknown_url(
    make_site: MakeSite, source: Any, kind: str, method: str
) -> None:
    manifest = make_site({"404.py": f"{kind} GET(ctx): return ctx.url.path"}).app._manifest
    answer = source.ask(manifest, "/un%20known", method=method)
    assert (answer.status, answer.body) == (404, b"" if method == "HEAD" else b"/un known")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("page", ["def", "async def"])
@pytest.mark.parametrize("middleware", [["def"], ["async def"], ["def", "async def", "def"],
                                        ["async def", "def", "async def"]])  # fmt: skip
@pytest.mark.parametrize("failing", [False, True])
def test_sync_and_async_in_any_order(
    make_site: MakeSite,
    source: Any,
    *,
    page: str,
    middleware: list[str],
    failing: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = "\n".join(
        f"{kind} step{number}(ctx, next):\n"
        f"    ctx.locals['by'] = ctx.locals.get('by', '') + '{number}'\n"
        f"    ctx.cookies.set('c{number}', 'x')\n"
        f"    return {'await ' * kind.startswith('async')}next()\n"
        for number, kind in enumerate(middleware)
    )
    names = ", ".join(f"step{number}" for number in range(len(middleware)))
    body = "    1 / 0\n" if failing else "    return 'page ' + ctx.locals['by']\n"
    site = make_site(
        {
            "index.py": f"{page} GET(ctx):\n    ctx.cookies.set('page', 'x')\n{body}",
            "500.py": f"{page} GET(ctx): return 'sorry ' + ctx.locals['by']",
        },
        middleware=f"from routelet import sequence\n{steps}\non_request = sequence({names})",
    )
    by = "".join(map(str, range(len(middleware))))
    answer = source.ask(site.app._manifest)
    assert answer.status == (500 if failing else 200)
    assert answer.body.decode() == f"{'sorry' if failing else 'page'} {by}"
    cookies = [f"c{number}=x" for number in by] + ["page=x"]
    assert answer.headers.get_set_cookie() == cookies
    assert ("ZeroDivisionError" in capsys.readouterr().err) is failing


@KINDS
@pytest.mark.parametrize("where", ["page", "middleware", "two pages"])
def test_a_loop_of_rewrites_is_508(make_site: MakeSite, source: Any, kind: str, where: str) -> None:
    again = f"{kind} GET(ctx): return ctx.rewrite('/b')"
    middleware = f"{kind} on_request(ctx, next): return ctx.rewrite('/b')"
    site = make_site(
        {
            "index.py": again,
            "b.py": again.replace("'/b'", "'/'" if where == "two pages" else "'/b'"),
        },
        middleware=middleware if where == "middleware" else None,
    )
    answer = source.ask(site.app._manifest)
    assert (answer.status, answer.body) == (508, b"Loop Detected")


def test_parameters_by_name_and_annotation(make_site: MakeSite, source: Any) -> None:
    page = """
    from uuid import UUID
    async def GET(ctx, id: int, key: "UUID", *, rest=None):
        return [id + 1, key.hex, rest, ctx.params, ctx.route_pattern,
                ctx.url_for("/[id]/[key]/[...rest]", **ctx.params), ctx.locals]
    """
    middleware = "def on_request(ctx, next):\n    ctx.locals['n'] = ctx.params\n    return next()"
    site = make_site({"[id]/[key]/[...rest].py": page}, middleware=middleware)
    key = "0f8fad5b-d9cb-469f-a165-70867728950e"
    params = {"id": "7", "key": key, "rest": "a b/é"}
    answer = source.ask(site.app._manifest, f"/7/{key}/a%20b/%C3%A9")
    assert json.loads(answer.body) == [
        8, key.replace("-", ""), "a b/é", params, "/[id]/[key]/[...rest]",
        f"/7/{key}/a%20b/%C3%A9", {"n": params},
    ]  # fmt: skip
    assert source.ask(site.app._manifest, f"/x/{key}").status == 404
    assert source.ask(site.app._manifest, f"/7/{key}x").status == 404


def test_locals_and_cookies_are_of_one_request_only(make_site: MakeSite, source: Any) -> None:
    page = """
    def GET(ctx):
        seen = [dict(ctx.locals), list(ctx.cookies), dict(ctx.props)]
        ctx.locals["user"] = ctx.props["user"] = 1
        ctx.cookies.set("user", "1")
        return seen
    """
    manifest = make_site({"index.py": page}).app._manifest
    for _ in range(3):
        assert json.loads(source.ask(manifest).body) == [{}, [], {}]


def test_the_event_loop_is_one_for_all_requests_of_a_process(
    make_site: MakeSite, source: Any
) -> None:
    page = """
    import asyncio
    async def GET(ctx):
        await asyncio.sleep(0)
        return str(id(asyncio.get_running_loop()))
    """
    fails = "async def GET(ctx): 1 / 0"
    middleware = "async def on_request(ctx, next): return await next()"
    pages = {"index.py": page, "fails.py": fails, "sync.py": "def GET(ctx): return 'x'"}
    manifest = make_site(pages, middleware=middleware).app._manifest
    loops = set()
    for path in ("/", "/sync", "/fails", "/nowhere", "/", "/%zz", "/"):
        answer = source.ask(manifest, path)
        loops |= {answer.body} if path == "/" else set()
    assert len(loops) == 1


# Without any host


ALONE = """
import asyncio, json, sys
sys.path[:0] = sys.argv[1:]
from routelet import Request
from routelet.app import App

app = App({"routes": [
    {"route": "/posts/[id]", "pattern": "^/posts/([^/]+?)/?$", "params": ["id"],
     "module": "pages.posts", "source": "pages/posts.py"},
]})
route = app.match(Request("/posts/7"))
async def ask():
    return [await app.render(Request("/posts/7")), await app.render(Request("/posts/8"), route),
            await app.render(Request("/posts/9"), route=route, locals={"by": "host"},
                             client_address="192.0.2.1", add_cookie_header=True),
            await app.render(Request("/nowhere"))]
responses = asyncio.run(ask())
print(json.dumps({
    "route": [route.route, route.params, app.match(Request("/nowhere"))],
    "answers": [[r.status, r.text(), r.headers.get_set_cookie()] for r in responses],
    "hosts": [name for name in sys.modules if name.startswith(("routelet.aws", "routelet.events"))],
}))
"""


def test_an_app_needs_no_host(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "posts.py").write_text(
        "async def GET(ctx, id: int):\n"
        "    ctx.cookies.set('seen', str(id))\n"
        "    return [id, ctx.locals, ctx.request.client_address]\n"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", ALONE, str(RUNTIME), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == {
        "route": ["/posts/[id]", ["id"], None],
        "answers": [
            [200, "[7,{},null]", []],
            [200, "[8,{},null]", []],
            [200, '[9,{"by":"host"},"192.0.2.1"]', ["seen=9"]],
            [404, "Not Found", []],
        ],
        "hosts": [],
    }


def test_many_requests_may_be_rendered_at_once(make_site: MakeSite) -> None:
    page = """
    import asyncio
    async def GET(ctx, id: int):
        ctx.locals["id"] = id
        await asyncio.sleep(0.001 * (5 - id % 5))
        ctx.cookies.set("id", str(ctx.locals["id"]))
        return {"id": ctx.locals["id"]}
    """
    app: App = make_site({"[id].py": page}).app

    async def ask() -> list[tuple[str, list[str]]]:
        rendering = (app.render(Request(f"/{n}"), add_cookie_header=True) for n in range(50))
        responses = await asyncio.gather(*rendering)
        return [(one.text(), one.headers.get_set_cookie()) for one in responses]

    assert asyncio.run(ask()) == [(f'{{"id":{n}}}', [f"id={n}"]) for n in range(50)]
