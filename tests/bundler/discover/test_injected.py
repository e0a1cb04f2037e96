from collections.abc import Callable
from pathlib import Path

import pytest

from routelet.routing import match_route
from routelet_bundler.discover import discover
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Config, InjectedMiddleware, InjectedRoute, Injections, Page, Site

Write = Callable[..., Path]

SERVER = Config(output="server")
HYBRID = Config(output="hybrid")


@pytest.fixture
def site_with(write_site: Write) -> Callable[..., Site]:
    """Return a function from files, and patterns with their entrypoints, to a site."""

    def make(
        files: dict[str, str],
        routes: dict[str, str | Path],
        *,
        config: Config = SERVER,
        prerender: bool | None = None,
        middleware: tuple[tuple[str | Path, str], ...] = (),
    ) -> Site:
        root = write_site(files)
        injections = Injections(
            routes=tuple(
                InjectedRoute(
                    pattern=pattern,
                    entrypoint=root / file,
                    prerender=prerender,
                    integration="moon",
                )
                for pattern, file in routes.items()
            ),
            middleware=tuple(
                InjectedMiddleware(entrypoint=root / file, order=order, integration="moon")  # type: ignore[arg-type]
                for file, order in middleware
            ),
        )
        return discover(root, config, injections=injections)

    return make


Make = Callable[..., Site]


def page_of(site: Site, route: str) -> Page:
    return next(page for page in site.pages if page.route.route == route)


def test_injected_routes_are_ordered_among_all_others(site_with: Make) -> None:
    site = site_with(
        {"src/pages/[id].py": "", "src/pages/a.py": "", "src/pages/[...rest].md": "", "x.py": ""},
        {"/b/[...rest]": "x.py", "/[lang]-[id]": "x.py", "/b": "x.py", "/": "x.py"},
    )
    assert [route.route for route in site.routes] == [
        "/a",
        "/b",
        "/b/[...rest]",
        "/[lang]-[id]",
        "/[id]",
        "/",
        "/[...rest]",
    ]
    found = match_route(site.routes, "/b/c/d")
    assert found is not None
    assert (found[0].component, found[1]) == ("x.py", {"rest": "c/d"})


def test_a_page_of_any_kind_may_be_injected(site_with: Make) -> None:
    files = {"x.py": "", "x.jinja": "", "x.md": "", "x.html": ""}
    site = site_with(files, {f"/{name[2:]}": name for name in files})
    assert {page.kind: page.route.type for page in site.pages} == {
        "py": "endpoint",
        "jinja": "page",
        "md": "page",
        "html": "page",
    }


def test_it_is_never_an_index_and_its_file_may_have_any_name(site_with: Make) -> None:
    site = site_with(
        {"src/pages/_feed.py": "", "src/pages/index.py": ""},
        {"/feed": "src/pages/_feed.py", "/home": "src/pages/index.py"},
    )
    assert [route.route for route in site.routes] == ["/feed", "/home", "/"]
    assert [route.is_index for route in site.routes] == [False, False, True]


@pytest.mark.parametrize(
    ("source", "argument", "config", "prerender"),
    [
        ("", None, SERVER, False),
        ("", None, HYBRID, True),
        ("prerender = True\n", None, SERVER, True),
        ("prerender = False\n", None, HYBRID, False),
        ("prerender = True\n", False, HYBRID, False),
        ("prerender = False\n", True, SERVER, True),
    ],
)
def test_the_argument_goes_before_the_page_which_goes_before_the_output(
    site_with: Make, source: str, argument: bool | None, config: Config, prerender: bool
) -> None:
    site = site_with({"x.py": source}, {"/a": "x.py"}, prerender=argument, config=config)
    assert (site.pages[0].prerender, site.routes[0].prerender) == (prerender, prerender)


def test_on_demand_in_a_static_site_is_an_error_of_whoever_said_so(site_with: Make) -> None:
    static = Config(output="static")
    with pytest.raises(RouteletError, match="is rendered on demand") as told:
        site_with({"x.py": "\nprerender = False\n"}, {"/a": "x.py"}, config=static)
    assert told.value.where == "x.py:2"
    with pytest.raises(RouteletError, match="is rendered on demand") as told:
        site_with({"x.py": ""}, {"/a": "x.py"}, config=static, prerender=False)
    assert told.value.where == "integration moon, config_setup"
    assert told.value.mend.startswith("remove prerender=False of inject_route")


