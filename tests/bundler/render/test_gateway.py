import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routelet.routing import Route, match_route
from routelet_bundler.render import Gateway, RouteKey, gateway_of

Manifest = dict[str, Any]
SiteOf = Callable[..., Manifest]
RoutesOf = Callable[[Sequence[str]], Sequence[Route]]
Rank = Callable[[Sequence[str]], tuple[object, ...]]


def keys_of(api: Gateway) -> dict[str, str]:
    return {key.key: key.function for key in api.keys}


@pytest.mark.parametrize(
    ("file", "base", "keys"),
    [
        ("index.py", "/", ["ANY /"]),
        ("index.py", "/docs", ["ANY /docs"]),
        ("about.py", "/", ["ANY /about"]),
        ("api/search.json.py", "/", ["ANY /api/search.json"]),
        ("blog/[slug].py", "/", ["ANY /blog/{p0}"]),
        ("blog/[slug].py", "/my/site/", ["ANY /my/site/blog/{p0}"]),
        ("[a]/x/[b].py", "/", ["ANY /{p0}/x/{p1}"]),
        ("docs/[...path].py", "/", ["ANY /docs", "ANY /docs/{proxy+}"]),
        ("[lang]/[...path].py", "/", ["ANY /{p0}", "ANY /{p0}/{proxy+}"]),
        ("[...path].py", "/", ["$default"]),
        ("[...path].py", "/docs", ["ANY /docs", "ANY /docs/{proxy+}"]),
        ("[id=int].py", "/", ["ANY /{p0}"]),
        ("[lang]-[version].py", "/", ["ANY /{p0}"]),
        ("v[n]/[slug].json.py", "/", ["ANY /{p0}/{p1}"]),
        ("x/[...path]/edit.py", "/", ["ANY /x/{proxy+}"]),
        ("[...path]/edit.py", "/", ["$default"]),
        ("x/a-[...path].py", "/", ["ANY /x/{proxy+}"]),
        ("x/[...a]/[...b].py", "/", ["ANY /x", "ANY /x/{proxy+}"]),
        ("café/[slug].py", "/", ["ANY /{p0}/{p1}"]),
        ("a b.py", "/", ["ANY /{p0}"]),
        ("%5Bid%5D.py", "/", ["ANY /{p0}"]),
        (".well-known/x_y~z.py", "/", ["ANY /.well-known/x_y~z"]),
    ],
)
def test_a_route_has_the_smallest_keys_around_it(
    site_of: SiteOf, file: str, base: str, keys: list[str]
) -> None:
    api = gateway_of(site_of(file, base=base))

    assert [key.key for key in api.keys] == keys
    assert api.warnings == ()


def test_a_key_knows_its_path() -> None:
    assert RouteKey("ANY /blog/{p0}", "blog").path == "/blog/{p0}"
    assert RouteKey("$default", "rest").path is None


def test_files_and_prerendered_routes_have_no_key(blog: Manifest) -> None:
    assert [key.key for key in gateway_of(blog).keys] == [
        "ANY /api/search.json",
        "ANY /blog/{p0}/comments",
        "ANY /contact",
        "ANY /docs",
        "ANY /docs/{proxy+}",
    ]


def test_a_page_before_a_rest_route_keeps_its_key_without_a_warning(site_of: SiteOf) -> None:
    api = gateway_of(site_of("docs/index.py", "docs/[...path].py"))

    assert keys_of(api) == {"ANY /docs": "f0", "ANY /docs/{proxy+}": "f1"}
    assert api.warnings == ()


def test_two_routes_with_one_key_are_a_conflict_that_names_both(site_of: SiteOf) -> None:
    api = gateway_of(site_of("[slug].json.py", "[slug].py"))

    assert keys_of(api) == {"ANY /{p0}": "f0"}
    (conflict,) = api.conflicts
    assert (conflict.kept, conflict.lost) == ("/[slug].json", "/[slug]")
    (warning,) = api.warnings
    assert "/[slug].json" in warning
    assert 'config = {"group": "NAME"}' in warning


