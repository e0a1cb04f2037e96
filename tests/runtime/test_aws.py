"""The handler that Lambda calls."""

import json
import sys
from collections.abc import Callable
from typing import Any, cast

import pytest

from routelet.aws import MAX_PAYLOAD_BYTES, create_exports

MakeSite = Callable[..., Any]
Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def event(path: str = "/", query: str = "") -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.example"},
        "requestContext": {
            "domainName": "api.example",
            "http": {"method": "GET", "path": path, "sourceIp": "192.0.2.1"},
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


@pytest.fixture
def make_handler(make_site: MakeSite) -> Callable[[dict[str, str]], Handler]:
    def make(pages: dict[str, str]) -> Handler:
        exports = create_exports(make_site(pages).app._manifest, {})
        return cast("Handler", exports["handler"])

    return make


def encoded(result: dict[str, Any]) -> int:
    """Return the bytes that Lambda's runtime client sends for `result`."""
    return len(json.dumps(result, ensure_ascii=sys.version_info < (3, 12)).encode())


def test_the_handler_is_all_that_is_exported(make_site: MakeSite) -> None:
    manifest = make_site({"index.py": "def GET(ctx): return {}"}).app._manifest
    assert list(create_exports(manifest, {})) == ["handler"]


def test_an_event_is_answered(make_handler: Callable[..., Handler]) -> None:
    source = """
    def GET(ctx):
        ctx.cookies.set("a", "b")
        return {"id": ctx.params["id"], "from": ctx.client_address, "url": str(ctx.url)}
    """
    assert make_handler({"posts/[id].py": source})(event("/posts/7", "q=1"), None) == {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "cookies": ["a=b"],
        "body": '{"id":"7","from":"192.0.2.1","url":"https://api.example/posts/7?q=1"}',
        "isBase64Encoded": False,
    }


def test_an_async_page_is_waited_for(make_handler: Callable[..., Handler]) -> None:
    handler = make_handler({"index.py": "async def GET(ctx): return 'later'"})
    assert [handler(event(), None)["body"] for _ in range(2)] == ["later", "later"]


def test_the_only_page_is_loaded_before_the_first_event(make_site: MakeSite) -> None:
    site = make_site({"[id].py": "def GET(ctx): return {}"})
    create_exports(site.app._manifest, {})
    assert "pages._id_" in sys.modules


def test_of_several_pages_none_is_loaded_before_it_is_asked_for(make_site: MakeSite) -> None:
    site = make_site({"a.py": "def GET(ctx): return {}", "b.py": "1 / 0"})
    create_exports(site.app._manifest, {})
    assert not {"pages.a", "pages.b"} & set(sys.modules)


def test_errors_are_answered_and_logged(
    make_handler: Callable[..., Handler], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = make_handler({"index.py": "def GET(ctx): 1 / 0"})
    assert handler(event(), None)["statusCode"] == 500
    assert handler(event("/unknown"), None)["statusCode"] == 404
    assert handler(event("/a\0b"), None)["statusCode"] == 400
    assert capsys.readouterr().err.count("ZeroDivisionError: division by zero") == 1


BODIES = {
    "plain": "'a'",
    "escaped": "'\\x01'",
    "two bytes": "'\\u00e9'",
    "astral": "'\\U0001f600'",
    "binary": "b'\\xff'",
}


@pytest.mark.parametrize("character", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("count", [1_000, 400_000, 600_000, 1_000_000, 3_000_000, 6_500_000])
def test_no_result_is_over_the_limit_of_lambda(
    make_handler: Callable[..., Handler],
    capsys: pytest.CaptureFixture[str],
    character: str,
    count: int,
) -> None:
    handler = make_handler({"index.py": f"def GET(ctx): return {character} * {count}"})
    result = handler(event(), None)
    logged = capsys.readouterr().err
    assert encoded(result) <= MAX_PAYLOAD_BYTES
    if result["statusCode"] == 500:
        assert result["body"] == "Internal Server Error"
        assert f"over {MAX_PAYLOAD_BYTES} bytes, Lambda's limit" in logged
    else:
        assert (result["statusCode"], logged) == (200, "")


def test_the_limit_is_met_to_the_byte(make_handler: Callable[..., Handler]) -> None:
    source = "def GET(ctx): return 'a' * int(ctx.url.search_params['n'])"
    handler = make_handler({"index.py": source})
    around = encoded(handler(event(query="n=0"), None))
    most = MAX_PAYLOAD_BYTES - around
    assert encoded(handler(event(query=f"n={most}"), None)) == MAX_PAYLOAD_BYTES
    assert handler(event(query=f"n={most + 1}"), None)["statusCode"] == 500
