"""Prerender: routes that are the same for everyone, to files in `dist/client/`.

The pages run in a process of their own, with the site's dependencies and nothing of the build.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.interpreters import run_isolated
from routelet_bundler.model import Config, Page, Prerendered, Site

_WORKER = Path(__file__).with_name("prerender_worker.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The files that were written, and what is worth telling."""

    pages: tuple[Prerendered, ...]
    warnings: tuple[str, ...]


def prerender(
    site: Site,
    config: Config,
    page_modules: Mapping[str, str],
    *,
    interpreter: Path,
    path: Sequence[Path],
    out: Path,
) -> Rendered:
    """Render every prerendered route below `out`.

    `path` is where modules are looked for. Raises `RouteletError` for a dynamic route without
    `get_static_paths`, and for a page that fails, with its own frames of the traceback.
    """
    pages = [page for page in site.pages if page.prerender]
    raise_all([_lacks_static_paths(page) for page in pages if _is_unlisted(page)])
    if not pages:
        return Rendered(pages=(), warnings=())
    job = {
        "path": [str(folder) for folder in path],
        "own": [str(site.src), str(out.parent)],
        "out": str(out),
        "format": config.build.format,
        "origin": (config.site or "http://localhost").rstrip("/"),
        "manifest": _manifest(site, config, page_modules),
    }
    environment = {"HOME": str(Path.home())}
    done = run_isolated(
        interpreter, _WORKER, json.dumps(job).encode(), environment=environment, cwd=site.root
    )
    if done.returncode:
        raise RouteletError(f"prerendering stopped: {done.stderr.decode().strip()}")
    result = json.loads(done.stdout)
    if result["error"]:
        raise _failed(result["error"], site)
    return Rendered(
        pages=tuple(Prerendered(**page) for page in result["pages"]),
        warnings=tuple(result["warnings"]),
    )


def _is_unlisted(page: Page) -> bool:
    return bool(page.route.params) and not page.has_static_paths


def _lacks_static_paths(page: Page) -> RouteletError:
    return RouteletError(
        "is dynamic and prerendered, and has no get_static_paths",
        where=f"{page.route.component}:1",
        mend="define get_static_paths(), or set prerender = False",
    )


def _manifest(site: Site, config: Config, page_modules: Mapping[str, str]) -> dict[str, Any]:
    routes = []
    for page in site.pages:
        route = page.route
        generated = page_modules.get(route.component or "")
        routes.append(
            {
                "route": route.route,
                "pattern": route.pattern,
                "params": route.params,
                "component": route.component,
                "prerender": page.prerender,
                "is_index": route.is_index,
                "module": generated or page.module,
                "source": None if generated else f"pages/{page.file}",
            }
        )
    return {
        "routes": routes,
        "base": config.base,
        "trailing_slash": config.trailing_slash,
        "site": config.site,
        "middleware": site.middleware,
    }


def _failed(error: Mapping[str, Any], site: Site) -> RouteletError:
    file = Path(error["file"])
    inside = file.is_relative_to(site.root)
    where = f"{file.relative_to(site.root)}:{error['line']}" if inside else error["component"]
    trace = f"\n{error['trace'].rstrip()}" if error["trace"] else ""
    return RouteletError(
        f"{error['what']} (prerendering {error['url']} of {error['component']})",
        where=where,
        mend=f"mend the page, or set prerender = False{trace}",
    )
