"""Paths, the base, matching, and URLs of routes."""

import pickle
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.routing import (
    ENCODED_SLASH,
    MalformedPathError,
    Part,
    Route,
    below_base,
    canonical_path,
    literal_text,
    match_route,
    url_for,
)
from routelet_bundler.discover.names import parse_route

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
segment = text.filter(lambda value: value not in {".", ".."})


def route_of(file: str, base: str = "/", trailing_slash: str = "ignore") -> Route:
    return parse_route(f"{file}.py", base=base, trailing_slash=trailing_slash)


# canonical_path


@given(segment)
def test_what_is_percent_encoded_is_decoded_exactly_once(value: str) -> None:
    expected = "/" + value.replace("/", ENCODED_SLASH)
    assert canonical_path("/" + quote(value, safe="")) == expected
    assert canonical_path("/" + "".join(f"%{octet:02x}" for octet in value.encode())) == expected
    twice = quote(quote(value, safe=""), safe="")
    assert canonical_path("/" + twice) == "/" + quote(value, safe="")


@given(st.lists(segment.filter(lambda value: "/" not in value), min_size=1))
def test_a_path_that_is_decoded_already_stays_as_it_is(pieces: list[str]) -> None:
    path = "/" + "/".join(pieces)
    assert canonical_path(path, decoded=True) == path


@given(st.text(st.sampled_from("./%2eEfF05a\0\xff\\;?#é"), max_size=12))
def test_a_canonical_path_has_no_dot_segments_whatever_came(tail: str) -> None:
    try:
        path = canonical_path("/" + tail)
    except MalformedPathError:
        return
    assert path.startswith("/")
    assert {".", ".."}.isdisjoint(path.split("/"))


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/", "/"),
        ("/a/b/", "/a/b/"),
        ("//a", "//a"),
        ("/a//b", "/a//b"),
        ("/%61dmin", "/admin"),
        ("/%2561dmin", "/%61dmin"),
        ("/%252561dmin", "/%2561dmin"),
        ("/%25%23%3F", "/%#?"),
        ("/caf%C3%A9/%E2%98%95", "/café/☕"),
        ("/café", "/café"),
        ("/a+b", "/a+b"),
        ("/a;b", "/a;b"),
        ("/a%5Cb", "/a\\b"),
        ("/a%0D%0Ab", "/a\r\nb"),
        ("/.", "/"),
        ("/..", "/"),
        ("/../", "/"),
        ("/a/.", "/a/"),
        ("/a/..", "/"),
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/../../../etc/passwd", "/etc/passwd"),
        ("/%2e%2e/%2E%2E/etc", "/etc"),
        ("/.%2e/etc", "/etc"),
        ("/a/%2e/b", "/a/b"),
        ("/a/b/%2e%2e", "/a/"),
        ("/%252e%252e/etc", "/%2e%2e/etc"),
        ("/a//../b", "/a/b"),
        ("/...", "/..."),
        ("/.well-known/x", "/.well-known/x"),
        ("/..a/a..", "/..a/a.."),
        ("/x/a%2Fb", f"/x/a{ENCODED_SLASH}b"),
        ("/x/a%2fb", f"/x/a{ENCODED_SLASH}b"),
        ("/x/a%252Fb", "/x/a%2Fb"),
        ("/x/..%2f..%2fetc", f"/x/..{ENCODED_SLASH}..{ENCODED_SLASH}etc"),
        ("/x/%2e%2e%2fetc", f"/x/..{ENCODED_SLASH}etc"),
    ],
)
def test_one_canonical_value_of_a_path(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical


@pytest.mark.parametrize(
    "path",
    ["/%", "/%2", "/%zz", "/%+1", "/% 1", "/100%", "/%E0%A4%A", "/%u0041",
     "/%00", "/a%00b", "/a\0b", "/%ff", "/%C0%AF", "/%C0%AE%C0%AE/", "/%E0%80%AF",
     "/%ED%A0%80", "/%F5%80%80%80", "/%C3/%A9", "/%80"],
)  # fmt: skip
def test_bad_escapes_overlong_octets_and_nul_are_malformed(path: str) -> None:
    with pytest.raises(MalformedPathError):
        canonical_path(path)


@pytest.mark.parametrize(
    ("path", "canonical"),
    [("/a%25b", "/a%25b"), ("/%2e%2e/x", "/%2e%2e/x"), ("/a/../b", "/b"), ("/a?b#c", "/a?b#c"),
     ("/%", "/%")],
)  # fmt: skip
def test_a_decoded_path_keeps_its_percent_signs(path: str, canonical: str) -> None:
    assert canonical_path(path, decoded=True) == canonical


def test_a_decoded_path_with_nul_is_malformed() -> None:
    with pytest.raises(MalformedPathError):
        canonical_path("/a\0b", decoded=True)


# below_base


@pytest.mark.parametrize("base", ["/docs", "/docs/"])
@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("/docs", ""),
        ("/docs/", "/"),
        ("/docs/a", "/a"),
        ("/docs//a", "/a"),
        ("/docsx", None),
        ("/docs.html", None),
        ("/about", None),
        ("/", None),
        ("//docs/a", None),
        ("/Docs/a", None),
        (f"/docs{ENCODED_SLASH}a", None),
    ],
)
def test_a_base_is_of_whole_segments(base: str, path: str, below: str | None) -> None:
    assert below_base(path, base) == below