def test_the_config_of_the_page_and_of_globs_holds(site_with: Make) -> None:
    config = Config.model_validate(
        {"output": "server", "routes": {"/api/**": {"memory": 256, "timeout": 3}}}
    )
    site = site_with({"x.py": "config = {'memory': 1024}"}, {"/api/x": "x.py"}, config=config)
    assert (site.pages[0].config.memory, site.pages[0].config.timeout) == (1024, 3)


def test_a_file_of_src_is_the_module_that_it_is_there(site_with: Make) -> None:
    site = site_with(
        {"src/lib/feed.py": "", "src/pages/_[x].py": "", "src/kit/__init__.py": ""},
        {"/a": "src/lib/feed.py", "/b": "src/pages/_[x].py", "/c": "src/kit/__init__.py"},
    )
    told = {page.route.route: (page.module, page.path_in_src) for page in site.pages}
    assert told == {
        "/a": ("lib.feed", "lib/feed.py"),
        "/b": ("pages.__x_", "pages/_[x].py"),
        "/c": ("kit", "kit/__init__.py"),
    }
    assert site.injected == ()


def test_any_other_python_comes_along_as_a_copy(site_with: Make, tmp_path: Path) -> None:
    package = tmp_path / "lib/python3.12/site-packages/moon/pages"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("import routelet_bundler")
    (package / "health.py").write_text("")
    (package.parents[1] / "single.py").write_text("")
    site = site_with(
        {"tools/x.py": "", "src/lib/a.b.py": "", ".routelet/integrations/moon/made.py": ""},
        {
            "/a": "tools/x.py",
            "/b": package / "health.py",
            "/c": package.parents[1] / "single.py",
            "/d": "src/lib/a.b.py",
            "/e": ".routelet/integrations/moon/made.py",
        },
    )
    assert {one.label: one.archive for one in site.injected} == {
        "tools/x.py": "site_injected/tools/x.py",
        "moon:moon/pages/health.py": "site_injected/moon_moon/pages/health.py",
        "moon:single.py": "site_injected/moon_single.py",
        "src/lib/a.b.py": "site_injected/src/lib/a_b.py",
        ".routelet/integrations/moon/made.py": (
            "site_injected/_routelet/integrations/moon/made.py"
        ),
    }
    assert page_of(site, "/b").module == "site_injected.moon_moon.pages.health"
    assert page_of(site, "/b").route.component == "moon:moon/pages/health.py"


def test_an_environment_in_the_sites_folder_is_no_part_of_its_paths(site_with: Make) -> None:
    file = ".venv/lib/python3.12/site-packages/moon/health.py"
    init = ".venv/lib/python3.12/site-packages/moon/__init__.py"
    site = site_with({file: "", init: ""}, {"/a": file})
    assert site.routes[0].component == "moon:moon/health.py"


def test_several_routes_may_share_a_file(site_with: Make) -> None:
    site = site_with({"x.py": ""}, {"/a": "x.py", "/b/[id]": "x.py"})
    assert len(site.injected) == 1
    assert [page.module for page in site.pages] == ["site_injected.x"] * 2
    assert [page.file for page in site.pages] == ["/a", "/b/[id]"]
    assert [page.entry for page in site.pages] == ["pages/entry_a.py", "pages/b/entry__id_.py"]


def test_names_that_become_one_get_a_digest(site_with: Make) -> None:
    site = site_with({"a b.py": "", "a_b.py": ""}, {"/a": "a b.py", "/b": "a_b.py"})
    stems = [one.archive for one in site.injected]
    assert len(set(stems)) == 2
    assert all(stem.startswith("site_injected/a_b_") for stem in stems)


def test_entries_are_named_by_the_route_and_a_file_keeps_its_name(site_with: Make) -> None:
    site = site_with(
        {"src/pages/feed_xml.py": "", "src/pages/index.md": "", "x.py": "", "y.html": ""},
        {"/feed.xml": "x.py", "/rss.xml": "x.py", "/rss-xml": "x.py", "/v1.2": "y.html"},
    )
    entries = {page.route.route: page.entry for page in site.pages}
    assert entries["/feed_xml"] == "pages/entry_feed_xml.py"
    assert entries["/feed.xml"].startswith("pages/entry_feed_xml_")
    assert entries["/rss.xml"] == "pages/entry_rss_xml.py"
    assert entries["/rss-xml"] == "pages/entry_rss-xml.py"
    assert entries["/v1.2"] == "pages/entry_v1_2.py"
    assert len(set(entries.values())) == len(entries)


