"""Function URL, REST API, load balancer and edge events: the cases of ../shared/cases/events.json.

Each test is named after its case; the HTTP API's own are in test_http_api.py, and properties of
all sources together in test_one_request.py.
"""

import base64
from typing import Any

import pytest

from routelet.aws import SOURCES, create_exports, source_of
from routelet.events import EventError, alb, edge, function_url, rest_api
from routelet.http import Response


def url_event(path: str = "/", method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "abc.lambda-url.us-east-1.on.aws"},
        "requestContext": {
            "accountId": "anonymous",
            "domainName": "abc.lambda-url.us-east-1.on.aws",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": False,
        **more,
    }


def rest_event(path: str = "/", method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": None,
        "multiValueHeaders": None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "domainName": "abc.execute-api.us-east-1.amazonaws.com",
            "identity": {"sourceIp": "192.0.2.1"},
            "path": f"/prod{path}",
            "stage": "prod",
            "httpMethod": method,
        },
        "body": None,
        "isBase64Encoded": False,
        **more,
    }


def alb_event(path: str = "/", method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {"host": "example.com", "x-forwarded-proto": "https"},
        "body": "",
        "isBase64Encoded": False,
        **more,
    }


def edge_event(uri: str = "/", method: str = "GET", **more: Any) -> dict[str, Any]:
    request = {
        "clientIp": "192.0.2.1",
        "method": method,
        "uri": uri,
        "headers": {"host": [{"key": "Host", "value": "d111.cloudfront.net"}]},
        **more,
    }
    config = {"distributionId": "E1", "eventType": "viewer-request", "requestId": "r"}
    return {"Records": [{"cf": {"config": config, "request": request}}]}