def test_two_routes_with_one_key_in_one_function_are_no_conflict(site_of: SiteOf) -> None:
    groups = {"/[slug].json": "posts", "/[slug]": "posts"}
    api = gateway_of(site_of("[slug].json.py", "[slug].py", groups=groups))

    assert keys_of(api) == {"ANY /{p0}": "posts"}
    assert api.warnings == ()


def test_a_route_that_a_key_widens_is_a_conflict_with_the_routes_around_it(site_of: SiteOf) -> None:
    api = gateway_of(site_of("v[n].py", "[...all].py"))

    assert keys_of(api) == {"ANY /{p0}": "f0", "$default": "f1"}
    assert [(it.kept, it.lost) for it in api.conflicts] == [("/v[n]", "/[...all]")]


def test_overlapping_keys_get_their_intersection(site_of: SiteOf) -> None:
    api = gateway_of(site_of("a/[x].py", "[y]/b.py", "a/b/[...r].py", "[x]/[y]/[z].py"))

    # Matching order: /a/b/[...r] is f0, /a/[x] f1, then /[x]/[y]/[z] f2 and /[y]/b f3.
    assert keys_of(api)["ANY /a/b"] == "f0"
    assert keys_of(api)["ANY /a/b/{p0}"] == "f0"
    assert api.conflicts == ()


def test_an_intersection_that_no_route_answers_whole_goes_to_the_first(site_of: SiteOf) -> None:
    api = gateway_of(site_of("a/[slug].json.py", "v[n]/b.py"))

    assert keys_of(api) == {"ANY /a/{p0}": "f0", "ANY /{p0}/b": "f1", "ANY /a/b": "f0"}
    assert [(it.key, it.kept, it.lost) for it in api.conflicts] == [
        ("ANY /a/b", "/a/[slug].json", "/v[n]/b")
    ]


def test_routes_of_one_function_need_no_intersection(site_of: SiteOf) -> None:
    groups = {"/a/[x]": "both", "/[y]/b": "both"}
    api = gateway_of(site_of("a/[x].py", "[y]/b.py", groups=groups))

    assert keys_of(api) == {"ANY /a/{p0}": "both", "ANY /{p0}/b": "both"}


def test_routes_of_different_length_do_not_overlap(site_of: SiteOf) -> None:
    api = gateway_of(site_of("[x]/b.py", "a/[y]/[z].py"))

    assert len(api.keys) == 2


def test_nested_rest_routes_that_api_gateway_may_confuse_are_told(site_of: SiteOf) -> None:
    (warning,) = gateway_of(site_of("a/[y]/[...z].py", "a/[...x].py")).warnings

    assert "ANY /a/{proxy+} (/a/[...x])" in warning
    assert "ANY /a/{p0}/{proxy+} (/a/[y]/[...z])" in warning


def test_more_routes_than_an_api_has_are_told(site_of: SiteOf) -> None:
    api = gateway_of(site_of(*(f"p{number}.py" for number in range(301))))

    assert any("301 route keys" in warning for warning in api.warnings)


def test_intersections_have_a_bound(site_of: SiteOf) -> None:
    letters = "abcdefghijkl"
    files = [f"{letter}/[x].py" for letter in letters] + [f"[x]/{letter}.py" for letter in letters]
    api = gateway_of(site_of(*files))

    assert len(api.keys) == 24 + 100
    assert any("more than 100 pairs" in warning for warning in api.warnings)


# The three ways in which gateways were seen to choose; each gives the better key the lower rank.


def documented(key: Sequence[str]) -> tuple[object, ...]:
    """Full match, then greedy, then $default; among equals static before parameter, leftmost."""
    greedy = key[-1:] == ["{proxy+}"]
    return (greedy, [part.startswith("{") for part in key], -len(key))


def most_literals(key: Sequence[str]) -> tuple[object, ...]:
    return (-sum(not part.startswith("{") for part in key), key[-1:] == ["{proxy+}"], -len(key))


