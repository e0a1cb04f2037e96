"""A site with edge middleware, built and answering behind the emulated CloudFront."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from routelet_bundler import Build, build
from routelet_bundler.emulator import Emulator

PROJECT = """
[project]
name = "site"
version = "1"

[tool.routelet]
output = "hybrid"
adapter = "aws-lambda"
base = "{base}"

[tool.routelet.redirects]
"/old/[id]" = "/posts/[id]"

[tool.routelet.adapters.aws-lambda]
edge-middleware = true
"""

MIDDLEWARE = """
from routelet import Response

BASE = "{base}".rstrip("/")

def on_request(ctx, next):
    if ctx.is_prerendered:  # while the site is built; the page's own visitors come to the edge
        return next()
    path = ctx.url.path.removeprefix(BASE)
    if path.startswith("/members") and ctx.cookies.get("session") is None:
        return ctx.redirect(f"{{BASE}}/login?to={{path}}")
    if path == "/teapot":
        return Response.json({{"short": "stout"}}, status=418)
    if path == "/broken":
        raise ValueError("broken at the edge")
    if ctx.request.method == "POST" and path == "/shout":
        ctx.locals["shouted"] = ctx.request.text().upper()
    ctx.locals["route"] = ctx.route_pattern
    ctx.locals["params"] = ctx.params
    ctx.locals["user"] = {{"name": "Ada \\u00e4", "groups": ["a", "b"]}}
    response = next(f"{{BASE}}/posts/1" if path == "/latest" else None)
    response.headers.set("x-served-by", "edge")
    ctx.cookies.set("visits", "1", path="/", http_only=True)
    return response
"""

ECHO = """
prerender = False

def GET(ctx):
    return {"locals": ctx.locals, "params": ctx.params, "url": str(ctx.url),
            "client": ctx.client_address, "header": ctx.request.headers.get("x-routelet-locals"),
            "host": ctx.request.headers.get("host"), "path": ctx.url.path}

def POST(ctx):
    return {"locals": ctx.locals, "body": ctx.request.text()}
