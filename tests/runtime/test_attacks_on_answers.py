"""What a viewer sends back through a page breaks no header, opens no redirect, ends no process."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.aws import create_exports
from routelet.cookies import Cookies
from routelet.routing import url_for

MakeSite = Callable[..., Any]

LINE_BREAKS = ("%0d%0aset-cookie:%20a=b", "%0aset-cookie:%20a=b", "%0d", "x%00y", "%0d%0a%0d%0a<p>")
INJECTED = {
    "redirect": "ctx.redirect('/' + ctx.url.search_params['to'])",
    "header": "Response('x', headers={'x-to': ctx.url.search_params['to']})",
    "name of a header": "Response('x', headers={ctx.url.search_params['to']: 'x'})",
    "content type": "Response('x', headers={'content-type': ctx.url.search_params['to']})",
    "name of a cookie": "ctx.cookies.set(ctx.url.search_params['to'], 'x')",
    "path of a cookie": "ctx.cookies.set('x', 'x', path=ctx.url.search_params['to'])",
    "domain of a cookie": "ctx.cookies.set('x', 'x', domain=ctx.url.search_params['to'])",
}


@pytest.mark.parametrize("what", INJECTED)
def test_a_line_break_in_a_header_is_a_500_and_nothing_of_it_is_sent(
    make_site: MakeSite, source: Any, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = f"from routelet import Response\ndef GET(ctx): return {INJECTED[what]}"
    manifest = make_site({"index.py": page}).app._manifest
    for text in LINE_BREAKS:
        answer = source.ask(manifest, f"/?to={text}")
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert [name for name, _ in answer.headers.raw()] == ["content-type"]
    assert capsys.readouterr().err.count("ValueError: ") == len(LINE_BREAKS)


@pytest.mark.parametrize("text", LINE_BREAKS)
def test_a_line_break_in_the_value_of_a_cookie_is_sent_encoded(
    make_site: MakeSite, source: Any, text: str
) -> None:
    page = "def GET(ctx): return ctx.cookies.set('seen', ctx.url.search_params['to'])"
    answer = source.ask(make_site({"index.py": page}).app._manifest, f"/?to={text}")
    [cookie] = answer.headers.get_set_cookie()
    assert cookie.startswith("seen=")
    assert {"\r", "\n", "\0", " ", ";"}.isdisjoint(cookie)
    assert [name for name, _ in answer.headers.raw()] == ["set-cookie"]


@given(name=st.text(max_size=8), value=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cookie_is_one_pair_and_no_attribute_more(name: str, value: str) -> None:
    cookies = Cookies()
    try:
        cookies.set(name, value)
    except ValueError:
        return
    [header] = cookies.set_cookie_headers()
    assert {";", ",", "\r", "\n", "\0"}.isdisjoint(header)
    assert Cookies(header).get(name) == value


# Open redirects


@given(
    rest=st.text(st.sampled_from("/\\.:@evil%\t \n") | st.characters(exclude_categories=["Cs"])),
    base=st.sampled_from(["/", "/docs"]),
)
def test_no_parameter_makes_a_url_of_another_host(rest: str, base: str) -> None:
    for route, params in (("/[...rest]", {"rest": rest}), ("/[a]/[...rest]", {"a": rest})):
        try:
            url = url_for(route, params, base)
        except ValueError:
            continue
        assert not url.startswith(("//", "/\\"))
        assert {"\\", "\t", "\n", " "}.isdisjoint(url)


ADD_SLASH = """
def on_request(ctx, next):
    path = ctx.url.path
    return next() if path.endswith("/") else ctx.redirect(path + "/", 301)