def longest_literal_prefix(key: Sequence[str]) -> tuple[object, ...]:
    prefix = len(list(itertools.takewhile(lambda part: not part.startswith("{"), key)))
    literals = sum(not part.startswith("{") for part in key)
    return (key[-1:] == ["{proxy+}"], -prefix, -literals, -len(key))


def matches(key: Sequence[str], path: Sequence[str]) -> bool:
    if key[-1:] == ["{proxy+}"]:
        return len(path) >= len(key) and matches(key[:-1], path[: len(key) - 1])
    pairs = zip(key, path, strict=False)
    return len(key) == len(path) and all(k.startswith("{") or k == p for k, p in pairs)


def segments_of(key: str) -> list[str]:
    return [part for part in key.removeprefix("ANY ").split("/") if part]


def chosen(api: Gateway, path: Sequence[str], rank: Rank) -> RouteKey | None:
    parsed = {key: segments_of(key.key) for key in api.keys if key.path is not None}
    found = [key for key, parts in parsed.items() if matches(parts, path)]
    default = next((key for key in api.keys if key.path is None), None)
    return min(found, key=lambda key: rank(parsed[key]), default=default)


LITERALS = ("a", "b", "v1")
SEGMENTS = (*LITERALS, *LITERALS, "[?]", "[?]", "[?]", "[?=int]", "v[?]", "[?].json")
LAST = (*SEGMENTS, "[...?]", "[...?]", "index")
PATHS = [
    path
    for length in range(4)
    for path in itertools.product(("a", "b", "v1", "5", "z.json"), repeat=length)
]


@st.composite
def page_files(draw: st.DrawFn) -> str:
    folders = draw(st.lists(st.sampled_from(SEGMENTS), max_size=2))
    parts = [*folders, draw(st.sampled_from(LAST))]
    named = (part.replace("?", f"x{index}") for index, part in enumerate(parts))
    return "/".join(named) + ".py"


@st.composite
def sites(draw: st.DrawFn) -> tuple[list[str], list[int]]:
    files = draw(st.lists(page_files(), min_size=1, max_size=7, unique=True))
    groups = st.integers(0, len(files))
    return files, draw(st.lists(groups, min_size=len(files), max_size=len(files)))


def misdirected(api: Gateway, site: Manifest, routes: Sequence[Route], rank: Rank) -> Iterator[str]:
    """Yield the paths that reach another function than the matcher's, and that no warning names."""
    functions = {it["route"]: it["function"] for it in site["routes"]}
    for path in PATHS:
        found = match_route(routes, "/" + "/".join(path))
        if found is None:
            continue
        key = chosen(api, path, rank)
        told = any(
            it.lost == found[0].route
            and (it.key == "$default" or matches(segments_of(it.key), path))
            for it in api.conflicts
        )
        if (key is None or key.function != functions[found[0].route]) and not told:
            yield f"{path}: {key} instead of {found[0].route}"


@pytest.mark.parametrize("rank", [documented, most_literals, longest_literal_prefix])
@settings(deadline=None, max_examples=200)
@given(made=sites())
def test_api_gateway_takes_the_function_of_the_first_matching_route(
    site_of: SiteOf, routes_of: RoutesOf, rank: Rank, made: tuple[list[str], list[int]]
) -> None:
    files, numbers = made
    routes = unique_by_pattern(routes_of(files))
    groups = {it.route: f"g{number}" for it, number in zip(routes, numbers, strict=False)}
    site = site_of(*files, groups=groups)
    site["routes"] = unique_patterns_of(site["routes"])
    api = gateway_of(site)
    if any("does not document" in warning for warning in api.warnings):
        return  # nested rest routes, told

    assert list(misdirected(api, site, routes, rank)) == []


def unique_by_pattern(routes: Sequence[Route]) -> list[Route]:
    return list({it.pattern: it for it in reversed(routes)}.values())[::-1]


def unique_patterns_of(routes: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    return list({it["pattern"]: it for it in reversed(routes)}.values())[::-1]
