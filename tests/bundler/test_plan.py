from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from routelet_bundler.discover import discover
from routelet_bundler.grouping import groups_of, split_of
from routelet_bundler.model import Adapter, AdapterFeatures, Config, Limits, Planned, Target
from routelet_bundler.plan import Planner

PER_ROUTE = Adapter(
    name="moon",
    server_entrypoint="moon.server",
    exports=("handler", "other"),
    adapter_features=AdapterFeatures(function_per_route=True),
    target=Target(python="3.12", architecture="x86_64", glibc="2_34"),
    limits=Limits(handler_length=128),
)
SINGLE = replace(PER_ROUTE, adapter_features=AdapterFeatures())

Plans = Callable[..., dict[str, Planned]]


@pytest.fixture
def planned(write_site: Callable[..., Path]) -> Plans:
    """Return a function that plans a site of these files below `src/`, by function."""

    def plan_site(
        files: Mapping[str, str],
        adapter: Adapter = PER_ROUTE,
        page_modules: Mapping[str, str] | None = None,
        **keys: object,
    ) -> dict[str, Planned]:
        config = Config.model_validate(
            {"output": "server", **{key.replace("_", "-"): value for key, value in keys.items()}}
        )
        site = discover(write_site({f"src/{name}": text for name, text in files.items()}), config)
        planner = Planner(site, config, adapter, page_modules or {})
        functions = planner.plan()
        if adapter is not PER_ROUTE:
            pages = [one.pages[0] for one in functions]
            functions = planner.plan_groups(groups_of(pages, split_of(adapter), adapter))
        return {function.name: function for function in functions}

    return plan_site


def test_each_page_on_demand_is_a_function_in_matching_order(planned: Plans) -> None:
    functions = planned({"pages/blog/[slug].py": "", "pages/data.json.py": "", "pages/a.py": ""})
    assert list(functions) == ["a", "blog__slug_", "data_json"]
    blog = functions["blog__slug_"]
    assert [page.file for page in blog.pages] == ["blog/[slug].py"]
    assert blog.entry == blog.entry_on_disk == "pages/blog/entry__slug_.py"
    assert blog.handler == "pages/blog/entry__slug_.handler"
    assert blog.modules == ("moon.server", "pages.blog._slug_")


def test_a_prerendered_page_is_no_function(planned: Plans) -> None:
    files = {"pages/a.py": "prerender = True\n", "pages/b.py": ""}
    assert list(planned(files)) == ["b"]
    assert planned({"pages/b.py": "prerender = True\n"}) == {}


def test_a_functions_manifest_holds_its_own_routes_alone(planned: Plans) -> None:
    functions = planned({"pages/[id].py": "", "pages/about.md": "", "pages/b/index.py": ""})
    assert functions["_id_"].manifest == {
        "routes": (
            {
                "route": "/[id]",
                "pattern": "^/([^/]+?)/?$",
                "params": ("id",),
                "module": "pages._id_",
                "source": "pages/[id].py",
            },
        ),
        "check_origin": True,
    }
    assert [len(function.manifest["routes"]) for function in functions.values()] == [1, 1, 1]


def test_a_page_that_is_no_python_is_the_module_made_of_it(planned: Plans) -> None:
    made = {"src/pages/about.md": "site_templates.pages_about_md"}
    [function] = planned({"pages/about.md": ""}, page_modules=made).values()
    [route] = function.manifest["routes"]
    assert route["module"] == "site_templates.pages_about_md"
    assert "source" not in route
    assert function.modules == ("moon.server", "site_templates.pages_about_md")


def test_a_manifest_says_only_what_is_not_the_default(planned: Plans) -> None:
    [plain] = planned({"pages/a.py": ""}, security={"check-origin": False}).values()
    assert list(plain.manifest) == ["routes"]
    [told] = planned(
        {"pages/a.py": "", "middleware.py": ""},
        base="/docs",
        site="https://example.com",
        method_not_allowed=True,
    ).values()
    assert {key: value for key, value in told.manifest.items() if key != "routes"} == {
        "base": "/docs",
        "site": "https://example.com",
        "middleware": ("middleware",),
        "method_not_allowed": True,
        "check_origin": True,
    }
    assert told.modules == ("moon.server", "pages.a", "routelet.middleware", "middleware")


