"""Discover: `src/pages/**` and the configuration to a `Site`.

Goes in: the site's folder and its `Config`. Comes out: routes in matching order with their pages,
read but never imported. Collisions are told, not raised: a listing of routes can live with them.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from routelet.routing import Route
from routelet_bundler.discover.names import (
    InvalidRouteError,
    make_route,
    parse_route,
    parse_segment,
)
from routelet_bundler.discover.order import in_order
from routelet_bundler.discover.page_source import (
    PageFacts,
    front_matter_facts,
    python_facts,
)
from routelet_bundler.discover.route_globs import most_specific
from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.model import Config, Kind, Page, RouteConfig, Site
from routelet_bundler.safe_names import data_path, entry_path, safe_stems
from routelet_bundler.sources import split_front_matter

_KINDS: Mapping[str, Kind] = {".py": "py", ".jinja": "jinja", ".md": "md", ".html": "html"}


def discover(root: Path, config: Config) -> Site:
    """Return the site at `root`.

    Raises `RouteletError`, for every faulty page at once.
    """
    src = root / config.src_dir
    pages_root = src / "pages"
    files = _files_below(src, root)
    below_pages = [file[len("pages/") :] for file in files if file.startswith("pages/")]
    names = [name for name in below_pages if not _is_private(name)]
    ours = [name for name in names if PurePosixPath(name).suffix in _KINDS]
    warnings = [
        f"{config.src_dir}/pages/{name}: not a page (.py, .jinja, .md or .html); "
        "begin its name with _ to say so"
        for name in names
        if name not in ours
    ]
    stems = safe_stems(name for name in below_pages if name.endswith(tuple(_KINDS)))
    pages, errors = [], []
    for name in ours:
        try:
            pages.append(_page(pages_root, name, stems[name], config))
        except RouteletError as error:
            errors.append(error)
    raise_all(errors)
    routes = in_order(page.route for page in pages)
    by_route = {page.route: page for page in pages}
    ordered = tuple(by_route[route] for route in routes)
    return Site(
        root=root,
        src=src,
        routes=(*routes, *in_order(_redirects(config))),
        pages=ordered,
        middleware=_middleware(files),
        files=_by_archive(files, stems),
        collisions=tuple(_collisions(ordered)),
        warnings=tuple(warnings),
    )


def _files_below(folder: Path, root: Path) -> dict[str, Path]:
    """Return every file below `folder` by its relative path, links inside the site followed.

    Raises `RouteletError` for a link that leads out of the site: what is outside is not the
    site's to publish.
    """
    found: dict[str, Path] = {}
    outside = []
    real_root = root.resolve()
    for here, folders, names in os.walk(folder, followlinks=True):
        place = Path(here)
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in (*folders, *names):
            path = place / name
            if path.is_symlink() and not path.resolve().is_relative_to(real_root):
                outside.append(_outside(path, root))
                folders[:] = [kept for kept in folders if kept != name]
            elif path.is_symlink() and place.resolve().is_relative_to(path.resolve()):
                folders[:] = [kept for kept in folders if kept != name]  # a loop
            elif name in names:
                found[path.relative_to(folder).as_posix()] = path
    raise_all(outside)
    return found


def refuse_links_outside(folder: Path, root: Path) -> None:
    """Raise `RouteletError` where a link below `folder` leads out of the site."""
    _files_below(folder, root)


def _outside(path: Path, root: Path) -> RouteletError:
    return RouteletError(
        f"is a link to {path.readlink()}, outside of the site",
        where=path.relative_to(root).as_posix(),
        mend="copy the file into the site, or remove the link",
    )


def _is_private(name: str) -> bool:
    """Tell whether a file is no route: `_` or `.` begins its name or that of a folder above."""
    *folders, file = PurePosixPath(name).parts
    return any(
        part.startswith("_") or (part.startswith(".") and part != ".well-known")
        for part in (*folders, file)
    )


def _page(pages_root: Path, name: str, stem: str, config: Config) -> Page:
    where = f"{config.src_dir}/pages/{name}"
    kind = _KINDS[PurePosixPath(name).suffix]
    source = pages_root / name
    try:
        text = source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RouteletError(f"is no UTF-8 text: {error.reason}", where=where) from None
    facts = _facts(kind, text, where)
    prerender = config.output != "server" if facts.prerender is None else facts.prerender
    try:
        route = parse_route(
            name,
            trailing_slash=config.trailing_slash,
            base=config.base,
            component=where,
            prerender=prerender,
        )
    except InvalidRouteError as error:
        raise RouteletError(str(error), where=where, mend="rename the file") from None
    return Page(
        route=route,
        source=source,
        file=name,
        kind=kind,
        text=text,
        prerender=prerender,
        has_static_paths=facts.has_static_paths,
        module="pages." + stem.replace("/", "."),
        entry=entry_path(stem),
        config=_config_of(route, facts.config, config),
    )


def _facts(kind: Kind, text: str, where: str) -> PageFacts:
    if kind == "py":
        return python_facts(text, where)
    if kind == "html":
        return PageFacts()
    front_matter, _, _ = split_front_matter(text, where)
    return front_matter_facts(front_matter, where)


def _config_of(route: Route, own: RouteConfig, config: Config) -> RouteConfig:
    """Lay the page's own values over those of the globs, the most specific glob first."""
    merged = own
    for pattern in most_specific(config.routes, route.route):
        merged = merged.over(config.routes[pattern])
    return merged


def _redirects(config: Config) -> Iterable[Route]:
    for source, redirect in config.redirects.items():
        segments = [parse_segment(part, source) for part in source.strip("/").split("/") if part]
        yield make_route(
            segments,
            trailing_slash=config.trailing_slash,
            base=config.base,
            type="redirect",
            redirect=(redirect.destination, redirect.status),
        )


def _middleware(files: Mapping[str, Path]) -> str | None:
    return "middleware" if {"middleware.py", "middleware/__init__.py"} & files.keys() else None


def _by_archive(files: Mapping[str, Path], stems: Mapping[str, str]) -> dict[str, Path]:
    """Return the files by their path in a zip: names below `pages/` are made safe there."""
    by_archive = {}
    for name, path in files.items():
        archive = name
        if name.startswith("pages/"):
            below = name[len("pages/") :]
            is_module = below.endswith(".py")
            archive = f"pages/{stems[below]}.py" if is_module else f"pages/{data_path(below)}"
        by_archive[archive] = path
    return by_archive


def _collisions(pages: Iterable[Page]) -> Iterable[RouteletError]:
    """Yield an error for each page that can never answer, because another one does.

    As Astro's detectRouteCollision: static routes, and dynamic ones that are not prerendered
    (those that are may list different paths).
    """
    first: dict[str, Page] = {}
    for page in pages:
        if page.prerender and page.route.params:
            continue
        other = first.setdefault(page.route.pattern, page)
        if other is not page:
            yield RouteletError(
                f"answers the same URLs as {other.route.component}: {page.route.route}",
                where=page.route.component or "",
                mend="rename one of the two files, or remove it",
            )