@pytest.mark.parametrize(
    ("path", "below"),
    [("/", "/"), ("/a", "/a"), ("//a", "/a"), ("///a", "/a"), ("/\0a", "/\0a"), ("", "")],
)
def test_of_several_slashes_at_the_beginning_one_is_kept(path: str, below: str) -> None:
    assert below_base(path, "/") == below


# matching


@pytest.mark.parametrize(
    ("file", "path", "params"),
    [
        ("index", "/", {}),
        ("about", "/about", {}),
        ("about", "/about/", {}),
        ("about", "/about//", None),
        ("about", "/About", None),
        ("about", "/about\n", None),
        ("about", "/x/about", None),
        ("data.json", "/data.json", {}),
        ("data.json", "/dataxjson", None),
        ("[id]", "/7", {"id": "7"}),
        ("[id]", "/", None),
        ("[id]", "/a/b", None),
        ("[id]", "/a\nb", {"id": "a\nb"}),
        ("[id=int]", "/-7", {"id": "-7"}),
        ("[id=int]", "/7x", None),
        ("[lang]-[version]", "/de-2", {"lang": "de", "version": "2"}),
        ("[...path]", "/", {"path": None}),
        ("[...path]", "/a/b", {"path": "a/b"}),
        ("docs/[...path]", "/docs", {"path": None}),
        ("docs/[...path]", "/docsx", None),
        ("docs/[...path]", "/docs/a\nb", None),
        ("docs/[...path]/raw", "/docs/a/b/raw", {"path": "a/b"}),
    ],
)
def test_a_route_matches_a_whole_path(
    file: str, path: str, params: dict[str, str | None] | None
) -> None:
    assert route_of(file).match(path) == params


def test_an_encoded_slash_is_part_of_a_parameter_and_separates_nothing() -> None:
    path = canonical_path("/x/a%2Fb")
    assert route_of("x/[id]").match(path) == {"id": "a/b"}
    assert route_of("x/[a]/[b]").match(path) is None
    assert route_of("x/a/b").match(path) is None
    assert route_of("x/[...rest]").match(path) == {"rest": "a/b"}


def test_an_encoded_slash_opens_no_way_to_another_route() -> None:
    admin, pages = route_of("admin/[id]"), route_of("[...rest]")
    for path in ("/admin%2F1", "/x/..%2Fadmin/1", "/%2Fadmin/1"):
        assert match_route([admin, pages], canonical_path(path)) is not None
        assert admin.match(canonical_path(path)) is None


def test_the_first_of_the_routes_that_matches_answers() -> None:
    routes = [route_of("posts/new"), route_of("posts/[id]"), route_of("[...rest]")]
    found = [match_route(routes, path) for path in ("/posts/new", "/posts/7", "/x/y")]
    assert found == [(routes[0], {}), (routes[1], {"id": "7"}), (routes[2], {"rest": "x/y"})]
    assert match_route(routes[:2], "/x") is None


@pytest.mark.parametrize("name", ["route", "prerender", "redirect", "component", "function"])
def test_a_route_is_never_changed(name: str) -> None:
    route = route_of("posts/[id]")
    with pytest.raises(AttributeError, match=f"a route is never changed: {name}"):
        setattr(route, name, None)
    copy = pickle.loads(pickle.dumps(route))
    assert (copy.route, copy.match("/posts/7")) == ("/posts/[id]", {"id": "7"})


def test_routes_are_matched_below_the_base() -> None:
    routes = [route_of("index", base="/docs"), route_of("a", base="/docs")]
    assert match_route(routes, "/docs", "/docs") == (routes[0], {})
    assert match_route(routes, "/docs/a", "/docs") == (routes[1], {})
    assert match_route(routes, "/a", "/docs") is None
    assert match_route(routes, "/docsa", "/docs") is None


def test_a_part_reads_as_it_stands_in_a_route() -> None:
    route = route_of("[lang]/v[n=int]/[...path]")
    assert [[part.text for part in piece] for piece in route.segments] == [
        ["[lang]"], ["v", "[n=int]"], ["[...path]"],
    ]  # fmt: skip
    assert [part.name for piece in route.segments for part in piece if part.dynamic] == list(
        route.params
    )
    assert repr(Part("id", dynamic=True)) == "Part('[id]')"
    assert repr(route) == "Route('/[lang]/v[n=int]/[...path]', component=None)"


# url_for


