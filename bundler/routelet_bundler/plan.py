"""Plan: on-demand pages to functions, each with its name, its handler and what it reaches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from routelet.http import URL
from routelet.routing import Route, match_route
from routelet.signing import KEY_VARIABLE
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.file_globs import is_meant
from routelet_bundler.grouping import SINGLE_NAME, shared_config, split_of
from routelet_bundler.model import (
    Adapter,
    Config,
    Group,
    Page,
    Planned,
    Rewrite,
    RouteConfig,
    Site,
)
from routelet_bundler.safe_names import function_name, group_entry, group_names, unique

SINGLE_ENTRY = "entry.py"
"""The entry module of one function for all routes, and of a handler that would be too long."""
SIGNING = "routelet.signing"
"""What a server entrypoint checks the word of the middleware with; no other function has it."""
COMPOSING = "routelet.middleware"
"""What loads and composes middleware; no function without any has it."""
MIDDLEWARE_NAME = "middleware"
"""The function that runs the middleware; no other has its name while there is one."""
MIDDLEWARE_ENTRY = "middleware.py"
"""Its entry module below `dist/`; in its zip that is `SINGLE_ENTRY`, beside the site's own."""


class Planner:
    """Plans the functions of one site.

    `page_modules` are the dotted modules of pages that are no Python, and of error pages that
    were prerendered, by component.
    """

    def __init__(
        self, site: Site, config: Config, adapter: Adapter, page_modules: Mapping[str, str]
    ) -> None:
        self._site = site
        self._config = config
        self.adapter = adapter
        self._page_modules = page_modules
        self._order = {page.file: number for number, page in enumerate(site.pages)}
        self._on_demand = [page for page in site.pages if not page.prerender]
        self._reserved = {MIDDLEWARE_NAME} if has_edge_middleware(site, adapter) else set[str]()
        self._names = unique(
            {page.file: function_name(page.entry) for page in self._on_demand}, self._reserved
        )
        self._error_pages = {
            status: _error_page(page, page_modules)
            for status in (404, 500)
            if (page := site.error_page(status)) is not None
        }

    def plan(self) -> tuple[Planned, ...]:
        """Return a function for each on-demand page: what is traced, whatever is shared later."""
        return tuple(
            self._planned(self._names[page.file], [page], page.entry) for page in self._on_demand
        )

    def plan_middleware(self) -> Planned | None:
        """Return the function that runs the middleware before all others, if there is one.

        It knows every route of the site, and has none of their pages.
        """
        adapter, site = self.adapter, self._site
        if not has_edge_middleware(site, adapter):
            return None
        export = adapter.exports[0] if adapter.middleware_entrypoint else "on_request"
        manifest = {
            "routes": tuple(map(_address, site.routes)),
            **_settings(self._config, {"middleware": site.middleware}),
        }
        host = adapter.middleware_host
        return Planned(
            name=MIDDLEWARE_NAME,
            pages=(),
            reached=(),
            entry=SINGLE_ENTRY,
            entry_on_disk=MIDDLEWARE_ENTRY,
            handler=f"{SINGLE_ENTRY.removesuffix('.py')}.{export}",
            config=host.config if host else RouteConfig(),
            manifest=manifest,
            modules=tuple(filter(None, (adapter.middleware_entrypoint, *_middleware(manifest)))),
            is_middleware=True,
        )

    def plan_groups(self, groups: Sequence[Group]) -> tuple[Planned, ...]:
        """Return a function for each of `groups`; pages in none of them have their own.

        A group without a name has that of its first page by code point, which no other has: it
        stays as it is when other pages come and go. Raises `RouteletError` for pages whose
        configurations contradict each other.
        """
        if split_of(self.adapter) == "single":
            return tuple(self._planned(SINGLE_NAME, one.pages, SINGLE_ENTRY) for one in groups)
        firsts = [min(one.pages, key=lambda page: page.file) for one in groups]
        inside = {page.file for one in groups for page in one.pages}
        alone = [page for page in self._on_demand if page.file not in inside]
        alone += [page for page, one in zip(firsts, groups, strict=True) if one.name is None]
        named = group_names(
            [one.name for one in groups if one.name is not None],
            taken={
                *(self._names[page.file] for page in alone),
                *(page.entry for page in alone),
                *self._reserved,
            },
        )
        return tuple(
            self._planned(self._names[first.file], one.pages, first.entry)
            if one.name is None
            else self._planned(named[one.name], one.pages, group_entry(named[one.name]))
            for one, first in zip(groups, firsts, strict=True)
        )

    def _planned(self, name: str, pages: Sequence[Page], entry: str) -> Planned:
        handler, entry_in_zip = _handler(entry, self.adapter)
        config = shared_config(pages, self.adapter)
        if KEY_VARIABLE in config.environment and has_edge_middleware(self._site, self.adapter):
            raise RouteletError(
                f"sets {KEY_VARIABLE}, which deployment makes: here it would be in the repository",
                where=", ".join(page.route.component or page.file for page in pages),
                mend="take it out of environment",
                status=WRONG_USE,
            )
        included = self._included(config, pages) if config.include else ()
        manifest = self._manifest(*pages, *included)
        return Planned(
            name=name,
            pages=tuple(pages),
            reached=included,
            entry=entry_in_zip,
            entry_on_disk=entry,
            handler=handler,
            config=config,
            manifest=manifest,
            modules=tuple(_modules(manifest, self.adapter)),
        )

    def _included(self, config: RouteConfig, own: Iterable[Page]) -> tuple[Page, ...]:
        """Return the pages of other functions that `include` names."""
        others = _others(self._site.pages, own)
        return tuple(
            page
            for page in others
            if not page.prerender
            and any(is_meant(pattern, page.included_as) for pattern in config.include)
        )

    def _manifest(self, *pages: Page) -> dict[str, Any]:
        """Return what a function knows: its pages, in matching order, and the error pages."""
        ordered = sorted(pages, key=lambda page: self._order[page.file])
        manifest = {
            "routes": tuple(_route(page, self._page_modules) for page in ordered),
            **_settings(self._config, self._chain()),
        }
        return {**manifest, "error_pages": self._error_pages} if self._error_pages else manifest

    def _chain(self) -> dict[str, Any]:
        """Return what a function's manifest says of the middleware: its modules, or that it ran."""
        if has_edge_middleware(self._site, self.adapter):
            return {"edge_middleware": True}
        return {"middleware": self._site.middleware or None}

    def with_rewrites(self, planned: Planned, rewrites: Iterable[Rewrite]) -> Planned:
        """Return a function with the pages that it rewrites to; itself where it has them.

        Raises `RouteletError` for a page that is prerendered: no function can answer with it.
        """
        found = {page.file: page for rewrite in rewrites for page in self._targets(rewrite)}
        new = _others(found.values(), [*planned.pages, *planned.reached])
        if not new:
            return planned
        reached = (*planned.reached, *new)
        manifest = self._manifest(*planned.pages, *reached)
        modules = tuple(_modules(manifest, self.adapter))
        return replace(planned, reached=reached, manifest=manifest, modules=modules)

    def _targets(self, rewrite: Rewrite) -> Iterable[Page]:
        for path in rewrite.examples:
            page = self._page_at(path)
            if page is not None and page.prerender:
                raise RouteletError(
                    f"rewrites to {path}, which is prerendered: no function has it",
                    where=rewrite.where,
                    mend=f"set prerender = False in {page.route.component}, or redirect there",
                )
            if page is not None:
                yield page

    def warnings(self, planned: Planned, rewrites: Iterable[Rewrite]) -> Iterable[str]:
        """Yield a warning for each rewrite that may lead to a page the function does not have.

        That of the middleware has none: what it rewrites is asked for by its host.
        """
        for rewrite in () if planned.is_middleware else rewrites:
            if any(map(self._page_at, rewrite.examples)):
                continue
            if len(rewrite.examples) == 1:
                yield f"{rewrite.where}: rewrites to {rewrite.examples[0]}, which no page answers"
            elif not planned.reached and (others := _others(self._site.pages, planned.pages)):
                yield (
                    f"{rewrite.where}: to which page this rewrites is only known when it runs; "
                    "pages of other functions are not there: name them with include, such as "
                    f'include = ["{others[0].included_as}"], or set function-per-route = false'
                )

    def _page_at(self, path: str) -> Page | None:
        found = match_route(self._site.routes, URL(path).canonical_path, self._config.base)
        return self._site.page_of(found[0]) if found else None


