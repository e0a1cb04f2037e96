from collections.abc import Sequence
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.discover.names import InvalidRouteError, parse_route
from routelet_bundler.discover.order import in_order

PARTS = ["a", "b", "[x]", "[y=int]", "a-[x]", "[x]-a", "[...r]", "a-[...r]", "[x].[y]"]


def ordered(*files: str) -> list[str | None]:
    return [route.component for route in in_order(parse_route(f, component=f) for f in files)]


def is_route(file: str) -> bool:
    try:
        parse_route(file)
    except InvalidRouteError:
        return False
    return True


files = st.builds(
    lambda parts, end: "/".join(parts) + end,
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=4),
    st.sampled_from([".py", ".html", "/index.py", "/index.html"]),
).filter(is_route)


@pytest.mark.parametrize(
    "expected",
    [
        ["a.py", "b.py", "[x].py"],
        ["a-[x].py", "[x].py", "[...r].py"],
        ["[id=int].py", "[id].py", "[...id].py"],
        ["v-[id=int].py", "v-[id].py"],
        ["a/b.py", "a/[x].py", "a.py", "a/[...r].py"],
        ["a/b/c.py", "a/b.py"],
        ["[x]/b.py", "[x].py"],
        ["[...r]/b.py", "index.py", "[...r].py"],
        ["a.py", "index.py"],
        ["a/index.py", "a.py"],
        ["a.py", "a.html"],
        ["[a].py", "[b].html"],
        ["[b].py", "[a].html"],
        ["Z.py", "a.py", "é.py"],
        ["api/static.json.py", "api/[id].json.py", "api/[...all].json.py", "api/[id].py"],
    ],
)
def test_the_more_specific_route_comes_first(expected: list[str]) -> None:
    for given_order in permutations(expected):
        assert ordered(*given_order) == expected


def test_a_rest_inside_a_segment_does_not_make_the_order_go_in_circles() -> None:
    circle = ["a.py", "a/x-[...r].py", "a/[b]/c.py"]
    orders = {tuple(ordered(*given_order)) for given_order in permutations(circle)}
    assert orders == {("a/x-[...r].py", "a/[b]/c.py", "a.py")}


@given(st.lists(files, max_size=8, unique=True), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_that_of_the_files(names: list[str], random: object) -> None:
    shuffled = names.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ordered(*shuffled) == ordered(*names)


@given(st.lists(files, min_size=2, max_size=8, unique=True))
def test_two_neighbours_are_in_the_order_they_have_alone(names: Sequence[str]) -> None:
    for first, second in pairwise(ordered(*names)):
        assert ordered(str(second), str(first)) == [first, second]
