from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.discover import discover
from routelet_bundler.errors import RouteletError
from routelet_bundler.grouping import groups_of, split_of
from routelet_bundler.model import Adapter, AdapterFeatures, Config, Planned, Split, Target
from routelet_bundler.plan import Planner
from routelet_bundler.safe_names import group_entry, group_names

ADAPTER = Adapter(
    name="moon",
    server_entrypoint="moon.server",
    exports=("handler",),
    adapter_features=AdapterFeatures(function_per_route=True),
    target=Target(python="3.12", architecture="x86_64", glibc="2_34"),
    memory_mb=512,
    timeout_s=10,
)

Plans = Callable[..., dict[str, Planned]]


@pytest.fixture
def planned(write_site: Callable[..., Path]) -> Plans:
    """Return a function that plans the groups of a site of these pages, by function."""

    def plan_site(pages: Mapping[str, str], split: Split, **keys: object) -> dict[str, Planned]:
        config = Config.model_validate({"output": "server", **keys})
        site = discover(write_site({f"src/pages/{k}": text for k, text in pages.items()}), config)
        adapter = replace(ADAPTER, split=split)
        groups = groups_of([page for page in site.pages if not page.prerender], split, adapter)
        functions = Planner(site, config, adapter, {}).plan_groups(groups)
        return {function.name: function for function in functions}

    return plan_site


def files_of(functions: Mapping[str, Planned]) -> dict[str, list[str]]:
    return {name: [page.file for page in one.pages] for name, one in functions.items()}


def config(**values: object) -> str:
    return f"config = {values!r}\n"


def test_an_adapter_that_says_nothing_of_splits_has_one_function_or_one_for_each() -> None:
    assert split_of(ADAPTER) == "route"
    assert split_of(replace(ADAPTER, adapter_features=AdapterFeatures())) == "single"
    assert split_of(replace(ADAPTER, split="auto")) == "auto"


@pytest.mark.parametrize("split", ["route", "config", "auto"])
def test_a_named_group_is_one_function_whatever_the_split(planned: Plans, split: Split) -> None:
    pages = {"a.py": config(group="x y"), "b/c.py": config(group="x y"), "d.py": config(memory=256)}
    functions = planned(pages, split)
    assert files_of(functions) == {"x_y": ["a.py", "b/c.py"], "d": ["d.py"]}
    assert functions["x_y"].entry == functions["x_y"].entry_on_disk == "pages/entry_x_y.py"
    assert functions["x_y"].handler == "pages/entry_x_y.handler"
    assert [one["route"] for one in functions["x_y"].manifest["routes"]] == ["/a", "/b/c"]


def test_a_glob_of_the_configuration_names_groups_too(planned: Plans) -> None:
    routes = {"/api/**": {"group": "api"}}
    functions = planned({"api/a.py": "", "api/b.py": "", "c.py": ""}, "route", routes=routes)
    assert files_of(functions) == {"api": ["api/a.py", "api/b.py"], "c": ["c.py"]}


def test_pages_of_equal_settings_share_a_function_that_is_named_after_the_first(
    planned: Plans,
) -> None:
    large = config(memory=1024)
    pages = {"b.py": large, "a/x.py": large, "c.py": "", "d.py": config(memory=512, timeout=10)}
    functions = planned(pages, "config")
    assert files_of(functions) == {"a_x": ["a/x.py", "b.py"], "c": ["c.py", "d.py"]}
    assert functions["a_x"].entry_on_disk == "pages/a/entry_x.py"
    assert functions["a_x"].config.memory == 1024


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"memory": 256}, {}),
        ({"timeout": 20}, {}),
        ({"architecture": "arm64"}, {}),
        ({"ephemeral_storage": 1024}, {}),
        ({"environment": {"A": "1"}}, {"environment": {"A": "2"}}),
        ({"environment": {"A": "1"}}, {}),
        ({"policies": ["P"]}, {"policies": ["Q"]}),
        ({"reserved_concurrency": 1}, {}),
        ({"snap_start": True}, {}),
        ({"group": "g"}, {}),
    ],
)
def test_settings_that_differ_make_two_functions_with_split_config(
    planned: Plans, first: dict[str, object], second: dict[str, object]
) -> None:
    assert len(planned({"a.py": config(**first), "b.py": config(**second)}, "config")) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"memory": 512}, {}),
        ({"architecture": "x86_64"}, {}),
        ({"ephemeral_storage": 512}, {}),
        ({"snap_start": False}, {}),
        ({"policies": ["P", "Q"]}, {"policies": ["Q", "P"]}),
        ({"include": ["lib/a.py"]}, {"exclude": ["b"]}),
    ],
)
def test_settings_that_come_to_the_same_make_one(
    planned: Plans, first: dict[str, object], second: dict[str, object]
) -> None:
    assert len(planned({"a.py": config(**first), "b.py": config(**second)}, "config")) == 1


