"""Every case that was recorded from Astro, through a site on disk."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from routelet.routing import canonical_path, match_route
from routelet_bundler.cli import main
from routelet_bundler.config import read_config
from routelet_bundler.discover import discover

Site = Callable[..., Path]
Case = Mapping[str, Any]

FILE = Path(__file__).parents[4] / "shared" / "cases" / "routing.json"
CASES: list[Case] = json.loads(FILE.read_text("utf-8"))["cases"] if FILE.exists() else []

pytestmark = pytest.mark.skipif(not CASES, reason="../shared/cases is not beside this checkout")


def site_of(case: Case, write_site: Site) -> Path:
    lines = [f"{json.dumps(key)} = {_toml(value)}" for key, value in case["config"].items()]
    pyproject = "\n".join(["[tool.routelet]", *lines, ""])
    return write_site({f"src/pages/{file}": "" for file in case["files"]}, pyproject=pyproject)


def _toml(value: str | int | Mapping[str, Any]) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value)


def owner(route: str | None, component: str | None) -> str | None:
    """Return who answers, in the words of a case: a file, or the source of a redirect."""
    return component.removeprefix("src/pages/") if component else route


@pytest.mark.parametrize(
    ("case", "request_"),
    [
        pytest.param(case, request, id=f"{number}-{request['url']}")
        for number, case in enumerate(CASES)
        for request in case["requests"]
    ],
)
def test_a_url_is_answered_as_recorded(case: Case, request_: Case, write_site: Site) -> None:
    root = site_of(case, write_site)
    config, _ = read_config(root)
    site = discover(root, config)
    path = canonical_path(request_["url"].partition("?")[0])
    route, params = match_route(site.routes, path, config.base) or (None, {})
    found = route and owner(route.route, route.component)
    assert found == request_["route_file"]
    assert "params" not in request_ or params == request_["params"]


@pytest.mark.parametrize("case", [pytest.param(case, id=str(n)) for n, case in enumerate(CASES)])
def test_the_command_line_says_the_same(case: Case, write_site: Site) -> None:
    urls = [request["url"] for request in case["requests"]]
    arguments = ["routes", "--root", str(site_of(case, write_site)), "--json", "--match", *urls]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    matches = json.loads(result.stdout)["matches"]
    assert [match["url"] for match in matches] == urls
    for match, request in zip(matches, case["requests"], strict=True):
        assert owner(match["route"], match["component"]) == request["route_file"]
        assert match["params"] == request.get("params", match["params"])


def test_all_cases_are_here() -> None:
    assert sum(len(case["requests"]) for case in CASES) > 100
