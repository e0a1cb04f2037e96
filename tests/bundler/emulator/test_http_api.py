"""What AWS makes of requests and results; names of tests begin with the recorded case's id."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.events.http_api import request_of, result_of
from routelet.http import Response, SearchParams
from routelet_bundler.emulator.http_api import Arrival, Gateway, event_of, http_of
from routelet_bundler.emulator.serving import HttpRequest

ARRIVAL = Arrival(
    time=datetime(2026, 7, 10, 9, 8, 7, 654321, tzinfo=UTC),
    request_id="JKJaXmPLvHcESHA=",
    trace_id="Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
)


def event(
    target: str = "/",
    *headers: tuple[str, str],
    method: str = "GET",
    body: bytes = b"",
    gateway: Gateway = Gateway(),  # noqa: B008 - frozen
) -> dict[str, Any]:
    request = HttpRequest(
        method=method, target=target, headers=headers, body=body, peer="203.0.113.9"
    )
    return event_of(request, ARRIVAL, gateway)


def answer(result: object) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    got = http_of(json.dumps(result).encode())
    return got.status, got.headers, got.body


@pytest.mark.parametrize(
    ("target", "raw_path"),
    [
        pytest.param("/capture/space%20value", "/capture/space value", id="C01"),
        pytest.param("/a%2525b", "/a%25b", id="C02 one decode in total"),
        pytest.param("/caf%C3%A9/%E2%98%95", "/café/☕", id="C03"),
        pytest.param("/x/a%2Fb", "/x/a/b", id="C04 an encoded slash is lost"),
        pytest.param("/users/me%3Fadmin=true", "/users/me", id="C05 ends at a decoded ?"),
        pytest.param("/users/me%23x?q=1", "/users/me#x", id="C05 keeps a decoded #"),
        pytest.param("/thing/", "/thing/", id="C06"),
        pytest.param("//about", "//about", id="two slashes"),
    ],
)
def test_the_path_is_decoded_once(target: str, raw_path: str) -> None:
    made = event(target)
    assert made["rawPath"] == raw_path
    assert made["requestContext"]["http"]["path"] == raw_path


def test_C07_a_named_stage_is_in_front_of_the_path() -> None:
    made = event("/my/path", gateway=Gateway(stage="Prod"))
    assert made["rawPath"] == made["requestContext"]["http"]["path"] == "/Prod/my/path"
    request = request_of(made)
    assert (request.path, request.root_path) == ("/my/path", "/Prod")


def test_C08_C09_the_default_stage_is_not_in_front_of_the_path() -> None:
    assert event("/apiv2/x")["rawPath"] == "/apiv2/x"
    assert event("/apiv2/x")["requestContext"]["stage"] == "$default"


def test_C10_the_query_is_verbatim_and_its_map_is_decoded() -> None:
    query = "repeat=one&repeat=two&literalPlus=a+b&encodedPlus=a%2Bb&empty="
    made = event(f"/capture?{query}")
    assert made["rawQueryString"] == query
    assert made["queryStringParameters"] == {
        "repeat": "one,two",
        "literalPlus": "a b",
        "encodedPlus": "a+b",
        "empty": "",
    }


def test_C11_a_comma_in_a_value_stands_as_it_is() -> None:
    assert event("/?tag=a%2Cb")["queryStringParameters"] == {"tag": "a,b"}


@pytest.mark.parametrize("target", ["/", "/?"])
def test_C12_without_a_query_there_is_no_map(target: str) -> None:
    made = event(target)
    assert made["rawQueryString"] == ""
    assert "queryStringParameters" not in made


def test_C13_a_key_without_a_value_is_there() -> None:
    assert event("/?flag")["queryStringParameters"] == {"flag": ""}
    assert event("/?flag=")["queryStringParameters"] == {"flag": ""}


def test_C14_cookies_are_in_a_list_and_not_in_the_headers() -> None:
    made = event("/", ("Cookie", "session=abc123; theme=dark"), ("cookie", "more=1"))
    assert made["cookies"] == ["session=abc123", "theme=dark", "more=1"]
    assert "cookie" not in made["headers"]
    assert "cookies" not in event("/")


def test_C15_repeated_headers_are_joined_and_names_are_lower_case() -> None:
    made = event("/", ("X-Voker-Probe", "first"), ("x-voker-probe", "second"))
    assert made["headers"]["x-voker-probe"] == "first,second"


def test_C16_commas_in_a_header_stay() -> None:
    made = event("/", ("Date", "Fri, 10 Jul 2026 09:08:07 GMT"))
    assert made["headers"]["date"] == "Fri, 10 Jul 2026 09:08:07 GMT"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "text/plain", "text/csv",
     "application/xml", "application/javascript"],
)  # fmt: skip
def test_C17_text_is_text(content_type: str) -> None:
    made = event("/", ("content-type", content_type), method="POST", body='{"ä":1}'.encode())
    assert (made["body"], made["isBase64Encoded"]) == ('{"ä":1}', False)


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("application/x-www-form-urlencoded", id="C18"),
        pytest.param(None, id="C19"),
        pytest.param("multipart/form-data; boundary=x", id="C20"),
        pytest.param("application/octet-stream", id="C20 octet-stream"),
        pytest.param("application/vnd.api+json", id="no other JSON"),
    ],
)
def test_other_bodies_are_in_base64(content_type: str | None) -> None:
    headers = [("content-type", content_type)] if content_type else []
    made = event("/", *headers, method="POST", body=b"a=1")
    assert (made["body"], made["isBase64Encoded"]) == (b64encode(b"a=1").decode(), True)


def test_text_that_is_not_utf8_loses_nothing() -> None:
    made = event("/", ("content-type", "text/plain"), method="POST", body=b"\xff")
    assert made["isBase64Encoded"] is True
    assert request_of(made).body == b"\xff"


def test_C21_without_a_body_the_key_is_absent() -> None:
    made = event("/", ("content-type", "application/octet-stream"), method="POST")
    assert "body" not in made
    assert made["isBase64Encoded"] is False


def test_C22_the_source_address_is_the_peer() -> None:
    made = event("/", ("X-Forwarded-For", "198.51.100.1"))
    assert made["requestContext"]["http"]["sourceIp"] == "203.0.113.9"
    assert made["headers"]["x-forwarded-for"] == "198.51.100.1, 203.0.113.9"
    assert event("/")["headers"]["x-forwarded-for"] == "203.0.113.9"


def test_C23_the_authorizer_context_is_as_given() -> None:
    context = {"jwt": {"claims": {"sub": "1"}, "scopes": None}}
    made = event("/", gateway=Gateway(authorizer=context))
    assert made["requestContext"]["authorizer"] == context
    assert "authorizer" not in event("/")["requestContext"]


def test_C81_the_host_header_is_passed_on() -> None:
    made = event("/", ("Host", "[::1]:8080"))
    assert made["headers"]["host"] == "[::1]:8080"
    assert made["requestContext"]["domainName"] == "localhost"


def test_the_gateway_speaks_https_whatever_a_client_says() -> None:
    headers = event("/", ("X-Forwarded-Proto", "http"), ("X-Forwarded-Port", "80"))["headers"]
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")


def test_headers_between_two_hops_are_dropped() -> None:
    headers = event("/", ("Connection", "keep-alive"), ("TE", "trailers"), ("A", "1"))["headers"]
    assert set(headers) == {
        "a", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto",
    }  # fmt: skip


def test_an_event_has_exactly_the_keys_of_payload_2() -> None:
    made = event("/a?b=c", ("User-Agent", "agent"), ("Cookie", "d=e"))
    assert made == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/a",
        "rawQueryString": "b=c",
        "cookies": ["d=e"],
        "headers": {
            "user-agent": "agent",
            "x-amzn-trace-id": ARRIVAL.trace_id,
            "x-forwarded-for": "203.0.113.9",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "queryStringParameters": {"b": "c"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "emulator",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": "GET",
                "path": "/a",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "agent",
            },
            "requestId": ARRIVAL.request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "10/Jul/2026:09:08:07 +0000",
            "timeEpoch": 1783674487654,
        },
        "isBase64Encoded": False,
    }


def test_C55_cookies_become_set_cookie() -> None:
    result = {"statusCode": 200, "headers": {"a": "b"}, "cookies": ["a=1", "b=2"], "body": ""}
    assert answer(result) == (200, (("a", "b"), ("set-cookie", "a=1"), ("set-cookie", "b=2")), b"")


def test_C56_multi_value_headers_are_ignored() -> None:
    result = {
        "statusCode": 204,
        "headers": {"vary": "accept, cookie"},
        "multiValueHeaders": {"vary": ["x"]},
    }
    assert answer(result) == (204, (("vary", "accept, cookie"),), b"")


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'{"hello": "world"}', b'{"hello": "world"}'),
        (b'["hello", 3]', b'["hello", 3]'),
        (b"3", b"3"),
        (b"null", b"null"),
        ('"h\u00e9llo"'.encode(), "h\u00e9llo".encode()),
        (b'{"partial":', b'{"partial":'),
        (b"\xff", b"\xff"),
    ],
)
def test_C57_without_a_status_the_payload_is_json(payload: bytes, body: bytes) -> None:
    got = http_of(payload)
    assert (got.status, got.headers, got.body) == (
        200, (("content-type", "application/json"),), body,
    )  # fmt: skip


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "abc"},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 200.5},
        {"statusCode": 42},
        {"statusCode": 600},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"a": "b\r\nset-cookie: c"}},
        {"statusCode": 200, "headers": [1]},
        {"statusCode": 200, "headers": {"a": "\ud800"}},
        {"statusCode": 200, "cookies": 1},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
    ],
)
def test_C59_a_malformed_result_is_an_error_of_the_server(result: object) -> None:
    status, headers, body = answer(result)
    assert (status, headers) == (500, (("content-type", "application/json"),))
    assert json.loads(body) == {"message": "Internal Server Error"}


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        ({"errorType": "ValueError"}, 500, "Internal Server Error"),
        ({"errorType": "Runtime.ExitError"}, 500, "Internal Server Error"),
        ({"errorType": "Sandbox.Timedout"}, 503, "Service Unavailable"),
        ({"errorType": "Function.ResponseSizeTooLarge"}, 413, "Request Entity Too Large"),
        ([], 500, "Internal Server Error"),
        ({"statusCode": 200, "body": "never"}, 500, "Internal Server Error"),
    ],
)
def test_C59_a_function_error_shows_nothing_of_itself(
    error: object, status: int, text: str
) -> None:
    got = http_of(json.dumps(error).encode(), function_error=True)
    assert (got.status, json.loads(got.body)) == (status, {"message": text})


def test_a_status_may_be_text_and_a_header_a_number() -> None:
    result = {"statusCode": "201", "headers": {"a": 1, "b": True, "content-type": "x/y"}}
    assert answer(result) == (201, (("a", "1"), ("b", "true"), ("content-type", "x/y")), b"")


def test_text_without_a_type_is_plain() -> None:
    assert answer({"statusCode": 200, "body": "hi"}) == (
        200, (("content-type", "text/plain; charset=utf-8"),), b"hi",
    )  # fmt: skip


def test_base64_is_decoded_whatever_the_type() -> None:
    body = b64encode(b"\0\xff").decode()
    result = {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": body}
    assert answer({**result, "isBase64Encoded": True})[2] == b"\0\xff"
    assert answer(result)[2] == body.encode()


def test_a_length_that_the_function_gives_is_dropped() -> None:
    result = {"statusCode": 200, "headers": {"Content-Length": "9", "Connection": "close"}}
    assert answer(result) == (200, (), b"")


tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1).map("x-".__add__)
values = st.text([chr(c) for c in range(0x21, 0x7F)] + [" "]).map(str.strip)
escapes = st.integers(1, 0x7E).filter(lambda c: chr(c) not in "?./").map(lambda c: f"%{c:02X}")
segments = st.lists(st.sampled_from([*"abcXYZ019-_~!$&'()*+,;=:@", "%C3%A9"]) | escapes).map(
    "".join
)
queries = st.text([*"abc019-_.~&=+,;:/?@", "%"]).map(lambda query: query.replace("%", "%2B"))


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    path=st.lists(segments, min_size=1).map(lambda parts: "/" + "/".join(parts)),
    query=queries,
    headers=st.lists(st.tuples(tokens, values)),
    content_type=st.sampled_from(["text/plain", "application/json", "image/png", ""]),
    body=st.binary(),
)
def test_the_runtime_reads_what_was_sent(  # noqa: PLR0917
    method: str,
    path: str,
    query: str,
    headers: list[tuple[str, str]],
    content_type: str,
    body: bytes,
) -> None:
    sent = [*headers, ("content-type", content_type)]
    target = f"{path}?{query}" if query else path
    request = request_of(event(target, *sent, method=method, body=body))
    plain = request_of(event("/", *sent))
    assert request.method == method
    assert request.url.query == query
    assert request.url.search_params.get_all("a") == SearchParams(query).get_all("a")
    assert request.raw_path.encode() == _octets(path)
    assert request.body == body
    for name, _ in headers:
        expected = ",".join(value for other, value in headers if other == name)
        assert request.headers.get(name) == expected.strip(" \t")
    assert plain.headers.get("content-type") == content_type
    assert json.loads(json.dumps(event(target, *sent))) == event(target, *sent)


def _octets(path: str) -> bytes:
    head, *rest = path.encode().split(b"%")
    return head + b"".join(bytes.fromhex(piece[:2].decode()) + piece[2:] for piece in rest)


@given(
    status=st.sampled_from([200, 201, 301, 404, 500]),
    headers=st.lists(st.tuples(tokens, values), unique_by=lambda pair: pair[0]),
    cookies=st.lists(values.filter(bool)),
    content_type=st.sampled_from(["text/html", "application/json", "image/png"]),
    body=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")),
)
def test_a_client_gets_what_the_runtime_answered(
    status: int,
    headers: list[tuple[str, str]],
    cookies: list[str],
    content_type: str,
    body: bytes,
) -> None:
    pairs = [*headers, ("content-type", content_type)]
    sent = [*pairs, *(("set-cookie", cookie) for cookie in cookies)]
    result = result_of(Response(body, status, sent), event("/"))
    got = http_of(json.dumps(result).encode())
    assert (got.status, got.body) == (status, body)
    assert sorted(got.headers) == sorted(sent)
