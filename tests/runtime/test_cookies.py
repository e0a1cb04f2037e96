"""Cookies: what came, what is set."""

import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.cookies import Cookies

names = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1)
values = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(names, values))
def test_what_is_set_is_read_back(pairs: dict[str, str]) -> None:
    sent = Cookies()
    for name, value in pairs.items():
        sent.set(name, value)
    header = "; ".join(line.partition(";")[0] for line in sent.set_cookie_headers())
    came = Cookies(header)
    assert {name: came.get(name) for name in came} == pairs
    assert came.set_cookie_headers() == []


@given(names, values)
def test_a_value_never_breaks_its_header(name: str, value: str) -> None:
    cookies = Cookies()
    cookies.set(name, value)
    (header,) = cookies.set_cookie_headers()
    assert header.isascii()
    assert header.isprintable()
    assert not {";", ",", " ", '"', "\\"}.intersection(header)


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;b=2", {"a": "1", "b": "2"}),
        (" a = 1 ;\tb\t=\t2", {"a": "1", "b": "2"}),
        ("a=b=c", {"a": "b=c"}),
        ('a="x y"', {"a": "x y"}),
        ('a="', {"a": '"'}),
        ("a=%20%25", {"a": " %"}),
        ("a=%zz", {"a": "%zz"}),
        ("a=x+y", {"a": "x+y"}),
        ("a=1; a=2", {"a": "1"}),
        ("a; =b; ; c=", {"c": ""}),
        ("A=1; a=2", {"A": "1", "a": "2"}),
    ],
)
def test_a_header_is_read_as_browsers_write_it(header: str, cookies: dict[str, str]) -> None:
    read = Cookies(header)
    assert {name: read.get(name) for name in read} == cookies


def test_every_attribute() -> None:
    cookies = Cookies()
    cookies.set(
        "a", "b", path="/x", domain="a.b", max_age=60, http_only=True, secure=True,
        same_site="lax", partitioned=True,
        expires=datetime(2026, 7, 10, 11, 8, 7, tzinfo=timezone(timedelta(hours=2))),
    )  # fmt: skip
    (header,) = cookies.set_cookie_headers()
    assert header.split("; ") == [
        "a=b", "Path=/x", "Domain=a.b", "Expires=Fri, 10 Jul 2026 09:08:07 GMT", "Max-Age=60",
        "HttpOnly", "Secure", "SameSite=Lax", "Partitioned",
    ]  # fmt: skip


def test_expires_at_utc() -> None:
    cookies = Cookies()
    cookies.set("a", "", expires=datetime(1970, 1, 1, tzinfo=UTC))
    assert cookies.set_cookie_headers() == ["a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]


@pytest.mark.parametrize(
    "name", ["", "a=b", "a;b", "a b", "a,b", "a\n", "a\0", '"a"', "a\\", "é", "\x7f", "\x01"]
)
def test_a_name_that_breaks_the_header_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no cookie name"):
        Cookies().set(name, "x")


@pytest.mark.parametrize("text", ["/; Secure", "/\r\nx: y", "/\n", "\0"])
@pytest.mark.parametrize("attribute", ["path", "domain"])
def test_an_attribute_that_breaks_the_header_is_refused(attribute: str, text: str) -> None:
    with pytest.raises(ValueError, match="would break the Set-Cookie header"):
        Cookies().set("a", "b", **{attribute: text})  # type: ignore[arg-type]


def test_an_unknown_same_site_is_refused() -> None:
    with pytest.raises(ValueError, match="not strict, lax or none"):
        Cookies().set("a", "b", same_site="sometimes")


def test_what_is_set_hides_what_came() -> None:
    cookies = Cookies("a=1; b=2")
    cookies.set("a", "3")
    assert (cookies.get("a"), cookies.get("b"), cookies.get("c"), cookies.get("c", "4")) == (
        "3", "2", None, "4",
    )  # fmt: skip
    assert cookies.set_cookie_headers() == ["a=3"]


def test_a_deleted_cookie_is_gone_and_the_client_is_told() -> None:
    cookies = Cookies("a=1; b=2")
    cookies.delete("a", path="/x", domain="a.b")
    assert not cookies.has("a")
    assert "a" not in cookies
    assert (cookies.get("a"), cookies.get("a", "gone"), list(cookies)) == (None, "gone", ["b"])
    assert cookies.set_cookie_headers() == ["a=; Path=/x; Domain=a.b; Max-Age=0"]
    cookies.set("a", "again")
    assert cookies.get("a") == "again"


def test_an_empty_cookie_is_there() -> None:
    cookies = Cookies("a=")
    assert cookies.has("a")
    assert "a" in cookies
    assert 1 not in cookies


def test_the_last_set_of_a_name_counts() -> None:
    cookies = Cookies()
    cookies.set("a", "1", path="/x")
    cookies.set("a", "2")
    assert cookies.set_cookie_headers() == ["a=2"]


def test_merge_takes_over_what_the_other_set_and_deleted() -> None:
    mine, other = Cookies("a=1; b=2"), Cookies("c=came")
    mine.set("d", "mine")
    other.set("a", "other")
    other.delete("b")
    mine.merge(other)
    assert {name: mine.get(name) for name in mine} == {"a": "other", "d": "mine"}
    other.set("e", "later")
    assert not mine.has("e")


def test_shared_cookies_are_set_for_both_and_came_for_each() -> None:
    first, second = Cookies("a=1"), Cookies("b=2")
    first.set("c", "first")
    second.set("d", "second")
    second.share(first)
    second.set("e", "both")
    first.delete("d")
    assert first.set_cookie_headers() == second.set_cookie_headers()
    assert {name: first.get(name) for name in first} == {"a": "1", "c": "first", "e": "both"}
    assert {name: second.get(name) for name in second} == {"b": "2", "c": "first", "e": "both"}
