"""What a handler is called with."""

from collections.abc import Callable
from typing import Any

import pytest

from routelet import Context, Cookies, Request
from routelet.app import App
from routelet.routing import Route


def context(path: str = "/", *, prerendering: bool = False, **manifest: Any) -> Context:
    app = App({"routes": [], **manifest}, prerendering=prerendering)
    return Context(app, Request(path))


def test_a_context_of_an_unknown_url() -> None:
    ctx = context("/x?y=z")
    assert (ctx.url.path, ctx.url.search_params["y"]) == ("/x", "z")
    assert (ctx.params, ctx.props, ctx.locals) == ({}, {}, {})
    assert (ctx.route_pattern, ctx.site, ctx.generator) == ("", None, "routelet")
    assert not ctx.is_prerendered


def test_what_the_site_says_of_itself() -> None:
    ctx = context(site="https://a.b", generator="routelet 1", prerendering=True)
    assert (ctx.site, ctx.generator) == ("https://a.b", "routelet 1")
    assert ctx.is_prerendered


def test_its_route_is_named_as_its_file_is() -> None:
    ctx = Context(App({"routes": []}), Request("/"), route=Route("/blog/[slug]", "^/blog/(.+)$"))
    assert ctx.route_pattern == "/blog/[slug]"


def test_parameters_and_props_are_copies_and_locals_are_shared() -> None:
    given: dict[str, str | None] = {"a": "b"}
    shared: dict[str, object] = {}
    ctx = Context(App({"routes": []}), Request("/"), params=given, props=given, locals=shared)
    ctx.params["a"] = ctx.props["a"] = "changed"
    ctx.locals["seen"] = True
    assert given == {"a": "b"}
    assert shared == {"seen": True}


def test_the_address_of_the_client_is_an_error_where_none_is_known() -> None:
    ctx = context()
    with pytest.raises(RuntimeError, match="no client address"):
        _ = ctx.client_address
    ctx.request.client_address = "192.0.2.1"
    assert ctx.client_address == "192.0.2.1"


def test_cookies_are_those_of_the_request() -> None:
    ctx = context()
    ctx.cookies.set("a", "b")
    assert isinstance(ctx.cookies, Cookies)
    assert ctx.request.cookies.get("a") == "b"


def test_a_redirect_is_302_where_nothing_is_said() -> None:
    assert context().redirect("/x").status == 302
    assert context().redirect("/x", 308).headers["location"] == "/x"


@pytest.mark.parametrize(
    ("manifest", "url"),
    [
        ({}, "/blog/a%20b"),
        ({"base": "/docs"}, "/docs/blog/a%20b"),
        ({"base": "/docs", "trailing_slash": "always"}, "/docs/blog/a%20b/"),
    ],
)
def test_the_url_of_a_route_is_below_the_base(manifest: dict[str, Any], url: str) -> None:
    assert context(**manifest).url_for("/blog/[slug]", slug="a b") == url


def test_a_parameter_may_be_named_route() -> None:
    assert context().url_for("/[route]/[self]", route="a", self="b") == "/a/b"


def test_a_template_is_rendered_by_the_module_that_a_build_makes(
    write: Callable[[str, str], None],
) -> None:
    write("site_templates/__init__.py", "")
    write(
        "site_templates/environment.py",
        """
        def render(name, /, **values):
            return f"{name} {values['ctx'].url.path} {values['name']}"
        """,
    )
    response = context("/here").render("layouts/a.jinja", name="n")
    assert response.text() == "layouts/a.jinja /here n"
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.usefixtures("source_root")
def test_a_function_without_templates_says_so() -> None:
    with pytest.raises(ModuleNotFoundError, match="site_templates"):
        context().render("a.jinja")
