import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.discover.route_globs import matches, most_specific


@pytest.mark.parametrize(
    ("glob", "route"),
    [
        ("/about", "/about"),
        ("/api/**", "/api"),
        ("/api/**", "/api/a"),
        ("/api/**", "/api/a/b"),
        ("/api/*", "/api/a"),
        ("/**", "/"),
        ("/**", "/a/b"),
        ("/**/edit", "/a/b/edit"),
        ("/**/edit", "/edit"),
        ("/*.json", "/data.json"),
        ("/blog/[slug]", "/blog/[slug]"),
        ("/blog/*", "/blog/[...path]"),
        ("/[id=int]", "/[id=int]"),
    ],
)
def test_a_glob_speaks_of_a_route(glob: str, route: str) -> None:
    assert matches(glob, route)


@pytest.mark.parametrize(
    ("glob", "route"),
    [
        ("/about", "/about/us"),
        ("/api/**", "/apis"),
        ("/api/*", "/api"),
        ("/api/*", "/api/a/b"),
        ("/*.json", "/dataxjson"),
        ("/blog/[slug]", "/blog/s"),
        ("/API", "/api"),
    ],
)
def test_a_glob_does_not_speak_of_others(glob: str, route: str) -> None:
    assert not matches(glob, route)


def test_the_glob_with_most_literal_text_comes_first() -> None:
    globs = ["/**", "/api/**", "/api/*", "/api/users", "/other"]
    assert most_specific(globs, "/api/users") == ["/api/users", "/api/*", "/api/**", "/**"]


@given(st.permutations(["/**", "/a/**", "/a/*", "/*/b", "/a/b"]))
def test_the_order_of_globs_does_not_depend_on_that_of_the_file(globs: list[str]) -> None:
    assert most_specific(globs, "/a/b") == ["/a/b", "/*/b", "/a/*", "/a/**", "/**"]


@given(st.text(st.characters(exclude_characters="*", codec="utf-8"), max_size=10))
def test_a_route_without_stars_speaks_of_itself_alone(route: str) -> None:
    assert matches(route, route)
    assert not matches(route, f"{route}x")