def test_every_function_can_answer_with_the_sites_error_pages(planned: Plans) -> None:
    made = {"src/pages/404.md": "site_templates.error_404"}
    functions = planned(
        {"pages/404.md": "---\nprerender: true\n---\n", "pages/500.py": "", "pages/a.py": ""},
        page_modules=made,
    )
    assert list(functions) == ["500", "a"]
    assert functions["a"].manifest["error_pages"] == {
        404: {"params": (), "module": "site_templates.error_404"},
        500: {"params": (), "module": "pages.500", "source": "pages/500.py"},
    }
    assert functions["a"].modules == (
        "moon.server",
        "pages.a",
        "site_templates.error_404",
        "pages.500",
    )


def test_without_function_per_route_one_function_has_all_routes(planned: Plans) -> None:
    functions = planned({"pages/a.py": "", "pages/[id].py": "", "pages/b.md": ""}, SINGLE)
    assert list(functions) == ["site"]
    site = functions["site"]
    assert (site.entry, site.entry_on_disk, site.handler) == (
        "entry.py",
        "entry.py",
        "entry.handler",
    )
    assert [route["route"] for route in site.manifest["routes"]] == ["/a", "/b", "/[id]"]


def test_a_handler_that_is_too_long_becomes_a_module_at_the_root(planned: Plans) -> None:
    stem = "x" * (128 - len("pages/entry_.handler"))
    functions = planned({f"pages/{stem}.py": "", f"pages/{stem}y.py": ""})
    fits, too_long = functions[stem], functions[f"{stem}y"]
    assert len(fits.handler) == 128
    assert fits.entry == fits.entry_on_disk == f"pages/entry_{stem}.py"
    assert (too_long.handler, too_long.entry) == ("entry.handler", "entry.py")
    assert too_long.entry_on_disk == f"pages/entry_{stem}y.py"


def test_a_host_without_a_limit_takes_any_handler(planned: Plans) -> None:
    [function] = planned(
        {f"pages/{'x' * 200}.py": ""}, replace(PER_ROUTE, limits=Limits())
    ).values()
    assert function.handler == f"pages/entry_{'x' * 200}.handler"


def test_functions_that_would_share_a_name_have_names_of_their_own(planned: Plans) -> None:
    functions = planned({"pages/a/b.py": "", "pages/a_b.py": "", "pages/c.py": ""})
    assert len(functions) == 3
    assert {name for name in functions if len(name) == 3 + 1 + 8} == functions.keys() - {"c"}
    assert {function.entry for function in functions.values()} == {
        "pages/a/entry_b.py",
        "pages/entry_a_b.py",
        "pages/entry_c.py",
    }


def test_one_function_for_all_gets_the_most_that_a_page_asks_for(planned: Plans) -> None:
    site = planned(
        {
            "pages/a.py": "config = {'memory': 256, 'timeout': 30, 'include': ['a', 'b'], "
            "'environment': {'A': '1'}, 'policies': ['P']}\n",
            "pages/b.py": "config = {'memory': 1024, 'include': ['b', 'c'], 'exclude': ['d'], "
            "'environment': {'B': '2'}, 'policies': ['Q'], 'ephemeral_storage': 600}\n",
            "pages/c.py": "",
        },
        SINGLE,
    )["site"]
    config = site.config
    assert (config.memory, config.timeout, config.ephemeral_storage) == (1024, 30, 600)
    assert (config.include, config.exclude) == (("a", "b", "c"), ())
    assert (config.environment, config.policies) == ({"A": "1", "B": "2"}, ("P", "Q"))


def test_a_function_of_one_page_has_its_configuration(planned: Plans) -> None:
    source = "config = {'memory': 256, 'snap_start': True, 'reserved_concurrency': 1}\n"
    [function] = planned({"pages/a.py": source}).values()
    assert function.config is function.pages[0].config
    assert (function.config.snap_start, function.config.reserved_concurrency) == (True, 1)
