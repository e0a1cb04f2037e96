import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routelet.routing import Route, canonical_path
from routelet_bundler.discover.names import InvalidRouteError, parse_route, parse_segment

NAMES = st.text(
    st.one_of(
        st.sampled_from("[].=_-$ %5Bint"),
        st.characters(exclude_characters="/\0", codec="utf-8"),
        st.characters(categories=["Cc", "Cs"], exclude_characters="\0"),
    ),
    min_size=1,
    max_size=12,
)
FILES = st.builds(
    lambda parts, extension: "/".join(parts) + extension,
    st.lists(NAMES, min_size=1, max_size=3),
    st.sampled_from([".py", ".jinja", ".md", ".html", ".json.py", ""]),
)


def answers(route: Route, url: str) -> bool:
    return route.match(canonical_path(url)) is not None


@pytest.mark.parametrize(
    ("file", "route", "type", "params"),
    [
        ("index.py", "/", "endpoint", ()),
        ("index.jinja", "/", "page", ()),
        ("about.md", "/about", "page", ()),
        ("about.html", "/about", "page", ()),
        ("data.json.py", "/data.json", "endpoint", ()),
        ("archive.tar.gz.py", "/archive.tar.gz", "endpoint", ()),
        ("index.json.py", "/index.json", "endpoint", ()),
        ("foo/index.py", "/foo", "endpoint", ()),
        ("foo/index.json.py", "/foo.json", "endpoint", ()),
        ("[id]/index.json.py", "/[id].json", "endpoint", ("id",)),
        ("indexes.py", "/indexes", "endpoint", ()),
        ("v1.0/users.py", "/v1.0/users", "endpoint", ()),
        ("blog/[slug].jinja", "/blog/[slug]", "page", ("slug",)),
        ("[lang]-[version].py", "/[lang]-[version]", "endpoint", ("lang", "version")),
        ("[...path].py", "/[...path]", "endpoint", ("path",)),
        ("x-[...path].json.py", "/x-[...path].json", "endpoint", ("path",)),
        ("[id=int]/[name=slug].py", "/[id=int]/[name=slug]", "endpoint", ("id", "name")),
        ("Upper.py", "/Upper", "endpoint", ()),
        (".well-known/security.txt.py", "/.well-known/security.txt", "endpoint", ()),
        ("[].py", "/[]", "endpoint", ()),
    ],
)
def test_a_file_becomes_a_route(file: str, route: str, type: str, params: tuple[str, ...]) -> None:
    found = parse_route(file)
    assert (found.route, found.type, tuple(p.lstrip(".") for p in found.params)) == (
        route,
        type,
        params,
    )


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("[a][b].py", "put text between the parameters"),
        ("[a.py", "do not pair up"),
        ("a].py", "do not pair up"),
        ("[a b].py", "letters, digits, _ and $"),
        ("[a-b].py", "letters, digits, _ and $"),
        ("[..a].py", "letters, digits, _ and $"),
        ("[[a]].py", "letters, digits, _ and $"),
        ("[a]/x/[a].py", '"a" is named twice'),
        ("[id=integer].py", "int, float, uuid, slug"),
        ("[...id=int].py", "a rest parameter has no type"),
        ("x-[...a].jinja", "stands alone"),
        ("[...a].json/index.jinja", "stands alone"),
        ("a\nb.py", r"'\n'"),
        ("a/\x1b[1m].py", r"'\x1b'"),
        ("x\x7f/a.py", r"'\x7f'"),
        ("foo/index.\x01.py", r"'\x01'"),
        ("\udcff.py", r"'\udcff'"),
    ],
)
def test_a_name_that_no_url_can_have_says_why(file: str, why: str) -> None:
    with pytest.raises(InvalidRouteError, match=re.escape(why)):
        parse_route(file)


@given(FILES)
def test_any_name_is_a_route_or_an_invalid_one(file: str) -> None:
    try:
        route = parse_route(file)
    except InvalidRouteError:
        route = parse_route("refused.py")
    assert route.route.startswith("/")
    assert re.compile(route.pattern).groups == len(route.params)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/[]%.")))
def test_a_literal_name_answers_its_own_url(name: str) -> None:
    route = parse_route(f"x{name}.py")
    assert answers(route, f"/x{unicodedata.normalize('NFC', name)}")
    assert not answers(route, f"/y{name}")


@given(st.from_regex(r"\A[^/\0?#%.]+\Z"))
def test_a_parameter_takes_one_whole_segment(value: str) -> None:
    assert parse_route("[id].py").match(f"/{value}") == {"id": value}


