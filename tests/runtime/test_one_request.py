"""One request is the same through every front, and one response reaches the viewer whole.

What fronts lose is told where it is lost: the HTTP API hands a path over decoded, REST API and load
balancer hand the query over by name, and a balancer without multi-value headers keeps last values.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.headers import Headers
from routelet.http import Request, Response

HOST = "site.example"
FRONTS_OWN = {"x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@st.composite
def spelled(draw: st.DrawFn, text: str) -> str:
    """Draw an encoding of `text`: what may be written as it is may be escaped as well."""
    return "".join(
        draw(st.sampled_from([quote(character, safe=""), escaped, escaped.lower()]))
        for character in text
        for escaped in ["".join(f"%{octet:02X}" for octet in character.encode())]
    )


@st.composite
def paths(draw: st.DrawFn, left_out: str = "/?") -> str:
    pieces = draw(st.lists(texts, min_size=1, max_size=4))
    kept = (piece.translate(str.maketrans("", "", left_out)) for piece in pieces)
    return "/" + "/".join(draw(spelled(piece)) for piece in kept)


header_names = st.from_regex(r"[Xx]-[A-Za-z0-9-]{1,5}", fullmatch=True).filter(
    lambda name: name.lower() not in FRONTS_OWN
)
header_values = st.text(st.characters(codec="ascii", min_codepoint=0x21), min_size=1, max_size=8)
single_values = header_values.filter(lambda value: "," not in value and "\x7f" not in value)
cookie_lines = st.lists(
    st.lists(st.from_regex(r"[a-z]{1,3}=[a-z0-9%\"]{0,4}", fullmatch=True), min_size=1, max_size=3),
    max_size=2,
)


@st.composite
def headers(draw: st.DrawFn) -> tuple[tuple[str, str], ...]:
    pairs = draw(st.lists(st.tuples(header_names, single_values), max_size=4))
    repeated = [(name.swapcase(), value) for name, value in pairs[:1]]
    lines = [("Cookie", "; ".join(pairs)) for pairs in draw(cookie_lines)]
    return (*pairs, *repeated, *lines)


def query_of(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)


def by_name(request: Request) -> dict[str, list[str]]:
    params = request.url.search_params
    return {name: params.get_all(name) for name in params}


def viewers_headers(request: Request) -> dict[str, list[str]]:
    """Return the values of each header; gateways join them with a comma."""
    return {
        name: [value.strip() for value in (request.headers.get(name) or "").split(",")]
        for name in sorted(request.headers)
        if name not in FRONTS_OWN | {"content-length", "cookie"}
    }


def seen(request: Request) -> tuple[Any, ...]:
    return (
        request.method,
        request.url.origin,
        request.path,
        request.url.canonical_path,
        by_name(request),
        viewers_headers(request),
        request.headers.get_all("cookie"),
        {name: request.cookies.get(name) for name in request.cookies},
        request.body,
        request.client_address,
    )


@given(
    path=paths(),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"]),
    pairs=st.lists(st.tuples(texts, texts), max_size=4),
    headers=headers(),
    body=st.one_of(st.binary(max_size=40), texts.map(str.encode)),
)
def test_one_request_is_the_same_through_all_five_sources(
    sources: Mapping[str, Any],
    *,
    path: str,
    method: str,
    pairs: list[tuple[str, str]],
    headers: tuple[tuple[str, str], ...],
    body: bytes,
) -> None:
    target = f"{path}?{query_of(pairs)}" if pairs else path
    parts = {"method": method, "headers": headers, "body": body, "host": HOST}
    requests = {
        name: one.request(target, **parts) for name, one in sources.items() if name != "alb-single"
    }
    first, *others = [seen(request) for request in requests.values()]
    assert others == [first] * 4
    assert first[8] == body
    for name in ("http-api", "function-url", "edge"):  # the others have it by name only
        assert list(requests[name].url.search_params.items()) == pairs


@given(path=paths(left_out=""))
def test_a_path_is_the_same_through_the_four_sources_that_leave_it_encoded(
    sources: Mapping[str, Any], path: str
) -> None:
    names = ("function-url", "rest-api", "alb", "edge")
    urls = {str(sources[name].request(path, host=HOST).url) for name in names}
    assert len(urls) == 1


@pytest.mark.parametrize(
    ("target", "here", "elsewhere"),
    [
        ("/x/a%2Fb", "/x/a/b", "/x/a\0b"),
        ("/x/..%2Fy", "/y", "/x/..\0y"),
        ("/100%25", "/100%", "/100%"),
        ("/a%3Fb", "/a", "/a?b"),
        ("/%zz", "/%zz", None),
        ("/%", "/%", None),
    ],
)
def test_the_http_api_decodes_the_path_and_the_others_do_not(
    sources: Mapping[str, Any], target: str, here: str, elsewhere: str | None
) -> None:
    assert sources["http-api"].request(target).url.canonical_path == here
    for name in ("function-url", "rest-api", "alb", "alb-single", "edge"):
        url = sources[name].request(target).url
        assert (None if url.malformed else url.canonical_path) == elsewhere


def test_a_load_balancer_without_multi_value_headers_has_the_last_of_each(
    sources: Mapping[str, Any],
) -> None:
    repeated = (("x-a", "1"), ("X-A", "2"), ("Cookie", "a=1; b=2"))
    request = sources["alb-single"].request("/p%20q?a=1&a=2&b=%26", headers=repeated)
    assert (request.path, by_name(request)) == ("/p q", {"a": ["2"], "b": ["&"]})
    assert request.headers.get_all("x-a") == ["2"]
    assert request.headers["cookie"] == "a=1; b=2"


# Responses


content_types = st.sampled_from(
    [None, "text/html; charset=utf-8", "application/json", "image/png", "text/csv", "font/woff2",
     "application/octet-stream", "image/svg+xml", "text/html; charset=iso-8859-1"]
)  # fmt: skip
bodies = st.one_of(
    st.none(), texts, st.binary(max_size=40), st.lists(st.binary(max_size=8), max_size=3)
)
set_cookies = st.lists(
    st.from_regex(r"[a-z]{1,3}=[a-z0-9]{0,4}(; Path=/|; Expires=Wed, 21 Oct 2026 07:28:00 GMT)?",
                  fullmatch=True), max_size=4,
)  # fmt: skip


@st.composite
def responses(draw: st.DrawFn) -> Response:
    given_headers = Headers(draw(st.lists(st.tuples(header_names, single_values), max_size=3)))
    for name, values in (
        ("content-type", content_types),
        ("content-encoding", st.sampled_from([None, None, "gzip", "br"])),
    ):
        value = draw(values)
        if value is not None:
            given_headers.set(name, value)
    for cookie in draw(set_cookies):
        given_headers.append("Set-Cookie", cookie)
    return Response(draw(bodies), draw(st.integers(200, 599)), given_headers)


@given(response=responses(), method=st.sampled_from(["GET", "POST", "HEAD"]))
def test_a_response_reaches_the_viewer_whole_through_every_source(
    sources: Mapping[str, Any],
    response: Response,
    method: str,
) -> None:
    bodiless = method == "HEAD" or response.status in {204, 304}
    for name, source in sources.items():
        result = source.module.result_of(response.clone(), source.event(method=method))
        answer = source.answer_of(result)
        assert answer.status == response.status
        assert answer.body == (b"" if bodiless else response.read())
        cookies = response.headers.get_set_cookie()
        assert answer.headers.get_set_cookie() == (
            cookies[-1:] if name == "alb-single" else cookies
        )
        joined = answer.headers.joined()
        assert joined.items() >= response.headers.joined().items()
        assert joined.keys() - response.headers.joined().keys() <= {"content-type"}


@given(body=st.binary(max_size=60), content_type=content_types)
def test_base64_is_for_what_cannot_be_text(
    sources: Mapping[str, Any], body: bytes, content_type: str | None
) -> None:
    kind = {"content-type": content_type} if content_type else {}
    is_text = content_type is None or not content_type.startswith(
        ("image/png", "font/", "application/octet")
    )
    try:
        body.decode()
    except UnicodeDecodeError:
        is_text = False
    for source in sources.values():
        result = source.module.result_of(Response(body, headers=kind), source.event())
        encoded = result.get("isBase64Encoded") or result.get("bodyEncoding") == "base64"
        assert bool(encoded) is (bool(body) and not is_text)