@pytest.mark.parametrize(
    ("route", "params", "base", "url"),
    [
        ("/", {}, "/", "/"),
        ("/about", {}, "/", "/about"),
        ("/about", {}, "/docs", "/docs/about"),
        ("/about", {}, "/docs/", "/docs/about"),
        ("/", {}, "/docs", "/docs/"),
        ("/blog/[slug]", {"slug": "a b/c%é?#"}, "/", "/blog/a%20b%2Fc%25%C3%A9%3F%23"),
        ("/blog/[slug]", {"slug": 7}, "/", "/blog/7"),
        ("/blog/[slug]", {"slug": 0}, "/", "/blog/0"),
        ("/[id=int]", {"id": 7}, "/", "/7"),
        ("/v[a]-[b]", {"a": 1, "b": 2}, "/", "/v1-2"),
        ("/docs/[...path]", {"path": "a/b c"}, "/", "/docs/a/b%20c"),
        ("/docs/[...path]", {"path": "/a/"}, "/", "/docs/a"),
        ("/docs/[...path]", {"path": ""}, "/", "/docs"),
        ("/docs/[...path]", {}, "/", "/docs"),
        ("/[...path]", {"path": None}, "/", "/"),
        ("/docs/[...path]/raw", {}, "/", "/docs/raw"),
        ("/[...path].json", {"path": "a/b"}, "/", "/a/b.json"),
        ("/%5Bx%5D", {}, "/", "/%5Bx%5D"),
        ("/é", {}, "/", "/%C3%A9"),
        ("/a", {"unused": 1}, "/", "/a"),
    ],
)
def test_the_url_of_a_route(route: str, params: dict[str, object], base: str, url: str) -> None:
    assert url_for(route, params, base) == url


@pytest.mark.parametrize("params", [{}, {"slug": None}, {"slug": ""}, {"other": "x"}])
def test_a_parameter_that_is_missing_is_named(params: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r'needs the parameter "slug"'):
        url_for("/blog/[slug]", params)


@pytest.mark.parametrize(
    ("route", "params"),
    [
        ("/blog/[slug]", {"slug": ".."}),
        ("/blog/[slug]", {"slug": "."}),
        ("/[...path]", {"path": "../secret"}),
        ("/[...path]", {"path": "a/./b"}),
        ("/[a][b]", {"a": ".", "b": "."}),
        ("/blog/[slug]", {"slug": "a\0b"}),
    ],
)
def test_parameters_that_no_url_can_have_are_refused(route: str, params: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="has no URL with"):
        url_for(route, params)


@pytest.mark.parametrize(
    ("trailing_slash", "base", "urls"),
    [
        ("always", "/", ["/", "/a/"]),
        ("always", "/docs", ["/docs/", "/docs/a/"]),
        ("never", "/", ["/", "/a"]),
        ("never", "/docs", ["/docs", "/docs/a"]),
        ("ignore", "/docs", ["/docs/", "/docs/a"]),
    ],
)
def test_a_url_has_the_slash_that_its_route_asks_for(
    trailing_slash: str, base: str, urls: list[str]
) -> None:
    for file, url in zip(["index", "a"], urls, strict=True):
        route = route_of(file, base, trailing_slash)
        assert url_for(route.route, {}, base, trailing_slash=trailing_slash) == url
        assert match_route([route], canonical_path(url), base) == (route, {})


pieces = segment.filter(lambda value: "/" not in value)
one_line = pieces.filter(lambda value: "\n" not in value)
between_dashes = pieces.filter(lambda value: "-" not in value)


@given(
    file=st.sampled_from(["[a]", "blog/[a]", "x[a]", "[a].json", "é/[a]/%5Bb%5D"]),
    value=segment,
    base=st.sampled_from(["/", "/docs"]),
    trailing_slash=st.sampled_from(["ignore", "always", "never"]),
)
def test_a_parameter_comes_back_from_its_url(
    file: str, value: str, base: str, trailing_slash: str
) -> None:
    route = route_of(file, base=base, trailing_slash=trailing_slash)
    url = url_for(route.route, {"a": value}, base, trailing_slash=trailing_slash)
    assert url.isascii()
    assert match_route([route], canonical_path(url), base) == (route, {"a": value})


@given(between_dashes, between_dashes, st.lists(one_line, max_size=3))
def test_several_parameters_and_a_rest_come_back(a: str, b: str, rest: list[str]) -> None:
    route = route_of("[a]-[b]/[...rest]")
    params = {"a": a, "b": b, "rest": "/".join(rest) or None}
    assert route.match(canonical_path(url_for(route.route, params))) == params


def test_literal_brackets_of_a_file_name() -> None:
    route = route_of("%5Bid%5D")
    assert route.match("/[id]") == {}
    assert literal_text("%5Bid%5D") == "[id]"
    assert match_route([route], canonical_path("/%5Bid%5D")) == (route, {})
