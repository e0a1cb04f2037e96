"""What a handler is called with."""

from importlib import import_module

from routelet.http import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.app import App
    from routelet.cookies import Cookies
    from routelet.http import URL, Request
    from routelet.routing import Route

    Rewritable = str | URL | Request


TEMPLATES = "site_templates.environment"
"""The module that renders compiled templates, made by a build."""


class Context:
    """The request, and what the site knows about it.

    `params` holds the path parameters as decoded text, `props` what `get_static_paths` gave,
    `locals` what middleware leaves for the page.
    """

    __slots__ = ("_app", "_depth", "locals", "params", "props", "request", "route")

    def __init__(
        self,
        app: "App",
        request: "Request",
        *,
        route: "Route | None" = None,
        params: "Mapping[str, str | None] | None" = None,
        props: "Mapping[str, object] | None" = None,
        locals: "dict[str, object] | None" = None,
        depth: int = 0,
    ) -> None:
        self._app = app
        self._depth = depth
        self.request = request
        self.route = route
        self.params = dict(params or {})
        self.props = dict(props or {})
        self.locals: dict[str, object] = {} if locals is None else locals

    @property
    def url(self) -> "URL":
        """The URL of the request."""
        return self.request.url

    @property
    def site(self) -> str | None:
        """The `site` of the configuration."""
        return self._app.site

    @property
    def generator(self) -> str:
        """The text for `<meta name="generator">`."""
        return self._app.generator

    @property
    def cookies(self) -> "Cookies":
        """The cookies that came, and those to be set."""
        return self.request.cookies

    @property
    def client_address(self) -> str:
        """The address of the client; raises `RuntimeError` where the host gave none."""
        if self.request.client_address is None:
            raise RuntimeError(
                "this host gives no client address (none is known at build time: there "
                "set prerender = False)"
            )
        return self.request.client_address

    @property
    def route_pattern(self) -> str:
        """The route as its file says it, such as `/blog/[slug]`; empty for an unknown URL."""
        return self.route.route if self.route else ""

    @property
    def is_prerendered(self) -> bool:
        """Tell whether the page is rendered at build time."""
        return self._app.prerendering

    @property
    def logger(self) -> "Any":
        """The Logger of aws-lambda-powertools; raises `RuntimeError` where it is off."""
        return self._powertool("logger")

    @property
    def tracer(self) -> "Any":
        """The Tracer of aws-lambda-powertools; raises `RuntimeError` where it is off."""
        return self._powertool("tracer")

    @property
    def metrics(self) -> "Any":
        """The Metrics of aws-lambda-powertools; raises `RuntimeError` where they are off."""
        return self._powertool("metrics")

    def _powertool(self, name: str) -> "Any":
        if self._app.powertools is None:
            raise RuntimeError(
                f"ctx.{name} is off: it is there with `powertools = true` of the aws-lambda "
                "adapter, in a function (not while prerendering)"
            )
        return getattr(self._app.powertools, name)

    def redirect(self, location: "str | URL", status: int = 302) -> Response:
        """Return a redirect."""
        return Response.redirect(location, status)

    def rewrite(self, target: "Rewritable") -> Response:
        """Return what another route of this function answers, middleware included."""
        return self._app.rewrite(self, target)

    def render(self, template: str, /, **values: object) -> Response:
        """Return the page of a compiled template, named by its path below `src/`."""
        # 38 ms of jinja2, only for pages with templates; named in a variable, because a function
        # has the module only where one of its pages renders a template.
        templates = import_module(TEMPLATES)
        return Response.html(templates.render(template, ctx=self, **values))

    def asset(self, name: str) -> str:
        """Return the URL path of a file of `public/`, which changes with its content.

        Raises `LookupError` for a file that is not there, or that the build could not know of.
        """
        return self._app.asset(name)

    def url_for(self, route: str, /, **params: object) -> str:
        """Return the URL path of `route`, such as `/blog/[slug]`, with these parameters."""
        from routelet.routing import url_for  # loaded already  # noqa: PLC0415

        app = self._app
        return url_for(route, params, app.base, trailing_slash=app.trailing_slash)
