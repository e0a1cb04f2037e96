"""What pyproject.toml registers is there, and makes integrations of the names it has."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from routelet_bundler.adapter import Integration
from routelet_bundler.adapters import GROUPS

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
REGISTERED = PROJECT["entry-points"][GROUPS["integrations"]]


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_each_is_made_without_options_under_its_own_name(name: str) -> None:
    point = EntryPoint(name=name, value=REGISTERED[name], group=GROUPS["integrations"])
    made = point.load()()
    assert isinstance(made, Integration)
    assert made.name == name


def test_all_three_are_registered() -> None:
    assert sorted(REGISTERED) == ["redirect-by-host", "robots", "sitemap"]
