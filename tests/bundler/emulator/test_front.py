"""A whole site behind its address: files first, then functions under the real awslambdaric."""

import json
import socket
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from routelet.media_types import content_type_of
from routelet_bundler.emulator import Emulator

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"},
            "body": json.dumps(event)}
"""
ODD = """
import os, time
def handler(event, context):
    match event["rawPath"].rpartition("/")[2]:
        case "error": raise ValueError("secret")
        case "exit": os._exit(1)
        case "large": return {"statusCode": 200, "body": "x" * 6_291_556}
        case "plain": return {"not": "a response"}
        case "malformed": return {"statusCode": "x"}
        case "binary": return {"statusCode": 201, "headers": {"content-type": "image/png"},
                               "body": "iVBORw0KGgo=", "isBase64Encoded": True}
        case "cookies": return {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"]}
        case "empty": return {"statusCode": 204}
"""
SLOW = "import time\ndef handler(event, context): time.sleep(60)"
MEET = """
import pathlib, time
def handler(event, context):
    here, there = event["rawQueryString"].split(",")
    pathlib.Path(here).touch()
    for _ in range(300):
        if pathlib.Path(there).exists(): return "met"
        time.sleep(0.01)
    return "alone"
"""


@pytest.fixture(scope="module")
def site(make_dist: Callable[..., Any]) -> Iterator[Emulator]:
    dist = make_dist()
    dist.function("echo", ECHO)
    dist.function("odd", ODD)
    dist.function("slow", SLOW, timeout=1)
    dist.function("meet_a", MEET)
    dist.function("meet_b", MEET)
    dist.route("/", prerender=True)
    dist.route("/about", prerender=True)
    dist.route("/gone", prerender=True)
    dist.route("/slow", "slow")
    dist.route("/meet-a", "meet_a")
    dist.route("/meet-b", "meet_b")
    dist.route("/blog/[slug]", prerender=True)
    dist.route("/echo/[...path]", "echo")
    dist.route("/odd/[what]", "odd")
    dist.redirect("/old/[id]", "/new/[id]/?from=old#top")
    dist.redirect("/away", "https://example.com/x", 307)
    dist.file("index.html", "home", route="/")
    dist.file("about/index.html", "about", route="/about")
    dist.file("blog/hello.html", "hello", route="/blog/[slug]")
    dist.file("echo/file.txt", "a file")
    dist.file("caf\u00e9 menu.txt", "menu")
    dist.file("docs/index.html", "docs")
    dist.file("style.css", "p {}")
    dist.file("404.html", "nothing here")
    (dist.path / "secret.txt").write_text("secret")
    (dist.path / "client" / "link.txt").symlink_to(dist.path / "secret.txt")
    with Emulator(dist.write()) as emulator:
        yield emulator


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/", "home", "text/html; charset=utf-8"),
        ("/?a=b", "home", "text/html; charset=utf-8"),
        ("/index.html", "home", "text/html; charset=utf-8"),
        ("/about", "about", "text/html; charset=utf-8"),
        ("/about/", "about", "text/html; charset=utf-8"),
        ("/blog/hello", "hello", "text/html; charset=utf-8"),
        ("/docs", "docs", "text/html; charset=utf-8"),
        ("/style.css", "p {}", "text/css; charset=utf-8"),
        ("/blog/../style.css", "p {}", "text/css; charset=utf-8"),
        ("/caf%C3%A9%20menu.txt", "menu", "text/plain; charset=utf-8"),
        ("/caf\u00e9 menu.txt", "menu", "text/plain; charset=utf-8"),
        ("/echo/file.txt", "a file", "text/plain; charset=utf-8"),
    ],
)
def test_files_come_first(site: Emulator, path: str, body: str, content_type: str) -> None:
    response = site.get(path)
    assert (response.status, response.text) == (200, body)
    assert response.headers["content-type"] == content_type


@pytest.mark.parametrize(
    "path",
    ["/gone", "/nowhere", "/blog/other", "/style.css/", "/link.txt", "/../secret.txt",
     "/..%2fsecret.txt", "/%2e%2e/secret.txt", "//etc/passwd"],
)  # fmt: skip
def test_what_is_not_there_gets_the_404_page(site: Emulator, path: str) -> None:
    response = site.get(path)
    assert (response.status, response.text) == (404, "nothing here")


def test_a_page_is_not_posted_to(site: Emulator) -> None:
    assert site.post("/about", json={}).status == 404
    assert site.post("/echo/file.txt", json={}).json()["rawPath"] == "/echo/file.txt"


def test_head_has_the_length_and_no_body(site: Emulator) -> None:
    response = site.request("HEAD", "/style.css")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["content-length"] == "4"


def test_a_function_gets_the_event(site: Emulator) -> None:
    response = site.post(
        "/echo/a%20b?c=d&c=e",
        body="\u00e4",
        headers=[("Content-Type", "text/plain"), ("X-One", "1"), ("X-One", "2"), ("Cookie", "f=g")],
    )
    event = response.json()
    assert response.status == 200
    assert len(response.headers["apigw-requestid"]) == 16
    assert event["rawPath"] == "/echo/a b"
    assert event["rawQueryString"] == "c=d&c=e"
    assert event["cookies"] == ["f=g"]
    assert event["body"] == "\u00e4"
    assert event["headers"]["x-one"] == "1,2"
    assert event["headers"]["content-length"] == "2"
    assert event["headers"]["host"] == site.url.removeprefix("http://")
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_paths_are_matched_as_the_function_sees_them(site: Emulator) -> None:
    assert site.get("/echo%2Fa").json()["rawPath"] == "/echo/a"
    assert site.get("/echo/a%3Fb=c?d=e").json()["rawPath"] == "/echo/a"


def test_a_binary_body_arrives_in_base64(site: Emulator) -> None:
    body = bytes(range(256))
    event = site.post("/echo", body=body).json()
    assert event["isBase64Encoded"] is True
    assert b64decode(event["body"]) == body


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/odd/error", 500, {"message": "Internal Server Error"}),
        ("/odd/exit", 500, {"message": "Internal Server Error"}),
        ("/odd/malformed", 500, {"message": "Internal Server Error"}),
        ("/odd/large", 413, {"message": "Request Entity Too Large"}),
        ("/odd/plain", 200, {"not": "a response"}),
        ("/slow", 503, {"message": "Service Unavailable"}),
    ],
)
def test_odd_results_get_the_gateways_answers(
    site: Emulator, path: str, status: int, body: object
) -> None:
    response = site.get(path)
    assert (response.status, response.json()) == (status, body)


def test_binary_results_and_cookies_arrive(site: Emulator) -> None:
    binary = site.get("/odd/binary")
    assert (binary.status, binary.body) == (201, b"\x89PNG\r\n\x1a\n")
    assert binary.headers["content-type"] == "image/png"
    assert site.get("/odd/cookies").headers.get_set_cookie() == ["a=1; Path=/", "b=2"]
    empty = site.get("/odd/empty")
    assert (empty.status, empty.body, "content-length" in empty.headers) == (204, b"", False)


def test_two_functions_run_at_once(site: Emulator, tmp_path: Any) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with ThreadPoolExecutor(2) as pool:
        both = pool.map(site.get, (f"/meet-a?{a},{b}", f"/meet-b?{b},{a}"))
        assert [response.text for response in both] == ["met", "met"]


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/old/a%20b", 301, "/new/a%20b/?from=old#top"),
        ("POST", "/old/7", 308, "/new/7/?from=old#top"),
        ("GET", "/away", 307, "https://example.com/x"),
        ("POST", "/away", 307, "https://example.com/x"),
    ],
)
def test_a_redirect_route_redirects(
    site: Emulator, method: str, path: str, status: int, location: str
) -> None:
    response = site.request(method, path)
    assert (response.status, response.headers["location"]) == (status, location)


@pytest.mark.parametrize("path", ["/%", "/echo/%zz", "/%ff", "/a%00b"])
def test_a_malformed_escape_is_a_bad_request(site: Emulator, path: str) -> None:
    assert site.get(path).status == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_form_of_the_site_itself_has_the_origin_of_the_gateway(site: Emulator, host: str) -> None:
    own = f"http://{host}:{site.url.rpartition(':')[2]}"
    headers = site.post(
        "/echo", form={"a": ["1", "\u00e4"]}, headers={"Origin": own, "Referer": f"{own}/form?x"}
    ).json()["headers"]
    assert headers["origin"] == "https://localhost"
    assert headers["referer"] == "https://localhost/form?x"


def test_an_origin_of_another_site_stays(site: Emulator) -> None:
    for origin in (f"{site.url}0", "https://evil.example", "null"):
        event = site.post("/echo", form={"a": "1"}, headers={"Origin": origin}).json()
        assert event["headers"]["origin"] == origin
    assert b64decode(event["body"]) == b"a=1"
    assert event["headers"]["content-type"] == "application/x-www-form-urlencoded"


def test_a_body_over_the_gateways_limit_is_refused_and_one_over_lambdas_too(site: Emulator) -> None:
    for size in (10_485_761, 6_291_456):
        response = site.post("/echo", body="x" * size, headers={"Content-Type": "text/plain"})
        assert (response.status, response.json()) == (413, {"message": "Request Entity Too Large"})


def test_a_connection_stays_open_and_a_target_may_be_a_whole_url(site: Emulator) -> None:
    address = site.url.removeprefix("http://")
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        for target in (f"http://{address}/style.css", "/style.css"):
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            assert connection.recv(65_536).endswith(b"\r\n\r\np {}")
        connection.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 411 ")


def test_a_base_is_taken_off_and_nothing_is_outside_of_it(make_dist: Callable[..., Any]) -> None:
    dist = make_dist(base="/docs")
    dist.function("echo", ECHO)
    dist.route("/echo", "echo")
    dist.redirect("/old", "/echo")
    dist.file("style.css", "p {}")
    with Emulator(dist.write()) as site:
        assert site.get("/docs/style.css").text == "p {}"
        assert site.get("/docs/echo").json()["rawPath"] == "/docs/echo"
        assert site.get("/docs/old").headers["location"] == "/docs/echo"
        for path in ("/style.css", "/docsx/style.css", "/echo", "/docs/nowhere"):
            response = site.get(path)
            assert (response.status, response.json()) == (404, {"message": "Not Found"})


def test_a_route_of_trailing_slashes_is_kept_to_for_prerendered_pages(
    make_dist: Callable[..., Any],
) -> None:
    dist = make_dist()
    dist.route("/about", prerender=True, slash="/")
    dist.file("about/index.html", "about", route="/about")
    with Emulator(dist.write()) as site:
        assert site.get("/about/").text == "about"
        assert site.get("/about").status == 404


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.js", "javascript"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a.tar.gz", "application/octet-stream"),
        ("CNAME", "application/octet-stream"),
        ("feed.xml", "text/xml; charset=utf-8"),
    ],
)
def test_types_come_from_the_name(name: str, content_type: str) -> None:
    assert content_type in content_type_of(name)


def test_an_event_is_json(site: Emulator) -> None:
    result = site.invoke("echo", {"rawPath": "\u00e4"})
    assert json.loads(json.loads(result.payload)["body"]) == {"rawPath": "\u00e4"}
    assert result.function_error is False