def test_a_shared_function_has_the_most_of_each_and_all_that_is_granted(planned: Plans) -> None:
    pages = {
        "a.py": config(memory=256, timeout=30, environment={"A": "1"}, policies=["P", "Q"]),
        "b.py": config(ephemeral_storage=600, environment={"A": "1", "B": "2"}, policies=["Q"]),
    }
    shared = planned(pages, "single")["site"].config
    assert (shared.memory, shared.timeout, shared.ephemeral_storage) == (512, 30, 600)
    assert (shared.environment, shared.policies) == ({"A": "1", "B": "2"}, ("P", "Q"))


def test_one_function_for_all_is_of_the_architecture_that_all_pages_name(planned: Plans) -> None:
    pages = {"a.py": config(architecture="arm64"), "b.py": config(architecture="arm64")}
    functions = planned(pages, "single")
    assert functions["site"].config.architecture == "arm64"
    assert functions["site"].entry_on_disk == "entry.py"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"architecture": "arm64"}, ["architecture arm64", "has x86_64"]),
        ({"reserved_concurrency": 1}, ["reserved-concurrency 1", "has none"]),
        ({"snap_start": True}, ["snap-start on", "has off"]),
        ({"environment": {"A": "2"}}, ["the variable A", "another value"]),
    ],
)
def test_pages_of_one_function_that_contradict_each_other_are_an_error(
    planned: Plans, value: dict[str, object], said: Sequence[str]
) -> None:
    first = {"environment": {"A": "1"}}
    with pytest.raises(RouteletError) as raised:
        planned({"a.py": config(**first), "b.py": config(**value)}, "single")
    assert raised.value.where == "src/pages/b.py"
    assert raised.value.mend == 'give both the same, or set split = "config"'
    assert all(one in raised.value.what for one in [*said, "src/pages/a.py"])
    named = {"a.py": config(group="g", **first), "b.py": config(group="g", **value)}
    with pytest.raises(RouteletError) as raised:
        planned(named, "route")
    assert raised.value.mend == 'give both the same, or take it out of the group "g"'


def test_a_page_keeps_its_name_where_a_group_is_called_the_same(planned: Plans) -> None:
    pages = {"api.py": "", "a.py": config(group="api"), "b.py": config(group="api")}
    functions = planned(pages, "route")
    [group] = functions.keys() - {"api"}
    assert group.startswith("api_")
    assert functions[group].entry_on_disk == f"pages/entry_{group}.py"
    assert functions["api"].entry_on_disk == "pages/entry_api.py"
    inside = {name: text or config(group="api") for name, text in pages.items()}
    assert list(planned(inside, "route")) == ["api"]


@given(st.lists(st.sampled_from(["a", "a b", "a_b", "a-b", "é", "è", "_"]), unique=True))
def test_names_and_entries_of_groups_are_unique(groups: Sequence[str]) -> None:
    taken = {"a", "pages/entry_a-b.py"}
    names = group_names(groups, taken)
    assert list(names) == list(groups)
    assert len({*names.values(), "a"}) == len(groups) + 1
    assert not {group_entry(name) for name in names.values()} & taken


@pytest.mark.parametrize("split", ["route", "config"])
def test_names_do_not_change_with_a_page_of_another_group(planned: Plans, split: Split) -> None:
    pages = {"b.py": "", "c/d.py": "", "e.py": config(group="g"), "f.py": config(group="g")}
    before = planned(pages, split)
    after = planned({**pages, "a/new.py": config(memory=256)}, split)
    assert before.keys() == after.keys() - {"a_new"}
