from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from routelet_bundler.discover import discover
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Config
from routelet_bundler.split import rates_of

Rates = Callable[..., Mapping[str, float]]


@pytest.fixture
def rates(write_site: Callable[..., Path]) -> Rates:
    """Return a function that reads a file's text as the traffic of a site with four pages."""
    pages = ("index.py", "posts/[id].py", "posts/new.py", "about.html")

    def read(text: str | bytes, base: str = "/") -> Mapping[str, float]:
        root = write_site({**{f"src/pages/{name}": "" for name in pages}, "traffic.csv": text})
        config = Config.model_validate({"output": "server", "base": base})
        return rates_of(root / "traffic.csv", "traffic.csv", discover(root, config), config.base)

    return read


def test_a_line_names_a_route_or_a_path_that_it_answers(rates: Rates) -> None:
    text = "route,requests_per_hour\n/posts/[id],5\n/posts/7,1.5\n/posts/new,3\n/,2\n"
    assert rates(text) == {"/posts/[id]": 6.5, "/posts/new": 3, "/": 2}


def test_paths_are_below_the_base(rates: Rates) -> None:
    text = "route,requests_per_hour\n/docs/posts/7,1\n/posts/7,2\n/docs,4\n"
    assert rates(text, base="/docs") == {"/posts/[id]": 1, "/": 4}


def test_what_no_route_answers_is_passed_over(rates: Rates) -> None:
    assert rates("route,requests_per_hour\n/nothing/here,9\n-,1\n,2\n/%zz,1\n") == {}


def test_other_columns_quotes_and_a_byte_order_mark_are_as_in_exports(rates: Rates) -> None:
    text = '\ufeff"stage","requests_per_hour","route"\r\n"live","60","/posts/new"\r\n'
    assert rates(text) == {"/posts/new": 60}


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("path,count\n/,1\n", "traffic.csv:1", "has no columns route and requests_per_hour"),
        ("", "traffic.csv:1", "has no columns"),
        ("route,requests_per_hour\n/,1\n/,many\n", "traffic.csv:3", "'many' is no number"),
        ("route,requests_per_hour\n/,-1\n", "traffic.csv:2", "'-1' is no number"),
        ("route,requests_per_hour\n/,1e300\n", "traffic.csv:2", "'1e300' is no number"),
        ("route,requests_per_hour\n/,nan\n", "traffic.csv:2", "'nan' is no number"),
        ("route,requests_per_hour\n/\n", "traffic.csv:2", "'' is no number"),
        (b"\xff", "traffic.csv", "cannot be read"),
    ],
)
def test_a_file_that_is_no_such_table_is_an_error(
    rates: Rates, text: str | bytes, where: str, what: str
) -> None:
    with pytest.raises(RouteletError) as raised:
        rates(text)
    assert raised.value.where == where
    assert what in raised.value.what


def test_a_file_that_is_not_there_is_an_error(write_site: Callable[..., Path]) -> None:
    root = write_site({"src/pages/index.py": ""})
    site = discover(root, Config())
    with pytest.raises(RouteletError, match="cannot be read") as raised:
        rates_of(root / "none.csv", "none.csv", site, "/")
    assert raised.value.where == "none.csv"
    assert "traffic" in raised.value.mend
