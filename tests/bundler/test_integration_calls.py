import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.configure import Configured, configure
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import InjectedMiddleware, InjectedRoute

Site = Callable[..., Path]

PLUG = """\
from routelet_bundler.adapter import Integration, RouteConfig

class Plug(Integration):
    name = "plug"

    def config_setup(self, payload):
        self.payload = payload
{body}
    def build_start(self, payload):
        self.payload.inject_route(pattern="/late", entrypoint="page.py")

class Other(Integration):
    name = "@acme/other"

    def config_setup(self, payload):
        payload.inject_route(pattern="/feed.xml", entrypoint=payload.root / "page.py")
        payload.add_middleware(entrypoint="step.py", order="post")
        payload.create_codegen_dir()
"""
FILES = {"page.py": "", "step.py": "", "template.jinja": "", "notes.txt": ""}


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    """Let each test import a module of the same name from a site of its own."""
    yield
    sys.modules.pop("plug", None)


def configured(write_site: Site, *lines: str, integrations: str = "plug:Plug") -> Configured:
    listed = ", ".join(f'"{one}"' for one in integrations.split())
    body = "".join(f"        {line}\n" for line in lines)
    root = write_site(
        {**FILES, "plug.py": PLUG.format(body=body)},
        pyproject=f"[tool.routelet]\nintegrations = [{listed}]\n",
    )
    return configure(root, "build")


def mistake_of(write_site: Site, *lines: str, integrations: str = "plug:Plug") -> RouteletError:
    with pytest.raises(RouteletError) as told:
        configured(write_site, *lines, integrations=integrations)
    return told.value


def test_a_site_without_integrations_is_given_nothing(write_site: Site) -> None:
    found = configured(write_site, integrations="")
    assert (found.injections.routes, found.injections.middleware, found.watch_files) == ((), (), ())


def test_what_integrations_ask_for_is_kept_in_their_order(write_site: Site) -> None:
    found = configured(
        write_site,
        'payload.add_middleware(entrypoint="step.py", order="pre")',
        'payload.inject_route(pattern="/blog/[slug]/", entrypoint="page.py", prerender=False)',
        'payload.inject_route(pattern="/", entrypoint="./template.jinja")',
        integrations="plug:Plug plug:Other",
    )
    root = found.root
    assert found.injections.routes == (
        InjectedRoute(
            pattern="/blog/[slug]",
            entrypoint=root / "page.py",
            prerender=False,
            integration="plug",
        ),
        InjectedRoute(
            pattern="/", entrypoint=root / "template.jinja", prerender=None, integration="plug"
        ),
        InjectedRoute(
            pattern="/feed.xml",
            entrypoint=root / "page.py",
            prerender=None,
            integration="@acme/other",
        ),
    )
    assert found.injections.middleware == (
        InjectedMiddleware(entrypoint=root / "step.py", order="pre", integration="plug"),
        InjectedMiddleware(entrypoint=root / "step.py", order="post", integration="@acme/other"),
    )


def test_the_folder_for_generated_files_is_made_when_it_is_asked_for(write_site: Site) -> None:
    found = configured(write_site, "payload.create_codegen_dir()")
    assert (found.root / ".routelet/integrations/plug").is_dir()
    assert (found.root / ".routelet/.gitignore").read_text() == "*\n"


def test_there_is_no_folder_where_none_is_asked_for(write_site: Site) -> None:
    found = configured(write_site, 'payload.add_watch_file("page.py")')
    assert not (found.root / ".routelet").exists()


def test_its_name_is_made_safe(write_site: Site) -> None:
    found = configured(write_site, integrations="plug:Other")
    assert [path.name for path in (found.root / ".routelet/integrations").iterdir()] == [
        "_acme_other"
    ]


def test_files_to_watch_are_told_once_each_and_need_not_be_there(write_site: Site) -> None:
    found = configured(
        write_site,
        'payload.add_watch_file("data.toml")',
        'payload.add_watch_file(payload.root / "data.toml")',
        'payload.add_watch_file("/etc/hostname")',
    )
    assert found.watch_files == (found.root / "data.toml", Path("/etc/hostname"))


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ('inject_route(pattern="/a", entrypoint="gone.py")', 'the entrypoint "gone.py" is not'),
        ('inject_route(pattern="/a", entrypoint="notes.txt")', 'entrypoint "notes.txt" is none of'),
        ('inject_route(pattern="/a", entrypoint=".")', 'the entrypoint "." is none of'),
        ('inject_route(pattern="a", entrypoint="page.py")', 'the pattern "a": a route begins'),
        ('inject_route(pattern="/a//b", entrypoint="page.py")', "a segment is empty"),
        ('inject_route(pattern="/../b", entrypoint="page.py")', "a segment is empty, or made of"),
        ('inject_route(pattern="/[a", entrypoint="page.py")', "brackets of '[a' do not pair up"),
        ('inject_route(pattern="/[a]/[a]", entrypoint="page.py")', '"a" is named twice'),
        ('inject_route(pattern="/[a=hex]", entrypoint="page.py")', "has no known type"),
        (
            'inject_route(pattern="/x-[...a]", entrypoint="template.jinja")',
            "a rest parameter stands alone",
        ),
        (
            'inject_route(pattern="/a", entrypoint="page.py", prerender="yes")',
            "prerender is 'yes'",
        ),
        (
            'inject_route(pattern="/a", entrypoint="page.py", prerender=[])',
            "prerender is []",
        ),
        ('update_config(integrations=["sitemap"])', "integrations has 'sitemap', no Integration"),
        ("update_config(integrations=[Integration, 3])", "integrations has <class"),
        ("update_config(integrations=[self])", "two integrations are called plug"),
        ("update_config(integrations=[Other(), Other()])", "are called @acme/other"),
        ('update_config(routes={"/a": {"memory": 1}})', '"routes./a.memory": Input should be'),
        ("update_config(build=[])", '"build": Input should be'),
        ('update_config(adapter="asgi")', "adapter cannot be changed"),
        ('update_config(out_dir=".")', "a folder for the build alone"),
        ('add_middleware(entrypoint="step.py", order="first")', "the order is 'first'"),
        ('add_middleware(entrypoint="gone.py", order="pre")', 'the entrypoint "gone.py" is not'),
        (
            'add_middleware(entrypoint="template.jinja", order="pre")',
            'the entrypoint "template.jinja" is none of .py',
        ),
    ],
)
def test_a_faulty_call_is_told_with_integration_and_hook(
    write_site: Site, call: str, what: str
) -> None:
    mistake = mistake_of(write_site, f"payload.{call}")
    assert what in mistake.what
    assert mistake.what.startswith(call.partition("(")[0])
    assert (mistake.where, mistake.status) == ("integration plug, config_setup", WRONG_USE)