def test_a_page_that_the_site_has_already_is_told(site_with: Make) -> None:
    site = site_with({"src/pages/a.md": "", "x.py": ""}, {"/a": "x.py"})
    [collision] = site.collisions
    assert collision.what == "answers the same URLs as x.py: /a"
    assert collision.where == "src/pages/a.md"
    assert "leave out the integration moon" in collision.mend


@pytest.mark.parametrize("own", ["src/site_injected/x.py", "src/site_injected.py"])
def test_a_module_of_the_site_is_never_in_place_of_an_injected_one(
    site_with: Make, own: str
) -> None:
    with pytest.raises(RouteletError, match="own would be lost") as told:
        site_with({own: "", "x.py": ""}, {"/a": "x.py"})
    assert told.value.where == "src/site_injected"
    assert site_with({own: "", "src/x.py": ""}, {"/a": "src/x.py"}).pages


@pytest.mark.parametrize("file", ["src/step.py", "step.py"])
def test_middleware_without_on_request_is_told_with_its_integration(
    site_with: Make, file: str
) -> None:
    with pytest.raises(RouteletError) as told:
        site_with(
            {file: "def on_reqest(ctx, next):\n    on_request = next\n"},
            {},
            middleware=((file, "pre"),),
        )
    assert told.value.what == f"add_middleware: {file} has no on_request"
    assert told.value.where == "integration moon, config_setup"
    assert told.value.status == WRONG_USE


@pytest.mark.parametrize(
    "text",
    [
        "from routelet import sequence\non_request = sequence()\n",
        "on_request: object = print\n",
        "from lib.steps import on_request\n",
        "from lib.steps import *\n",
        "try:\n    from lib.steps import first as on_request\nexcept ImportError:\n    pass\n",
        "if True:\n    async def on_request(ctx, next): ...\n",
    ],
)
def test_on_request_may_come_from_anywhere(site_with: Make, text: str) -> None:
    assert site_with({"step.py": text}, {}, middleware=(("step.py", "pre"),)).middleware


def test_a_copy_has_no_neighbours(site_with: Make) -> None:
    with pytest.raises(RouteletError, match=r"imports \.render, and comes into zips alone") as told:
        site_with({"x.py": "\nfrom .render import badge\n"}, {"/a": "x.py"})
    assert told.value.where == "x.py:2"


def test_two_files_of_one_name_are_told_apart_or_refused(site_with: Make, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text("")
    with pytest.raises(RouteletError, match="are known as moon:"):
        site_with({}, {"/a": tmp_path / "one/x.py", "/b": tmp_path / "two/x.py"})


def test_an_error_page_may_be_injected_with_a_file_of_its_own(site_with: Make) -> None:
    site = site_with({"x.md": "", "y.md": ""}, {"/404": "x.md", "/a": "y.md"})
    page = site.error_page(404)
    assert page is not None
    assert page.route.component == "x.md"
    with pytest.raises(RouteletError, match="answers /404, an error page, and /a"):
        site_with({"x.md": "", "y.md": ""}, {"/404": "x.md", "/a": "x.md"})


def test_a_draft_is_no_page_and_a_fault_names_the_file(site_with: Make) -> None:
    assert site_with({"x.md": "---\ndraft: true\n---\n"}, {"/a": "x.md"}).pages == ()
    with pytest.raises(RouteletError) as told:
        site_with({"x.py": "def GET(:\n"}, {"/a": "x.py"})
    assert told.value.where == "x.py:1"


def test_a_site_may_be_made_of_injected_pages_alone(site_with: Make) -> None:
    site = site_with({"x.py": ""}, {"/a": "x.py"})
    assert site.warnings == ()


def test_base_and_trailing_slash_hold(site_with: Make) -> None:
    config = Config.model_validate(
        {"output": "server", "base": "/docs", "trailing-slash": "always"}
    )
    site = site_with({"x.py": ""}, {"/a": "x.py"}, config=config)
    assert match_route(site.routes, "/docs/a/", "/docs") is not None
    assert match_route(site.routes, "/docs/a", "/docs") is None


def test_middleware_goes_around_the_sites_own_and_inside(site_with: Make) -> None:
    site = site_with(
        dict.fromkeys(
            ["src/middleware.py", "src/lib/step.py", "a.py", "b.py"],
            "def on_request(ctx, next):\n    return next()\n",
        ),
        {},
        middleware=(("a.py", "post"), ("src/lib/step.py", "pre"), ("b.py", "pre")),
    )
    assert site.middleware == (
        "lib.step",
        "site_injected.b",
        "middleware",
        "site_injected.a",
    )
