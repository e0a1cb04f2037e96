"""App: from a request to a response."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from routelet import Request, Response
from routelet.app import App, settled, wait_for

MakeSite = Callable[..., Any]

WHAT = "def GET(ctx): return [ctx.route_pattern, ctx.params]"
METHODS = """
from routelet import Response
def GET(ctx): return Response('got', headers={'x-by': 'GET'})
def POST(ctx): return 'posted'
def PURGE(ctx): return 'purged'
"""


def rendered(app: App, *given: Any, **options: Any) -> Response:
    return asyncio.run(app.render(*given, **options))


# Matching


def test_the_route_of_a_request(make_site: MakeSite) -> None:
    app = make_site({"index.py": WHAT, "posts/[id].py": WHAT}).app
    route = app.match(Request("/posts/7"))
    assert (route.route, route.component) == ("/posts/[id]", "posts/[id].py")
    assert app.match(Request("/nothing/here")) is None
    assert app.match(Request("/posts/%zz")) is None


def test_a_prerendered_route_is_not_answered_on_request(make_site: MakeSite) -> None:
    site = make_site(
        {"about.py": "1 / 0", "[page].py": "def GET(ctx): return 'page'"},
        prerendered=("about.py",),
    )
    assert site.app.match(Request("/about")) is None
    assert site.app.match_any(Request("/about")).route == "/about"
    assert (site.status("/about"), site.text("/about")) == (404, "Not Found")
    assert site.text("/other") == "page"


def test_pages_are_loaded_when_they_are_first_asked_for(make_site: MakeSite) -> None:
    site = make_site({"a.py": "def GET(ctx): return 'a'", "b.py": "1 / 0"})
    site.app.preload()
    assert site.text("/a") == "a"


def test_the_only_page_is_loaded_ahead(make_site: MakeSite) -> None:
    with pytest.raises(ZeroDivisionError):
        make_site({"b.py": "1 / 0"}).app.preload()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/", '["/",{}]'),
        ("/posts/a%20b", '["/posts/[id]",{"id":"a b"}]'),
        ("/posts/a%2Fb", '["/posts/[id]",{"id":"a/b"}]'),
        ("/posts/%252e", '["/posts/[id]",{"id":"%2e"}]'),
        ("/files/a/b", '["/files/[...path]",{"path":"a/b"}]'),
        ("/files", '["/files/[...path]",{"path":null}]'),
        ("/posts/7?id=8#x", '["/posts/[id]",{"id":"7"}]'),
        ("/x/../posts/7", '["/posts/[id]",{"id":"7"}]'),
    ],
)
def test_the_page_of_a_url_gets_its_parameters(make_site: MakeSite, path: str, answer: str) -> None:
    site = make_site({"index.py": WHAT, "posts/[id].py": WHAT, "files/[...path].py": WHAT})
    assert site.text(path) == answer


def test_a_site_below_a_base(make_site: MakeSite) -> None:
    site = make_site({"index.py": WHAT, "about.py": WHAT}, base="/docs")
    assert [site.status(path) for path in ("/docs", "/docs/", "/docs/about")] == [200] * 3
    assert [site.status(path) for path in ("/", "/about", "/docsx", "/docsabout")] == [404] * 4


@pytest.mark.parametrize("path", ["/%", "/%zz", "/posts/%00", "/%E0%A4%A", "/posts/%ff"])
def test_a_malformed_escape_is_400(make_site: MakeSite, path: str) -> None:
    site = make_site({"[...path].py": WHAT, "404.py": "def GET(ctx): return 'lost'"})
    assert (site.status(path), site.text(path)) == (400, "Bad Request")


# Handlers


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("value", "status", "content_type", "text"),
    [
        ("{'a': 1}", 200, "application/json", '{"a":1}'),
        ("[1]", 200, "application/json", "[1]"),
        ("'<p>'", 200, "text/html; charset=utf-8", "<p>"),
        ("b'x'", 200, "application/octet-stream", "x"),
        ("None", 204, None, ""),
        ("Response('r', 418)", 418, "text/plain; charset=utf-8", "r"),
        ("Response(iter([b'a', b'b']))", 200, None, "ab"),
        ("ctx.redirect('/x', 301)", 301, None, ""),
    ],
)
def test_what_a_handler_may_return(  # noqa: PLR0917
    make_site: MakeSite, kind: str, value: str, status: int, content_type: str | None, text: str
) -> None:
    source = f"from routelet import Response\n{kind} GET(ctx): return {value}"
    response = make_site({"index.py": source}).get("/")
    assert (response.status, response.headers.get("content-type"), response.text()) == (
        status, content_type, text,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_anything_else_is_a_500_that_names_file_and_function(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    site = make_site({"data/[id].py": f"{kind} POST(ctx): return 42"})
    assert site.status("/data/7", method="POST") == 500
    told = capsys.readouterr().err
    assert "TypeError: POST in " in told
    assert "pages/data/[id].py returned int; a handler returns a Response, dict, list" in told


@pytest.mark.parametrize(
    ("file", "annotation", "path", "value"),
    [
        ("[id].py", "int", "/7", "[7, 'int']"),
        ("[id].py", "'int'", "/-7", "[-7, 'int']"),
        ("[id].py", "float", "/1.5", "[1.5, 'float']"),
        ("[id].py", "str", "/7", "['7', 'str']"),
        ("[id=int].py", "int", "/7", "[7, 'int']"),
        ("[...id].py", "str", "/a/b", "['a/b', 'str']"),
        ("[...id].py", "str", "/", "[None, 'NoneType']"),
        (
            "[id].py", "UUID", "/0f8fad5b-d9cb-469f-a165-70867728950e",
            "[UUID('0f8fad5b-d9cb-469f-a165-70867728950e'), 'UUID']",
        ),
    ],
)  # fmt: skip
def test_parameters_by_name_are_converted(
    make_site: MakeSite, file: str, annotation: str, path: str, value: str
) -> None:
    source = f"""
    from uuid import UUID
    def GET(ctx, id: {annotation}): return repr([id, type(id).__name__])
    """
    assert make_site({file: source}).text(path) == value


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("annotation", ["int", "float", "UUID"])
def test_a_parameter_that_does_not_parse_is_404(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str], kind: str, annotation: str
) -> None:
    source = f"from uuid import UUID\n{kind} GET(ctx, id: {annotation}): return 'found'"
    site = make_site({"[id].py": source, "404.py": "def GET(ctx): return 'lost'"})
    assert (site.status("/x"), site.text("/x")) == (404, "lost")
    assert capsys.readouterr().err == ""


# Methods


@pytest.mark.parametrize(
    ("method", "status", "text"),
    [("GET", 200, "got"), ("get", 200, "got"), ("POST", 200, "posted"), ("PURGE", 200, "purged"),
     ("HEAD", 200, ""), ("OPTIONS", 204, ""), ("PUT", 404, "Not Found"),
     ("__INIT__", 404, "Not Found"), ("ALL", 404, "Not Found")],
)  # fmt: skip
def test_a_method_is_answered_by_the_function_of_its_name(
    make_site: MakeSite, method: str, status: int, text: str
) -> None:
    response = make_site({"index.py": METHODS}).get("/", method=method)
    assert (response.status, response.text()) == (status, text)


def test_head_is_get_without_the_body(make_site: MakeSite) -> None:
    response = make_site({"index.py": METHODS}).get("/", method="HEAD")
    assert response.headers.raw() == [
        ("x-by", "GET"),
        ("content-type", "text/plain; charset=utf-8"),
    ]
    assert response.body is None


def test_a_head_of_its_own_comes_first(make_site: MakeSite) -> None:
    source = METHODS + "def HEAD(ctx): return Response('x', headers={'x-by': 'HEAD'})"
    response = make_site({"index.py": source}).get("/", method="HEAD")
    assert (response.headers["x-by"], response.read()) == ("HEAD", b"")


def test_options_names_what_is_allowed_unless_it_is_defined(make_site: MakeSite) -> None:
    pages = {
        "a.py": METHODS,
        "b.py": "def POST(ctx): ...",
        "c.py": "def OPTIONS(ctx): return 'own'",
    }
    site = make_site(pages)
    allowed = [site.get(path, method="OPTIONS").headers.get("allow") for path in ("/a", "/b", "/c")]
    assert allowed == ["GET, HEAD, OPTIONS, POST, PURGE", "OPTIONS, POST", None]
    assert site.text("/c", method="OPTIONS") == "own"


@pytest.mark.parametrize("method", ["POST", "PURGE", "OPTIONS", "HEAD", "ALL"])
def test_all_answers_every_method_that_has_no_function(make_site: MakeSite, method: str) -> None:
    source = (
        "def GET(ctx): return 'get'\ndef ALL(ctx): return ctx.redirect('/' + ctx.request.method)"
    )
    site = make_site({"index.py": source})
    assert site.get("/", method=method).headers["location"] == f"/{method}"
    assert site.text("/") == "get"


def test_a_method_without_a_function_is_the_404_page(make_site: MakeSite) -> None:
    site = make_site({"index.py": METHODS, "404.py": "def GET(ctx): return 'lost'"})
    response = site.get("/", method="PUT")
    assert (response.status, response.text(), response.headers.get("allow")) == (404, "lost", None)


def test_a_method_without_a_function_is_405_where_the_site_says_so(make_site: MakeSite) -> None:
    response = make_site({"index.py": METHODS}, method_not_allowed=True).get("/", method="PUT")
    assert (response.status, response.read()) == (405, b"")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST, PURGE"


# Render


def test_render_takes_what_an_adapter_knows(make_site: MakeSite) -> None:
    source = "def GET(ctx): return [ctx.client_address, ctx.locals, ctx.params, ctx.route_pattern]"
    app = make_site({"[a].py": source, "b/[a].py": source}).app
    route = app.match(Request("/x"))
    locals = {"user": 1}
    expected = '["192.0.2.1",{"user":1},{"a":"x"},"/[a]"]'
    request = Request("/x", client_address="192.0.2.1")
    assert rendered(app, request, route, locals).text() == expected
    answer = rendered(app, Request("/x"), route=route, locals=locals, client_address="192.0.2.1")
    assert answer.text() == expected


def test_a_route_that_is_given_is_taken_whatever_the_url(make_site: MakeSite) -> None:
    app = make_site({"[a].py": WHAT, "b/[c].py": WHAT}).app
    assert rendered(app, Request("/x"), app.match(Request("/b/y"))).text() == '["/b/[c]",{}]'


def test_a_route_of_another_app_is_found_by_its_name(make_site: MakeSite) -> None:
    first, second = make_site({"[a].py": WHAT}).app, make_site({"[a].py": WHAT}).app
    assert rendered(second, Request("/x"), first.match(Request("/x"))).status == 200


@pytest.mark.parametrize("locals", [[], "x", 1, False])
def test_locals_that_are_no_mapping_are_told_and_give_the_500_page(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str], locals: object
) -> None:
    pages = {"index.py": WHAT, "500.py": "def GET(ctx): return f'sorry {ctx.locals}'"}
    for app in (make_site(pages).app, make_site(pages, edge_middleware=True).app):
        response = rendered(app, Request("/"), locals=locals)
        assert (response.status, response.text()) == (500, "sorry {}")
        told = f"TypeError: locals is a {type(locals).__name__}, not a mapping"
        assert told in capsys.readouterr().err


def test_locals_are_any_mapping_and_stay_the_hosts(make_site: MakeSite) -> None:
    source = "def GET(ctx):\n    ctx.locals['seen'] = 1\n    return ctx.locals"
    app = make_site({"index.py": source}).app
    given: Mapping[str, str] = MappingProxyType({"user": "a"})
    for locals in (given, dict(given)):
        assert rendered(app, Request("/"), None, locals).text() == '{"user":"a","seen":1}'
        assert app.respond(Request("/"), None, locals).text() == '{"user":"a","seen":1}'
        assert locals == given


def test_a_sync_host_gives_a_route_as_another_does(make_site: MakeSite) -> None:
    app = make_site({"[a].py": WHAT, "b/[c].py": WHAT}, prerendered=("b/[c].py",)).app
    route = app.match_any(Request("/b/y"))
    assert app.respond(Request("/b/y"), route).status == 404
    assert app.respond(Request("/x"), app.match(Request("/x"))).text() == '["/[a]",{"a":"x"}]'


def test_props_are_handed_to_the_page(make_site: MakeSite) -> None:
    app = make_site({"index.py": "def GET(ctx): return ctx.props"}).app
    assert app.respond(Request("/"), props={"title": "One"}).text() == '{"title":"One"}'


def test_a_host_may_wait_inside_a_running_loop(make_site: MakeSite) -> None:
    site = make_site({"index.py": "async def GET(ctx): return 'waited'"})

    async def host() -> str:
        text: str = site.text("/")
        return text

    assert asyncio.run(host()) == "waited"


async def nested() -> object:
    async def value() -> int:
        return 7

    return value()


def test_a_value_is_waited_for_until_it_is_one() -> None:
    assert wait_for(7) == 7
    assert wait_for(nested()) == 7
    assert asyncio.run(settled(nested())) == 7


# Cookies


COOKIES = """
def GET(ctx):
    ctx.cookies.set("seen", ctx.cookies.get("name", "nobody"), path="/")
    ctx.cookies.delete("old")
    return "x"
