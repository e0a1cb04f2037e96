"""Locals that travel from the edge to a function, and who may have sent them."""

import datetime
import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.headers import LOCALS_HEADER
from routelet.http import URL, Request, Response
from routelet.signing import (
    LIFETIME_S,
    MAX_TEXT_BYTES,
    SKEW_S,
    Claims,
    RefusedError,
    WeakKeyError,
    accept,
    plain,
    sign,
    verify,
)

KEY = "k" * 32
NOW = 1_800_000_000.0


def request(url: str = "/posts/7?a=1&b=2", method: str = "GET", **parts: Any) -> Request:
    return Request(url, method=method, **parts)


def signed(locals: dict[str, object] | None = None, **parts: Any) -> str:
    return sign(request(**parts), Claims(locals=locals or {}), KEY, NOW)


def test_what_was_signed_is_read() -> None:
    claims = Claims(
        locals={"user": {"id": 7, "name": "Zoë", "roles": ["a", None, True, 1.5]}},
        scheme="http",
        host="shop.example",
        port=8080,
        client_address="203.0.113.9",
        headers=[("set", "x-a", "b")],
    )
    read = verify(sign(request(), claims, KEY, NOW), request(), KEY, NOW)
    assert read.locals == claims.locals
    assert (read.scheme, read.host, read.port) == ("http", "shop.example", 8080)
    assert read.client_address == "203.0.113.9"
    assert [tuple(one) for one in read.headers] == claims.headers


def test_the_text_is_version_expiry_payload_and_signature() -> None:
    version, expiry, payload, signature = signed({"a": 1}).split(".")
    assert version == "v1"
    assert int(expiry) == NOW + LIFETIME_S
    assert json.loads(urlsafe_b64decode(payload + "=="))["locals"] == {"a": 1}
    assert len(urlsafe_b64decode(signature + "==")) == 32


OTHERS = {
    "another path": {"url": "/posts/8?a=1&b=2"},
    "a path with a slash more": {"url": "/posts/7/?a=1&b=2"},
    "a path of another case": {"url": "/Posts/7?a=1&b=2"},
    "a path that is encoded twice": {"url": "/post%2573/7?a=1&b=2"},
    "another method": {"method": "POST"},
    "another value": {"url": "/posts/7?a=1&b=3"},
    "no query": {"url": "/posts/7"},
    "one parameter more": {"url": "/posts/7?a=1&b=2&c="},
    "one parameter in another": {"url": "/posts/7?a=1%26b%3D2"},
    "values that changed places": {"url": "/posts/7?a=2&b=1"},
}


@pytest.mark.parametrize("parts", OTHERS.values(), ids=OTHERS)
def test_a_signature_is_for_one_method_path_and_query(parts: dict[str, str]) -> None:
    with pytest.raises(RefusedError, match="not signed for this request"):
        verify(signed(), request(**parts), KEY, NOW)


@pytest.mark.parametrize(
    "url",
    ["/post%73/7?a=1&b=2", "/posts/7?%61=1&b=2", "/posts/7?b=2&a=1", "/x/../posts/7?a=1&b=2"],
)
def test_hosts_may_decode_and_order_names_as_they_like(url: str) -> None:
    assert verify(signed(), request(url), KEY, NOW).locals == {}


def test_values_of_one_name_may_not_change_places() -> None:
    text = signed(url="/?a=1&a=2&b=3")
    verify(text, request("/?b=3&a=1&a=2"), KEY, NOW)
    with pytest.raises(RefusedError):
        verify(text, request("/?b=3&a=2&a=1"), KEY, NOW)


def test_a_host_that_decodes_the_path_signs_the_same() -> None:
    decoded = Request(URL(path="/caf\u00e9", path_is_decoded=True, query=""))
    assert verify(signed(url="/caf%C3%A9"), decoded, KEY, NOW).locals == {}


def test_every_character_counts() -> None:
    text = signed({"admin": False})
    for index in range(len(text)):
        changed = text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :]
        with pytest.raises(RefusedError):
            verify(changed, request(), KEY, NOW)


def test_another_key_is_refused() -> None:
    with pytest.raises(RefusedError, match="with this key"):
        verify(signed(), request(), "K" * 32, NOW)


@pytest.mark.parametrize("key", ["", "k" * 31])
def test_a_short_key_signs_and_reads_nothing(key: str) -> None:
    with pytest.raises(WeakKeyError):
        sign(request(), Claims(locals={}), key, NOW)
    with pytest.raises(WeakKeyError):
        verify(signed(), request(), key, NOW)


def test_a_signature_lives_a_minute() -> None:
    verify(signed(), request(), KEY, NOW + LIFETIME_S + SKEW_S)
    verify(signed(), request(), KEY, NOW - SKEW_S)
    for late in (NOW + LIFETIME_S + SKEW_S + 1, NOW - SKEW_S - 1):
        with pytest.raises(RefusedError, match="expired"):
            verify(signed(), request(), KEY, late)


def test_the_expiry_is_signed() -> None:
    version, expiry, *rest = signed().split(".")
    with pytest.raises(RefusedError, match="not signed"):
        verify(".".join([version, str(int(expiry) + 60), *rest]), request(), KEY, NOW)


