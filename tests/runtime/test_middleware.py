"""Middleware, sync and async, around pages of both kinds."""

import asyncio
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest

from routelet import Request, sequence
from routelet.middleware import is_async

MakeSite = Callable[..., Any]

SYNC_PAGE = "def GET(ctx): return 'page ' + ctx.locals.get('by', '')"
ASYNC_PAGE = """
import asyncio
async def GET(ctx):
    await asyncio.sleep(0)
    return 'page ' + ctx.locals.get('by', '')
"""
SYNC = """
def on_request(ctx, next):
    ctx.locals['by'] = 'sync'
    response = next()
    response.headers['x-seen'] = str(response.status)
    return response
"""
ASYNC = """
import asyncio
async def on_request(ctx, next):
    ctx.locals['by'] = 'async'
    await asyncio.sleep(0)
    response = await next()
    response.headers['x-seen'] = str(response.status)
    return response
"""
PAGES = {"index.py": SYNC_PAGE, "later.py": ASYNC_PAGE}


async def async_step(_: object, next: Callable[[], Any]) -> object:
    return await next()


def sync_step(_: object, next: Callable[[], Any]) -> object:
    return next()


@pytest.mark.parametrize(("middleware", "by"), [(SYNC, "sync"), (ASYNC, "async")])
@pytest.mark.parametrize("path", ["/", "/later"])
def test_each_kind_of_middleware_goes_around_each_kind_of_page(
    make_site: MakeSite, middleware: str, by: str, path: str
) -> None:
    site = make_site(PAGES, middleware=middleware)
    for response in (site.get(path), asyncio.run(site.app.render(Request(path)))):
        assert (response.text(), response.headers["x-seen"]) == (f"page {by}", "200")


STEP = """
{kind}def on_request(ctx, next):
    ctx.locals['by'] = ctx.locals.get('by', '') + '{name}'
    response = {wait}next()
    response.headers.append('x-left', '{name}')
    return response
"""
SYNC_STEP = partial(STEP.format, kind="", wait="")
ASYNC_STEP = partial(STEP.format, kind="async ", wait="await ")


@pytest.mark.parametrize("second", [SYNC_STEP, ASYNC_STEP])
@pytest.mark.parametrize("path", ["/", "/later"])
def test_several_modules_go_around_each_other_the_first_outermost(
    make_site: MakeSite, second: Callable[..., str], path: str
) -> None:
    steps = [SYNC_STEP(name="a"), second(name="b"), SYNC_STEP(name="c")]
    response = make_site(PAGES, middleware=steps).get(path)
    assert (response.text(), response.headers["x-left"]) == ("page abc", "c, b, a")


def test_one_that_answers_keeps_those_inside_from_running(make_site: MakeSite) -> None:
    closed = "from routelet import Response\ndef on_request(ctx, next): return Response('no', 403)"
    site = make_site(PAGES, middleware=[SYNC_STEP(name="a"), closed, "def on_request(*_): 1 / 0"])
    response = site.get("/")
    assert (response.status, response.text(), response.headers["x-left"]) == (403, "no", "a")


@pytest.mark.parametrize("middleware", [SYNC, ASYNC])
def test_middleware_runs_for_unknown_urls(make_site: MakeSite, middleware: str) -> None:
    response = make_site(PAGES, middleware=middleware).get("/unknown")
    assert (response.status, response.headers["x-seen"]) == (404, "404")


@pytest.mark.parametrize("middleware", [SYNC, ASYNC])
def test_a_value_that_an_annotation_refuses_is_a_404_inside_the_middleware(
    make_site: MakeSite, middleware: str
) -> None:
    site = make_site({"[id].py": "def GET(ctx, id: int): return {'id': id}"}, middleware=middleware)
    assert site.text("/7") == '{"id":7}'
    assert (site.get("/x").status, site.get("/x").headers["x-seen"]) == (404, "404")