EVENTS = {
    "function-url": url_event, "rest-api": rest_event, "alb": alb_event, "edge": edge_event,
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_each_source_is_recognised(name: str) -> None:
    assert source_of(EVENTS[name]()) == name
    assert name in SOURCES


def test_an_event_of_no_source_is_none() -> None:
    assert source_of({"Records": [], "requestContext": {}}) is None


@pytest.mark.parametrize("name", EVENTS)
def test_one_handler_answers_every_source(name: str) -> None:
    handler = create_exports({"routes": ()}, {"front": "http-api"})["handler"]
    assert callable(handler)
    result = handler(EVENTS[name]("/nothing"), None)
    assert str(result.get("statusCode", result.get("status"))) == "404"


def test_c24_the_encoded_path_of_a_function_url_is_decoded_once() -> None:
    request = function_url.request_of(url_event("/capture/space%20value"))
    assert request.path == "/capture/space value"
    assert request.raw_path == "/capture/space%20value"


def test_c25_an_invalid_escape_is_kept_and_answered_with_400() -> None:
    request = function_url.request_of(url_event("/pa2%Fth/1"))
    assert request.path == "/pa2%Fth/1"
    handler = create_exports({"routes": ()}, {})["handler"]
    assert callable(handler)
    assert handler(url_event("/pa2%Fth/1"), None)["statusCode"] == 400


def test_c26_cookies_that_come_twice_are_one_header() -> None:
    event = url_event(cookies=["sid=abc", "theme=dark"], headers={"cookie": "sid=abc; theme=dark"})
    assert function_url.request_of(event).headers.get_all("cookie") == ["sid=abc; theme=dark"]


def test_c27_a_repeated_query_is_read_from_the_raw_one() -> None:
    event = url_event(rawQueryString="multiQuery=foo&multiQuery=%2Fbar")
    request = function_url.request_of(event)
    assert request.url.search_params.get_all("multiQuery") == ["foo", "/bar"]
    assert request.url.query == "multiQuery=foo&multiQuery=%2Fbar"


def test_c28_a_base64_body_is_decoded() -> None:
    event = url_event(
        method="POST", body=base64.b64encode(b"\xff\0").decode(), isBase64Encoded=True
    )
    assert function_url.request_of(event).body == b"\xff\0"


def test_c31_the_path_of_a_rest_api_is_decoded_once() -> None:
    request = rest_api.request_of(rest_event("/user/test%2Balias@gmail.com"))
    assert request.path == "/user/test+alias@gmail.com"


def test_c32_the_query_of_a_rest_api_is_not_decoded_again() -> None:
    query = {"email": "test+alias@gmail.com", "plus": "test alias@gmail.com"}
    event = rest_event(queryStringParameters=query)
    assert dict(rest_api.request_of(event).url.search_params.items()) == query


def test_c33_every_value_of_a_repeated_query_is_there() -> None:
    event = rest_event(
        queryStringParameters={"category": "books"},
        multiValueQueryStringParameters={"category": ["electronics", "books"]},
    )
    params = rest_api.request_of(event).url.search_params
    assert params.get_all("category") == ["electronics", "books"]


def test_c34_c35_headers_have_every_value_and_any_casing() -> None:
    event = rest_event(
        headers={"tEsT-HEADeR": "second"}, multiValueHeaders={"tEsT-HEADeR": ["first", "second"]}
    )
    assert rest_api.request_of(event).headers.get_all("test-header") == ["first", "second"]


def test_c36_the_stage_is_the_root_path_and_not_in_the_path() -> None:
    request = rest_api.request_of(rest_event("/x"))
    assert (request.path, request.root_path) == ("/x", "/prod")
    own_domain = rest_event("/x", resource="/x")
    own_domain["requestContext"]["path"] = "/x"
    assert rest_api.request_of(own_domain).root_path == ""


@pytest.mark.parametrize(("resource", "parameters"), [("/x", None), ("/{proxy+}", {"proxy": "x"})])
def test_c37_the_base_path_of_a_domain_is_taken_off(
    resource: str, parameters: dict[str, str] | None
) -> None:
    event = rest_event("/v1/x", resource=resource, pathParameters=parameters)
    event["requestContext"]["path"] = "/v1/x"
    request = rest_api.request_of(event)
    assert (request.path, request.root_path) == ("/x", "/v1")


def test_c39_null_maps_are_empty() -> None:
    request = rest_api.request_of(rest_event())
    assert (len(request.headers), len(request.url.search_params), request.body) == (0, 0, b"")


def test_c42_the_query_of_a_load_balancer_is_decoded() -> None:
    query = {"redirect": "https%3A%2F%2Fexample.com", "encodedPlus": "a%2Bb", "literalPlus": "a+b"}
    params = alb.request_of(alb_event(queryStringParameters=query)).url.search_params
    assert dict(params.items()) == {
        "redirect": "https://example.com", "encodedPlus": "a+b", "literalPlus": "a b",
    }  # fmt: skip


def test_c43_the_path_of_a_load_balancer_is_decoded_once() -> None:
    assert alb.request_of(alb_event("/capture/space%20value")).path == "/capture/space value"


def test_c44_c45_multi_value_headers_are_all_there_and_cookies_are_one() -> None:
    event = alb_event(
        headers=None,
        multiValueHeaders={"host": ["example.com"], "x": ["1", "2"], "cookie": ["a=1", "b=2"]},
        multiValueQueryStringParameters={"q": ["1", "2"]},
    )
    request = alb.request_of(event)
    assert request.headers.get_all("x") == ["1", "2"]
    assert request.headers.get_all("cookie") == ["a=1; b=2"]
    assert request.url.search_params.get_all("q") == ["1", "2"]


def test_c49_a_health_check_has_no_host() -> None:
    request = alb.request_of(alb_event(headers={"user-agent": "ELB-HealthChecker/2.0"}))
    assert (request.url.host, request.client_address) == ("localhost", None)


def test_c50_every_value_of_an_edge_header_is_there_in_order() -> None:
    lines = [{"key": "X-Dup", "value": "1"}, {"key": "X-Dup", "value": "2"}]
    event = edge_event(headers={"x-dup": lines})
    assert edge.request_of(event).headers.get_all("x-dup") == ["1", "2"]


def test_c51_c52_an_edge_uri_is_decoded_and_a_query_may_be_missing() -> None:
    request = edge.request_of(edge_event("/a%20b"))
    assert (request.path, request.raw_path, request.url.query) == ("/a b", "/a%20b", "")


def test_c53_a_truncated_body_is_refused() -> None:
    data = base64.b64encode(b"all of it").decode()
    body = {"inputTruncated": False, "action": "read-only", "encoding": "base64", "data": data}
    assert edge.request_of(edge_event(method="POST", body=body)).body == b"all of it"
    cut = edge_event(method="POST", body={**body, "inputTruncated": True})
    with pytest.raises(EventError) as raised:
        edge.request_of(cut)
    assert raised.value.status == 413
    handler = create_exports({"routes": ()}, {"front": "edge"})["handler"]
    assert callable(handler)
    assert handler(cut, None)["status"] == "413"


@pytest.mark.parametrize("module", [rest_api, alb], ids=["C60 rest-api", "C68 alb"])
def test_a_result_has_only_keys_that_the_source_knows(module: Any) -> None:
    event = (rest_event if module is rest_api else alb_event)()
    known = {"statusCode", "statusDescription", "headers", "multiValueHeaders", "body",
             "isBase64Encoded"}  # fmt: skip
    result = module.result_of(Response.json({}, status=201), event)
    assert result.keys() <= known
    assert result["statusCode"] == 201


def test_c55_a_function_url_gets_cookies_in_a_list() -> None:
    response = Response(headers=[("set-cookie", "a=1"), ("set-cookie", "b=2")])
    result = function_url.result_of(response, url_event())
    assert result["cookies"] == ["a=1", "b=2"]
    assert "set-cookie" not in result["headers"]


def test_c68_a_load_balancer_gets_a_status_description() -> None:
    assert alb.result_of(Response(status=404), alb_event())["statusDescription"] == "404 Not Found"


def test_c69_two_cookies_in_single_value_mode_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    response = Response(headers=[("set-cookie", "a=1"), ("set-cookie", "b=2")])
    assert alb.result_of(response, alb_event())["headers"]["set-cookie"] == "b=2"
    assert "multi-value" in capsys.readouterr().err


def test_c71_a_load_balancer_is_answered_in_the_mode_of_its_event() -> None:
    response = Response("x", headers=[("set-cookie", "a=1"), ("set-cookie", "b=2")])
    multiple = alb.result_of(response, alb_event(headers=None, multiValueHeaders={}))
    assert multiple["multiValueHeaders"]["set-cookie"] == ["a=1", "b=2"]
    assert "headers" not in multiple
    assert "multiValueHeaders" not in alb.result_of(response, alb_event())


def test_c73_an_edge_response_has_lists_of_headers_and_a_body_encoding() -> None:
    headers = [("content-type", "image/png"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]
    result = edge.result_of(Response(b"\x89PNG\xff", headers=headers), edge_event())
    assert result["status"] == "200"
    assert [line["value"] for line in result["headers"]["set-cookie"]] == ["a=1", "b=2"]
    assert (result["bodyEncoding"], base64.b64decode(result["body"])) == ("base64", b"\x89PNG\xff")


REFUSED_HEADERS = ("connection", "x-cache", "x-forwarded-proto", "content-length", "via", "host",
                   "transfer-encoding", "x-edge-location")  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_HEADERS)
def test_c74_headers_that_cloudfront_refuses_are_left_out(name: str) -> None:
    result = edge.result_of(Response("x", headers={name: "1"}), edge_event())
    assert name not in result["headers"]


def test_c75_an_edge_response_over_40_kb_becomes_a_500(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.result_of(Response("x" * 41_000), edge_event())["status"] == "500"
    assert "limit" in capsys.readouterr().err
    assert edge.result_of(Response("x" * 40_000), edge_event())["status"] == "200"


def test_c76_a_204_of_the_edge_has_no_body() -> None:
    assert "body" not in edge.result_of(Response("x", status=204), edge_event())


def test_c81_an_ipv6_host_has_its_port_apart() -> None:
    request = alb.request_of(alb_event(headers={"host": "[::1]:8080"}))
    assert (request.url.host, request.url.port) == ("::1", 8080)
    assert request.url.origin == "http://[::1]:8080"


def test_the_client_address_of_a_load_balancer_is_the_one_it_appended() -> None:
    headers = {"host": "example.com", "x-forwarded-for": "203.0.113.9, 192.0.2.1"}
    assert alb.request_of(alb_event(headers=headers)).client_address == "192.0.2.1"
