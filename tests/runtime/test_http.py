"""Headers, SearchParams, URL, Request and Response."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.headers import Headers
from routelet.http import URL, Request, Response, SearchParams

TOKEN = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
names = st.text(TOKEN, min_size=1, max_size=4)
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FF), max_size=5)


class TestHeaders:
    @given(st.lists(st.tuples(names, values)))
    def test_names_have_no_case_and_values_keep_their_order(
        self, pairs: list[tuple[str, str]]
    ) -> None:
        headers = Headers(pairs)
        assert headers.raw() == [(name.lower(), value) for name, value in pairs]
        for name, _ in pairs:
            expected = [value for other, value in pairs if other.lower() == name.lower()]
            for spelling in (name, name.upper(), name.lower(), name.swapcase()):
                assert headers.get_all(spelling) == expected
                assert spelling in headers

    @given(st.lists(st.tuples(names, values)), names, values)
    def test_set_leaves_one_value_and_nothing_else_changes(
        self, pairs: list[tuple[str, str]], name: str, value: str
    ) -> None:
        headers = Headers(pairs)
        headers.set(name, value)
        others = [(n.lower(), v) for n, v in pairs if n.lower() != name.lower()]
        assert headers.get_all(name) == [value]
        assert [pair for pair in headers.raw() if pair[0] != name.lower()] == others

    @pytest.mark.parametrize("name", ["", "a\r", "a\nb", "a\0"])
    def test_a_name_that_breaks_the_message_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="header name"):
            Headers().append(name, "x")

    @pytest.mark.parametrize("value", ["a\r\nset-cookie: b=c", "a\nb", "a\r", "\0", "\n"])
    def test_a_value_that_breaks_the_message_is_refused_and_nothing_is_lost(
        self, value: str
    ) -> None:
        headers = Headers({"a": "before"})
        for change in (headers.append, headers.set, headers.__setitem__):
            with pytest.raises(ValueError, match="line break or NUL"):
                change("a", value)
        assert headers.raw() == [("a", "before")]

    def test_values_are_joined_but_never_those_of_set_cookie(self) -> None:
        headers = Headers([("Vary", "a"), ("set-cookie", "a=1"), ("vary", "b"),
                           ("Set-Cookie", "b=2")])  # fmt: skip
        assert headers["VARY"] == "a, b"
        assert headers.get_set_cookie() == ["a=1", "b=2"]
        assert list(headers.items()) == [
            ("vary", "a, b"), ("set-cookie", "a=1"), ("set-cookie", "b=2"),
        ]  # fmt: skip
        assert (list(headers), len(headers)) == (["vary", "set-cookie"], 2)

    def test_cookies_of_a_request_are_joined_by_a_semicolon(self) -> None:
        assert Headers([("cookie", "a=1"), ("Cookie", "b=2")]).get("COOKIE") == "a=1; b=2"

    def test_white_space_around_a_value_is_dropped(self) -> None:
        assert Headers({"a": " \tb c\t "})["a"] == "b c"

    def test_an_absent_name(self) -> None:
        headers = Headers({"a": ""})
        assert (headers.get("b"), headers.get("b", "c"), headers.get_all("b")) == (None, "c", [])
        assert headers["a"] == ""
        assert "b" not in headers
        with pytest.raises(KeyError, match="b"):
            headers["b"]

    def test_a_copy_changes_apart(self) -> None:
        first = Headers({"a": "1"})
        second = Headers(first)
        del second["A"]
        second["b"] = "2"
        assert (first.raw(), second.raw()) == ([("a", "1")], [("b", "2")])

    def test_equal_headers_have_equal_values_for_each_name(self) -> None:
        assert Headers([("a", "1"), ("B", "2")]) == Headers([("b", "2"), ("A", "1")])
        assert Headers({"a": "1"}) != Headers({"a": "2"})
        assert Headers({"a": "1"}) != {"a": "1"}

    def test_equal_headers_have_the_same_cookies(self) -> None:
        both = Headers([("set-cookie", "a=1"), ("set-cookie", "b=2")])
        assert both != Headers([("set-cookie", "b=2")])
        assert both == Headers(both)


class TestSearchParams:
    def test_a_query_is_decoded_once_in_order(self) -> None:
        params = SearchParams("a=1&b=x+y&a=%2B&c=%2541&d&e=&%C3%A9=%ff")
        assert list(params.items()) == [
            ("a", "1"), ("b", "x y"), ("a", "+"), ("c", "%41"), ("d", ""), ("e", ""),
            ("é", "\ufffd"),
        ]  # fmt: skip

    def test_the_first_value_and_all_values(self) -> None:
        params = SearchParams("a=1&a=2")
        assert (params["a"], params.get("a"), params.get_all("a")) == ("1", "1", ["1", "2"])
        assert (params.get("b"), params.get("b", "c"), params.get_all("b")) == (None, "c", [])
        with pytest.raises(KeyError, match="b"):
            params["b"]

    def test_its_names_are_listed_once_and_counted_once(self) -> None:
        params = SearchParams("a=1&b=2&a=3")
        assert (list(params), len(params)) == (["a", "b"], 2)
        assert "a" in params
        assert "A" not in params
        assert not SearchParams("")

    def test_a_semicolon_separates_nothing(self) -> None:
        assert list(SearchParams("a=1;b=2").items()) == [("a", "1;b=2")]


class TestURL:
    def test_its_parts(self) -> None:
        url = URL("https://user:pass@Example.COM:8443/a%20b/c?d=e&f=%20#g")
        assert (url.scheme, url.host, url.port) == ("https", "example.com", 8443)
        assert (url.path, url.query, url.fragment) == ("/a b/c", "d=e&f=%20", "g")
        assert url.origin == "https://example.com:8443"
        assert url.search_params["f"] == " "
        assert not url.malformed

    @pytest.mark.parametrize(
        ("url", "origin"),
        [
            ("https://a.b:443/", "https://a.b"),
            ("http://a.b:80/", "http://a.b"),
            ("http://a.b:443/", "http://a.b:443"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("/only/a/path", "https://localhost"),
            ("//evil.example/x", "https://localhost"),
        ],
    )
    def test_its_origin(self, url: str, origin: str) -> None:
        assert URL(url).origin == origin

    @pytest.mark.parametrize(
        ("given", "path"),
        [
            ("https://a.b", "/"),
            ("https://a.b?x=1", "/"),
            ("//about", "//about"),
            ("about/us", "/about/us"),
            ("/a/./b/../c", "/a/c"),
            ("/a%2Fb", "/a/b"),
            ("/a;b=c", "/a;b=c"),
        ],
    )
    def test_its_path(self, given: str, path: str) -> None:
        assert URL(given).path == path

    @pytest.mark.parametrize("path", ["/%", "/%zz", "/%00", "/%E0%A4%A", "/%ff", "/a\0b"])
    def test_a_malformed_path_is_kept_as_it_came(self, path: str) -> None:
        url = URL(path)
        assert url.malformed
        assert url.path == path
        assert str(url) == f"https://localhost{path}"

    def test_a_path_that_a_host_has_decoded_is_not_decoded_again(self) -> None:
        url = URL(path="/a%25b?c#d", path_is_decoded=True, query="q=%25")
        assert (url.path, url.query) == ("/a%25b?c#d", "q=%25")
        assert str(url) == "https://localhost/a%2525b%3Fc%23d?q=%25"

    @given(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        st.text("ab=&+%2", max_size=5),
    )
    def test_its_text_reads_back_as_the_same_url(self, path: str, query: str) -> None:
        url = URL(host="a.b", port=81, path=f"/{path}", path_is_decoded=True, query=query)
        again = URL(str(url))
        assert (again.path, again.query, again.origin) == (url.path, url.query, url.origin)
        assert again == url
        assert hash(again) == hash(url)

    def test_an_encoded_slash_stays_encoded_in_its_text(self) -> None:
        url = URL("/a%2Fb/c%2500")
        assert str(url) == "https://localhost/a%2Fb/c%2500"
        assert url.path == "/a/b/c%00"


class TestRequest:
    def test_what_it_has_without_being_told(self) -> None:
        request = Request("/a")
        assert (request.method, request.path, request.raw_path) == ("GET", "/a", "/a")
        assert (request.body, request.text()) == (b"", "")
        assert len(request.headers) == 0
        assert request.client_address is None
        assert list(request.cookies) == []

    def test_a_method_is_in_capitals(self) -> None:
        assert Request("/", method="purge").method == "PURGE"

    def test_text_is_utf8_with_its_faults_replaced(self) -> None:
        assert Request("/", body="é").body == b"\xc3\xa9"
        assert Request("/", body=b"a\xff").text() == "a\ufffd"

    def test_json(self) -> None:
        assert Request("/", body=b'{"a": [1, null]}').json() == {"a": [1, None]}

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1] x"])
    def test_a_body_that_is_no_json_is_a_value_error(self, body: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            Request("/", body=body).json()

    @pytest.mark.parametrize("kind", ["", "; charset=UTF-8"])
    def test_an_urlencoded_form(self, kind: str) -> None:
        headers = {"content-type": f"application/X-www-form-urlencoded{kind}"}
        form = Request("/", method="POST", headers=headers, body=b"a=x+y&b=%26").form()
        assert dict(form.items()) == {"a": "x y", "b": "&"}

    @pytest.mark.parametrize("kind", ["application/json", ""])
    def test_another_body_is_no_form(self, kind: str) -> None:
        with pytest.raises(ValueError, match=f"type {kind or 'unknown'} is no .*form"):
            Request("/", headers={"content-type": kind}, body=b"{}").form()

    def test_cookies_are_read_once(self) -> None:
        request = Request("/", headers=[("cookie", "a=1"), ("cookie", "b=2")])
        assert [request.cookies.get(name) for name in "ab"] == ["1", "2"]
        assert request.cookies is request.cookies

    @pytest.mark.parametrize("target", ["/new?q=1", URL("https://other.example/new?q=1")])
    def test_at_another_path_it_is_the_same_in_all_else(self, target: URL | str) -> None:
        request = Request(
            URL("http://a.b:81/old"), method="POST", headers={"x": "y"}, body=b"z",
            client_address="192.0.2.1", raw_path="/stage/old", root_path="/stage",
        )  # fmt: skip
        moved = request.at(target)
        assert str(moved.url) == "http://a.b:81/new?q=1"
        assert (moved.method, moved.body, moved.headers) == ("POST", b"z", Headers({"x": "y"}))
        assert (moved.client_address, moved.root_path) == ("192.0.2.1", "/stage")
        assert str(request.url) == "http://a.b:81/old"
        assert str(target) in {"/new?q=1", "https://other.example/new?q=1"}


class TestResponse:
    @pytest.mark.parametrize(
        ("body", "read"),
        [(None, b""), ("é", b"\xc3\xa9"), (b"\0\xff", b"\0\xff"), ([b"a", b"b"], b"ab"), ("", b"")],
    )
    def test_its_body_is_read_whole(self, body: object, read: bytes) -> None:
        assert Response(body).read() == read  # type: ignore[arg-type]

    def test_an_iterable_is_read_once_and_kept(self) -> None:
        response = Response(part for part in (b"a", b"b"))
        assert (response.read(), response.read(), response.text()) == (b"ab", b"ab", "ab")

    def test_text_is_plain_where_no_type_is_given(self) -> None:
        assert Response("a").headers["content-type"] == "text/plain; charset=utf-8"
        assert Response("a", headers={"Content-Type": "text/css"}).headers.raw() == [
            ("content-type", "text/css")
        ]
        assert len(Response(b"a").headers) == len(Response().headers) == 0

    @pytest.mark.parametrize("status", [204, 304])
    def test_what_is_sent_without_a_body_has_no_type(self, status: int) -> None:
        assert "content-type" not in Response("gone", status).headers

    def test_json_is_compact_and_in_utf8(self) -> None:
        response = Response.json({"é": [1, None]}, 201, {"x": "y"})
        assert (response.status, response.text()) == (201, '{"é":[1,null]}')
        assert dict(response.headers.items()) == {"x": "y", "content-type": "application/json"}

    def test_json_with_a_default(self) -> None:
        assert Response.json(1j, default=lambda value: [str(value)]).text() == '["1j"]'
        with pytest.raises(TypeError, match="complex"):
            Response.json(1j)

    def test_the_type_of_json_and_html_may_be_another(self) -> None:
        kind = {"content-type": "application/problem+json"}
        assert Response.json({}, 400, kind).headers["content-type"] == "application/problem+json"
        assert Response.html("<p>").headers["content-type"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect(self, status: int) -> None:
        response = Response.redirect(URL("https://a.b/c d"), status)
        assert (response.status, response.headers["location"]) == (status, "https://a.b/c%20d")
        assert response.read() == b""

    def test_a_redirect_needs_a_status_that_redirects_and_one_line(self) -> None:
        with pytest.raises(ValueError, match="200 does not redirect"):
            Response.redirect("/", 200)
        with pytest.raises(ValueError, match="line break"):
            Response.redirect("/a\r\nset-cookie: b=c")

    @pytest.mark.parametrize("status", [0, 99, 600, -1])
    def test_a_status_outside_of_http_is_refused(self, status: int) -> None:
        with pytest.raises(ValueError, match="not between 100 and 599"):
            Response(status=status)

    def test_the_headers_given_are_copied(self) -> None:
        headers = Headers({"a": "b"})
        response = Response("x", headers=headers)
        response.headers["a"] = "c"
        assert headers.raw() == [("a", "b")]

    def test_a_clone_changes_apart(self) -> None:
        response = Response("x", 201, {"a": "b"})
        clone = response.clone()
        clone.status = 404
        clone.headers["a"] = "c"
        assert (response.status, response.headers["a"]) == (201, "b")
        assert (clone.body, clone.status, clone.headers["a"]) == ("x", 404, "c")
        del response.headers["content-type"]
        assert "content-type" not in response.clone().headers
