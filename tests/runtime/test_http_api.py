"""Events of API Gateway's HTTP API: the recorded cases, and properties of both directions."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.events.http_api import request_of, result_of
from routelet.http import Request, Response, SearchParams

CASES_FILE = Path(__file__).parents[3] / "shared/cases/events.json"
if not CASES_FILE.is_file():
    pytest.skip("../shared/cases is not beside this checkout", allow_module_level=True)
CASES = {case["id"]: case for case in json.loads(CASES_FILE.read_text("utf-8"))["cases"]}
OURS = [*(f"C{number:02}" for number in range(1, 24)), "C55", "C56", "C77", "C78"]

CHECKS: dict[str, Callable[[], None]] = {}


def checks(case: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(check: Callable[[], None]) -> Callable[[], None]:
        CHECKS[case] = check
        return check

    return register


def event(path: str = "/", *, method: str = "GET", **changes: Any) -> dict[str, Any]:
    """Return an event as the gateway sends it; `context` is merged into `requestContext`."""
    context = changes.pop("context", {})
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "api.example", "x-forwarded-proto": "https"},
        "requestContext": {
            "domainName": "api.example",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "stage": "$default",
            **context,
        },
        "isBase64Encoded": False,
        **changes,
    }


def path_of(path: str, **context: str) -> str:
    return request_of(event(path, context=context)).path


def body_of(result: dict[str, Any]) -> bytes:
    body: str = result["body"]
    return b64decode(body, validate=True) if result["isBase64Encoded"] else body.encode()


@checks("C01")
def the_path_came_decoded() -> None:
    assert path_of("/capture/space value") == "/capture/space value"


@checks("C02")
def a_literal_percent_sign_is_not_decoded_again() -> None:
    assert path_of("/a%25b") == "/a%25b"
    assert path_of("/100%") == "/100%"


@checks("C03")
def a_path_may_have_any_character() -> None:
    assert path_of("/café/☕") == "/café/☕"
    assert str(request_of(event("/café/☕")).url) == "https://api.example/caf%C3%A9/%E2%98%95"


@checks("C04")
def an_encoded_slash_was_lost_before() -> None:
    assert path_of("/x/a/b") == "/x/a/b"


@checks("C05")
def a_path_is_never_split_again() -> None:
    for path in ("/users/me?admin=true", "/users/me#x", "/a;b", "/a&b=c"):
        request = request_of(event(path))
        assert (request.path, request.url.query, request.url.fragment) == (path, "", "")


@checks("C06")
def a_trailing_slash_stays() -> None:
    assert path_of("/thing/") == "/thing/"


@checks("C07")
def a_named_stage_is_the_root_path() -> None:
    request = request_of(event("/Prod/my/path", context={"stage": "Prod"}))
    assert (request.path, request.root_path) == ("/my/path", "/Prod")
    assert request.raw_path == "/Prod/my/path"
    assert path_of("/Prod", stage="Prod") == "/"
    assert path_of("/Prod/", stage="Prod") == "/"


@checks("C08")
def a_stage_that_is_not_in_the_path_is_left() -> None:
    request = request_of(event("/path/to/resource", context={"stage": "prod"}))
    assert (request.path, request.root_path) == ("/path/to/resource", "")


@checks("C09")
def a_stage_is_a_whole_segment() -> None:
    assert path_of("/apiv2/x", stage="api") == "/apiv2/x"
    assert path_of("/$default/x", stage="$default") == "/$default/x"


@checks("C10")
def the_query_keeps_order_and_repeats() -> None:
    query = "repeat=one&repeat=two&literalPlus=a+b&encodedPlus=a%2Bb&empty="
    url = request_of(event(rawQueryString=query)).url
    assert url.query == query
    assert list(url.search_params.items()) == [
        ("repeat", "one"), ("repeat", "two"), ("literalPlus", "a b"), ("encodedPlus", "a+b"),
        ("empty", ""),
    ]  # fmt: skip


@checks("C11")
def a_comma_separates_no_values() -> None:
    given = event(rawQueryString="tag=a%2Cb", queryStringParameters={"tag": "a,b"})
    assert request_of(given).url.search_params.get_all("tag") == ["a,b"]


@checks("C12")
def there_may_be_no_query() -> None:
    absent: list[dict[str, Any]] = [{}, {"queryStringParameters": None}, {"rawQueryString": None}]
    for changes in absent:
        url = request_of(event(**changes)).url
        assert (url.query, len(url.search_params)) == ("", 0)


@checks("C13")
def a_key_may_have_no_value() -> None:
    for query in ("flag", "flag="):
        assert request_of(event(rawQueryString=query)).url.search_params["flag"] == ""


@checks("C14")
def cookies_come_in_a_list() -> None:
    request = request_of(event(cookies=["session=abc123", "theme=dark"]))
    assert request.headers["cookie"] == "session=abc123; theme=dark"
    assert [request.cookies.get(name) for name in ("session", "theme")] == ["abc123", "dark"]
    assert "cookie" not in request_of(event()).headers


@checks("C15")
def repeated_headers_came_joined() -> None:
    request = request_of(event(headers={"x-voker-probe": "first,second"}))
    assert request.headers["X-Voker-Probe"] == "first,second"


@checks("C16")
def a_header_is_never_split() -> None:
    date = "Fri, 10 Jul 2026 09:08:07 GMT"
    request = request_of(event(headers={"date": date, "accept-language": "de, en;q=0.5"}))
    assert request.headers.get_all("date") == [date]
    assert request.headers.get_all("accept-language") == ["de, en;q=0.5"]


@checks("C17")
def a_text_body_is_utf8() -> None:
    request = request_of(event(method="POST", body='{"ä":"☕"}'))
    assert request.body == '{"ä":"☕"}'.encode()
    assert request.json() == {"ä": "☕"}


@checks("C18")
def an_urlencoded_form_came_in_base64() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for body, is_base64 in ((b64encode(b"a=x+y&b=%26").decode(), True), ("a=x+y&b=%26", False)):
        given = event(method="POST", headers=headers, body=body, isBase64Encoded=is_base64)
        assert dict(request_of(given).form().items()) == {"a": "x y", "b": "&"}


@checks("C19")
def a_body_without_a_type_came_in_base64() -> None:
    given = event(method="POST", headers={}, body=b64encode(b"x").decode(), isBase64Encoded=True)
    assert request_of(given).body == b"x"


@checks("C20")
def a_binary_body_is_byte_for_byte() -> None:
    body = bytes(range(256))
    given = event(method="POST", body=b64encode(body).decode(), isBase64Encoded=True)
    assert request_of(given).body == body


@checks("C21")
def there_may_be_no_body() -> None:
    for changes in ({}, {"body": None}, {"body": ""}, {"body": "", "isBase64Encoded": True}):
        assert request_of(event(**changes)).body == b""


@checks("C22")
def the_client_is_who_the_gateway_saw() -> None:
    request = request_of(event(headers={"x-forwarded-for": "198.51.100.7, 192.0.2.1"}))
    assert request.client_address == "192.0.2.1"


@checks("C23")
def what_an_authorizer_said_is_there_untouched() -> None:
    for said in ({"jwt": {"claims": {"sub": "1"}, "scopes": None}}, {"lambda": {"a": 1}},
                 {"iam": {"userId": "u"}}):  # fmt: skip
        context = request_of(event(context={"authorizer": said})).host_context
        assert context is not None
        assert context["authorizer"] == said


@checks("C55")
def set_cookie_goes_into_a_list_of_its_own() -> None:
    pairs = [("Set-Cookie", "a=1"), ("x", "y"), ("set-cookie", "b=2")]
    result = result_of(Response(b"", headers=pairs), event())
    assert (result["cookies"], result["headers"]) == (["a=1", "b=2"], {"x": "y"})
    assert "cookies" not in result_of(Response(b""), event())


@checks("C56")
def other_repeated_headers_are_joined() -> None:
    pairs = [("Vary", "accept"), ("link", "</a>"), ("vary", "cookie"), ("Link", "</b>")]
    result = result_of(Response(b"", headers=pairs), event())
    assert result["headers"] == {"vary": "accept, cookie", "link": "</a>, </b>"}
    assert "multiValueHeaders" not in result


@checks("C77")
def what_has_no_body_is_sent_without_one() -> None:
    for method, status in (("HEAD", 200), ("GET", 204), ("GET", 304), ("POST", 204)):
        for body in ("text", b"\xff", [b"a"], None):
            result = result_of(Response(body, status), event(method=method))
            assert (result["body"], result["isBase64Encoded"]) == ("", False)
            if method != "HEAD":
                assert result["headers"] == {}


@checks("C78")
def what_is_no_text_is_sent_in_base64() -> None:
    latin = Response(b"caf\xe9", headers={"content-type": "text/html; charset=iso-8859-1"})
    coded = Response(b"abc", headers={"content-type": "text/html", "content-encoding": "gzip"})
    coded_text = Response("abc", headers={"content-encoding": "x"})
    for response, body in ((latin, b"caf\xe9"), (coded, b"abc"), (coded_text, b"abc")):
        result = result_of(response, event())
        assert result["isBase64Encoded"] is True
        assert body_of(result) == body


@pytest.mark.parametrize("case", OURS, ids=lambda case: f"{case} {CASES[case]['event_feature']}")
def test_a_case_of_the_http_api(case: str) -> None:
    assert CASES[case]["source"] in {"http-v2", "*"}
    CHECKS[case]()


def test_every_case_of_the_http_api_is_checked() -> None:
    # C57 to C59 are what the gateway makes of a result; the emulator's tests have them.
    gateways = {"C57", "C58", "C59"}
    of_this_source = {key for key, case in CASES.items() if case["source"] == "http-v2"}
    assert of_this_source - gateways <= set(OURS) == set(CHECKS)


def test_the_host_is_the_gateways_and_no_header_chooses_it() -> None:
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example",
               "x-forwarded-proto": "http", "x-forwarded-port": "81"}  # fmt: skip
    assert request_of(event(headers=headers)).url.origin == "https://api.example"


@pytest.mark.parametrize("path", ["/a\0b", "/\0"])
def test_a_path_with_nul_is_malformed(path: str) -> None:
    assert request_of(event(path)).url.malformed


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/../../etc/passwd", "/etc/passwd"), ("/a/./b/..", "/a/"), ("/%2e%2e/x", "/%2e%2e/x")],
)
def test_dot_segments_of_a_decoded_path_are_resolved(path: str, seen: str) -> None:
    assert path_of(path) == seen


@pytest.mark.parametrize(
    ("content_type", "is_base64"),
    [
        ("text/css", False), ("application/json", False), ("application/ld+json", False),
        ("image/svg+xml", False), ("application/javascript", False), ("Text/HTML", False),
        ("application/x-www-form-urlencoded", False), (None, False),
        ("image/png", True), ("application/octet-stream", True), ("application/pdf", True),
    ],
)  # fmt: skip
def test_bytes_are_text_where_their_type_is(content_type: str | None, is_base64: bool) -> None:
    headers = {"content-type": content_type} if content_type else {}
    result = result_of(Response(b"abc", headers=headers), event())
    assert result["isBase64Encoded"] is is_base64
    assert body_of(result) == b"abc"


# Properties

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
segments = texts.map(lambda text: text.replace("/", "")).filter(lambda t: t not in {".", ".."})
header_names = st.from_regex(r"x-[a-z0-9-]{1,6}", fullmatch=True)
header_values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E))
cookie_pairs = st.from_regex(r"[a-z]{1,4}=[a-z0-9]{0,4}", fullmatch=True)


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"]),
    pieces=st.lists(segments, min_size=1),
    query=st.text("ab=&+%20é", max_size=12),
    headers=st.dictionaries(header_names, header_values),
    cookies=st.lists(cookie_pairs),
    body=st.binary() | texts.map(str.encode),
    in_base64=st.booleans(),
)
def test_a_request_comes_out_of_its_event_as_it_went_in(  # noqa: PLR0917
    method: str,
    pieces: list[str],
    query: str,
    headers: dict[str, str],
    cookies: list[str],
    body: bytes,
    in_base64: bool,
) -> None:
    path = "/" + "/".join(pieces)
    made = event(path, method=method, rawQueryString=query, headers=headers)
    if cookies:
        made["cookies"] = cookies
    try:
        made["body"] = b64encode(body).decode() if in_base64 else body.decode()
        made["isBase64Encoded"] = in_base64
    except UnicodeDecodeError:
        made |= {"body": b64encode(body).decode(), "isBase64Encoded": True}
    request = request_of(json.loads(json.dumps(made)))
    came = dict(request.headers.items())
    assert (request.method, request.path, request.raw_path) == (method, path, path)
    assert request.url.query == query
    assert list(request.url.search_params.items()) == list(SearchParams(query).items())
    assert came == headers | ({"cookie": "; ".join(cookies)} if cookies else {})
    assert request.body == body
    assert Request(request.url).path == path


bodies = st.none() | texts | st.binary() | st.lists(st.binary())
types = st.sampled_from([None, "text/html", "text/html; charset=iso-8859-1", "application/json",
                         "image/png", "application/x-www-form-urlencoded", ""])  # fmt: skip


@given(body=bodies, content_type=types, coding=st.sampled_from([None, "gzip", "br"]))
def test_every_byte_of_a_response_goes_out(
    body: str | bytes | list[bytes] | None, content_type: str | None, coding: str | None
) -> None:
    given = {"content-type": content_type, "content-encoding": coding}
    headers = {name: value for name, value in given.items() if value is not None}
    expected = Response(body, headers=headers).read()
    result = json.loads(json.dumps(result_of(Response(body, headers=headers), event())))
    assert body_of(result) == expected
    assert set(result) == {"statusCode", "headers", "body", "isBase64Encoded"}
