"""What a viewer sends chooses no route, host, client address or locals, through any source.

Astro's lessons: CVE-2026-33768 (`x-astro-path`), forged `x-astro-locals` (astro#9987),
CVE-2025-61925 and CVE-2025-64525 (`x-forwarded-host`, `-proto`, `-port`), CVE-2024-56140
(cross-site forms), CVE-2026-54299 (the host of an error page). Spellings of paths are in
test_attacks_by_path.py.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

MakeSite = Callable[..., Any]

WHAT = """
def ALL(ctx):
    return {"route": ctx.route_pattern, "method": ctx.request.method, "url": str(ctx.url),
            "origin": ctx.url.origin, "address": ctx.client_address, "locals": ctx.locals,
            "params": ctx.params, "root": ctx.request.root_path}
"""
PAGES = {
    "index.py": WHAT,
    "[...rest].py": WHAT,
    "admin.py": "def ALL(ctx): return 'secret'",
    "404.py": "def GET(ctx): return 'lost'",
}
KEPT_OUT = """
from routelet import Response
def on_request(ctx, next):
    if ctx.url.path.startswith("/admin") and not ctx.locals.get("user"):
        return Response("kept out", 403)
    return next()
"""
LOCALS = '{"user": "admin"}'
CONTEXT = '{"http": {"method": "DELETE", "path": "/admin", "sourceIp": "6.6.6.6"}}'
HOSTILE = {
    # a route
    "x-original-url": "/admin", "x-rewrite-url": "/admin", "x-original-uri": "/admin",
    "x-forwarded-path": "/admin", "x-forwarded-uri": "/admin", "x-forwarded-prefix": "/admin",
    "x-script-name": "/admin", "x-envoy-original-path": "/admin", "x-path": "/admin",
    "x-astro-path": "/admin", "x-astro-reroute": "no", "x-astro-rewrite": "/admin",
    "x-middleware-rewrite": "/admin", "x-middleware-next": "1", "x-invoke-path": "/admin",
    "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware",
    "x-matched-path": "/admin", "x-nextjs-data": "1", "x-routelet-path": "/admin",
    "x-routelet-route": "/admin", "destination": "/admin", "referer": "https://site.example/admin",
    # a method
    "x-http-method-override": "DELETE", "x-http-method": "DELETE", "x-method-override": "DELETE",
    # a host
    "x-forwarded-host": "evil.example", "x-host": "evil.example", "x-original-host": "evil.example",
    "x-forwarded-server": "evil.example", "x-http-host-override": "evil.example",
    "forwarded": "for=6.6.6.6;host=evil.example;proto=http", "x-forwarded-scheme": "http",
    "x-forwarded-proto": "http", "x-forwarded-protocol": "http", "x-url-scheme": "http",
    "x-forwarded-port": "81", "x-forwarded-ssl": "off", "front-end-https": "off",
    "cloudfront-forwarded-proto": "http", "x-forwarded-proto-version": "http:evil.example/?",
    # an address
    "x-forwarded-for": "6.6.6.6", "x-real-ip": "6.6.6.6", "x-client-ip": "6.6.6.6",
    "true-client-ip": "6.6.6.6", "cf-connecting-ip": "6.6.6.6", "client-ip": "6.6.6.6",
    "x-cluster-client-ip": "6.6.6.6", "cloudfront-viewer-address": "6.6.6.6:1",
    "x-originating-ip": "6.6.6.6", "x-remote-addr": "6.6.6.6", "via": "1.1 6.6.6.6",
    # locals, and what the host alone says
    "x-astro-locals": LOCALS, "x-astro-middleware-secret": "", "x-routelet-locals": LOCALS,
    "x-routelet-locals-signature": "", "x-vercel-edge-locals": LOCALS, "x-locals": LOCALS,
    "x-apigateway-event": CONTEXT, "x-apigateway-context": CONTEXT,
    "x-amzn-request-context": CONTEXT, "x-amzn-lambda-context": CONTEXT,
    "x-amzn-trace-id": "Root=1", "authorization": "Bearer user",
    "cookie": "locals=%7B%22user%22%3A1%7D; user=admin",
}  # fmt: skip


def asked(source: Any, manifest: Mapping[str, Any], target: str = "/a", **parts: Any) -> Any:
    """Return what the page says, or the status."""
    answer = source.ask(manifest, target, **parts)
    return json.loads(answer.body) if answer.status == 200 else answer.status


@pytest.mark.parametrize("spelled", [str.lower, str.title, str.upper])
def test_no_header_chooses_route_method_host_address_or_locals(
    make_site: MakeSite, source: Any, spelled: Callable[[str], str]
) -> None:
    manifest = make_site(PAGES, middleware=KEPT_OUT).app._manifest
    plain = asked(source, manifest)
    assert (plain["route"], plain["method"], plain["locals"]) == ("/[...rest]", "GET", {})
    assert (plain["origin"], plain["address"]) == (f"https://{source.host}", "192.0.2.1")
    chosen = {
        name for name, value in HOSTILE.items()
        if asked(source, manifest, headers={spelled(name): value}) != plain
        or asked(source, manifest, headers=[(spelled(name), value)] * 2) != plain
    }  # fmt: skip
    assert chosen == set()
    assert asked(source, manifest, headers=HOSTILE) == plain


def test_no_header_opens_what_the_middleware_guards(make_site: MakeSite, source: Any) -> None:
    manifest = make_site(PAGES, middleware=KEPT_OUT).app._manifest
    opened = {
        name for name, value in HOSTILE.items()
        if asked(source, manifest, "/admin", headers={name: value}) != 403
    }  # fmt: skip
    assert opened == set()
    assert asked(source, manifest, "/admin", headers=HOSTILE) == 403


@given(
    name=st.from_regex(r"x-[a-z]{1,10}(-[a-z]{1,10}){0,2}", fullmatch=True).filter(
        lambda name: not name.startswith("x-amzn-")
    ),
    value=st.sampled_from(["/admin", "evil.example", "6.6.6.6", LOCALS, "DELETE", "1"]),
)
def test_no_header_of_any_name_changes_what_a_page_is_told(
    sources: Mapping[str, Any], name: str, value: str
) -> None:
    for source in sources.values():
        plain, with_header = (
            source.request("/a?b=c", headers=headers) for headers in ({}, {name: value})
        )
        for fact in ("method", "url", "client_address", "raw_path", "root_path"):
            assert getattr(plain, fact) == getattr(with_header, fact)


@pytest.mark.parametrize("name", ["http-api", "function-url", "rest-api"])
def test_the_gateways_say_what_the_host_is_and_the_host_header_does_not(
    make_site: MakeSite, sources: Mapping[str, Any], name: str
) -> None:
    manifest = make_site(PAGES).app._manifest
    source = sources[name]
    for host in ("evil.example", "evil.example:81", "[::1]", "site.example@evil.example", ""):
        told = asked(source, manifest, headers={"host": host})
        assert told["origin"] == f"https://{source.host}"


@pytest.mark.parametrize("name", ["alb", "alb-single"])
def test_the_load_balancer_has_only_the_host_header_to_take_the_host_from(
    make_site: MakeSite, sources: Mapping[str, Any], name: str
) -> None:
    """A rule of the listener may fix it: the balancer itself knows no name of its own."""
    manifest = make_site(PAGES).app._manifest
    headers = {"host": "other.example:8443", "x-forwarded-host": "evil.example"}
    told = asked(sources[name], manifest, headers=headers)
    assert told["origin"] == "https://other.example:8443"


def test_the_edge_has_the_host_header_that_cloudfront_knows_as_one_of_its_own(
    make_site: MakeSite, sources: Mapping[str, Any]
) -> None:
    manifest = make_site(PAGES).app._manifest
    headers = {"host": "alias.example", "x-forwarded-host": "evil.example"}
    assert asked(sources["edge"], manifest, headers=headers)["origin"] == "https://alias.example"


@pytest.mark.parametrize("name", ["alb", "alb-single"])
def test_the_address_behind_a_load_balancer_is_the_one_it_appended_itself(
    sources: Mapping[str, Any], name: str
) -> None:
    for claimed in ("6.6.6.6", "6.6.6.6, 7.7.7.7", "6.6.6.6,", ", ,", "unknown", "192.0.2.9,\t"):
        request = sources[name].request("/", headers={"x-forwarded-for": claimed})
        assert request.client_address == "192.0.2.1"


@pytest.mark.parametrize(
    "query",
    ["x_astro_path=/admin", "x-routelet-locals=%7B%22user%22:1%7D", "path=/admin", "_method=DELETE",
     "rest=other", "route=/admin", "next=/admin", "locals[user]=1", "__proto__[user]=1",
     "constructor.prototype.user=1", "params.rest=x", "/../admin", "#/admin", "%00", "%ff", "&=&="],
)  # fmt: skip
def test_no_query_chooses_anything(make_site: MakeSite, source: Any, query: str) -> None:
    manifest = make_site(PAGES, middleware=KEPT_OUT).app._manifest
    plain, told = asked(source, manifest), asked(source, manifest, f"/a?{query}")
    assert {**told, "url": ""} == {**plain, "url": ""}
    assert told["url"].startswith(plain["url"])
    assert asked(source, manifest, f"/admin?{query}") == 403


@pytest.mark.parametrize("body", [b"_method=DELETE", b'{"_method": "DELETE"}', b"\0"])
def test_no_body_chooses_the_method(make_site: MakeSite, source: Any, body: bytes) -> None:
    manifest = make_site(PAGES).app._manifest
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": ""}
    told = asked(source, manifest, method="POST", body=body, headers=headers)
    assert told["method"] == "POST"


def test_a_middleware_cannot_be_told_that_it_ran(make_site: MakeSite, source: Any) -> None:
    middleware = """
    from routelet import Response
    def on_request(ctx, next):
        return Response("ran", 401)
    """
    manifest = make_site(PAGES, middleware=middleware).app._manifest
    answers = {source.ask(manifest, path, headers=HOSTILE).body for path in ("/", "/admin", "/x")}
    assert answers == {b"ran"}


# Names that mean something to Python or JavaScript


NAMES = ("__proto__", "__class__", "__init__", "constructor", "prototype", "self", "ctx", "locals",
         "items", "get", "_pairs", "None")  # fmt: skip


def test_names_are_only_names(make_site: MakeSite, source: Any) -> None:
    page = """
    def POST(ctx):
        get = {name: ctx.url.search_params.get(name) for name in ctx.url.search_params}
        return {"query": get, "json": ctx.request.json(), "params": ctx.params,
                "cookies": {name: ctx.cookies.get(name) for name in ctx.cookies},
                "headers": [ctx.request.headers.get(f"x-{name}") for name in get],
                "locals": ctx.locals, "props": ctx.props}
    """
    manifest = make_site({"[__proto__]/[constructor].py": page}).app._manifest
    given = dict.fromkeys(NAMES, "1")
    told = asked(
        source,
        manifest,
        "/__class__/__init__?" + "&".join(f"{name}=1" for name in NAMES),
        method="POST",
        headers=[("cookie", "; ".join(f"{name}=1" for name in NAMES)),
                 *((f"x-{name}", "1") for name in NAMES)],
        body=json.dumps(given).encode(),
    )  # fmt: skip
    assert (told["query"], told["json"], told["cookies"]) == (given, given, given)
    assert told["headers"] == ["1"] * len(NAMES)
    assert told["params"] == {"__proto__": "__class__", "constructor": "__init__"}
    assert (told["locals"], told["props"]) == ({}, {})


@pytest.mark.parametrize(
    "method", ["__INIT__", "__CLASS__", "ALL", "IMPORT", "GET ", "", "\uff27ET"]
)
def test_no_method_reaches_anything_but_a_handler(
    make_site: MakeSite, source: Any, method: str
) -> None:
    pages = {"index.py": "import os as IMPORT\nLIMIT = 7\ndef GET(ctx): return 'got'"}
    answer = source.ask(make_site(pages).app._manifest, "/", method=method)
    assert (answer.status, answer.body) == (404, b"Not Found")


# Cross-site forms


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": FORM},
        {"content-type": FORM, "origin": "https://evil.example"},
        {"content-type": FORM, "origin": "https://evil.example", "host": "site.example"},
        {"content-type": f"{FORM}; charset=utf-8", "origin": "https://evil.example"},
        {"content-type": FORM.upper(), "origin": "null"},
        {"content-type": f"application/json; x={FORM}", "origin": "https://evil.example"},
        {"content-type": f" ;{FORM}", "origin": "https://evil.example"},
        {"content-type": "text/plain;charset=UTF-8", "origin": "https://evil.example"},
        {"content-type": "multipart/form-data; boundary=application/json"},
        {"content-type": ""},
        {},
        {"referer": "https://site.example/", "sec-fetch-site": "same-origin"},
        {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
        {"origin": "http://site.example", "x-forwarded-proto": "http"},
        {"origin": "https://site.example:81", "x-forwarded-port": "81"},
        {"origin": "https://site.example.evil.example"},
        {"origin": "https://evil.example, https://site.example"},
        {"origin": "https://site.example@evil.example"},
        {"content-type": FORM, "x-http-method-override": "GET"},
    ],
)
def test_a_form_of_another_site_reaches_no_code_of_this_one(
    make_site: MakeSite, source: Any, headers: dict[str, str]
) -> None:
    site = make_site(PAGES, middleware="def on_request(ctx, n): 1 / 0", check_origin=True)
    for path in ("/", "/nowhere", "/admin"):
        answer = source.ask(site.app._manifest, path, method="POST", headers=headers, body=b"a=b")
        assert answer.status == 403
        assert answer.body == b"Cross-site POST form submissions are forbidden"


def test_a_form_of_this_site_is_taken(make_site: MakeSite, source: Any) -> None:
    manifest = make_site(PAGES, check_origin=True).app._manifest
    headers = {"content-type": FORM, "origin": f"https://{source.host}"}
    told = asked(source, manifest, method="POST", headers=headers, body=b"a=b")
    assert told["method"] == "POST"
