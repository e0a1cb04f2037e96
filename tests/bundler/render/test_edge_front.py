"""What an edge function does with an origin request, from what a build gives it."""

import copy
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.edge_front import answer_of
from routelet.edge_request import received_path
from routelet.routing import Route, match_route
from routelet_bundler.discover.names import parse_route
from routelet_bundler.render.front import edge_front

API = "abc.execute-api.us-east-1.amazonaws.com"
BUCKET = "files.s3.us-east-1.amazonaws.com"


def event(uri: str, method: str = "GET", query: str = "q=1", **headers: str) -> dict[str, Any]:
    """Make an event as CloudFront does for a bucket with a custom header."""
    named = {"host": BUCKET, "cookie": "a=1", "x-routelet-locals": "signed", **headers}
    request = {
        "clientIp": "203.0.113.178",
        "method": method,
        "uri": uri,
        "querystring": query,
        "headers": {name: [{"key": name.title(), "value": value}] for name, value in named.items()},
        "origin": {
            "s3": {
                "authMethod": "none",
                "customHeaders": {"x-routelet-api": [{"key": "x-routelet-api", "value": API}]},
                "domainName": BUCKET,
                "path": "",
                "region": "us-east-1",
            }
        },
    }
    config = {"distributionId": "EXAMPLE", "eventType": "origin-request", "requestId": "id"}
    return {"Records": [{"cf": {"config": config, "request": request}}]}


def answer(
    site: dict[str, Any], files: Sequence[str] | None = None
) -> Callable[..., dict[str, Any]]:
    """Return the half of the function for a site as `site_of` describes it."""
    routes = [
        {key: one[key] for key in ("route", "pattern", "params", "prerender")}
        | ({"redirect": tuple(one["redirect"].values())} if "redirect" in one else {})
        for one in site["routes"]
    ]
    manifest = {
        "base": site["base"],
        "trailing_slash": site["trailingSlash"],
        "routes": routes,
        "front": edge_front(site, files),
    }
    half = answer_of(manifest)
    return lambda *args, **facts: half(event(*args, **facts))


def place(sent: dict[str, Any]) -> str:
    if "status" in sent:
        location = sent.get("headers", {}).get("location")
        return f"{sent['status']} {location[0]['value']}" if location else str(sent["status"])
    return "api" if "custom" in sent["origin"] else str(sent["uri"])


def prerendered(site: dict[str, Any], *routes: str) -> dict[str, Any]:
    """Take the functions of `routes` away."""
    for one in site["routes"]:
        if one["route"] in routes:
            one.update(prerender=True, function=None)
    return site


@pytest.fixture
def site(site_of: Any) -> dict[str, Any]:
    pages = ["index.py", "about.py", "404.py", "blog/[slug].py", "contact.py", "docs/[...path].py"]
    files = ["index.html", "about/index.html", "404.html", "blog/first/index.html"]
    made: dict[str, Any] = site_of(*pages, prerendered=files)
    return prerendered(made, "/", "/about", "/404", "/blog/[slug]")


FILES = [
    "index.html", "about/index.html", "404.html", "blog/first/index.html", "style.css", "LICENSE",
    "a b/ü#.txt", "docs/logo.svg", "docs/api/index.html", "old/index.html",
]  # fmt: skip


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("/", "/index.html"),
        ("/about", "/about/index.html"),
        ("/about/", "/about/index.html"),
        ("/blog/first", "/blog/first/index.html"),
        ("/style.css", "/style.css"),
        ("/LICENSE", "/LICENSE"),
        ("/a%20b/%C3%BC%23.txt", "/a%20b/%C3%BC%23.txt"),
        ("/contact", "api"),
        ("/contact/", "api"),
        ("/docs", "api"),
        ("/docs/a//b", "api"),
        ("/docs/logo.svg", "/docs/logo.svg"),
        ("/docs/api", "/docs/api/index.html"),
        ("/docs/api/", "/docs/api/index.html"),
        ("/docs/api/index.html", "/docs/api/index.html"),
        ("/old/index.html", "/old/index.html"),
        ("/missing", "/missing/index.html"),
        ("/missing.txt", "/missing.txt"),
        ("/constructor", "/constructor/index.html"),
    ],
)
def test_files_come_first_then_functions_then_the_bucket(site: Any, uri: str, where: str) -> None:
    assert place(answer(site, FILES)(uri)) == where


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("/index.html", "301 /?q=1"),
        ("/about/index.html", "301 /about/?q=1"),
        ("/about.html", "301 /about?q=1"),
        ("//about/index.html", "301 /about/?q=1"),
        ("/%61bout/index%2Ehtml", "301 /about/?q=1"),
        ("/x/../about/index.html", "301 /about/?q=1"),
        ("/404.html", "/404.html"),
    ],
)
def test_a_page_is_answered_at_the_url_of_its_route_alone(site: Any, uri: str, where: str) -> None:
    assert place(answer(site, FILES)(uri)) == where


