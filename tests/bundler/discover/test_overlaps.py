"""Warnings about routes that answer each other's URLs, and that none of them is false."""

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routelet.routing import PARAMETER_TYPES, Route, canonical_path, match_route
from routelet_bundler.config import read_config
from routelet_bundler.discover import discover
from routelet_bundler.discover.names import (
    InvalidRouteError,
    make_route,
    parse_route,
    parse_segment,
)
from routelet_bundler.discover.order import in_order
from routelet_bundler.discover.overlaps import MAX_TOLD, overlap_warnings
from routelet_bundler.discover.url_sets import fixed, is_inside

HERE = Path(__file__).parents[3]
CASES = HERE.parent / "shared" / "cases" / "routing.json"

Told = tuple[str, str, str]
"""The file that a warning is about, the one before it, and the URL."""

_WARNING = re.compile(
    r"(?P<later>.+?): (?:"
    r"never answers, for (?P<hides>\S+) comes first and matches all its URLs, such as (?P<a>\S+)|"
    r"comes after (?P<lists>\S+), which matches all its URLs, such as (?P<b>\S+)|"
    r"matches (?P<c>\S+), and so does (?P<meets>\S+), which comes first"
    r"); rename .*"
)


def routes_of(*files: str) -> tuple[Route, ...]:
    """Return routes in order; `.md` files are prerendered."""
    return in_order(
        parse_route(file, component=file, prerender=file.endswith(".md")) for file in files
    )


def told(routes: Sequence[Route]) -> dict[str, list[Told]]:
    """Return what is told, by what it is: `hides`, `lists` or `meets`."""
    found: dict[str, list[Told]] = {"hides": [], "lists": [], "meets": []}
    for warning in overlap_warnings(routes):
        parts = _WARNING.fullmatch(warning)
        assert parts is not None, warning
        kind = next(kind for kind in found if parts[kind])
        url = parts["a"] or parts["b"] or parts["c"]
        found[kind].append((parts["later"], parts[kind], url))
    return found


def redirects_of(*sources: str) -> tuple[Route, ...]:
    return in_order(
        make_route(
            [parse_segment(part) for part in source.strip("/").split("/")],
            type="redirect",
            redirect=("/", None),
        )
        for source in sources
    )


@pytest.mark.parametrize(
    "files",
    [
        ("about.py", "[slug].py"),
        ("blog/[id].py", "blog/[...all].py", "[...all].py", "index.py"),
        ("[n=int].py", "[slug].py"),
        ("[n=int].py", "[x=float].py", "[id=slug]/a.py"),
        ("v[n=int].py", "v[n].py", "[v].py"),
        ("[a]-[b].py", "[c].py"),
        ("a/[id].py", "b/[id].py", "[x]/[y].py"),
        ("en/[page].py", "[lang]/about/[part].py"),
        ("[id].json.py", "[id].xml.py", "[id].py"),
        ("post-[id].py", "page-[id].py"),
        ("[id=int].py", "[id=uuid].py"),
        ("a/[b].py", "a/[b]/c.py", "a/[b]/[c].py"),
        ("a.py", "a/index/b.py", "[...r]/edit.py", "[...r].py"),
        ("api/[id].json.py", "api/[...all].json.py", "api/[id].py", "api/[...rest].py"),
        ("%5Ba%5D/[x].py", "[y]/b/c.py", "[]/[x].py"),
    ],
)
def test_a_more_specific_route_before_a_general_one_is_no_warning(files: tuple[str, ...]) -> None:
    assert list(overlap_warnings(routes_of(*files))) == []


@pytest.mark.parametrize(
    ("first", "later", "url"),
    [
        ("en/[page].py", "[lang]/about.py", "/en/about"),
        ("a/[x]/[y].py", "[z]/b/c.py", "/a/b/c"),
        ("[n]x.py", "v[n].py", "/vx"),
        ("-[n].py", "[n=int].py", "/-1"),
        ("[a=float].py", "[b=slug].py", "/1"),
        ("[n=int].[m=int].py", "[x=float].py", "/1.1"),
        ("en/[...path].py", "[lang]/about.py", "/en/about"),
        ("[a]/[b].py", "[...path]/edit.py", "/x/edit"),
        ("[...path].json.py", "x-[...path].py", "/x-.json"),
        ("caf\u00e9/[x].py", "[y]/te st.py", "/caf%C3%A9/te%20st"),
        ("%5Ba%5D/[x].py", "[y]/b.py", "/%5Ba%5D/b"),
    ],
)
def test_two_routes_of_which_neither_is_more_specific_are_told(
    first: str, later: str, url: str
) -> None:
    assert told(routes_of(later, first)) == {
        "hides": [],
        "lists": [],
        "meets": [(later, first, url)],
    }