def has_edge_middleware(site: Site, adapter: Adapter) -> bool:
    """Tell whether the middleware is a function of its own, and of no other."""
    return adapter.features.edge_middleware and bool(site.middleware)


def _others(pages: Iterable[Page], than: Iterable[Page]) -> list[Page]:
    files = {page.file for page in than}
    return [page for page in pages if page.file not in files]


def _handler(entry: str, adapter: Adapter) -> tuple[str, str]:
    """Return the handler string and the entry module's path in the zip.

    A string longer than the host takes makes the entry a module at the root.
    """
    export = adapter.exports[0] if adapter.exports else ""
    handler = f"{entry.removesuffix('.py')}.{export}"
    limit = adapter.limits.handler_length
    if limit is not None and len(handler) > limit:
        return f"{SINGLE_ENTRY.removesuffix('.py')}.{export}", SINGLE_ENTRY
    return handler, entry


def _settings(config: Config, chain: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a function's manifest says beside its routes: only what is not the default.

    `chain` is what it says of the middleware.
    """
    said = {
        "base": config.base if config.base != "/" else None,
        "site": config.site,
        "trailing_slash": config.trailing_slash if config.trailing_slash != "ignore" else None,
        **chain,
        "method_not_allowed": config.method_not_allowed or None,
        "check_origin": config.security.check_origin or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def _route(page: Page, page_modules: Mapping[str, str]) -> dict[str, Any]:
    return {
        "route": page.route.route,
        "pattern": page.route.pattern,
        "params": page.route.params,
        **_module(page, page_modules),
    }


def _address(route: Route) -> dict[str, Any]:
    """Return what is to be known of a route where its page is not."""
    prerender = {"prerender": True} if route.prerender else {}
    redirect = {"redirect": route.redirect} if route.redirect else {}
    return {
        "route": route.route,
        "pattern": route.pattern,
        "params": route.params,
        **prerender,
        **redirect,
    }


def _error_page(page: Page, page_modules: Mapping[str, str]) -> dict[str, Any]:
    return {"params": (), **_module(page, page_modules)}


def _module(page: Page, page_modules: Mapping[str, str]) -> dict[str, Any]:
    generated = page_modules.get(page.route.component or "")
    if generated:
        return {"module": generated}
    in_place = {"source": page.path_in_src} if page.path_in_src else {}
    return {"module": page.module, **in_place}


def _modules(manifest: Mapping[str, Any], adapter: Adapter) -> Iterable[str]:
    yield adapter.server_entrypoint
    yield from (route["module"] for route in manifest["routes"])
    yield from (page["module"] for page in manifest.get("error_pages", {}).values())
    yield from _middleware(manifest)
    if "edge_middleware" in manifest:
        yield SIGNING


def _middleware(manifest: Mapping[str, Any]) -> Iterable[str]:
    """Yield the dotted modules of the middleware, and what loads them."""
    if "middleware" in manifest:
        yield COMPOSING
        yield from manifest["middleware"]
