"""Pages: a file to a `Page`, by what its source says and where it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from routelet.routing import Route
from routelet_bundler.discover.page_memory import PageMemory
from routelet_bundler.discover.page_source import PageFacts
from routelet_bundler.discover.route_globs import most_specific
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Config, Kind, Page, RouteConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page stands, and the names that it has by that; see `Page`."""

    source: Path
    kind: Kind
    label: str
    """How people know the file."""
    file: str
    module: str
    entry: str
    path_in_src: str | None = None
    prerender: bool | None = None
    """What goes before the word of the page itself, and the integration that said so."""
    said_by: str = ""


def page_at(
    place: Place, route_of: Callable[[bool], Route], *, config: Config, memory: PageMemory
) -> Page | None:
    """Read a page, whose route `route_of` gives once it is known when it is rendered.

    A draft is none. Raises `RouteletError`, and what `route_of` raises.
    """
    facts, digest = memory.facts(place.source, place.kind, place.label)
    if facts.is_draft:
        return None
    prerender = _is_prerendered(place, facts, config)
    if config.output == "static" and not prerender:
        raise _refused_by_static(place, facts)
    route = route_of(prerender)
    return Page(
        route=route,
        source=place.source,
        file=place.file,
        kind=place.kind,
        digest=digest,
        layout=facts.layout,
        layout_line=facts.layout_line,
        prerender=prerender,
        has_static_paths=facts.has_static_paths,
        module=place.module,
        entry=place.entry,
        path_in_src=place.path_in_src,
        config=_config_of(route, facts.config, config),
    )


def _is_prerendered(place: Place, facts: PageFacts, config: Config) -> bool:
    said = facts.prerender if place.prerender is None else place.prerender
    return config.output != "server" if said is None else said


def _refused_by_static(place: Place, facts: PageFacts) -> RouteletError:
    said = "prerender = False"
    where = f"{place.label}:{facts.prerender_line}"
    if place.prerender is not None:
        said, where = "prerender=False of inject_route", place.said_by
    return RouteletError(
        'is rendered on demand, and output = "static" has nothing that is',
        where=where,
        mend=f'remove {said}, or set output = "hybrid" and an adapter',
    )


_UNSAID = RouteConfig()
"""The configuration of a page that says nothing; one for all of them."""


def _config_of(route: Route, own: RouteConfig | None, config: Config) -> RouteConfig:
    """Lay the page's own values over those of the globs, the most specific glob first."""
    merged = own or _UNSAID
    for pattern in most_specific(config.routes, route.route):
        merged = merged.over(config.routes[pattern])
    return merged