def merge(write_site: Site, table: str, *calls: str) -> dict[str, Any]:
    body = "".join(f"        payload.update_config({one})\n" for one in calls)
    root = write_site(
        {**FILES, "plug.py": PLUG.format(body=body)},
        pyproject=f'[tool.routelet]\nintegrations = ["plug:Plug"]\n{table}\n',
    )
    config = configure(root, "build").config
    return config.model_dump(by_alias=True, exclude_unset=True, exclude={"integrations"})


@pytest.mark.parametrize(
    ("table", "calls", "right"),
    [
        (
            'redirects."/a" = "/b"',
            ['redirects={"/c": "/d"}'],
            {"redirects": {"/a": {"destination": "/b"}, "/c": {"destination": "/d"}}},
        ),
        (
            'redirects."/a" = { destination = "/b", status = 308 }',
            ['redirects={"/a": {"destination": "/c"}}'],
            {"redirects": {"/a": {"destination": "/c", "status": 308}}},
        ),
        (
            'redirects."/a" = "/b"',
            ['redirects={"/a": "/c"}'],
            {"redirects": {"/a": {"destination": "/c"}}},
        ),
        (
            'routes."/a" = { memory = 256, include = ["x"], environment = { A = "1" } }',
            ['routes={"/a": {"include": ["y"], "environment": {"B": "2"}}, "/b": {"timeout": 3}}'],
            {
                "routes": {
                    "/a": {
                        "memory": 256,
                        "include": ("x", "y"),
                        "environment": {"A": "1", "B": "2"},
                    },
                    "/b": {"timeout": 3},
                }
            },
        ),
        (
            'routes."/a" = { memory = 256 }',
            ['routes={"/a": RouteConfig(timeout=3)}', 'routes={"/a": {"timeout": 4}}'],
            {"routes": {"/a": {"memory": 256, "timeout": 4}}},
        ),
        (
            "security.check-origin = false",
            ['build={"format": "file"}', "markdown={'raw-html': True}"],
            {
                "security": {"check-origin": False},
                "build": {"format": "file"},
                "markdown": {"raw-html": True},
            },
        ),
        (
            'allow-sdists = ["a"]',
            ['allow_sdists=["b"]', 'allow_sdists=("c",)'],
            {"allow-sdists": ("a", "b", "c")},
        ),
        ('site = "https://a.example"', ["site=None"], {"site": "https://a.example"}),
        ('trailing-slash = "always"', ['trailing_slash="never"'], {"trailing-slash": "never"}),
    ],
)
def test_changes_are_merged_into_the_configuration(
    write_site: Site, table: str, calls: list[str], right: dict[str, Any]
) -> None:
    """As Astro's `mergeConfig` does: tables merged, lists joined, other values replaced."""
    assert merge(write_site, table, *calls) == right


def test_an_integration_adds_others_whose_hooks_are_called(write_site: Site) -> None:
    found = configured(write_site, "payload.update_config(integrations=[Other()])")
    assert [one.name for one in found.integrations] == ["plug", "@acme/other"]
    assert found.config.integrations == ("plug:Plug", "@acme/other")
    assert [one.integration for one in found.injections.routes] == ["@acme/other"]


def test_the_adapter_stays_last_when_integrations_are_added(write_site: Site) -> None:
    body = "        payload.update_config(integrations=[Other()])\n"
    root = write_site(
        {**FILES, "plug.py": PLUG.format(body=body)},
        pyproject='[tool.routelet]\nintegrations = ["plug:Plug"]\nadapter = "static"\n',
    )
    assert [one.name for one in configure(root, "build").integrations][-1] == "static"


def test_a_call_after_the_hook_has_returned_is_refused(write_site: Site) -> None:
    found = configured(write_site)
    payload = getattr(found.integrations[0], "payload")  # noqa: B009 - the site's own
    for late in (
        lambda: payload.inject_route(pattern="/a", entrypoint="page.py"),
        lambda: payload.add_middleware(entrypoint="step.py", order="pre"),
        lambda: payload.add_watch_file("page.py"),
        lambda: payload.update_config(site="https://example.com"),
        payload.create_codegen_dir,
    ):
        with pytest.raises(RouteletError, match="is called after the hook has returned"):
            late()


def test_one_pattern_is_injected_once(write_site: Site) -> None:
    call = 'payload.inject_route(pattern="/feed.xml/", entrypoint="page.py")'
    mistake = mistake_of(write_site, call, integrations="plug:Plug plug:Other")
    assert mistake.what == "inject_route: /feed.xml is injected by plug already"
    assert mistake.where == "integration @acme/other, config_setup"
