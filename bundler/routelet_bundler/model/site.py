"""What `src/pages/` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from routelet.routing import Route
from routelet_bundler.errors import RouteletError
from routelet_bundler.model.configuration import RouteConfig
from routelet_bundler.model.injection import InjectedFile

Kind = Literal["py", "jinja", "md", "html"]
"""What a page is written in: the extension of its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A file under `src/pages/` that answers a route, or one that an integration injected."""

    route: Route
    source: Path
    file: str
    """Path below `src/pages/`, with `/` between its parts; of an injected page its route.

    No two pages have the same: a route begins with a slash.
    """
    kind: Kind
    digest: str
    """SHA-256 of the file."""
    prerender: bool
    has_static_paths: bool
    module: str
    """Dotted name that the page is imported by: `pages.blog._slug_`."""
    entry: str
    """Path of its entry module below `dist/`: `pages/blog/entry__slug_.py`."""
    config: RouteConfig
    path_in_src: str | None = None
    """Path below `src/`; None for what is elsewhere."""
    layout: str | None = None
    """The template around a Markdown page, by its path below `src/`."""
    layout_line: int = 1

    @property
    def archive(self) -> str:
        """Path of a Python page in a zip: `pages/blog/_slug_.py`."""
        return self.module.replace(".", "/") + ".py"

    @property
    def is_injected(self) -> bool:
        """Whether an integration gave it its route."""
        return self.file.startswith("/")

    @property
    def included_as(self) -> str:
        """What `include` knows it by."""
        return self.path_in_src or self.route.component or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What `src/pages/` and the configuration say: routes in matching order, and their pages."""

    root: Path
    src: Path
    routes: tuple[Route, ...]
    pages: tuple[Page, ...]
    middleware: tuple[str, ...]
    """Dotted names of the middleware modules, the outermost first."""
    files: Mapping[str, Path]
    """Every file under `src/` by its path in a zip."""
    injected: tuple[InjectedFile, ...]
    """Python files from elsewhere that integrations named."""
    collisions: tuple[RouteletError, ...]
    warnings: tuple[str, ...]

    def page_of(self, route: Route) -> Page | None:
        """Return the page of `route`; a redirect has none."""
        return next((page for page in self.pages if page.route is route), None)

    def error_page(self, status: int) -> Page | None:
        """Return the page for 404 or 500, a file of that name at the top of `src/pages/`."""
        return next((page for page in self.pages if page.route.route == f"/{status}"), None)
