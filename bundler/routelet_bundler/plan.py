"""Plan: on-demand pages to functions, each with its name, its handler and what it reaches."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from routelet_bundler.model import Adapter, Config, Page, Planned, RouteConfig, Site
from routelet_bundler.safe_names import function_name, unique

SINGLE_ENTRY = "entry.py"
"""The entry module of one function for all routes, and of a handler that would be too long."""


def plan(
    site: Site, config: Config, adapter: Adapter, page_modules: Mapping[str, str]
) -> tuple[Planned, ...]:
    """Return the functions of a site.

    `page_modules` are the dotted modules of pages that are no Python, and of error pages that
    were prerendered, by component.
    """
    pages = [page for page in site.pages if not page.prerender]
    if not pages:
        return ()
    shared = partial(_planned, site=site, config=config, adapter=adapter, page_modules=page_modules)
    if not adapter.adapter_features.function_per_route:
        return (shared("site", pages, SINGLE_ENTRY),)
    names = unique({page.file: function_name(page.entry) for page in pages})
    return tuple(shared(names[page.file], [page], page.entry) for page in pages)


def _planned(
    name: str,
    pages: Sequence[Page],
    entry: str,
    *,
    site: Site,
    config: Config,
    adapter: Adapter,
    page_modules: Mapping[str, str],
) -> Planned:
    handler, entry_in_zip = _handler(entry, adapter)
    error_pages = {
        status: page for status in (404, 500) if (page := site.error_page(status)) is not None
    }
    manifest = {
        "routes": tuple(_route(page, page_modules) for page in pages),
        **_settings(config, site),
    }
    if error_pages:
        manifest["error_pages"] = {
            status: _error_page(page, page_modules) for status, page in error_pages.items()
        }
    return Planned(
        name=name,
        pages=tuple(pages),
        entry=entry_in_zip,
        entry_on_disk=entry,
        handler=handler,
        config=_merged(pages),
        manifest=manifest,
        modules=tuple(_modules(manifest, adapter)),
    )


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


def _settings(config: Config, site: Site) -> dict[str, Any]:
    """Return what a function's manifest says beside its routes: only what is not the default."""
    said = {
        "base": config.base if config.base != "/" else None,
        "site": config.site,
        "middleware": site.middleware,
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


def _error_page(page: Page, page_modules: Mapping[str, str]) -> dict[str, Any]:
    return {"params": (), **_module(page, page_modules)}


def _module(page: Page, page_modules: Mapping[str, str]) -> dict[str, Any]:
    generated = page_modules.get(page.route.component or "")
    if generated:
        return {"module": generated}
    return {"module": page.module, "source": f"pages/{page.file}"}


def _modules(manifest: Mapping[str, Any], adapter: Adapter) -> Iterable[str]:
    yield adapter.server_entrypoint
    yield from (route["module"] for route in manifest["routes"])
    yield from (page["module"] for page in manifest.get("error_pages", {}).values())
    if "middleware" in manifest:
        yield manifest["middleware"]


def _merged(pages: Sequence[Page]) -> RouteConfig:
    """Return the configuration of a function: the most that one of its pages asks for."""
    if len(pages) == 1:
        return pages[0].config
    configs = [page.config for page in pages]
    merged: dict[str, Any] = {"environment": {}}
    for config in configs:
        merged["environment"] |= config.environment
    for key in ("memory", "timeout", "ephemeral_storage"):
        merged[key] = max((getattr(c, key) for c in configs if getattr(c, key)), default=None)
    for key in ("include", "exclude"):
        merged[key] = tuple(dict.fromkeys(one for c in configs for one in getattr(c, key)))
    merged["policies"] = tuple(one for c in configs for one in c.policies)
    return RouteConfig.model_construct(**merged)
