"""App: error pages, rewrites, and what happens at build time."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from routelet import URL, Request
from routelet.app import App

MakeSite = Callable[..., Any]

FAILING = {"index.py": "def GET(ctx): 1 / 0", "later.py": "async def GET(ctx): 1 / 0"}
PATHS = ("/", "/later")


def statuses(site: Any, path: str) -> list[tuple[int, str]]:
    """Return what a host that waits and a host that awaits get."""
    responses = [site.get(path), asyncio.run(site.app.render(Request(path)))]
    return [(response.status, response.text()) for response in responses]


# 404 and 500


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_the_404_page_answers_unknown_urls(make_site: MakeSite, kind: str) -> None:
    source = f"{kind} GET(ctx): return 'no ' + ctx.url.path + ctx.route_pattern"
    site = make_site({"index.py": "", "404.py": source})
    assert statuses(site, "/unknown") == [(404, "no /unknown")] * 2
    assert site.get("/unknown", method="POST").status == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_the_500_page_answers_failures_and_the_trace_is_logged(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str], kind: str, path: str
) -> None:
    site = make_site({**FAILING, "500.py": f"{kind} GET(ctx): return 'sorry'"})
    assert statuses(site, path) == [(500, "sorry")] * 2
    logged = capsys.readouterr().err
    assert logged.count("Traceback (most recent call last)") == 2
    assert "ZeroDivisionError" in logged
    assert f"pages/{'later' if path == '/later' else 'index'}.py" in logged


@pytest.mark.parametrize("path", PATHS)
def test_without_error_pages_the_answer_is_plain(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    site = make_site(FAILING)
    assert statuses(site, path) == [(500, "Internal Server Error")] * 2
    assert statuses(site, "/unknown") == [(404, "Not Found")] * 2
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    "middleware",
    [
        None,
        "def on_request(ctx, next): return next()",
        "async def on_request(ctx, next): return await next()",
    ],
)
@pytest.mark.parametrize(
    "error_page",
    ["def GET(ctx): raise OSError('again')", "async def GET(ctx): raise OSError('again')",
     "raise OSError('again')", "def GET(ctx): return 42", "async def GET(ctx): return 42"],
)  # fmt: skip
def test_an_error_page_that_fails_is_replaced_by_plain_text(
    make_site: MakeSite,
    capsys: pytest.CaptureFixture[str],
    error_page: str,
    middleware: str | None,
) -> None:
    pages = {**FAILING, "404.py": error_page, "500.py": error_page}
    site = make_site(pages, middleware=middleware)
    assert statuses(site, "/unknown") == [(404, "Not Found")] * 2
    for path in PATHS:
        assert statuses(site, path) == [(500, "Internal Server Error")] * 2
    assert "Error" in capsys.readouterr().err


def test_an_error_page_without_get_is_replaced_by_plain_text(make_site: MakeSite) -> None:
    site = make_site({"404.py": "def POST(ctx): return 'x'"})
    assert statuses(site, "/unknown") == [(404, "Not Found")] * 2


def test_an_error_page_gets_the_locals_and_keeps_its_headers(make_site: MakeSite) -> None:
    page = """
    from routelet import Response
    SAME = Response.html("kept", 200, {"x-error": "yes"})
    def GET(ctx):
        assert ctx.locals == {"user": 1}
        return SAME
    """
    middleware = "def on_request(ctx, next):\n    ctx.locals['user'] = 1\n    return next()"
    site = make_site({"404.py": page}, middleware=middleware)
    response = site.get("/unknown")
    assert (response.status, response.text(), response.headers["x-error"]) == (404, "kept", "yes")


def test_the_status_of_an_error_page_is_not_left_on_a_response_it_keeps(
    make_site: MakeSite,
) -> None:
    page = """
    from routelet import Response
    SAME = Response("same")
    def GET(ctx): return SAME
    """
    site = make_site({"404.py": page})
    assert site.status("/unknown") == 404
    assert sys.modules["pages.404"].SAME.status == 200


def test_a_page_that_answers_404_itself_is_passed_on(make_site: MakeSite) -> None:
    page = "from routelet import Response\ndef GET(ctx): return Response('mine', 404)"
    site = make_site({"index.py": page, "404.py": "def GET(ctx): return 'lost'"})
    assert statuses(site, "/") == [(404, "mine")] * 2


def test_a_page_that_cannot_be_imported_is_a_500(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_site({"a.py": "import no_such_module_anywhere", "b.py": ""})
    assert site.status("/a") == 500
    assert "no_such_module_anywhere" in capsys.readouterr().err


# Rewrites


SHOW = "def ALL(ctx): return [ctx.route_pattern, ctx.params, ctx.locals, ctx.request.method]"


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("target_kind", ["def", "async def"])
@pytest.mark.parametrize(
    "target",
    ["'/posts/7'", "URL('https://elsewhere.example/posts/7')", "Request('/posts/7', method='PUT')"],
)
def test_a_rewrite_is_answered_by_the_other_route(
    make_site: MakeSite, kind: str, target_kind: str, target: str
) -> None:
    source = f"""
    from routelet import URL, Request
    {kind} PUT(ctx):
        ctx.locals['a'] = 1
        return ctx.rewrite({target})
    """
    pages = {"index.py": source, "posts/[id].py": SHOW.replace("def", target_kind)}
    site = make_site(pages)
    expected = '["/posts/[id]",{"id":"7"},{"a":1},"PUT"]'
    assert site.text("/", method="PUT") == expected
    answer = asyncio.run(site.app.render(Request("/", method="PUT")))
    assert answer.text() == expected


def test_a_rewrite_keeps_host_body_headers_and_address(make_site: MakeSite) -> None:
    show = """
    def POST(ctx):
        return [str(ctx.url), ctx.request.text(), ctx.request.headers["x"], ctx.client_address,
                ctx.request.raw_path]
    """
    rewriting = "def POST(ctx): return ctx.rewrite('/show?q=1')"
    site = make_site({"index.py": rewriting, "show.py": show})
    answer = site.text("https://a.b:81/", method="POST", headers={"x": "y"}, body="z",
                       client_address="192.0.2.1")  # fmt: skip
    assert answer == '["https://a.b:81/show?q=1","z","y","192.0.2.1","/"]'


@pytest.mark.parametrize("target", ["/nothing", "/%zz", "/100%", "https://a.b/nothing"])
def test_a_rewrite_to_nowhere_is_the_404_page(make_site: MakeSite, target: str) -> None:
    pages = {"index.py": f"def GET(ctx): return ctx.rewrite({target!r})", "posts/[id].py": SHOW}
    site = make_site({**pages, "404.py": "def GET(ctx): return 'lost'"})
    assert (site.status("/"), site.text("/")) == (404, "lost")


def test_a_rewrite_runs_the_middleware_again(make_site: MakeSite) -> None:
    middleware = """
    def on_request(ctx, next):
        response = next()
        response.headers.append('x-seen', ctx.url.path)
        return response
    """
    pages = {"index.py": "def GET(ctx): return ctx.rewrite('/b')", "b.py": SHOW}
    response = make_site(pages, middleware=middleware).get("/")
    assert response.headers.get_all("x-seen") == ["/b", "/"]


def test_a_rewrite_cannot_slip_past_the_middleware(make_site: MakeSite) -> None:
    middleware = """
    from routelet import Response
    def on_request(ctx, next):
        return Response('forbidden', 403) if ctx.route_pattern == '/admin' else next()
    """
    pages = {"[to].py": "def GET(ctx): return ctx.rewrite('/' + ctx.params['to'])",
             "admin.py": "def GET(ctx): return 'secret'"}  # fmt: skip
    site = make_site(pages, middleware=middleware)
    for path in ("/admin", "/%61dmin", "/x/../admin", "/%2561dmin"):
        assert site.get(path).status == 403


@pytest.mark.parametrize(("rewrites", "status"), [(1, 200), (3, 200), (4, 508), (9, 508)])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_the_fourth_rewrite_is_a_loop(
    make_site: MakeSite, kind: str, rewrites: int, status: int
) -> None:
    source = f"""
    {kind} GET(ctx):
        left = int(ctx.url.search_params['left'])
        return ctx.rewrite(f'/?left={{left - 1}}') if left else 'there'
    """
    site = make_site({"index.py": source})
    response = site.get(f"/?left={rewrites}")
    assert response.status == status
    assert response.text() == ("there" if status == 200 else "Loop Detected")


def test_an_error_page_cannot_rewrite(make_site: MakeSite) -> None:
    pages = {"index.py": "", "404.py": "def GET(ctx): return ctx.rewrite('/nowhere')"}
    assert make_site(pages).status("/unknown") == 404


@pytest.mark.parametrize("target", ["'/b'", "URL('/b')", "Request('/b')", "TARGET"])
@pytest.mark.parametrize("how", ["rewrite", "next"])
def test_cookies_set_before_and_after_a_rewrite_are_sent(
    make_site: MakeSite, target: str, how: str
) -> None:
    imports = "from routelet import URL, Request\nTARGET = Request('/b')\n"
    before = "    ctx.cookies.set('before', ctx.request.headers['x-user'])\n"
    pages = {
        "index.py": f"{imports}def GET(ctx):\n{before}    return ctx.rewrite({target})",
        "b.py": "def GET(ctx):\n    ctx.cookies.set('after', '2')\n"
                "    return [ctx.cookies.get('before'), ctx.client_address]",
    }  # fmt: skip
    middleware = None
    if how == "next":
        middleware = f"{imports}def on_request(ctx, next):\n{before}    return next({target})"
    site = make_site(pages, middleware=middleware)
    for user in ("ann", "bob"):  # a target that is kept carries nothing from one to the other
        headers = {"x-user": user}
        response = site.get("/", headers=headers, client_address=f"address of {user}")
        assert response.text() == f'["{user}","address of {user}"]'
        assert response.headers.get_set_cookie() == [f"before={user}", "after=2"]


def test_a_url_that_a_page_keeps_is_not_changed_by_a_rewrite(make_site: MakeSite) -> None:
    pages = {
        "index.py": "from routelet import URL\nHOME = URL('https://kept.example/b')\n"
        "def GET(ctx):\n    ctx.rewrite(HOME)\n    return str(HOME)",
        "b.py": SHOW,
    }
    assert make_site(pages).text("https://a.b/") == "https://kept.example/b"


# At build time


class BuildTimeRequest(Request):
    """As the prerenderer's: only the URL is known."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name in {"headers", "body"}:
            raise LookupError(f"{name} unknown at build time")
        return super().__getattribute__(name)