@pytest.mark.parametrize(
    ("first", "later", "url"),
    [
        ("[a].[b].py", "file-[name].[ext].py", "/file-x.x"),
        ("[id]/index.json.py", "[v]-x/index.json.py", "/x-x.json"),
        ("[a]/[...rest].py", "[...path]/edit.py", "/x/edit"),
        ("[a=slug].py", "[z=int].py", "/1"),
        ("[a=slug].py", "[u=uuid].py", "/aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"),
        ("a/[...x]/[...y].py", "a.py", "/a"),
        ("[...x]/[...y].py", "[...z].py", "/x/x"),
    ],
)
def test_a_route_that_an_earlier_one_hides_is_told(first: str, later: str, url: str) -> None:
    found = told(routes_of(later, first))
    assert found["meets"] == found["lists"] == []
    assert found["hides"][0] == (later, first, url)


def test_the_same_urls_on_demand_are_an_error_and_no_warning_as_well() -> None:
    routes = routes_of("[a]-[b].py", "[c]-[d].py", "x.py", "x/index.py")
    assert list(overlap_warnings(routes)) == []


@pytest.mark.parametrize(
    ("first", "later"), [("[a].py", "[b].md"), ("[b]/index.py", "[a].md"), ("[a].md", "[b].md")]
)
def test_the_same_urls_prerendered_and_not_are_told(first: str, later: str) -> None:
    found = told(routes_of(later, first))
    assert found == {"hides": [], "lists": [(later, first, "/x")], "meets": []}


def test_where_the_build_checks_each_url_that_is_listed_nothing_is_told() -> None:
    listed = "[lang]/about.md"
    assert told(routes_of(listed, "en/[page].md"))["meets"] == []
    assert told(routes_of(listed, "en/[page].py"))["meets"] == []
    on_demand, first = "[lang]/about.py", "en/[page].md"
    assert told(routes_of(on_demand, first))["meets"] == [(on_demand, first, "/en/about")]


def test_a_page_for_the_common_url_settles_it() -> None:
    assert told(routes_of("[lang]/about.py", "en/[page].py", "en/about.py"))["meets"] == []
    settled = routes_of("a/[x]/[y].py", "[z]/b/[y].py", "a/b/[w].py")
    assert told(settled)["meets"] == []
    assert told(settled[1:])["meets"] != []


def test_a_url_that_a_third_route_answers_is_not_the_example() -> None:
    routes = routes_of("[lang]/a/[x].py", "en/[page]/[y].py", "en/a/x.py")
    assert told(routes)["meets"] == [("[lang]/a/[x].py", "en/[page]/[y].py", "/en/a/y")]


@pytest.mark.parametrize(
    ("pages", "sources", "hidden"),
    [
        (["about.py"], ["/about"], ["/about"]),
        (["about.md"], ["/about/"], ["/about"]),
        (["[slug].py"], ["/old", "/o/[slug]"], ["/old"]),
        (["[slug].md"], ["/old", "/[id]"], ["/[id]"]),
        (["en/[page].py"], ["/[lang]/about", "/en/[...rest]"], []),
        (["blog/[slug].py"], ["/[...path]"], []),
        ([], ["/[a]/x", "/[b]/x"], ["/[b]/x"]),
    ],
)
def test_a_redirect_that_is_never_made_is_told(
    pages: list[str], sources: list[str], hidden: list[str]
) -> None:
    place = 'pyproject.toml [tool.routelet.redirects]: "'
    warnings = list(overlap_warnings((*routes_of(*pages), *redirects_of(*sources))))
    assert [one.removeprefix(place).split('"')[0] for one in warnings] == hidden
    assert all(one.startswith(place) and "all its URLs, such as /" in one for one in warnings)


