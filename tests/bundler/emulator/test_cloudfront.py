"""What CloudFront gives an edge function, and what it takes of its result."""

from base64 import b64decode
from copy import deepcopy
from typing import Any

import pytest

from routelet_bundler.emulator.cloudfront import (
    BUCKET,
    EdgeRequest,
    Origin,
    arrived,
    origin_request,
    viewer_request,
)
from routelet_bundler.emulator.edge_results import RefusedResult, read_result
from routelet_bundler.emulator.serving import HttpAnswer, HttpRequest

CUSTOM = {
    "domainName": "api.example",
    "port": 443,
    "protocol": "https",
    "path": "",
    "sslProtocols": ["TLSv1.2"],
    "readTimeout": 30,
    "keepaliveTimeout": 5,
    "customHeaders": {},
}


def viewers(body: bytes = b"", *headers: tuple[str, str]) -> EdgeRequest:
    return arrived(
        HttpRequest(
            method="POST",
            target="//a%2Fb/../c?x=%20&x=2",
            headers=(("Host", "site.example"), ("Content-Length", str(len(body))), *headers),
            body=body,
            peer="203.0.113.1",
        )
    )


def request_in(event: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = deepcopy(event["Records"][0]["cf"]["request"])
    return request


@pytest.fixture
def viewer_event() -> dict[str, Any]:
    return viewer_request(viewers(b"body"), "id")


@pytest.fixture
def origin_event() -> dict[str, Any]:
    return origin_request(viewers(b"body"), "id", {"x-api": "api.example"})


def test_an_event_has_the_path_as_it_came_and_headers_in_lower_case() -> None:
    request = viewers(b"", ("X-One", "1"), ("x-one", "2"), ("Cookie", "a=1"))

    event = viewer_request(request, "id")

    assert event["Records"][0]["cf"]["config"] == {
        "distributionDomainName": "emulator.cloudfront.net",
        "distributionId": "EMULATOR",
        "eventType": "viewer-request",
        "requestId": "id",
    }
    sent = request_in(event)
    assert (sent["uri"], sent["querystring"]) == ("//a%2Fb/../c", "x=%20&x=2")
    assert (sent["method"], sent["clientIp"]) == ("POST", "203.0.113.1")
    assert sent["headers"]["host"] == [{"key": "Host", "value": "site.example"}]
    assert sent["headers"]["x-one"] == [
        {"key": "X-One", "value": "1"},
        {"key": "x-one", "value": "2"},
    ]
    assert "origin" not in sent


def test_a_path_beyond_ascii_is_encoded_on_its_way(viewer_event: Any) -> None:
    asked = arrived(HttpRequest(method="GET", target="/ä%20?q=ü"))
    passed = read_result({**request_in(viewer_event), "uri": "/ö"}, viewer_event, b"")

    assert (asked.uri, asked.query) == ("/%C3%A4%20", "q=%C3%BC")
    assert isinstance(passed, tuple)
    assert passed[0].target == "/%C3%B6?x=%20&x=2"


@pytest.mark.parametrize("name", ["Connection", "X-Real-IP", "X-Amzn-RequestId", "X-Edge-A"])
def test_a_function_sees_no_header_that_it_could_not_add(name: str) -> None:
    assert name.lower() not in viewers(b"", (name, "x")).headers


def test_a_header_of_amazon_that_is_not_on_the_list_is_a_viewers_own() -> None:
    assert "x-amzn-trace-id" in viewers(b"", ("X-Amzn-Trace-Id", "x")).headers


@pytest.mark.parametrize(("size", "is_cut"), [(0, False), (40_960, False), (40_961, True)])
def test_a_body_is_cut_at_40_kb(size: int, is_cut: bool) -> None:
    body = request_in(viewer_request(viewers(b"x" * size), "id"))["body"]

    assert body["inputTruncated"] is is_cut
    assert (body["action"], body["encoding"]) == ("read-only", "base64")
    assert len(b64decode(body["data"])) == min(size, 40_960)


def test_after_the_cache_the_host_is_the_buckets_and_there_is_no_body() -> None:
    event = origin_request(viewers(b"x", ("X-Forwarded-For", "10.0.0.1")), "id", {"x-api": "a.b"})

    sent = request_in(event)
    assert event["Records"][0]["cf"]["config"]["eventType"] == "origin-request"
    assert sent["headers"]["host"] == [{"key": "Host", "value": BUCKET}]
    assert sent["headers"]["x-forwarded-for"][0]["value"] == "10.0.0.1, 203.0.113.1"
    assert sent["origin"]["s3"]["customHeaders"] == {"x-api": [{"key": "x-api", "value": "a.b"}]}
    assert "body" not in sent


def test_what_a_function_returns_as_it_is_goes_on_whole(viewer_event: Any) -> None:
    passed = read_result(request_in(viewer_event), viewer_event, b"body, whole")

    assert isinstance(passed, tuple)
    assert passed[0].body == b"body, whole"
    assert passed[0].target == "//a%2Fb/../c?x=%20&x=2"


def test_path_query_and_headers_may_be_changed_and_the_body_replaced(viewer_event: Any) -> None:
    changed = request_in(viewer_event)
    changed.update(uri="/new", querystring="")
    changed["headers"]["x-locals"] = [{"key": "X-Locals", "value": "1"}]
    changed["body"].update(action="replace", encoding="text", data="ä")

    passed = read_result(changed, viewer_event, b"body")

    assert isinstance(passed, tuple)
    assert (passed[0].target, passed[0].body) == ("/new", "ä".encode())
    assert ("X-Locals", "1") in passed[0].to_origin("h").headers


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"method": "GET"}, "method cannot be changed"),
        ({"clientIp": "127.0.0.1"}, "clientIp cannot be changed"),
        ({"uri": "no/slash"}, "uri is no encoded path"),
        ({"uri": "/a?b"}, "uri is no encoded path"),
        ({"uri": "/a\x7f"}, "uri is no encoded path"),
        ({"uri": "/a b"}, "uri is no encoded path"),
        ({"uri": None}, "uri is no encoded path"),
        ({"querystring": "a=\n"}, "querystring is no encoded query"),
        ({"querystring": "a" * 8_192}, "over 8192 bytes"),
        ({"headers": {}}, "'content-length' is read-only|'host' is read-only"),
        ({"headers": []}, "headers is no object"),
        ({"body": {"action": "replace", "encoding": "base64", "data": "x"}}, "no base64"),
    ],
)
def test_other_changes_of_a_viewers_request_are_refused(
    viewer_event: Any, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(RefusedResult, match=why):
        read_result({**request_in(viewer_event), **changes}, viewer_event, b"")


@pytest.mark.parametrize(
    ("name", "lines", "why"),
    [
        ("host", [{"key": "Host", "value": "evil.example"}], "'host' is read-only"),
        ("via", [{"key": "Via", "value": "me"}], "'via' is read-only"),
        ("connection", [{"value": "close"}], "'connection' cannot be added"),
        ("x-amzn-requestid", [{"value": "1"}], "cannot be added"),
        ("X-One", [{"value": "1"}], "not in lower case"),
        ("x-one", "1", "no list"),
        ("x-one", [{"value": 1}], "no text"),
        ("x-one", [{"key": "X-Two", "value": "1"}], "has the key"),
        ("x-one", [{"value": "1\r\nx-two: 2"}], "line break"),
    ],
)
def test_headers_that_a_function_may_not_set_are_refused(
    viewer_event: Any, name: str, lines: Any, why: str
) -> None:
    changed = request_in(viewer_event)
    changed["headers"][name] = lines

    with pytest.raises(RefusedResult, match=why):
        read_result(changed, viewer_event, b"")


def test_an_origin_may_be_another_and_have_its_host(origin_event: Any) -> None:
    changed = request_in(origin_event)
    kept = read_result(changed, origin_event, b"")
    changed["origin"] = {"custom": CUSTOM}
    changed["headers"]["host"] = [{"key": "Host", "value": "api.example"}]
    other = read_result(changed, origin_event, b"")

    assert isinstance(kept, tuple)
    assert kept[1] == Origin()
    assert isinstance(other, tuple)
    assert other[1] == Origin(domain="api.example", host="api.example")


def test_a_host_that_is_not_changed_is_the_buckets(origin_event: Any) -> None:
    passed = read_result(
        {**request_in(origin_event), "origin": {"custom": CUSTOM}}, origin_event, b""
    )

    assert isinstance(passed, tuple)
    assert passed[1] == Origin(domain="api.example", host=BUCKET)


WRONG: list[object] = [None, [[]], [{}]]


@pytest.mark.parametrize(
    "origin",
    [
        None,
        {},
        {"s3": {"domainName": "other"}},
        {"s3": {"domainName": BUCKET}, "custom": CUSTOM},
        *({"custom": {**CUSTOM, key: wrong}} for key in CUSTOM for wrong in WRONG),
        {"custom": {**CUSTOM, "protocol": {}}},
        {"custom": {**CUSTOM, "sslProtocols": "TLSv1.2"}},
        {"custom": {**CUSTOM, "sslProtocols": 1}},
        {"custom": {**CUSTOM, "port": 22}},
        {"custom": {**CUSTOM, "domainName": "api.example:443"}},
    ],
)
def test_an_origin_that_is_none_is_refused(origin_event: Any, origin: Any) -> None:
    with pytest.raises(RefusedResult, match="origin"):
        read_result({**request_in(origin_event), "origin": origin}, origin_event, b"")


def test_a_response_of_the_function_is_the_answer(viewer_event: Any) -> None:
    result = {
        "status": "302",
        "statusDescription": "Found",
        "headers": {
            "location": [{"key": "Location", "value": "/login"}],
            "set-cookie": [{"value": "a=1"}, {"value": "b=2"}],
        },
        "body": "w6Q=",
        "bodyEncoding": "base64",
    }

    answer = read_result(result, viewer_event, b"")

    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.body) == (302, "ä".encode())
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (None, "no object"),
        ({"status": "199"}, "status is"),
        ({"status": "OK"}, "status is"),
        ({"status": "204", "body": "x"}, "has no body"),
        ({"status": "200", "body": 1}, "body is no text"),
        ({"status": "200", "body": "ä", "bodyEncoding": "base64"}, "no base64"),
        ({"status": "200", "body": "x", "bodyEncoding": "gzip"}, "bodyEncoding is"),
        ({"status": "200", "body": "x" * 40_961}, "is over 40960"),
        ({"status": "200", "headers": {"content-length": [{"value": "0"}]}}, "content-length"),
        ({"status": "200", "headers": {"x-edge-a": [{"value": "0"}]}}, "x-edge-a"),
        ({"status": "200", "headers": {"a": [{"value": "b\nc: d"}]}}, "line break"),
    ],
)
def test_a_response_that_cloudfront_does_not_take_is_refused(
    viewer_event: Any, result: Any, why: str
) -> None:
    with pytest.raises(RefusedResult, match=why):
        read_result(result, viewer_event, b"")


def test_after_the_cache_a_response_may_be_larger(origin_event: Any) -> None:
    answer = read_result({"status": "200", "body": "x" * 40_961}, origin_event, b"")

    assert isinstance(answer, HttpAnswer)
