"""The middleware at the edge: what it answers, what goes on, and what a function makes of it."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.aws import create_exports
from routelet.edge import KEY_AGE_S, RETRY_S, Key, ViewerRequest
from routelet.edge import create_exports as edge_exports
from routelet.edge_app import EdgeApp
from routelet.edge_request import MAX_HEAD_BYTES, received_path
from routelet.events import EventError
from routelet.headers import LOCALS_HEADER
from routelet.http import URL
from routelet.routing import MalformedPathError, canonical_path
from routelet.secrets_manager import SecretError
from routelet.signing import KEY_VARIABLE
from routelet_bundler.emulator.http_api import raw_path_of
from routelet_bundler.interpreters import find_interpreter

RUNTIME = Path(__file__).parents[2] / "runtime"
MakeSite = Callable[..., Any]
Event = dict[str, Any]
KEY = "0123456789abcdef" * 2

PAGES = {
    "index.py": "def GET(ctx): return {'locals': ctx.locals, 'url': str(ctx.url), "
    "'from': ctx.client_address, 'headers': list(ctx.request.headers)}",
    "posts/[id].py": "def GET(ctx): return {'id': ctx.params['id'], 'locals': ctx.locals}",
    "form.py": "def POST(ctx): return ctx.request.text()",
    "a/[x].py": "def GET(ctx): return ctx.params['x']",
}
PASS = "def on_request(ctx, next): return next()"


class Behind:
    """A site with its middleware at the edge, asked as CloudFront and an HTTP API ask it."""

    def __init__(self, manifest: Mapping[str, Any], sources: Any) -> None:
        own = {key: value for key, value in manifest.items() if key != "middleware"}
        self.function: Any = create_exports({**own, "edge_middleware": True}, {})["handler"]
        self.viewer = ViewerRequest(manifest)
        self.viewer._key = Key(lambda: KEY, lambda: 0.0)
        self.sources = sources

    def at_edge(self, target: str, **parts: Any) -> dict[str, Any]:
        """Return what CloudFront gets of the edge function."""
        return self.viewer.answer(self.sources["edge"].event(target, **parts))

    def event(self, passed: Mapping[str, Any], body: bytes = b"") -> dict[str, Any]:
        """Return the event of the function for what CloudFront sends on."""
        query = passed["querystring"]
        headers = [
            (line["key"], line["value"])
            for name, lines in passed["headers"].items()
            for line in lines
            if name != "host"
        ]
        event: dict[str, Any] = self.sources["http-api"].event(
            passed["uri"] + (f"?{query}" if query else ""),
            method=passed["method"],
            headers=headers,
            body=body,
            host="api.example",
        )
        return event

    def ask(self, target: str, *, body: bytes = b"", **parts: Any) -> Any:
        """Return what a viewer gets."""
        passed = self.at_edge(target, body=body, **parts)
        if "status" in passed:
            return self.sources["edge"].answer_of(passed)
        return self.sources["http-api"].answer_of(self.function(self.event(passed, body), None))

    def json(self, target: str, **parts: Any) -> Any:
        answer = self.ask(target, **parts)
        assert answer.status == 200, answer
        return json.loads(answer.body)


@pytest.fixture
def behind(
    make_site: MakeSite, sources: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Behind]:
    def make(middleware: str = PASS, pages: Mapping[str, str] = PAGES, **settings: Any) -> Behind:
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        site = make_site(pages, middleware=middleware, **settings)
        return Behind(site.app._manifest, sources)

    return make


def test_locals_reach_the_page_and_so_does_the_viewer(behind: Callable[..., Behind]) -> None:
    site = behind(
        """
        async def on_request(ctx, next):
            ctx.locals["user"] = {"name": "Zo\u00eb", "route": ctx.route_pattern}
            return await next()
        """
    )
    told = site.json("/?q=1")
    assert told["locals"] == {"user": {"name": "Zo\u00eb", "route": "/"}}
    assert told["url"] == "https://site.example/?q=1"
    assert told["from"] == "192.0.2.1"
    assert LOCALS_HEADER not in told["headers"]


def test_params_and_pattern_are_known_at_the_edge(behind: Callable[..., Behind]) -> None:
    site = behind(
        """
        def on_request(ctx, next):
            ctx.locals["seen"] = [ctx.route_pattern, ctx.params]
            return next()
        """
    )
    assert site.json("/posts/7")["locals"]["seen"] == ["/posts/[id]", {"id": "7"}]


def test_what_the_middleware_answers_is_the_response(behind: Callable[..., Behind]) -> None:
    site = behind(
        """
        def on_request(ctx, next):
            ctx.cookies.set("a", "b")
            return ctx.redirect("/login")
        """
    )
    answer = site.ask("/")
    assert (answer.status, answer.headers.get("location")) == (302, "/login")
    assert answer.headers.get_set_cookie() == ["a=b"]


def test_what_goes_on_is_the_request_and_one_header_more(behind: Callable[..., Behind]) -> None:
    site = behind()
    event = site.sources["edge"].event("/form?a=1", method="POST", body=b"x")
    passed = site.viewer.answer(event)
    before = event["Records"][0]["cf"]["request"]
    (line,) = passed["headers"].pop(LOCALS_HEADER)
    assert line["key"] == "X-Routelet-Locals"
    assert passed == before


REWRITES = {
    "next": "return next('/posts/8?x=%2F&y=a+b')",
    "ctx.rewrite": "return ctx.rewrite('/posts/8?x=%2F&y=a+b') if ctx.url.path == '/' else next()",
}


@pytest.mark.parametrize("how", REWRITES.values(), ids=REWRITES)
def test_a_rewrite_asks_cloudfront_for_another_path(
    behind: Callable[..., Behind], how: str
) -> None:
    site = behind(f"def on_request(ctx, next):\n    ctx.locals['at'] = 'edge'\n    {how}")
    passed = site.at_edge("/?old=1")
    assert (passed["uri"], passed["querystring"]) == ("/posts/8", "x=%2F&y=a+b")
    assert site.json("/?old=1") == {"id": "8", "locals": {"at": "edge"}}


def test_a_rewrite_is_escaped_for_cloudfront(behind: Callable[..., Behind]) -> None:
    site = behind("def on_request(ctx, next): return next('/posts/caf%C3%A9 %23')")
    passed = site.at_edge("/")
    assert passed["uri"] == "/posts/caf%C3%A9%20%23"


def test_the_query_of_a_rewrite_is_escaped_for_cloudfront(behind: Callable[..., Behind]) -> None:
    site = behind("def on_request(ctx, next): return next('/posts/8?q=a b&n=\u20ac&c=%20')")
    assert site.at_edge("/")["querystring"] == "q=a%20b&n=%E2%82%AC&c=%20"
    assert site.ask("/").status == 200


def test_headers_that_are_not_there_yet_cannot_be_copied(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind(
        """
        from routelet import Response
        def on_request(ctx, next):
            return Response("x", headers=next().headers)
        """
    )
    assert site.ask("/").status == 500
    assert "not there yet" in capsys.readouterr().err


def test_rewrites_without_end_are_told(behind: Callable[..., Behind]) -> None:
    site = behind("def on_request(ctx, next): return ctx.rewrite('/')")
    assert site.ask("/").status == 508


@pytest.mark.parametrize("target", ["'/%zz'", "'/posts/%00'"])
def test_a_rewrite_to_a_malformed_path_is_an_error(
    behind: Callable[..., Behind], target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind(f"def on_request(ctx, next): return next({target})")
    assert site.ask("/").status == 500
    assert "a rewrite to a malformed path" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["next", "ctx.rewrite"])
@pytest.mark.parametrize("name", ["../admin", "x/../../admin", "../admin?"])
def test_a_rewrite_reaches_no_page_but_the_one_that_its_path_names(
    behind: Callable[..., Behind], how: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind(
        f"""
        from urllib.parse import quote
        def on_request(ctx, next):
            if ctx.route_pattern == "/":
                return {how}("/posts/" + quote(ctx.url.search_params["name"], safe=""))
            return next()
        """,
        {**PAGES, "admin.py": "def GET(ctx): return 'secret'"},
    )
    answer = site.ask(f"/?name={quote(name, safe='')}")
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert "an HTTP API makes another path of it" in capsys.readouterr().err


def test_a_rewrite_with_another_method_is_an_error(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind(
        """
        from routelet import Request
        def on_request(ctx, next):
            return next(Request("/form", method="POST", body="x"))
        """
    )
    assert site.ask("/").status == 500
    assert "what goes on from here is the viewer's" in capsys.readouterr().err


def test_headers_and_cookies_set_on_the_response_reach_the_viewer(
    behind: Callable[..., Behind],
) -> None:
    pages = {
        "index.py": """
        from routelet import Response
        def GET(ctx):
            ctx.cookies.set("page", "1")
            return Response("a", headers={"x-frame-options": "ALLOW", "x-gone": "1",
                                          "vary": "accept"})
        """
    }
    site = behind(
        """
        def on_request(ctx, next):
            ctx.cookies.set("edge", "1", http_only=True)
            response = next()
            response.headers["x-frame-options"] = "DENY"
            response.headers.append("vary", "cookie")
            del response.headers["x-gone"]
            return response
        """,
        pages,
    )
    answer = site.ask("/")
    assert answer.headers.get("x-frame-options") == "DENY"
    assert answer.headers.get("vary") == "accept, cookie"
    assert "x-gone" not in answer.headers
    assert sorted(answer.headers.get_set_cookie()) == ["edge=1; HttpOnly", "page=1"]


READS = {
    "body": "next().body",
    "a new body": "setattr(next(), 'body', 'x')",
    "text": "next().text()",
    "status": "next().status",
    "a new status": "setattr(next(), 'status', 404)",
    "clone": "next().clone()",
    "header": "next().headers.get('content-type')",
    "header by key": "next().headers['content-type']",
    "whether there is a header": "'content-type' in next().headers",
    "names of headers": "list(next().headers)",
    "items": "next().headers.items()",
    "cookies": "next().headers.get_set_cookie()",
    "number of headers": "len(next().headers)",
}


@pytest.mark.parametrize("expression", READS.values(), ids=READS)
def test_what_is_not_answered_yet_cannot_be_read_or_changed(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str], expression: str
) -> None:
    site = behind(f"def on_request(ctx, next):\n    {expression}\n    return next()")
    assert site.ask("/").status == 500
    assert "the middleware runs at the edge, before the page answers" in capsys.readouterr().err


def test_what_is_not_answered_yet_can_be_printed(behind: Callable[..., Behind]) -> None:
    site = behind(
        """
        def on_request(ctx, next):
            ctx.locals["told"] = repr(next())
            return next()
        """
    )
    assert "Unanswered" in site.json("/")["locals"]["told"]


def test_locals_that_are_no_json_are_a_logged_500(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind(
        "def on_request(ctx, next):\n    ctx.locals['user'] = object()\n    return next()"
    )
    assert site.ask("/").status == 500
    assert "ctx.locals['user'] is of type object" in capsys.readouterr().err


def test_a_middleware_that_fails_is_a_logged_500(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind("def on_request(ctx, next): 1 / 0")
    assert site.ask("/").status == 500
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_locals_of_the_first_call_of_next_do_not_change_afterwards(
    behind: Callable[..., Behind],
) -> None:
    site = behind(
        """
        def on_request(ctx, next):
            ctx.locals["a"] = [1]
            response = next()
            ctx.locals["a"].append(2)
            return response
        """
    )
    assert site.json("/")["locals"] == {"a": [1]}


# Bodies, paths, sizes, and what is refused.


def cut(site: Behind) -> Event:
    event: Event = site.sources["edge"].event("/form", method="POST", body=b"x" * 100)
    event["Records"][0]["cf"]["request"]["body"]["inputTruncated"] = True
    return event


def test_a_body_that_was_cut_goes_on_whole(behind: Callable[..., Behind]) -> None:
    site = behind()
    event = cut(site)
    passed = site.viewer.answer(event)
    assert passed["body"] == event["Records"][0]["cf"]["request"]["body"]
    assert passed["body"]["action"] == "read-only"


@pytest.mark.parametrize("reading", ["body", "text()", "json()", "form()"])
def test_reading_a_body_that_was_cut_is_a_413_and_told_with_its_line(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str], reading: str
) -> None:
    site = behind(f"def on_request(ctx, next):\n    ctx.request.{reading}\n    return next()")
    answer = site.viewer.answer(cut(site))
    assert (answer["status"], answer["body"]) == ("413", "Content Too Large")
    told = capsys.readouterr().err
    assert "over the 40 KB that CloudFront passes on" in told
    assert 'middleware.py", line 2, in on_request' in told


def test_middleware_may_go_on_without_a_body_that_was_cut(behind: Callable[..., Behind]) -> None:
    site = behind(
        """
        def on_request(ctx, next):
            try:
                ctx.request.json()
            except ValueError:
                ctx.locals["json"] = None
            return next()
        """
    )
    assert site.viewer.answer(cut(site))["uri"] == "/form"


def test_a_whole_body_can_be_read_and_goes_on(behind: Callable[..., Behind]) -> None:
    site = behind(
        "def on_request(ctx, next):\n    ctx.locals['n'] = len(ctx.request.body)\n    return next()"
    )
    answer = site.ask("/form", method="POST", body=b"abc", headers={"content-type": "a/b"})
    assert (answer.status, answer.body) == (200, b"abc")


@pytest.mark.parametrize("path", ["/%zz", "/%", "/%ff", "/a%00b"])
def test_a_malformed_escape_is_400_at_the_edge(behind: Callable[..., Behind], path: str) -> None:
    assert behind().at_edge(path)["status"] == "400"


@pytest.mark.parametrize("event", [{}, {"Records": [{"cf": {"config": {}}}]}, None, []])
def test_an_event_of_nothing_is_told(event: Any) -> None:
    handler: Any = edge_exports({"routes": ()}, {})["handler"]
    with pytest.raises(EventError, match="no event of CloudFront"):
        handler(event, None)


def test_a_broken_viewer_request_is_400(behind: Callable[..., Behind]) -> None:
    broken = {"Records": [{"cf": {"config": {"eventType": "viewer-request"}, "request": {}}}]}
    assert behind().viewer.answer(broken)["status"] == "400"


def test_cross_site_forms_are_refused_at_the_edge_and_in_the_function(
    behind: Callable[..., Behind],
) -> None:
    site = behind(check_origin=True)
    form = {"content-type": "text/plain"}
    theirs = {**form, "origin": "https://evil.example"}
    ours = {**form, "origin": "https://site.example"}
    assert site.ask("/form", method="POST", headers=theirs).status == 403
    assert site.ask("/form", method="POST", headers=ours).status == 200
    passed = site.at_edge("/form", method="POST", headers=ours)
    passed["headers"]["origin"][0]["value"] = "https://api.example"  # not the viewer's
    answer = site.sources["http-api"].answer_of(site.function(site.event(passed), None))
    assert answer.status == 403


def test_more_headers_than_the_front_takes_are_500_and_told(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind(
        f"""
        def on_request(ctx, next):
            ctx.locals["a"] = "x" * {MAX_HEAD_BYTES}
            return next()
        """
    )
    assert site.ask("/").status == 500
    told = capsys.readouterr().err
    assert f"an HTTP API takes {MAX_HEAD_BYTES}" in told
    assert "xxx" not in told


def test_more_headers_of_a_viewer_than_the_front_takes_are_431(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind()
    assert site.ask("/", headers={"x-large": "v" * MAX_HEAD_BYTES}).status == 431
    assert "vvv" not in capsys.readouterr().err


def test_a_viewers_own_header_is_not_passed_on(behind: Callable[..., Behind]) -> None:
    names = (LOCALS_HEADER, "X-Routelet-Locals", "x_routelet_locals", "X-ROUTELET_LOCALS")
    passed = behind().at_edge("/", headers=[(name, "mine") for name in names])
    ours = [name for name in passed["headers"] if name.replace("_", "-") == LOCALS_HEADER]
    assert ours == [LOCALS_HEADER]
    assert [line["value"] for line in passed["headers"][LOCALS_HEADER]] != ["mine"]


def test_without_a_key_everything_is_refused_and_told(
    behind: Callable[..., Behind],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for value in (None, "short"):
        site = behind()
        passed = site.at_edge("/")
        monkeypatch.delenv(KEY_VARIABLE)
        if value:
            monkeypatch.setenv(KEY_VARIABLE, value)
        site.function = create_exports(
            {**site.viewer._app._manifest, "middleware": None, "edge_middleware": True}, {}
        )["handler"]
        answer = site.sources["http-api"].answer_of(site.function(site.event(passed), None))
        assert answer.status == 403
        told = capsys.readouterr().err
        assert KEY_VARIABLE in told
        assert passed["headers"][LOCALS_HEADER][0]["value"] not in told


def test_no_page_sees_the_header_where_there_is_no_edge(make_site: MakeSite, source: Any) -> None:
    manifest = make_site(PAGES).app._manifest
    told = json.loads(source.ask(manifest, "/", headers={LOCALS_HEADER: "mine"}).body)
    assert LOCALS_HEADER not in told["headers"]


# The path that the middleware sees is the one that the function matches.

PATHS = [
    "/posts/7", "/post%73/7", "/post%2573/7", "/Posts/7", "/posts/7/", "//posts/7", "/a%2Fb",
    "/a%252Fb", "/a/..%2Fposts/7", "/a/%2e%2e/posts/7", "/posts/7%3Fx", "/posts/caf%C3%A9",
    "/posts/%0a", "/a%5Cb", "/posts/7;x", "/a/b%2F%2E%2E%2Fc", "/%2Fposts/7", "/posts//7",
    "/posts/7%2Fx/..", "/posts%2F7/%2e%2e/7",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_the_edge_and_the_function_see_the_same_path(
    behind: Callable[..., Behind], path: str
) -> None:
    pages = {
        "[...all].py": "def GET(ctx): return {'edge': ctx.locals['at'], 'here': "
        "[ctx.url.path, ctx.route_pattern, ctx.params]}",
        "posts/[id].py": "from pathlib import Path\ndef GET(ctx): return {'edge': "
        "ctx.locals['at'], 'here': [ctx.url.path, ctx.route_pattern, ctx.params]}",
    }
    site = behind(
        """
        def on_request(ctx, next):
            ctx.locals["at"] = [ctx.url.path, ctx.route_pattern, ctx.params]
            return next()
        """,
        pages,
    )
    told = site.json(path)
    assert told["edge"] == told["here"]


PIECES = st.sampled_from(
    ["/", "%2F", "%2f", ".", "..", "%2e", "%3F", "%25", "%252F", "%5C", ";", "a", "%C3%A9", "%zz",
     "%00", "\0"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=8))
def test_the_edge_makes_of_a_path_what_the_gateway_and_a_function_make(pieces: list[str]) -> None:
    uri = "/" + "".join(pieces)
    if URL(path=uri).malformed:
        with pytest.raises(MalformedPathError):
            received_path(uri)
    else:
        assert received_path(uri) == canonical_path(raw_path_of(uri), decoded=True)


def test_no_page_is_loaded_at_the_edge(behind: Callable[..., Behind]) -> None:
    site = behind(pages={"index.py": "1 / 0", "b.py": "1 / 0"})
    assert isinstance(site.viewer._app, EdgeApp)
    assert site.at_edge("/")["uri"] == "/"


# The key.


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_asked_for_once_and_again_after_a_while() -> None:
    clock, keys = Clock(), iter(["first", "second"])
    key = Key(lambda: next(keys), clock)
    assert [key.get(print), key.get(print)] == ["first", "first"]
    clock.now = KEY_AGE_S
    assert key.get(print) == "second"


def test_a_key_that_is_not_to_be_had_is_an_error_and_asked_for_again() -> None:
    answers: list[str] = []

    def fetch() -> str:
        if not answers:
            raise SecretError("no")
        return answers.pop()

    key = Key(fetch, Clock())
    with pytest.raises(SecretError):
        key.get(print)
    answers.append("there")
    assert key.get(print) == "there"


def test_a_key_serves_on_while_it_cannot_be_asked_for_again() -> None:
    clock, told = Clock(), list[str]()
    answers = ["first"]

    def fetch() -> str:
        if not answers:
            raise SecretError("no answer")
        return answers.pop()

    key = Key(fetch, clock)
    key.get(told.append)
    clock.now = KEY_AGE_S
    assert [key.get(told.append), key.get(told.append)] == ["first", "first"]
    assert len(told) == 1
    assert "no answer" in told[0]
    clock.now += RETRY_S
    answers.append("second")
    assert key.get(told.append) == "second"


def test_without_a_key_the_edge_answers_500(
    behind: Callable[..., Behind], capsys: pytest.CaptureFixture[str]
) -> None:
    site = behind()

    def fetch() -> str:
        raise SecretError("no answer of the secret's endpoint")

    site.viewer._key = Key(fetch, lambda: 0.0)
    assert site.at_edge("/")["status"] == "500"
    assert "no answer of the secret's endpoint" in capsys.readouterr().err
    site.viewer._key = Key(lambda: "short", lambda: 0.0)
    assert site.at_edge("/")["status"] == "500"
    assert "fewer than 32 characters" in capsys.readouterr().err


ON_ANY_PYTHON = """
import json, os, sys, warnings
warnings.simplefilter("error")
sys.path[:0] = sys.argv[1:]
before = set(sys.modules)
import routelet.edge as edge
loaded = sorted(set(sys.modules) - before)