"""


def test_a_redirect_to_the_path_of_the_request_stays_on_this_site(
    make_site: MakeSite, sources: Mapping[str, Any]
) -> None:
    manifest = make_site({"[...rest].py": ""}, middleware=ADD_SLASH).app._manifest
    for source in sources.values():
        answer = source.ask(manifest, "//evil.example/a")
        assert not answer.headers["location"].startswith("//")


def test_nor_does_an_encoded_slash_make_it_leave(
    make_site: MakeSite, sources: Mapping[str, Any]
) -> None:
    manifest = make_site({"[...rest].py": ""}, middleware=ADD_SLASH).app._manifest
    for source in sources.values():
        answer = source.ask(manifest, "/%2Fevil.example/a")
        assert not answer.headers["location"].startswith("//")


@pytest.mark.parametrize("path", ["/%5Cevil.example", "/%09//evil.example", "/a//evil.example"])
def test_no_other_path_makes_such_a_redirect_leave_the_site(
    make_site: MakeSite, source: Any, path: str
) -> None:
    manifest = make_site({"[...rest].py": ""}, middleware=ADD_SLASH).app._manifest
    answer = source.ask(manifest, path)
    assert not answer.headers["location"].startswith("//")


def test_a_rewrite_to_another_host_stays_here(make_site: MakeSite, source: Any) -> None:
    pages = {
        "index.py": "def GET(ctx): return ctx.rewrite(ctx.url.search_params['to'])",
        "[...rest].py": "def GET(ctx): return ctx.url.origin",
    }
    manifest = make_site(pages).app._manifest
    for target in (
        "https://evil.example/a",
        "//evil.example/a",
        "/%5Cevil.example",
        "evil.example",
    ):
        answer = source.ask(manifest, f"/?to={target}")
        assert answer.body == f"https://{source.host}".encode()


# What is no text


HALF = '"\\ud800"'  # half of a surrogate pair: JSON may hold it, UTF-8 may not
ECHOES = {
    "json": "ctx.request.json()",
    "html": "'<p>' + ctx.request.json()['a']",
    "header": "Response('x', headers={'x-a': ctx.request.json()['a']})",
    "location": "ctx.redirect('/' + ctx.request.json()['a'])",
}


@pytest.mark.parametrize("what", ECHOES)
def test_half_of_a_surrogate_pair_that_is_echoed_ends_no_process(
    make_site: MakeSite, sources: Mapping[str, Any], what: str
) -> None:
    page = f"from routelet import Response\ndef POST(ctx): return {ECHOES[what]}"
    manifest = make_site({"index.py": page}).app._manifest
    for source in sources.values():
        handler: Any = create_exports(manifest, {"front": source.name})["handler"]
        event = source.event(method="POST", body=f'{{"a": {HALF}}}'.encode())
        result = handler(event, None)
        # as Lambda's runtime client does from Python 3.12 on
        assert json.dumps(result, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 50_000, b"1" * 10_000, b"\xff", b"NaN", b'"\\ud800"', b""]
)
def test_no_json_ends_the_process(make_site: MakeSite, source: Any, body: bytes) -> None:
    page = "def POST(ctx):\n    ctx.request.json()\n    return 'read'"
    manifest = make_site({"index.py": page}).app._manifest
    assert source.ask(manifest, method="POST", body=body).status in {200, 500}


# Nothing of an error is sent


RAISES = """
PASSWORD = "hunter2"
{kind} GET(ctx):
    raise {error}
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    "error", ["OSError(PASSWORD)", "RecursionError", "MemoryError", "KeyError"]
)
@pytest.mark.parametrize("pages", [{}, {"500.py": "async def GET(ctx): return 'sorry'"}])
def test_the_trace_is_in_the_log_and_nothing_of_it_in_the_answer(
    make_site: MakeSite,
    source: Any,
    *,
    kind: str,
    error: str,
    pages: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    site = make_site({"index.py": RAISES.format(kind=kind, error=error), **pages})
    answer = source.ask(site.app._manifest)
    sent = str(answer.headers).encode() + answer.body
    assert answer.status == 500
    assert answer.body == (b"sorry" if pages else b"Internal Server Error")
    for part in (b"hunter2", b"Traceback", b"Error(", b".py", b"line "):
        assert part not in sent
    logged = capsys.readouterr().err
    assert logged.count("Traceback (most recent call last)") == 1
    assert ("hunter2" in logged) is ("PASSWORD" in error)


@pytest.mark.parametrize("failing", ["before = 1 / 0", "async def GET(ctx): 1 / 0"])
def test_an_error_page_that_fails_tells_nothing_either(
    make_site: MakeSite, source: Any, failing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = {
        "index.py": "def GET(ctx): raise OSError('first')",
        "500.py": failing,
        "404.py": failing,
    }
    manifest: Mapping[str, Any] = make_site(pages).app._manifest
    assert source.ask(manifest).body == b"Internal Server Error"
    assert source.ask(manifest, "/unknown").body == b"Not Found"
    logged = capsys.readouterr().err
    assert "OSError: first" in logged
    assert logged.count("ZeroDivisionError") == 2


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_500_page_whose_body_fails_while_it_is_read_is_plain_text(
    make_site: MakeSite, sources: Mapping[str, Any], kind: str
) -> None:
    page = f"""
    from routelet import Response
    def parts():
        yield b"half"
        1 / 0
    {kind} GET(ctx): return Response(parts())
    """
    manifest = make_site({"index.py": "def GET(ctx): 1 / 0", "500.py": page}).app._manifest
    for source in sources.values():
        answer = source.ask(manifest)
        assert (answer.status, answer.body) == (500, b"Internal Server Error")


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_page_whose_task_was_cancelled_is_a_500(
    make_site: MakeSite, sources: Mapping[str, Any], kind: str
) -> None:
    page = f"from asyncio import CancelledError\n{kind} GET(ctx): raise CancelledError"
    manifest = make_site({"index.py": page}).app._manifest
    for source in sources.values():
        assert source.ask(manifest).status == 500
