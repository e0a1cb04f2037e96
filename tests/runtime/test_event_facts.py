"""What hosts do that the runtime has to live with: more cases of ../shared/cases/events.json."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from routelet.aws import MAX_PAYLOAD_BYTES, create_exports, source_of
from routelet.events import alb, edge, function_url, http_api, rest_api
from routelet.headers import Headers
from routelet.http import Response

HERE = Path(__file__).parent
EVENTS: Mapping[str, Any] = {
    path.stem: json.loads(path.read_text()) for path in (HERE.parent / "fixtures/events").iterdir()
}
CASES = HERE.parents[2] / "shared/cases/events.json"
MakeSite = Callable[..., Any]


def event(name: str, **changes: Any) -> dict[str, Any]:
    return {**EVENTS[name], **changes}


def test_every_case_has_a_test() -> None:
    if not CASES.is_file():
        pytest.skip("the cases are not beside this clone")
    text = "".join(path.read_text() for path in HERE.glob("test_*.py")).lower()
    named = {f"c{int(number):02}" for number in re.findall(r"(?<![a-z0-9])c(\d+)", text)}
    named |= {f"c{int(number):02}" for number in re.findall(r"_c(\d+)(?=_)", text)}
    ids = {case["id"].lower() for case in json.loads(CASES.read_text())["cases"]}
    assert ids - named == set()


def test_c29_an_anonymous_caller_has_no_authorizer() -> None:
    request = function_url.request_of(EVENTS["function_url"])
    assert request.host_context is not None
    assert request.host_context["accountId"] == "anonymous"
    assert not request.host_context["authorizer"]


def test_c30_a_function_url_is_told_from_an_http_api_by_its_domain() -> None:
    url, api = EVENTS["function_url"], EVENTS["http_api"]
    assert url["routeKey"] == url["requestContext"]["stage"] == api["routeKey"] == "$default"
    assert (source_of(url), source_of(api)) == ("function-url", "http-api")


def test_c38_two_slashes_after_the_stage_take_nothing_off_the_path() -> None:
    context = EVENTS["rest_api"]["requestContext"] | {"path": "/prod//proxy-value"}
    changed = event(
        "rest_api",
        path="/proxy-value",
        pathParameters={"proxy": "proxy-value"},
        requestContext=context,
    )
    assert rest_api.request_of(changed).path == "/proxy-value"


@pytest.mark.parametrize(("name", "module"), [("rest_api", rest_api), ("alb", alb)])
def test_c40_c47_a_body_in_base64_is_decoded_and_one_in_text_is_not(name: str, module: Any) -> None:
    binary = event(name, body=base64.b64encode(b"\x89PNG").decode(), isBase64Encoded=True)
    assert module.request_of(binary).body == b"\x89PNG"
    assert module.request_of(event(name, body="e30=", isBase64Encoded=False)).body == b"e30="


def test_c41_the_length_of_a_body_is_that_of_its_bytes() -> None:
    assert "content-length" not in EVENTS["rest_api"]["multiValueHeaders"]
    request = rest_api.request_of(event("rest_api", body="é", isBase64Encoded=False))
    assert request.headers["content-length"] == "2"
    request = rest_api.request_of(event("rest_api", body="e30=", isBase64Encoded=True))
    assert request.headers["content-length"] == "2"
    assert "content-length" not in rest_api.request_of(event("rest_api", body=None)).headers


def test_c46_single_values_are_all_there_is() -> None:
    single = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "body": "",
              "headers": {"x-dup": "2"}, "queryStringParameters": {"a": "2"}}  # fmt: skip
    request = alb.request_of(single)
    assert request.headers.get_all("x-dup") == ["2"]
    assert request.url.search_params.get_all("a") == ["2"]


def test_c48_an_empty_body_may_call_itself_base64() -> None:
    assert alb.request_of(event("alb", body="", isBase64Encoded=True)).body == b""


def test_c54_the_edge_needs_no_environment(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "HOME", "PATH"):
        monkeypatch.delenv(name, raising=False)
    manifest = make_site({"[...path].py": "def ALL(ctx): return {'path': ctx.url.path}"})
    exports = create_exports(manifest.app._manifest, {"front": "edge"})
    handler: Any = exports["handler"]
    assert json.loads(handler(EVENTS["edge"], None)["body"]) == {"path": "/hello/wörld"}


@pytest.mark.parametrize("module", [rest_api, function_url, http_api])
def test_c61_c67_a_status_is_a_number_and_header_values_are_text(module: Any) -> None:
    name = module.__name__.rpartition(".")[2]
    numeric: Any = {"x-n": 1, "x-b": True}
    result = module.result_of(Response("x", status="418", headers=numeric), EVENTS[name])  # type: ignore[arg-type]
    assert result["statusCode"] == 418
    values = result.get("headers") or {
        key: one for key, [one] in result["multiValueHeaders"].items()
    }
    assert (values["x-n"], values["x-b"]) == ("1", "True")


def test_c62_a_rest_api_gets_each_header_in_one_map_only() -> None:
    response = Response("x", headers=[("X-Dup", "a"), ("x-dup", "b")])
    result = rest_api.result_of(response, EVENTS["rest_api"])
    assert result["multiValueHeaders"]["x-dup"] == ["a", "b"]
    assert "headers" not in result


@pytest.mark.parametrize("kind", ["text/html", "application/json", "image/svg+xml"])
def test_c63_text_is_never_base64_which_a_rest_api_may_send_as_it_is(kind: str) -> None:
    response = Response("é", headers={"content-type": kind})
    assert rest_api.result_of(response, EVENTS["rest_api"])["isBase64Encoded"] is False


@pytest.mark.parametrize("value", ['"text"', 'b"bytes"', '{"a": 1}', "[1]", 'Response("x")'])
def test_c64_what_a_handler_returns_has_a_type_before_a_host_makes_one_up(
    make_site: MakeSite, value: str
) -> None:
    site = make_site({"a.py": f"from routelet import Response\ndef GET(ctx): return {value}"})
    assert site.get("/a").headers["content-type"]


def test_c65_headers_that_a_rest_api_renames_are_handed_over() -> None:
    response = Response("x", headers={"server": "mine"})
    result = rest_api.result_of(response, EVENTS["rest_api"])
    assert result["multiValueHeaders"]["server"] == ["mine"]


def test_c66_a_page_that_raises_never_raises_through_the_handler(make_site: MakeSite) -> None:
    manifest = make_site({"[...path].py": "def ALL(ctx): 1 / 0"}).app._manifest
    handler: Any = create_exports(manifest, {"front": "function-url"})["handler"]
    result = handler(EVENTS["function_url"], None)
    assert (result["statusCode"], result["body"]) == (500, "Internal Server Error")


def test_c70_values_are_handed_over_in_order() -> None:
    response = Response("x", headers=[("set-cookie", "a=1"), ("set-cookie", "b=2")])
    result = alb.result_of(response, EVENTS["alb"])
    assert result["multiValueHeaders"]["set-cookie"] == ["a=1", "b=2"]


def test_c72_a_response_over_1_mb_is_a_500_of_ours_and_no_502_of_the_balancer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fits = alb.result_of(Response("x" * 1_000_000), EVENTS["alb"])
    assert fits["statusCode"] == 200
    for body in ("x" * 1_050_000, "\n" * 600_000, bytes(800_000)):
        assert alb.result_of(Response(body), EVENTS["alb"])["statusCode"] == 500
    assert capsys.readouterr().err.count("limit") == 3


def test_c79_headers_refuse_line_breaks_and_keep_latin_1() -> None:
    for bad in ("a\r\nb", "a\nb", "a\0b"):
        with pytest.raises(ValueError, match="line break"):
            Headers({"x-a": bad})
    assert edge.result_of(Response(headers={"x-a": "café"}), EVENTS["edge"])["headers"]["x-a"] == [
        {"key": "X-A", "value": "café"}
    ]


def test_c80_a_result_that_lambda_would_refuse_is_a_500(make_site: MakeSite) -> None:
    page = f"def ALL(ctx): return 'x' * {MAX_PAYLOAD_BYTES}"
    manifest = make_site({"[...path].py": page}).app._manifest
    handler: Any = create_exports(manifest, {})["handler"]
    assert handler(EVENTS["http_api"], None)["statusCode"] == 500