KEY = "k" * 32
os.environ["ROUTELET_LOCALS_KEY"] = KEY
edge._key_of_this_function = lambda: KEY
ROUTE = {"route": "/posts/[id]", "pattern": "^/posts/([^/]+?)/?$", "params": ("id",)}
PAGE = {**ROUTE, "module": "pages._id_", "source": "pages/[id].py"}
request = {"clientIp": "192.0.2.1", "method": "GET", "uri": "/posts/caf%C3%A9",
           "querystring": "a=%2B&b=", "headers": {"host": [{"key": "Host", "value": "a.example"}]}}
event = {"Records": [{"cf": {"config": {"eventType": "viewer-request"}, "request": request}}]}
passed = edge.create_exports({"routes": (ROUTE,), "middleware": MIDDLEWARE}, {})["handler"](
    event, None
)
from routelet.aws import create_exports

answer = create_exports({"routes": (PAGE,), "edge_middleware": True}, {})["handler"](
    {
        "rawPath": "/posts/caf\u00e9", "rawQueryString": passed["querystring"],
        "headers": {name: lines[0]["value"] for name, lines in passed["headers"].items()},
        "requestContext": {"http": {"method": "GET"}, "domainName": "api.example"},
    },
    None,
)
print(json.dumps({"loaded": loaded, "answer": answer}))
"""


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_edge_and_a_function_understand_each_other_on_every_python(
    make_site: MakeSite, source_root: Path, version: str
) -> None:
    python = find_interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    site = make_site(
        {"[id].py": "def GET(ctx): return [ctx.params, ctx.locals, str(ctx.url)]"},
        middleware="""
        async def on_request(ctx, next):
            ctx.locals["a"] = [1.5, None, "\u00e9"]
            response = await next()
            response.headers["x-a"] = "b"
            return response
        """,
    )
    middleware = f"MIDDLEWARE = {site.app._manifest['middleware']!r}\n"
    done = subprocess.run(
        [python, "-I", "-S", "-c", middleware + ON_ANY_PYTHON,
         str(RUNTIME), str(source_root)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answer"]["headers"]["x-a"] == "b"
    assert json.loads(told["answer"]["body"]) == [
        {"id": "café"}, {"a": [1.5, None, "é"]}, "https://a.example/posts/caf%C3%A9?a=%2B&b=",
    ]  # fmt: skip
    slow = {"asyncio", "boto3", "email", "http", "ssl", "typing", "urllib"}
    assert not slow & set(told["loaded"]), "what only some requests need is loaded by them"