def test_a_page_of_a_site_with_slashes_never_moves_to_where_it_is(site_of: Any) -> None:
    made = prerendered(site_of("about.py", prerendered=["about.html"]), "/about")
    made["trailingSlash"], made["routes"][0]["pattern"] = "never", "^/about$"

    assert place(answer(made)("/about")) == "/about.html"
    assert place(answer(made)("/about/index.html", query="")) == "301 /about"


FORMS = [
    ("always", "admin/index.html", "/admin", "301 /admin/?q=1"),
    ("always", "admin/index.html", "/admin/", "/admin/index.html"),
    ("always", "admin.html", "/admin", "301 /admin/?q=1"),
    ("always", "admin.html", "/admin/", "/admin.html"),
    ("always", "admin.html", "/admin.html", "301 /admin/?q=1"),
    ("never", "admin/index.html", "/admin/", "301 /admin?q=1"),
    ("never", "admin/index.html", "/admin", "/admin/index.html"),
    ("never", "admin.html", "/admin/", "301 /admin?q=1"),
    ("ignore", "admin/index.html", "/admin/index", "301 /admin/?q=1"),
    ("ignore", "index.html", "/index", "301 /?q=1"),
]


@pytest.mark.parametrize(("slash", "file", "uri", "where"), FORMS)
def test_a_page_is_answered_at_no_url_that_the_middleware_takes_for_another(
    site_of: Any, slash: str, file: str, uri: str, where: str
) -> None:
    pages = {"/": "index.py", "/admin": "admin.py", "/a": "a.py", "/b": "b.py"}
    files = [file, "a.html", "b.html"] if uri.endswith("/index") else [file]
    for others in ({}, {"/[...all]": "[...all].py"}):
        made = with_slashes(site_of, {**pages, **others}, slash, files)

        assert place(answer(prerendered(made, *pages, *others), files)(uri)) == where


def with_slashes(
    site_of: Any, pages: dict[str, str], slash: str, files: Sequence[str]
) -> dict[str, Any]:
    """Describe a site of `pages`, sources by their routes, with `trailing-slash`."""
    made: dict[str, Any] = site_of(*pages.values(), prerendered=files)
    made["trailingSlash"] = slash
    for one in made["routes"]:
        one["pattern"] = parse_route(pages[one["route"]], trailing_slash=slash).pattern
    return made


@pytest.mark.parametrize(
    ("slash", "uri", "where"),
    [
        ("always", "/data.json", "301 /data.json/?q=1"),
        ("always", "/data.json/", "/data.json"),
        ("always", "/feed", "301 /feed/?q=1"),
        ("always", "/feed/", "/feed"),
        ("always", "/style.css", "/style.css"),
        ("never", "/data.json", "/data.json"),
        ("ignore", "/data.json", "/data.json"),
        ("ignore", "/feed", "/feed"),
    ],
)
def test_a_prerendered_endpoint_is_answered_at_the_url_of_its_route_alone(
    site_of: Any, slash: str, uri: str, where: str
) -> None:
    endpoints = {"/data.json": "data.json.py", "/feed": "feed.py"}
    made = with_slashes(site_of, endpoints, slash, ["data.json", "feed"])
    made = prerendered(made, *endpoints)

    assert place(answer(made, ["data.json", "feed", "style.css"])(uri)) == where


def test_a_file_of_html_that_is_no_page_is_answered_at_its_own_name(site_of: Any) -> None:
    public = ["google1.html", "docs/index.html", "404.html"]
    made = site_of("[slug].py", "a/[...path].py", prerendered=["one/index.html", "a/b.html"])
    choose = answer(prerendered(made, "/[slug]"), ["one/index.html", "a/b.html", *public])

    assert [place(choose(f"/{file}")) for file in public] == [f"/{file}" for file in public]
    assert place(choose("/google1")) == "/google1.html"
    assert place(choose("/docs/")) == "/docs/index.html"
    assert place(choose("/one/index.html")) == "301 /one/?q=1"