def test_while_prerendering_errors_are_raised(make_site: MakeSite) -> None:
    manifest = make_site({**FAILING, "[id].py": "def GET(ctx, id: int): ..."}).app._manifest
    app = App(manifest, prerendering=True)
    for path in PATHS:
        with pytest.raises(ZeroDivisionError):
            app.respond(Request(path))
    with pytest.raises(ValueError, match="id='x'"):
        app.respond(Request("/x"))


def test_while_prerendering_prerendered_routes_are_answered(make_site: MakeSite) -> None:
    pages = {"index.py": "def GET(ctx): return str(ctx.is_prerendered)"}
    manifest = make_site(pages, prerendered=("index.py",)).app._manifest
    assert App(manifest, prerendering=True).respond(Request("/")).text() == "True"


@pytest.mark.parametrize("target", ["/b", URL("https://elsewhere.example/b")])
def test_a_page_is_rewritten_at_build_time_too(make_site: MakeSite, target: URL | str) -> None:
    pages = {
        "index.py": f"from routelet import URL\ndef GET(ctx): return ctx.rewrite({target!r})",
        "b.py": "def GET(ctx): return str(ctx.url)",
        "c.py": "def GET(ctx): return ctx.rewrite('/d')",
        "d.py": "def GET(ctx): return ctx.request.headers",
    }
    app = App(make_site(pages, check_origin=True).app._manifest, prerendering=True)
    assert app.respond(BuildTimeRequest("https://a.b/")).text() == "https://a.b/b"
    with pytest.raises(LookupError, match="headers unknown at build time"):
        app.respond(BuildTimeRequest("https://a.b/c"))
