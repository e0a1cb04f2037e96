"""Budgets held against whole builds of small sites."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.errors import FAILED, WRONG_USE
from routelet_bundler.model import Budget
from routelet_bundler.report.budget import budget_of

Site = Callable[..., Path]

PROJECT = '[project]\nname = "site"\nversion = "1"\n'
SERVER = '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
FILES = {
    "src/pages/api/a.py": "import lib.m\ndef GET(ctx):\n    return {}\n",
    "src/pages/b.py": "def GET(ctx):\n    return {}\n",
    "src/lib/m.py": "import lib.large\nimport wave\n",
    "src/lib/large.py": f"X = {'x' * 50_000!r}\n",
}


def site(write_site: Site, budget: str, glob: str = "/api/**", options: str = "") -> Path:
    table = f'[tool.routelet.budget."{glob}"]\n{budget}\n'
    return write_site(FILES, pyproject=PROJECT + SERVER + options + table)


def refused(root: Path) -> RouteletError:
    with pytest.raises(RouteletError) as raised:
        build(root)
    return raised.value


def test_a_function_within_its_budget_is_built(write_site: Site) -> None:
    budget = (
        "zipped-bytes = 500_000\nunzipped-bytes = 900_000\nmodules = 500\nimport-ms = 30_000\n"
        'forbidden-imports = ["tkinter"]\nruns = 1'
    )
    built = build(site(write_site, budget))
    assert [one.name for one in built.functions] == ["api_a", "b"]
    assert not [warning for warning in built.warnings if "budget" in warning]


@pytest.mark.parametrize("what", ["zipped", "unzipped"])
def test_too_many_bytes_name_the_import_to_cut_and_the_largest_parts(
    write_site: Site, what: str
) -> None:
    root = site(write_site, f"{what}-bytes = 1000")
    error = refused(root)
    assert (error.status, error.others) == (FAILED, ())
    assert error.where == "src/pages/api/a.py"
    assert re.search(rf"over its budget: [\d,]+ bytes {what}, the budget is 1,000$", error.what)
    first, _, *parts = error.mend.splitlines()
    assert first.startswith("without src/lib/m.py at src/pages/api/a.py:1 it has ")
    ways = [" ".join(part.split()[2:]) for part in parts]
    assert "src/lib/large.py (src/pages/api/a.py:1 -> src/lib/m.py:1)" in ways
    assert "routelet/" in ways
    assert not (root / "dist").exists()


def test_a_forbidden_import_is_told_with_the_chain_of_modules(write_site: Site) -> None:
    error = refused(site(write_site, 'forbidden-imports = ["wave", "tkinter"]'))
    assert error.what.endswith("it imports wave, which is forbidden")
    assert error.mend == "by pages.api.entry_a -> lib.m -> wave"


def test_too_many_modules_and_milliseconds_name_what_brings_half_of_them(
    write_site: Site,
) -> None:
    error = refused(site(write_site, "modules = 3\nimport-ms = 0.001\nruns = 2"))
    slow = error.others[0]
    assert re.search(r"it imports \d+ modules, the budget is 3$", error.what)
    assert re.match(r"\d+ of \d+ modules come by pages\.", error.mend)
    assert re.search(
        r"imports take [\d.]+ ms, the least of 2 runs, the budget is 0.001$", slow.what
    )
    assert " ms come by pages." in slow.mend


def test_a_budget_is_of_the_routes_that_its_glob_names(write_site: Site) -> None:
    error = refused(site(write_site, "modules = 3", glob="/**"))
    assert [one.where for one in (error, *error.others)] == [
        "src/pages/api/a.py",
        "src/pages/b.py",
    ]
    assert [one.name for one in build(site(write_site, "modules = 3", "/else")).functions]


def test_one_function_for_all_routes_is_held_to_the_budget_of_each(write_site: Site) -> None:
    options = "adapters.aws-lambda.function-per-route = false\n"
    error = refused(site(write_site, 'forbidden-imports = ["wave"]', options=options))
    assert error.where == "src/pages/api/a.py, src/pages/b.py"
    assert "the function of /api/a is over its budget" in error.what


def test_the_function_at_the_edge_has_a_budget_by_its_name(write_site: Site) -> None:
    options = "adapters.aws-lambda.edge-middleware = true\n"
    budget = (
        '[tool.routelet.budget.middleware]\nzipped-bytes = 1000\nforbidden-imports = ["wave"]\n'
    )
    middleware = "import lib.m\ndef on_request(ctx, next): return next()\n"
    error = refused(
        write_site(
            {**FILES, "src/middleware.py": middleware},
            pyproject=f"{PROJECT}{SERVER}{options}{budget}",
        )
    )
    (other,) = error.others
    assert "function of middleware is over its budget: " in error.what
    assert "the budget is 1,000" in error.what
    assert other.mend == "by entry -> lib.m -> wave"
    built = build(write_site(FILES, pyproject=f"{PROJECT}{SERVER}{budget}"))
    assert 'budget."middleware" speaks of no route that a function answers' in built.warnings


def test_a_budget_of_no_route_is_warned_of(write_site: Site) -> None:
    built = build(site(write_site, "zipped-bytes = 1", "/apis/**"))
    assert 'budget."/apis/**" speaks of no route that a function answers' in built.warnings


def test_a_site_without_functions_has_nothing_to_hold(write_site: Site) -> None:
    table = '[tool.routelet.budget."/**"]\nmodules = 1\n'
    built = build(write_site({"src/pages/a.md": "# A"}, pyproject=PROJECT + table))
    assert built.functions == ()
    assert 'budget."/**" speaks of no route that a function answers' in built.warnings


def test_a_start_that_cannot_be_measured_here_is_warned_of(write_site: Site) -> None:
    options = 'adapters.aws-lambda.architecture = "arm64"\n'
    built = build(site(write_site, "modules = 1", options=options))
    (told,) = [warning for warning in built.warnings if "budget" in warning]
    assert told.startswith("/api/a: the budget of its start is not held: built for arm64")


def test_only_a_budget_of_the_start_starts_a_function(write_site: Site, tmp_path: Path) -> None:
    def started() -> int:
        return len(list((tmp_path / "cache").glob("*/budget/*/*")))

    root = site(write_site, "zipped-bytes = 500_000")
    build(root, cache_folder=tmp_path / "cache")
    assert started() == 0
    root = site(write_site, "modules = 500")
    build(root, cache_folder=tmp_path / "cache")
    assert started() == 1


def test_a_budget_that_is_new_is_held_against_zips_that_did_not_change(write_site: Site) -> None:
    root = site(write_site, "zipped-bytes = 500_000")
    build(root)
    before = (root / "dist/functions/api_a.zip").read_bytes()
    error = refused(site(write_site, "zipped-bytes = 1000\nmodules = 2"))
    assert len((error, *error.others)) == 2
    assert (root / "dist/functions/api_a.zip").read_bytes() == before


def test_an_unknown_key_gets_the_nearest_and_its_line(write_site: Site) -> None:
    error = refused(site(write_site, "ziped-bytes = 1\nmodules = 0"))
    (other,) = error.others
    mistakes = {one.where: one for one in (error, other)}
    assert error.status == WRONG_USE
    assert mistakes["pyproject.toml:8"].mend == 'did you mean "zipped-bytes"?'
    assert "greater than or equal to 1" in mistakes["pyproject.toml:9"].what


def test_keys_of_the_more_specific_glob_win_and_the_others_stay() -> None:
    budgets = {
        "/**": Budget.model_validate({"modules": 100, "zipped-bytes": 5}),
        "/api/**": Budget.model_validate({"modules": 200}),
    }
    found = budget_of("/api/a", budgets)
    assert found is not None
    assert (found.modules, found.zipped_bytes) == (200, 5)
    assert budget_of("/api/a", {"/b": Budget()}) is None