"""

FILES = {
    "src/pages/posts/[id].py": ECHO,
    "src/pages/shout.py": ECHO,
    "src/pages/members/[...path].py": ECHO,
    "src/pages/fails.py": "prerender = False\ndef GET(ctx): raise ValueError('broken')",
    "src/pages/index.html": "<h1>home</h1>",
    "src/pages/about.md": "# About\n",
    "src/pages/members/rules.html": "<h1>rules</h1>",
    "src/pages/404.html": "<h1>nothing here</h1>",
    "public/style.css": "p {}",
    "public/members/report.txt": "secret numbers",
}


def site_at(root: Path, base: str = "/", files: Mapping[str, str] = FILES) -> Build:
    texts = {
        **files,
        "pyproject.toml": PROJECT.format(base=base),
        "src/middleware.py": MIDDLEWARE.format(base=base),
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return build(root)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return site_at(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def log() -> list[str]:
    return []


@pytest.fixture(scope="module")
def site(built: Build, log: list[str]) -> Iterator[Emulator]:
    with Emulator(built.out_dir, log=log.append) as emulator:
        yield emulator


def test_locals_reach_the_page_with_the_viewers_own_address(site: Emulator) -> None:
    response = site.get("/posts/7?q=%C3%A4&q=b")

    page = response.json()
    assert page["locals"] == {
        "route": "/posts/[id]",
        "params": {"id": "7"},
        "user": {"name": "Ada ä", "groups": ["a", "b"]},
    }
    assert page["url"] == site.url.replace("http:", "https:") + "/posts/7?q=%C3%A4&q=b"
    assert page["client"] == "127.0.0.1"
    assert page["header"] is None


def test_what_is_set_on_the_response_of_next_is_on_the_pages_response(site: Emulator) -> None:
    response = site.get("/posts/7")

    assert response.headers["x-served-by"] == "edge"
    assert response.headers.get_set_cookie() == ["visits=1; Path=/; HttpOnly"]


def test_who_may_not_see_a_page_is_sent_away_by_the_edge(site: Emulator) -> None:
    response = site.get("/members/area")

    assert (response.status, response.headers["location"]) == (302, "/login?to=/members/area")
    assert response.headers["x-cache"] == "LambdaGeneratedResponse from cloudfront"
    member = site.get("/members/area", headers={"Cookie": "session=1"})
    assert member.json()["params"] == {"path": "area"}


@pytest.mark.parametrize(
    "path",
    [
        "/members/report.txt",
        "/members%2Freport.txt",
        "/%6Dembers/report.txt",
        "//members/report.txt",
        "/x/../members/report.txt",
        "/x/%2e%2e/members/report.txt",
        "/x%2F..%2Fmembers/report.txt",
        "/members/rules",
        "/members/rules/",
        "/members/rules/index.html",
        "/members/rules.html",
    ],
)
def test_a_file_is_behind_the_guard_however_its_path_is_written(site: Emulator, path: str) -> None:
    response = site.get(path)

    assert response.status == 302
    assert response.headers["location"].startswith("/login?to=/members")


def test_a_member_sees_the_files(site: Emulator) -> None:
    session = {"Cookie": "session=1"}

    assert site.get("/members/report.txt", headers=session).text == "secret numbers"
    assert "rules" in site.get("/members/rules", headers=session).text
    moved = site.get("/members/rules/index.html", headers=session)
    assert (moved.status, moved.headers["location"]) == (301, "/members/rules/")


def test_files_come_from_the_bucket_and_redirects_from_the_edge(site: Emulator) -> None:
    assert site.get("/style.css").text == "p {}"
    assert "home" in site.get("/").text
    assert "About" in site.get("/about").text
    moved = site.get("/old/7")
    assert (moved.status, moved.headers["location"]) == (301, "/posts/7")


def test_the_middleware_may_answer_itself(site: Emulator) -> None:
    response = site.get("/teapot")

    assert (response.status, response.json()) == (418, {"short": "stout"})
    assert response.headers["content-type"].startswith("application/json")


def test_a_rewrite_is_to_another_page(site: Emulator) -> None:
    page = site.get("/latest?from=here").json()

    assert page["params"] == {"id": "1"}
    assert page["path"] == "/posts/1"


def test_a_body_is_there_for_the_middleware_and_for_the_page(site: Emulator) -> None:
    headers = {"Content-Type": "text/plain", "Origin": site.url}
    page = site.post("/shout", body="hello", headers=headers).json()

    assert page["body"] == "hello"
    assert page["locals"]["shouted"] == "HELLO"


def test_a_body_that_cloudfront_cuts_reaches_the_page_whole(site: Emulator) -> None:
    body = "x" * 100_000
    headers = {"Content-Type": "text/plain", "Origin": site.url}

    assert site.post("/posts/7", body=body, headers=headers).json()["body"] == body


def test_a_form_of_the_site_is_taken_and_one_of_another_is_not(site: Emulator) -> None:
    own = site.post("/posts/7", form={"a": "1"})
    other = site.post("/posts/7", form={"a": "1"}, headers={"Origin": "https://evil.example"})

    assert (own.status, own.json()["body"]) == (200, "a=1")
    assert other.status == 403


def test_what_nothing_answers_is_the_404_page(site: Emulator) -> None:
    response = site.get("/nowhere")

    assert response.status == 404
    assert "nothing here" in response.text


def test_an_error_of_the_middleware_is_a_500_that_tells_nothing(
    site: Emulator, log: list[str]
) -> None:
    response = site.get("/broken")

    assert (response.status, response.text) == (500, "Internal Server Error")
    assert any("broken at the edge" in line for line in log)


def test_an_error_of_a_page_is_that_functions(site: Emulator) -> None:
    response = site.get("/fails")

    assert response.status == 500
    assert response.headers["x-served-by"] == "edge"


def test_who_goes_around_the_edge_is_refused(site: Emulator) -> None:
    event = {
        "version": "2.0",
        "rawPath": "/posts/7",
        "rawQueryString": "",
        "headers": {"x-routelet-locals": "v1.9999999999.e30.AAAA"},
        "requestContext": {
            "domainName": "api.example",
            "stage": "$default",
            "http": {"method": "GET", "path": "/posts/7", "sourceIp": "203.0.113.1"},
        },
    }

    for headers in (event["headers"], {}):
        result = site.invoke("posts__id_", {**event, "headers": headers})
        assert json.loads(result.payload)["statusCode"] == 403


def test_the_viewers_own_locals_are_dropped(site: Emulator) -> None:
    for name in ("x-routelet-locals", "X-Routelet-Locals", "x_routelet_locals"):
        page = site.get("/posts/7", headers={name: "v1.9999999999.e30.AAAA"}).json()
        assert page["locals"]["user"]["name"] == "Ada ä"


def test_no_page_has_middleware_and_the_template_is_there(built: Build) -> None:
    for function in built.functions:
        with ZipFile(built.out_dir / "functions" / f"{function.name}.zip") as archive:
            assert not any("middleware" in name.partition("/")[0] for name in archive.namelist())
    template = (built.out_dir / "template.yaml").read_text()
    assert "LambdaFunctionAssociations" in template


def test_log_lines_have_no_locals_and_no_key(site: Emulator, log: list[str]) -> None:
    site.get("/posts/7")

    assert not any("v1." in line or "Ada" in line for line in log)


@pytest.fixture(scope="module")
def based(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    made = site_at(tmp_path_factory.mktemp("based"), "/docs")
    with Emulator(made.out_dir) as emulator:
        yield emulator


def test_a_base_is_part_of_every_url(based: Emulator) -> None:
    assert based.get("/docs/posts/7").json()["params"] == {"id": "7"}
    assert based.get("/docs/style.css").text == "p {}"
    assert based.get("/docs/members/report.txt").status == 302
    assert based.get("/docs/old/7").headers["location"] == "/docs/posts/7"
    assert based.get("/docs/latest").json()["params"] == {"id": "1"}
    for path in ("/posts/7", "/style.css", "/docsx/style.css"):
        assert based.get(path).status == 404


def test_a_site_of_files_alone_is_guarded_too(tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if not name.endswith(".py")}
    made = site_at(tmp_path, files=files)

    assert made.functions == ()
    with Emulator(made.out_dir) as emulator:
        assert emulator.get("/members/report.txt").status == 302
        assert emulator.get("/style.css").text == "p {}"
        assert emulator.get("/nowhere").status == 404


def test_equal_sites_give_equal_edge_zips(
    built: Build, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again: Callable[[Any], bytes] = lambda made: (  # noqa: E731
        made.out_dir / "functions" / "middleware.zip"
    ).read_bytes()

    assert again(built) == again(site_at(tmp_path_factory.mktemp("again")))