"""
SET = ["seen=n; Path=/", "old=; Max-Age=0"]


def test_cookies_that_a_page_sets_are_headers(make_site: MakeSite) -> None:
    site = make_site({"index.py": COOKIES})
    response = site.get("/", headers={"cookie": "name=n; old=1"})
    assert response.headers.get_set_cookie() == SET
    assert site.get("/").headers.get_set_cookie()[0] == "seen=nobody; Path=/"


def test_a_host_that_awaits_asks_for_the_cookie_headers(make_site: MakeSite) -> None:
    app = make_site({"index.py": COOKIES}).app
    headers = {"cookie": "name=n"}
    asked = rendered(app, Request("/", headers=headers), add_cookie_header=True)
    assert asked.headers.get_set_cookie() == SET
    assert rendered(app, Request("/", headers=headers)).headers.get_set_cookie() == []


def test_cookies_stay_with_their_visitor_where_a_page_keeps_one_response(
    make_site: MakeSite,
) -> None:
    source = """
    from routelet import Response
    SAME = Response("same")
    def GET(ctx):
        ctx.cookies.set("session", ctx.request.headers["x-user"])
        return SAME
    """
    site = make_site({"index.py": source})
    for user in ("ann", "bob"):
        response = site.get("/", headers={"x-user": user})
        assert response.headers.get_set_cookie() == [f"session={user}"]


def test_cookies_are_sent_with_errors_too(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "def GET(ctx):\n    ctx.cookies.set('a', 'b')\n    1 / 0"
    response = make_site({"index.py": source}).get("/")
    assert (response.status, response.headers.get_set_cookie()) == (500, ["a=b"])
    assert "ZeroDivisionError" in capsys.readouterr().err


# Cross-site forms


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "content_type", "origin", "status"),
    [
        ("POST", FORM, "https://a.b", 200),
        ("POST", FORM, "https://evil.example", 403),
        ("POST", FORM, "http://a.b", 403),
        ("POST", FORM, "https://a.b:8443", 403),
        ("POST", FORM, "https://a.b.evil.example", 403),
        ("POST", FORM, "null", 403),
        ("POST", FORM, None, 403),
        ("POST", f"{FORM}; charset=utf-8", None, 403),
        ("POST", FORM.upper(), None, 403),
        ("POST", "multipart/form-data; boundary=x", "https://evil.example", 403),
        ("POST", "text/plain", "https://evil.example", 403),
        ("POST", "text/plain", "https://a.b", 200),
        ("POST", None, None, 403),
        ("POST", "", None, 403),
        ("POST", None, "https://a.b", 200),
        ("POST", "application/json", None, 200),
        ("POST", "application/json", "https://evil.example", 200),
        ("PUT", FORM, None, 403),
        ("PATCH", FORM, None, 403),
        ("DELETE", None, None, 403),
        ("PURGE", None, None, 403),
        ("GET", FORM, "https://evil.example", 200),
        ("HEAD", FORM, None, 200),
        ("OPTIONS", FORM, None, 200),
    ],
)
def test_cross_site_forms_are_refused(
    make_site: MakeSite, method: str, content_type: str | None, origin: str | None, status: int
) -> None:
    source = "def ALL(ctx): return 'in'"
    given = {"content-type": content_type, "origin": origin}
    headers = {name: value for name, value in given.items() if value is not None}
    site = make_site({"index.py": source}, check_origin=True)
    response = site.get("https://a.b/", method=method, headers=headers)
    assert response.status == status
    if status == 403:
        assert response.text() == f"Cross-site {method} form submissions are forbidden"
    unchecked = make_site({"index.py": source}).get("https://a.b/", method=method, headers=headers)
    assert unchecked.status == 200


def test_a_cross_site_form_reaches_no_middleware(make_site: MakeSite) -> None:
    middleware = "def on_request(ctx, next): raise SystemExit"
    site = make_site({"index.py": WHAT}, middleware=middleware, check_origin=True)
    assert site.status("/", method="POST") == 403


def test_no_page_or_middleware_sees_what_a_viewer_sends_as_the_header_of_locals(
    make_site: MakeSite,
) -> None:
    middleware = """
    def on_request(ctx, next):
        ctx.locals["seen"] = list(ctx.request.headers)
        return next()
    """
    page = "def GET(ctx): return [*ctx.locals['seen'], *ctx.request.headers]"
    site = make_site({"index.py": page}, middleware=middleware)
    headers = {"X-Routelet-Locals": "mine", "x-a": "b"}
    assert site.text("/", headers=headers) == '["x-a","x-a"]'
    assert rendered(site.app, Request("/", headers=headers)).text() == '["x-a","x-a"]'


def test_behind_edge_middleware_nothing_is_answered_without_its_locals(
    make_site: MakeSite,
) -> None:
    site = make_site({"index.py": "def GET(ctx): return ctx.locals"}, edge_middleware=True)
    for response in (site.get("/"), asyncio.run(site.app.render(Request("/")))):
        assert (response.status, response.text()) == (403, "Forbidden")
    for response in (
        site.app.respond(Request("/"), locals={"a": 1}),
        asyncio.run(site.app.render(Request("/"), None, {"a": 1})),
    ):
        assert (response.status, response.text()) == (200, '{"a":1}')
    assert site.app.respond(Request("/unknown"), locals={}).status == 404