def test_redirects_that_overlap_are_told_by_their_source() -> None:
    (warning,) = overlap_warnings(redirects_of("/[lang]/about", "/en/[page]"))
    assert warning.startswith('pyproject.toml [tool.routelet.redirects]: "/[lang]/about" matches ')
    assert "/en/about, and so does the redirect of /en/[page]," in warning


def test_a_file_has_few_warnings() -> None:
    routes = routes_of("[lang]/about.py", *(f"l{number}/[page].py" for number in range(30)))
    assert len(told(routes)["meets"]) == MAX_TOLD


@pytest.mark.parametrize(
    ("base", "slash", "url", "root"),
    [
        ("/", "always", "/en/about/", "/x/"),
        ("/docs", "never", "/docs/en/about", "/docs/x"),
        ("/docs/", "always", "/docs/en/about/", "/docs/x/"),
        ("/docs", "ignore", "/docs/en/about", "/docs/x"),
    ],
)
def test_the_example_is_a_url_of_the_site(
    write_site: Callable[..., Path], base: str, slash: str, url: str, root: str
) -> None:
    files = ["[lang]/about.py", "en/[page].py", "[...a].html", "[...b].html", "about.md"]
    site_root = write_site(
        {f"src/pages/{file}": "" for file in files},
        pyproject='[tool.routelet]\noutput = "server"\nredirects = {"/about" = "/"}\n'
        f'base = "{base}"\ntrailing-slash = "{slash}"\n',
    )
    config, _ = read_config(site_root)
    site = discover(site_root, config)
    meets, redirect = site.warnings
    assert meets.startswith(f"src/pages/[lang]/about.py: matches {url}, and so does src/pages/en/[")
    assert f"src/pages/about.md comes first and matches all its URLs, such as {base}" in redirect
    assert len(site.collisions) == 1
    found = match_route(site.routes, canonical_path(url), config.base)
    assert found is not None
    assert found[0].component == "src/pages/en/[page].py"
    assert match_route(site.routes, canonical_path(root), config.base) is not None


@pytest.mark.parametrize("example", ["api", "blog"])
def test_the_examples_have_no_warning(example: str) -> None:
    root = HERE / "examples" / example
    config, _ = read_config(root)
    assert discover(root, config).warnings == ()


RECORDED = {
    6: [("hides", "[v]-x/index.json.py", "[id]/index.json.py")],
    7: [
        ("hides", "file-[name].[ext].py", "[a].[b].py"),
        ("meets", "[lang]-[version].jinja", "[a].[b].py"),
    ],
    15: [
        ("hides", "[...rest]/static.jinja", "[dynamic_folder]/[...rest].jinja"),
        ("meets", "[dynamic_folder]/static.jinja", "blog/[...slug].jinja"),
    ],
}
"""The warnings by the number of the case: they tell which files of it never answer as named."""


@pytest.mark.skipif(not CASES.exists(), reason="../shared/cases is not beside this checkout")
def test_of_the_recorded_sites_those_with_hidden_pages_are_told() -> None:
    cases = json.loads(CASES.read_text("utf-8"))["cases"]
    for number, case in enumerate(cases):
        found = told(routes_of(*case["files"]))
        pairs = [(kind, later, first) for kind in found for later, first, _ in found[kind]]
        assert pairs == RECORDED.get(number, [])


PARTS = [
    *("a", "b", "[]", "[=int]", "[=float]", "[=slug]", "[=uuid]", "a-[]", "[]-a", "[].[]", "[]-[]"),
    *("[...]", "a-[...]", "[...].a", "[=int].[=int]", "-[]", "[]b", "a[]", "1[]", "[=int]a"),
]
WORDS = ["a", "b", "\u00e9", "1"]
VALUES = [
    *(
        *WORDS,
        "ab",
        "1a",
        "12",
        "1ab",
        "a\u00e9",
        "\u00e9b",
        "1\u00e9",
        "-\u00e9",
        "-a",
        "-1",
        "--1",
    ),
    *(one + mark + other for one, mark, other in product(WORDS, "-.", WORDS)),
    *(
        "1.5",
        ".5",
        "1.",
        "1e5",
        "-1.1",
        "b.b-a",
        "a-b.a",
        "a-1.1",
        f"{0:08}-0000-0000-0000-{0:012}",
    ),
]
URLS = ["/", *(f"/{'/'.join(parts)}" for n in (1, 2) for parts in product(VALUES, repeat=n))]
URLS += [
    f"/{'/'.join(parts)}" for parts in product(["a", "b", "\u00e9", "a-\u00e9", "1"], repeat=3)
]