GARBAGE = [
    "", "v1", "v1...", "v2.1.e30.x", "v1.x.y.z", "v1.1800000060.e30.\u00e9", ".", "a.b.c.d.e",
    "v1.1800000060.e30.AAAA, v1.1800000060.e30.AAAA", "v1.\ud800.e30.\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        verify(text, request(), KEY, NOW)


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        verify(text, request(), KEY, NOW)


def test_an_overlong_text_is_refused_before_it_is_read() -> None:
    long = signed({"a": "x" * MAX_TEXT_BYTES})
    with pytest.raises(RefusedError, match="malformed"):
        verify(long, request(), KEY, NOW)


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False,
                                                                               allow_infinity=False),
            lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(), one, max_size=3),
            max_leaves=8,
        ),
        max_size=4,
    )
)  # fmt: skip
def test_all_that_json_has_arrives_as_it_was(locals: dict[str, object]) -> None:
    text = sign(request(), Claims(locals=plain(locals)), KEY, NOW)
    assert verify(text, request(), KEY, NOW).locals == locals


NOT_JSON: dict[str, tuple[object, str]] = {
    "a time": ({"at": datetime.date(2026, 1, 1)}, r"ctx\.locals\['at'\] is of type date"),
    "a tuple": ({"a": {"b": [1, (2,)]}}, r"ctx\.locals\['a'\]\['b'\]\[1\] is of type tuple"),
    "an object": ({"user": object()}, r"\['user'\] is of type object"),
    "bytes": ({"b": b""}, "is of type bytes"),
    "a number for a key": ({"a": {1: 2}}, r"\['a'\] has the key 1"),
    "no number": ({"a": float("nan")}, "JSON has no such number"),
    "infinity": ({"a": [float("inf")]}, "JSON has no such number"),
    "a long integer": ({"a": 10**5000}, r"\['a'\] is an integer of 16610 bits"),
    "no dict": ([], "is of type list, not a dict"),
}


@pytest.mark.parametrize(("locals", "message"), NOT_JSON.values(), ids=NOT_JSON)
def test_locals_that_are_no_json_are_told_with_their_key(locals: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        plain(locals)


def test_a_copy_of_locals_does_not_change_with_them() -> None:
    locals: dict[str, object] = {"a": [1]}
    copy = plain(locals)
    locals["a"] = [2]
    assert copy == {"a": [1]}


# accept: what a function does with a request.


def arrived(*headers: tuple[str, str]) -> Request:
    return request(headers=headers, client_address="10.0.0.1")


def test_a_function_sees_the_viewer_and_no_header() -> None:
    claims = Claims(locals={"a": 1}, host="shop.example", client_address="203.0.113.9")
    text = sign(request(), claims, KEY, NOW)
    asked = arrived((LOCALS_HEADER, text), ("x-other", "1"))
    assert accept(asked, KEY, NOW).locals == {"a": 1}
    assert asked.url.origin == "https://shop.example"
    assert asked.client_address == "203.0.113.9"
    assert asked.headers.raw() == [("x-other", "1")]


FORGED = {
    "none": [],
    "two": [LOCALS_HEADER, LOCALS_HEADER],
    "one in another spelling": ["x_routelet_locals"],
    "mixed": ["X-Routelet_Locals"],
}


@pytest.mark.parametrize("names", FORGED.values(), ids=FORGED)
def test_there_is_one_header_of_that_name(names: list[str]) -> None:
    asked = arrived(*((name, signed()) for name in names))
    with pytest.raises(RefusedError, match=r"missing|more than one"):
        accept(asked, KEY, NOW)
    assert asked.headers.raw() == []


def test_the_viewers_own_spelling_is_not_seen_beside_the_real_one() -> None:
    asked = arrived((LOCALS_HEADER, signed()), ("X_Routelet-Locals", "mine"))
    accept(asked, KEY, NOW)
    assert asked.headers.raw() == []


def test_errors_have_nothing_of_the_header_or_the_key() -> None:
    text = signed({"secret": "hunter2"})
    with pytest.raises(RefusedError) as caught:
        verify(text, request("/other"), KEY, NOW)
    told = repr(caught.value) + "".join(map(str, caught.value.args))
    assert KEY not in told
    assert text.split(".")[2] not in told


def test_headers_are_set_appended_and_deleted_in_order() -> None:
    response = Response("a", headers=[("x-a", "1"), ("x-b", "1"), ("vary", "cookie")])
    changes = [
        ("set", "x-a", "2"),
        ("append", "set-cookie", "s=1"),
        ("append", "set-cookie", "t=2"),
        ("delete", "x-b", ""),
        ("append", "vary", "accept"),
    ]
    changed = Claims(locals={}, headers=changes).changed(response)
    assert sorted(changed.headers.raw()) == sorted([
        ("content-type", "text/plain; charset=utf-8"), ("vary", "cookie"), ("x-a", "2"),
        ("set-cookie", "s=1"), ("set-cookie", "t=2"), ("vary", "accept"),
    ])  # fmt: skip
    assert response.headers.get("x-a") == "1"  # a page may give it again
