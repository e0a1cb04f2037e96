"""Discover: `src/pages/**` and the configuration to a `Site`.

Goes in: the site's folder and its `Config`. Comes out: routes in matching order with their pages,
read but never imported. Collisions are told, not raised: a listing of routes can live with them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from posixpath import splitext
from urllib.parse import urlsplit

from routelet.routing import Route
from routelet_bundler.config import TABLE, config_error, read_document
from routelet_bundler.discover.injected import Entrypoints, injected_pages
from routelet_bundler.discover.names import (
    KINDS,
    UNWRITABLE,
    InvalidRouteError,
    make_route,
    parse_route,
    parse_segment,
)
from routelet_bundler.discover.order import in_order
from routelet_bundler.discover.overlaps import overlap_warnings
from routelet_bundler.discover.page_memory import PageMemory
from routelet_bundler.discover.pages import Place, page_at
from routelet_bundler.discover.tree import files_below
from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.model import Config, Injections, Kind, Page, Redirect, Site
from routelet_bundler.safe_names import data_path, entry_path, safe_stems

_NOTHING = Injections()


def discover(
    root: Path,
    config: Config,
    memory: PageMemory | None = None,
    injections: Injections = _NOTHING,
) -> Site:
    """Return the site at `root`; `memory` is of pages that were read before.

    Raises `RouteletError`, for every faulty page at once.
    """
    src = root / config.src_dir
    files = files_below(src, root)
    below_pages = [file[len("pages/") :] for file in files if file.startswith("pages/")]
    names = [name for name in below_pages if not _is_private(name)]
    kinds = {name: kind for name in names if (kind := KINDS.get(splitext(name)[1]))}
    modules = (name for name in below_pages if name.endswith(".py"))
    stems = safe_stems(dict.fromkeys([*kinds, *modules]))
    memory = memory or PageMemory()
    if memory.is_new:
        memory.learn([(files[f"pages/{name}"], kind) for name, kind in kinds.items()])
    pages, errors = [], []
    for name, kind in kinds.items():
        try:
            page = _page(
                files[f"pages/{name}"], name, kind, stems[name], config=config, memory=memory
            )
            pages += [page] if page else []
        except RouteletError as error:
            errors.append(error)
    by_archive = _by_archive(files, stems)
    entrypoints = Entrypoints(root, src, by_archive, injections)
    injected, wrong = injected_pages(
        injections.routes, entrypoints, {*stems.values()}, config=config, memory=memory
    )
    pages += injected
    redirects, faulty = _redirects(root, config)
    raise_all([*errors, *wrong, *faulty, *_shared_error_pages(pages)])
    routes = in_order(page.route for page in pages)
    by_route = {page.route: page for page in pages}
    ordered = tuple(by_route[route] for route in routes)
    routes += in_order(redirects)
    overlaps = overlap_warnings(routes, base=config.base, trailing_slash=config.trailing_slash)
    return Site(
        root=root,
        src=src,
        routes=routes,
        pages=ordered,
        middleware=(
            *entrypoints.modules(injections.middleware, "pre"),
            *_middleware(files),
            *entrypoints.modules(injections.middleware, "post"),
        ),
        files=by_archive,
        injected=entrypoints.files,
        collisions=tuple(_collisions(ordered, injections)),
        warnings=(*_warnings(config, names, kinds, injected), *overlaps),
    )


def _warnings(
    config: Config, names: Sequence[str], pages: Collection[str], injected: Sequence[Page]
) -> Iterable[str]:
    """Yield a warning for each file that is no page, and where there is none at all."""
    others = [name for name in names if name not in pages]
    for name in others:
        yield (
            f"{_where(config, name)}: not a page (.py, .jinja, .md or .html); "
            "begin its name with _ to say so"
        )
    if len(others) == len(names) and not injected:
        yield f"{_where(config, '')}: there are no pages"


def _where(config: Config, name: str) -> str:
    """Return the path of a file below `src/pages/` as people write it, wild characters escaped."""
    path = f"{config.src_dir}/pages/{name}".rstrip("/").removeprefix("./")
    return UNWRITABLE.sub(lambda found: ascii(found[0])[1:-1], path)


def _is_private(name: str) -> bool:
    """Tell whether a file is no route: `_` or `.` begins its name or that of a folder above."""
    return any(
        part.startswith("_") or (part.startswith(".") and part != ".well-known")
        for part in name.split("/")
    )


def _page(
    source: Path, name: str, kind: Kind, stem: str, *, config: Config, memory: PageMemory
) -> Page | None:
    """Read a page; a draft is none."""
    place = Place(
        source=source,
        kind=kind,
        label=_where(config, name),
        file=name,
        module="pages." + stem.replace("/", "."),
        entry=entry_path(stem),
        path_in_src=f"pages/{name}",
    )
    try:
        return page_at(place, partial(_route, place, config), config=config, memory=memory)
    except InvalidRouteError as error:
        raise RouteletError(str(error), where=place.label, mend="rename the file") from None


def _route(place: Place, config: Config, prerender: bool) -> Route:
    return parse_route(
        place.file,
        trailing_slash=config.trailing_slash,
        base=config.base,
        component=place.label,
        prerender=prerender,
    )


def _shared_error_pages(pages: Iterable[Page]) -> Iterable[RouteletError]:
    """Yield an error for an error page whose file answers another route too.

    What a function has of a prerendered error page is its text, by the page's file.
    """
    pages = tuple(pages)
    for error in (page for page in pages if page.route.route in {"/404", "/500"}):
        for other in pages:
            if other is not error and other.source == error.source:
                yield RouteletError(
                    f"answers {error.route.route}, an error page, and {other.route.route}",
                    where=error.route.component or "",
                    mend="give the error page a file of its own",
                )


def _redirects(root: Path, config: Config) -> tuple[list[Route], list[RouteletError]]:
    """Return the routes of `redirects`, and what is wrong with the others."""
    routes, errors = [], []
    for source, redirect in config.redirects.items():
        try:
            routes.append(_redirect(source, redirect, config))
        except InvalidRouteError as error:
            _, text = read_document(root)
            mend = "write both as a page's file name, such as /old/[id] and /new/[id]"
            keys = (*TABLE, "redirects", source)
            errors.append(config_error(f'"{source}": {error}', keys, text, mend=mend))
    return routes, errors


def _redirect(source: str, redirect: Redirect, config: Config) -> Route:
    parts = [part for part in source.strip("/").split("/") if part]
    route = make_route(
        [parse_segment(part) for part in parts],
        trailing_slash=config.trailing_slash,
        base=config.base,
        type="redirect",
        redirect=(redirect.destination, redirect.status),
    )
    path = urlsplit(redirect.destination).path
    for part in (part for name in path.split("/") for part in parse_segment(name)):
        if part.dynamic and part.name not in route.params:
            raise InvalidRouteError(
                f'the destination needs the parameter "{part.name}", which the source has not'
            )
    return route


def _middleware(files: Mapping[str, Path]) -> tuple[str, ...]:
    is_there = {"middleware.py", "middleware/__init__.py"} & files.keys()
    return ("middleware",) if is_there else ()


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


def _collisions(pages: Iterable[Page], injections: Injections) -> Iterable[RouteletError]:
    """Yield an error for each page that can never answer, because another one does.

    As Astro's detectRouteCollision: static routes, and dynamic ones that are not prerendered
    (those that are may list different paths).
    """
    by = {one.pattern: one.integration for one in injections.routes}
    first: dict[str, Page] = {}
    for page in pages:
        if page.prerender and page.route.params:
            continue
        other = first.setdefault(page.route.pattern, page)
        if other is not page:
            names = dict.fromkeys(by[one.file] for one in (other, page) if one.is_injected)
            yield RouteletError(
                f"answers the same URLs as {other.route.component}: {page.route.route}",
                where=page.route.component or "",
                mend=f"rename the page, or leave out the integration {' or '.join(names)}"
                if names
                else "rename one of the two files, or remove it",
            )