@pytest.mark.parametrize("path", ["/", "/later"])
def test_middleware_may_answer_in_place_of_the_page(make_site: MakeSite, path: str) -> None:
    middleware = """
    from routelet import Response
    def on_request(ctx, next):
        return Response("stop", 403)
    """
    response = make_site(PAGES, middleware=middleware).get(path)
    assert (response.status, response.text()) == (403, "stop")


@pytest.mark.parametrize("middleware", [SYNC, ASYNC])
def test_an_error_of_a_page_reaches_the_middleware(make_site: MakeSite, middleware: str) -> None:
    caught = middleware.replace("response = ", "try: response = ").replace(
        "    response.headers",
        "    except ZeroDivisionError:\n"
        "        from routelet import Response\n"
        "        response = Response('caught', 503)\n"
        "    response.headers",
    )
    pages = {"index.py": "def GET(ctx): 1 / 0", "later.py": "async def GET(ctx): 1 / 0"}
    site = make_site(pages, middleware=caught)
    for path in ("/", "/later"):
        assert (site.status(path), site.text(path)) == (503, "caught")


@pytest.mark.parametrize("path", ["/", "/later"])
def test_async_middleware_may_return_next_as_it_is(make_site: MakeSite, path: str) -> None:
    middleware = "async def on_request(ctx, next): return next()"
    assert make_site(PAGES, middleware=middleware).text(path) == "page "


@pytest.mark.parametrize(
    ("middleware", "kind"),
    [
        ("def on_request(ctx, next): next()", "NoneType"),
        ("async def on_request(ctx, next): await next()", "NoneType"),
        ("def on_request(ctx, next): return 'text'", "str"),
        ("async def on_request(ctx, next): return {}", "dict"),
    ],
)
def test_middleware_that_returns_no_response_is_told(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str], middleware: str, kind: str
) -> None:
    assert make_site(PAGES, middleware=middleware).status("/") == 500
    assert f"TypeError: on_request returned {kind}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "middleware", ["def on_request(ctx, next): 1 / 0", "def on_request(ctx): ..."]
)
def test_middleware_that_fails_gives_the_500_page(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str], middleware: str
) -> None:
    pages = {**PAGES, "500.py": "def GET(ctx): return 'sorry'"}
    site = make_site(pages, middleware=middleware)
    response = site.get("/")
    assert (response.status, response.text()) == (500, "sorry")
    assert "Error" in capsys.readouterr().err


# next("/path")


@pytest.mark.parametrize("middleware", [SYNC, ASYNC])
def test_next_with_a_path_is_answered_by_that_route(make_site: MakeSite, middleware: str) -> None:
    page = "def GET(ctx): return [ctx.params, ctx.route_pattern, str(ctx.url), ctx.locals]"
    target = "'/posts/7?a=b'"
    site = make_site(
        {"index.py": SYNC_PAGE, "posts/[id].py": page},
        middleware=middleware.replace("next()", f"next({target})"),
    )
    response = site.get("https://a.b/")
    assert response.headers["x-seen"] == "200"
    assert response.text() == (
        '[{"id":"7"},"/posts/[id]","https://a.b/posts/7?a=b",{"by":"'
        f'{"async" if "async" in middleware else "sync"}"}}]'
    )


def test_next_with_a_path_of_no_route_is_a_404(make_site: MakeSite) -> None:
    site = make_site(PAGES, middleware=SYNC.replace("next()", "next('/unknown')"))
    assert site.status("/") == 404


@pytest.mark.parametrize("first", ["", "async "])
@pytest.mark.parametrize("second", ["", "async "])
def test_the_steps_after_a_rewrite_run_for_the_new_route(
    make_site: MakeSite, first: str, second: str
) -> None:
    awaits = {"": "", "async ": "await "}
    middleware = f"""
    from routelet import Response, sequence

    {first}def rewrite(ctx, next):
        return {awaits[first]}next("/admin")

    {second}def guard(ctx, next):
        if ctx.route_pattern == "/admin":
            return Response("forbidden", 403)
        return {awaits[second]}next()

    on_request = sequence(rewrite, guard)
    """
    site = make_site({**PAGES, "admin.py": "def GET(ctx): return 'secret'"}, middleware=middleware)
    assert (site.status("/"), site.text("/")) == (403, "forbidden")