def test_a_page_in_a_file_among_urls_of_a_function_has_one_url(site_of: Any) -> None:
    made = site_of("a.py", "[...path].py", prerendered=["a.html", "404.html"])
    choose = answer(prerendered(made, "/a"), ["a.html", "404.html"])

    assert place(choose("/a")) == "/a.html"
    assert place(choose("/a.html")) == "301 /a?q=1"
    assert place(choose("/404.html")) == "/404.html"
    assert place(choose("/b.html")) == "api"


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("/private%2Fkey.txt", "/private/key.txt"),
        ("/style.css%3Fx", "/style.css"),
        ("/x%2F..%2Fprivate/key.txt", "/private/key.txt"),
        ("/contact%3Fx", "api"),
    ],
)
def test_a_file_is_looked_for_at_the_path_that_middleware_sees(
    site: Any, uri: str, where: str
) -> None:
    assert place(answer(site, [*FILES, "private/key.txt"])(uri)) == where


@pytest.mark.parametrize("uri", ["/style.css/", "/docs/logo.svg/", "/docs/logo.svg/index.html"])
def test_a_file_is_no_folder(site: Any, uri: str) -> None:
    assert place(answer(site, FILES)(uri)) == "api"


@pytest.mark.parametrize("uri", ["/%", "/about/%zz", "/%ff"])
def test_a_malformed_escape_is_a_bad_request(site: Any, uri: str) -> None:
    assert place(answer(site, FILES)(uri)) == "400"


def test_what_is_below_a_file_is_not_that_file(site: Any) -> None:
    assert place(answer(site, FILES)("/style.css/index.html")) == "/style.css/index.html"
    assert place(answer(site, FILES)("/LICENSE/index.html")) == "/LICENSE/index.html"


def test_dots_are_resolved_before_a_file_is_looked_for(site: Any) -> None:
    choose = answer(site, [*FILES, "private/key.txt"])

    for uri in ("/x/../private/key.txt", "/x/%2e%2e/private/./key.txt", "//private/key.txt"):
        assert place(choose(uri)) == "/private/key.txt"


PIECES = st.sampled_from(
    ["/", "//", "%2F", "%2f", "..", ".", "%2e%2E", "%2e", "?", "%3F", "%", "%25", "%252F", "\\",
     "private", "%70rivate", "PRIVATE", "key.txt", "page", "index.html", "index", ".html", "about",
     "private/page", ";a=b",
     "%00", "%C3%A4", "ä", "+", " "]
)  # fmt: skip


@given(pieces=st.lists(PIECES, max_size=8))
def test_no_file_is_reached_under_a_path_that_the_middleware_did_not_see(
    site_of: Any, pieces: list[str]
) -> None:
    files = ["private/key.txt", "private/page/index.html", "about/index.html", "key.txt"]
    made = prerendered(site_of("private/page.py", "about.py", "api/[...path].py"), "/private/page")
    uri = "/" + "".join(pieces)
    sent = answer(made, files)(uri)

    if "s3" in sent.get("origin", ()):
        seen = received_path(uri)
        page = unquote(sent["uri"]).removesuffix("/index.html").strip("/")
        assert page in {seen.strip("/"), seen.removesuffix("/index.html").strip("/")}


PAGE_FILES = {"/": "index.html", "/private/page": "private/page/index.html", "/about": "about.html"}


@given(
    pieces=st.lists(PIECES, max_size=6),
    slash=st.sampled_from(["always", "never", "ignore"]),
    most=st.sampled_from([(), ("a.html", "b.html", "c.html")]),
)
def test_no_page_is_reached_under_a_path_of_another_route(
    site_of: Any, pieces: list[str], slash: str, most: tuple[str, ...]
) -> None:
    pages = {"/": "index.py", "/private/page": "private/page.py", "/about": "about.py"}
    with_rest = {**pages, "/[...all]": "[...all].py"}
    made = prerendered(with_slashes(site_of, with_rest, slash, [*PAGE_FILES.values()]), *pages)
    uri = "/" + "".join(pieces)
    sent = answer(made, [*PAGE_FILES.values(), *most])(uri)

    file = unquote(sent.get("uri", ""))[1:]
    if "s3" in sent.get("origin", ()) and file in PAGE_FILES.values():
        seen = received_path(uri)
        routes = [Route(one["route"], one["pattern"], one["params"]) for one in made["routes"]]
        found = match_route(routes, seen)
        assert found is not None
        assert PAGE_FILES.get(found[0].route) == file