def named(parts: Iterable[str]) -> str:
    """Return a file name with a name of its own for each parameter."""
    names = iter("pqrstuvw")
    return re.sub(r"\[(\.\.\.)?", lambda found: found[0] + next(names), "/".join(parts)) + ".py"


def is_route(file: str) -> bool:
    try:
        parse_route(file)
    except InvalidRouteError:
        return False
    return True


FILES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(named).filter(is_route)
matched: dict[str, frozenset[str]] = {}


def urls_of(route: Route) -> frozenset[str]:
    """Return which of `URLS` a route matches."""
    if route.pattern not in matched:
        matched[route.pattern] = frozenset(url for url in URLS if route.match(url) is not None)
    return matched[route.pattern]


@settings(max_examples=150)
@given(st.lists(FILES, min_size=2, max_size=4, unique=True))
def test_no_warning_is_false(files: list[str]) -> None:
    routes = routes_of(*files)
    by_file = {str(route.component): route for route in routes}
    found = told(routes)
    for later, first, url in [*found["hides"], *found["meets"]]:
        path = canonical_path(url)
        assert by_file[later].match(path) is not None
        assert by_file[first].match(path) is not None
    for later, first, _ in found["hides"]:
        assert urls_of(by_file[later]) <= urls_of(by_file[first])
    for _, first, url in found["meets"]:
        answer = match_route(routes, canonical_path(url))
        assert answer is not None
        assert answer[0] is by_file[first]


@settings(max_examples=150)
@given(st.lists(FILES, min_size=2, max_size=4, unique_by=lambda file: parse_route(file).pattern))
def test_no_overlap_is_passed_over(files: list[str]) -> None:
    """Unless a third route is before both: it may be there to settle it."""
    routes = routes_of(*files)
    found = told(routes)
    hidden = {later for later, _, _ in found["hides"]}
    pairs = {(later, first) for later, first, _ in found["meets"]}
    answered: set[str] = set()
    for number, first in enumerate(routes):
        for later in routes[number + 1 :]:
            mine, its = urls_of(first), urls_of(later)
            both = mine & its
            if both and not both & answered and mine - its and its - mine:
                assert later.component in hidden or (later.component, first.component) in pairs
        answered |= urls_of(first)


@pytest.mark.parametrize("kind", PARAMETER_TYPES)
@given(data=st.data())
def test_types_are_compared_by_the_values_that_they_match(kind: str, data: st.DataObject) -> None:
    pattern = PARAMETER_TYPES[kind]
    value = data.draw(
        st.from_regex(pattern, fullmatch=True) | st.text("019-+.eEafgzF_", min_size=1, max_size=9)
    )
    assert is_inside((fixed(value),), (f"[{kind}]",)) == bool(re.fullmatch(pattern, value))


@pytest.mark.parametrize(
    ("seconds", "files"),
    [
        (0.2, ["[slug].py", "[...path].py", *(f"p{n}/about.html" for n in range(10_000))]),
        (1, [f"a{n}/[id].py" for n in range(10_000)]),
        (1, ["[lang]/[page].py", "[...path].py", *(f"a{n}/[id].py" for n in range(10_000))]),
    ],
)
def test_a_large_site_takes_no_time(seconds: float, files: list[str]) -> None:
    """It takes 4, 110 and 160 ms; a test may run on a busy machine."""
    routes = routes_of(*files)
    start = time.process_time()
    assert list(overlap_warnings(routes)) == []
    assert time.process_time() - start < seconds


def test_routes_that_each_meet_thousands_of_others_take_seconds_at_most() -> None:
    numbers = range(3000)
    routes = routes_of(*(f"[x]/p{n}.py" for n in numbers), *(f"a{n}/[x].py" for n in numbers))
    start = time.process_time()
    assert list(overlap_warnings(routes)) != []
    assert time.process_time() - start < 10