# sequence


@pytest.mark.parametrize("kinds", ["", "s", "a", "ss", "aa", "sa", "as", "sas", "asa"])
@pytest.mark.parametrize("path", ["/", "/later"])
def test_a_sequence_runs_from_the_outside_in_and_back(
    make_site: MakeSite, kinds: str, path: str
) -> None:
    middleware = """
    from routelet import sequence

    def s(name):
        def step(ctx, next):
            ctx.locals['by'] = ctx.locals.get('by', '') + name
            response = next()
            response.headers.append('x-back', name)
            return response
        return step

    def a(name):
        async def step(ctx, next):
            ctx.locals['by'] = ctx.locals.get('by', '') + name
            response = await next()
            response.headers.append('x-back', name)
            return response
        return step
    """
    steps = ", ".join(f"{kind}('{kind}{number}')" for number, kind in enumerate(kinds))
    middleware += f"\n    on_request = sequence({steps})"
    names = [f"{kind}{number}" for number, kind in enumerate(kinds)]
    site = make_site(PAGES, middleware=middleware)
    for response in (site.get(path), asyncio.run(site.app.render(Request(path)))):
        assert response.text() == "page " + "".join(names)
        assert response.headers.get_all("x-back") == names[::-1]


def test_a_sequence_in_a_sequence(make_site: MakeSite) -> None:
    middleware = """
    from routelet import sequence

    def outer(ctx, next):
        ctx.locals['by'] = 'outer'
        return next()

    async def inner(ctx, next):
        ctx.locals['by'] += ' inner'
        return next()

    def last(ctx, next):
        ctx.locals['by'] += ' last'
        return next()

    on_request = sequence(outer, sequence(inner, sequence()), last)
    """
    site = make_site(PAGES, middleware=middleware)
    assert [site.text("/"), site.text("/later")] == ["page outer inner last"] * 2


def test_a_step_that_returns_nothing_is_told(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    middleware = """
    from routelet import sequence
    def outer(ctx, next): return next()
    def inner(ctx, next): next()
    on_request = sequence(outer, inner)
    """
    assert make_site(PAGES, middleware=middleware).status("/") == 500
    assert "on_request returned NoneType" in capsys.readouterr().err


# What is async


class AsyncCall:
    async def __call__(self, ctx: object, next: object) -> None: ...

    async def method(self, ctx: object, next: object) -> None: ...


class SyncCall:
    def __call__(self, ctx: object, next: object) -> None: ...


@wraps(async_step)
def wrapped(*args: Any) -> object:
    return async_step(*args)


@pytest.mark.parametrize(
    ("step", "is_it"),
    [
        (async_step, True),
        (sync_step, False),
        (wrapped, True),
        (partial(async_step), True),
        (partial(sync_step), False),
        (AsyncCall(), True),
        (SyncCall(), False),
        (AsyncCall().method, True),
        (sequence(sync_step, async_step), True),
        (sequence(sync_step), False),
    ],
)
def test_async_middleware_is_known_whatever_it_is_wrapped_in(step: object, is_it: bool) -> None:
    assert is_async(step) is is_it


def test_decorated_async_middleware_awaits_next(make_site: MakeSite) -> None:
    middleware = """
    from functools import wraps

    def traced(step):
        @wraps(step)
        def wrapper(ctx, next):
            ctx.locals["by"] = "traced"
            return step(ctx, next)
        return wrapper

    @traced
    async def on_request(ctx, next):
        return await next()
    """
    site = make_site(PAGES, middleware=middleware)
    assert [site.text("/"), site.text("/later")] == ["page traced"] * 2