def test_a_post_reaches_the_api_always(site: Any) -> None:
    for uri in ("/about", "/style.css", "/contact", "/missing"):
        assert place(answer(site, FILES)(uri, "POST")) == "api"


def test_the_api_gets_the_request_as_it_is_and_its_own_host(site: Any) -> None:
    asked = event("/docs//a%2525", "POST")
    before = copy.deepcopy(asked)

    sent = answer(site, FILES)("/docs//a%2525", "POST")

    request = before["Records"][0]["cf"]["request"]
    assert sent["headers"].pop("host") == [{"key": "Host", "value": API}]
    assert request["headers"].pop("host")
    assert sent.pop("origin")["custom"] == {
        "domainName": API,
        "port": 443,
        "protocol": "https",
        "path": "",
        "sslProtocols": ["TLSv1.2"],
        "readTimeout": 30,
        "keepaliveTimeout": 5,
        "customHeaders": {},
    }
    del request["origin"]
    assert sent == request


def test_the_bucket_gets_no_query_no_cookie_and_no_locals(site: Any) -> None:
    sent = answer(site, FILES)("/about", "HEAD", "response-content-type=text/html")

    assert sent["querystring"] == ""
    assert set(sent["headers"]) == {"host"}
    assert sent["headers"]["host"][0]["value"] == BUCKET
    assert sent["origin"]["s3"]["domainName"] == BUCKET


def test_the_domain_of_the_api_is_none_that_a_viewer_sends(site: Any) -> None:
    sent = answer(site, FILES)("/contact", **{"x-routelet-api": "evil.example"})

    assert sent["origin"]["custom"]["domainName"] == API


def test_what_is_outside_of_the_base_is_no_file(site_of: Any) -> None:
    made = site_of("api.py", base="/site", prerendered=["index.html"])
    choose = answer(made, ["index.html", "b.txt", "img/a.png"])

    uris = ["/site", "/site/", "/site/b.txt", "/site/img/a.png", "/site/api", "/siteb", "/"]
    assert [place(choose(uri)) for uri in uris] == [
        "/index.html", "/index.html", "/b.txt", "/img/a.png", "api", "api", "api",
    ]  # fmt: skip


def test_redirects_are_made_here_in_matching_order(site_of: Any) -> None:
    made = site_of("old/new.py", "old/[id].py", "[...rest].py", base="/b")
    for one in made["routes"]:
        if one["route"] == "/old/[id]":
            redirect = {"destination": "/new/[id]/?from=old#top", "status": None}
            one.update(type="redirect", function=None, redirect=redirect)
    choose = answer(made, [])

    assert place(choose("/b/old/new")) == "api"
    assert place(choose("/b/old/a%20b")) == "301 /b/new/a%20b/?from=old#top"
    assert place(choose("/b/old/7", "POST")) == "308 /b/new/7/?from=old#top"
    assert place(choose("/b/else")) == "api"


def test_a_redirect_that_no_url_can_be_made_of_is_a_bad_request(site_of: Any) -> None:
    made = site_of("old-[name].py")
    redirect = {"destination": "/new/[name]", "status": None}
    made["routes"][0].update(type="redirect", function=None, redirect=redirect)

    assert place(answer(made, [])("/old-..")) == "400"
    assert place(answer(made, [])("/old-x")) == "301 /new/x"


def test_a_prerendered_redirect_is_one_before_any_route_or_file(site_of: Any) -> None:
    names = ["old/index.html", "new/index.html"]
    made = site_of("[...path].py", base="/docs", prerendered=names)
    moved = {"url": "/docs/old", "status": 308, "location": "/new?a=1"}
    made["prerendered"][0]["redirect"] = moved
    choose = answer(made, names)

    for uri in ("/docs/old", "/docs/old/", "/docs/old/index.html"):
        assert place(choose(uri)) == "308 /new?a=1"
    assert place(choose("/docs/new")) == "/new/index.html"
    assert place(choose("/docs/old", "POST")) == "api"


def test_pages_in_files_of_their_own_are_found(site_of: Any) -> None:
    made = site_of("a.py", "api/[x].py", prerendered=["a.html", "api/docs.html"])
    choose = answer(prerendered(made, "/a"), ["a.html", "api/docs.html"])

    assert place(choose("/a")) == "/a.html"
    assert place(choose("/api/docs")) == "/api/docs.html"
    assert place(choose("/api/else")) == "api"