@pytest.mark.parametrize(
    ("kind", "fitting", "others"),
    [
        ("int", ["0", "-7", "007", "123456789012345678901"], ["", "1.0", "a", "1a", "--1", "٣"]),
        ("float", ["0", "1.5", "-1.5", ".5", "5.", "1e3", "1.5E-3"], ["", ".", "1e", "nan", "inf"]),
        ("slug", ["a", "A-b_9", "-"], ["", "a b", "a.b", "é"]),
        (
            "uuid",
            ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
            ["", "123e4567", "123e4567e89b12d3a456426614174000", "g23e4567-e89b-12d3-a456-4266"],
        ),
    ],
)
def test_a_typed_parameter_takes_only_what_parses(
    kind: str, fitting: list[str], others: list[str]
) -> None:
    route = parse_route(f"[id={kind}].py")
    assert [route.match(f"/{value}") for value in fitting] == [{"id": value} for value in fitting]
    assert [value for value in others if route.match(f"/{value}")] == []


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.uuids())
def test_what_python_writes_of_a_type_is_taken(number: int, real: float, uuid: object) -> None:
    assert parse_route("[n=int].py").match(f"/{number}") == {"n": str(number)}
    assert parse_route("[n=float].py").match(f"/{real}") == {"n": str(real)}
    assert parse_route("[n=uuid].py").match(f"/{uuid}") == {"n": str(uuid)}


@pytest.mark.parametrize(
    ("file", "slash", "base", "yes", "no"),
    [
        ("a.py", "ignore", "/", ["/a", "/a/"], ["/a//", "/A", "/"]),
        ("a.py", "always", "/", ["/a/"], ["/a"]),
        ("a.py", "never", "/", ["/a"], ["/a/"]),
        ("data.json.py", "always", "/", ["/data.json/"], ["/data.json"]),
        ("index.py", "never", "/", ["/"], [""]),
        ("index.py", "always", "/", ["/"], [""]),
        ("index.py", "ignore", "/docs", ["", "/"], ["/a"]),
        ("index.py", "never", "/docs", [""], ["/"]),
        ("index.py", "always", "/docs", ["/"], [""]),
    ],
)
def test_the_slash_at_the_end_is_as_configured(
    file: str, slash: str, base: str, yes: list[str], no: list[str]
) -> None:
    route = parse_route(file, trailing_slash=slash, base=base)
    assert [path for path in yes if route.match(path) is None] == []
    assert [path for path in no if route.match(path) is not None] == []


def test_an_empty_rest_parameter_is_none() -> None:
    route = parse_route("docs/[...path].py")
    assert route.match("/docs") == {"path": None}
    assert route.match("/docs/a/b") == {"path": "a/b"}


def test_text_and_parameters_of_a_segment_are_its_parts() -> None:
    parts = parse_segment("file-[name].[ext=slug]")
    assert [(part.content, part.dynamic, part.type) for part in parts] == [
        ("file-", False, None),
        ("name", True, None),
        (".", False, None),
        ("ext", True, "slug"),
    ]


def test_a_composed_and_a_decomposed_name_are_one_pattern() -> None:
    composed, decomposed = (unicodedata.normalize(form, "café.py") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert parse_route(composed).pattern == parse_route(decomposed).pattern


LAZY = {
    "[a]-[b]-[c].py": r"^/([^/]+?)-([^/]+?)-([^/]+?)/?$",
    "[a]--[b]x.py": r"^/([^/]+?)--([^/]+?)x/?$",
    "[a]-[b]-[n=int].py": r"^/([^/]+?)-([^/]+?)-(-?[0-9]+)/?$",
    "[...a]/x/[...b]/y.py": r"^(?:/(.*?))?/x(?:/(.*?))?/y/?$",
    "[...a]/x/[...b]/x/[...c].py": r"^(?:/(.*?))?/x(?:/(.*?))?/x(?:/(.*?))?/?$",
    "[...a]/x/y/[...b]/1.py": r"^(?:/(.*?))?/x/y(?:/(.*?))?/1/?$",
    "[...a]/x/[b]/[...c]/y.py": r"^(?:/(.*?))?/x/([^/]+?)(?:/(.*?))?/y/?$",
}


@pytest.mark.parametrize("file", LAZY)
@settings(max_examples=300)
@given(pieces=st.lists(st.sampled_from(["-", "x", "y", "1", "/", "/x", "/y"]), max_size=12))
def test_a_parameter_is_as_short_as_can_be(file: str, pieces: list[str]) -> None:
    """What a pattern that tries every end would find, without trying every end."""
    path = "/" + "".join(pieces)
    found = re.fullmatch(LAZY[file], path)
    values = [value or None for value in found.groups()] if found else None
    matched = parse_route(file).match(path)
    assert (matched and list(matched.values())) == values
