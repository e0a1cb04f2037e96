"""What becomes of on-demand routes: functions, planned and traced, with their entry modules."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from routelet_bundler.client import Client, asset_urls
from routelet_bundler.costs import weights_of
from routelet_bundler.emit import entry_module, has_start, source_of
from routelet_bundler.errors import WRONG_USE, RouteletError, raise_all
from routelet_bundler.grouping import groups_of, split_of
from routelet_bundler.model import (
    Adapter,
    Function,
    Group,
    Planned,
    Reached,
    Site,
    Target,
    Traced,
    TracedFile,
)
from routelet_bundler.plan import Planner
from routelet_bundler.render.front import edge_front
from routelet_bundler.render.graph_json import graph_text
from routelet_bundler.render.routelet_json import prerendered_table, route_table
from routelet_bundler.split import auto_groups, together
from routelet_bundler.staging import write_texts
from routelet_bundler.trace.graph import graph_of
from routelet_bundler.trace.modules import runtime_files
from routelet_bundler.trace.server import ServerFiles, server_files
from routelet_bundler.trace.variables import variable_warnings
from routelet_bundler.work import RUNTIME, Work, made_from, sources_of, tracer_of
from routelet_bundler.zips import Packing


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Routes, each traced alone, and the functions that answer them.

    That of the middleware, where it has one, is the last of the functions.
    """

    routes: tuple[Reached, ...] = ()
    functions: tuple[Function, ...] = ()
    middleware: Reached | None = None

    @property
    def edge_function(self) -> Function | None:
        """What runs the middleware before the others."""
        return next((one for one in self.functions if one.is_middleware), None)


def trace_functions(
    work: Work, files: Mapping[str, Path], page_modules: Mapping[str, str], packing: Packing
) -> Routed:
    """Return the functions of a site with all that each reaches, and write who needs what.

    `files` are generated modules by their path in a zip, `page_modules` those of pages by
    component. Raises `RouteletError` for what a page needs and nothing has.
    """
    adapter = work.configured.adapter
    if adapter is None:
        return Routed()
    planner = Planner(work.site, work.configured.config, adapter, page_modules)
    planned = planner.plan()
    _refuse_unanswered(planned, adapter)
    files = {**runtime_files("routelet", RUNTIME), **files}
    server = _server_files(work, files, adapter)
    tracers = {
        target: tracer_of(work, files, server.files, target, server.siblings)
        for target in work.environments
    }

    def trace(one: Planned) -> Traced:
        traced = tracers[_target(one, adapter)].trace(one.modules, one.config)
        return replace(traced, warnings=(*server.warnings, *traced.warnings))

    edge = _edge(planner, trace)
    routes = []
    for number, one in enumerate(planned):
        work.report("trace", number, len(planned))
        routes.append(_reached(one, trace, planner))
    if edge:
        _refuse_middleware(work.site, routes)

    def pruned(one: Reached) -> Reached:
        if not one.traced.distributions:
            return one
        return replace(one, traced=tracers[_target(one.planned, adapter)].pruned(one.traced))

    routes = list(map(pruned, routes))
    groups = _groups(work, routes, adapter, packing)
    reached = [pruned(one) for one in (*together(routes, groups, planner, trace), *edge)]
    urls = asset_urls(work, {name for one in reached for name in one.traced.assets})
    starts = _starts(reached, adapter)
    functions = tuple(_function(one, urls, planner, starts=starts) for one in reached)
    graph = graph_of(functions, tuple(tracers.values()), made_from(work, page_modules))
    write_texts(work.folder, {"graph.json": graph_text(graph)})
    return Routed(
        routes=tuple(routes), functions=functions, middleware=reached[-1] if edge else None
    )


def with_front(work: Work, routed: Routed, client: Client) -> Routed:
    """Tell the function of the middleware of the site's files, all of which are known by now.

    Where it runs as a function of its host, it is asked for them as well.
    """
    adapter, edge = work.configured.adapter, routed.middleware
    if adapter is None or edge is None or adapter.middleware_entrypoint is None:
        return routed
    site = {
        "base": work.configured.config.base,
        "routes": route_table(work.site.routes),
        "prerendered": prerendered_table(client.prerendered),
    }
    assets = {"assets": asset_urls(work, edge.traced.assets)} if edge.traced.assets else {}
    manifest = {**edge.planned.manifest, **assets, "front": edge_front(site, client.files)}
    planned = replace(edge.planned, manifest=manifest)
    text = entry_module(planned, edge.traced, adapter, starts=False)
    *others, function = routed.functions
    return replace(routed, functions=(*others, replace(function, entry_text=text)))


def _refuse_unanswered(planned: Sequence[Planned], adapter: Adapter) -> None:
    if planned and not adapter.server_entrypoint:
        raise RouteletError(
            f"the adapter {adapter.name} has no server_entrypoint that could answer requests",
            where=planned[0].pages[0].route.component or "",
            mend="prerender the page, or choose another adapter",
            status=WRONG_USE,
        )


def _groups(
    work: Work, routes: Sequence[Reached], adapter: Adapter, packing: Packing
) -> tuple[Group, ...]:
    """Return the pages of each function."""
    pages = [one.planned.pages[0] for one in routes]
    if split_of(adapter) == "auto":
        return auto_groups(weights_of(work, routes, adapter, packing), pages, adapter)
    return groups_of(pages, split_of(adapter), adapter)


def _starts(reached: Sequence[Reached], adapter: Adapter) -> bool:
    """Tell whether entry modules can be run as scripts.

    Raises `RouteletError` for a module that the adapter names and that is not there.
    """
    first = next((one for one in reached if not one.planned.is_middleware), None)
    last = reached[-1] if reached else None
    if last and last.planned.is_middleware and adapter.middleware_entrypoint:
        source_of("middleware_entrypoint", adapter, last.traced)
    return first is not None and has_start(adapter, first.traced)


def _server_files(work: Work, files: Mapping[str, Path], adapter: Adapter) -> ServerFiles:
    """Return what the modules that an adapter names bring along; `files` are generated ones."""
    target = work.configured.target
    modules = tuple(filter(None, (adapter.server_entrypoint, adapter.middleware_entrypoint)))
    return server_files(
        modules,
        sources_of(work, files, work.environments[target]),
        target,
        work.records,
        without=(work.site.src, work.out_dir),
    )


def _edge(planner: Planner, trace: Callable[[Planned], Traced]) -> tuple[Reached, ...]:
    """Return the function of the middleware, where it has one of its own."""
    planned = planner.plan_middleware()
    return (Reached(planned=planned, traced=trace(planned)),) if planned else ()


def _target(planned: Planned, adapter: Adapter) -> Target:
    architecture = planned.config.architecture
    return replace(adapter.target, architecture=architecture) if architecture else adapter.target


def _reached(planned: Planned, trace: Callable[[Planned], Traced], planner: Planner) -> Reached:
    """Trace a function, and again with the pages that it is found to rewrite to."""
    traced = trace(planned)
    while (fuller := planner.with_rewrites(planned, traced.rewrites)) is not planned:
        planned, traced = fuller, trace(fuller)
    return Reached(planned=planned, traced=traced)


def _function(
    reached: Reached, assets: Mapping[str, str], planner: Planner, *, starts: bool
) -> Function:
    adapter = planner.adapter
    planned, traced = reached.planned, reached.traced
    _refuse_lost(planned, traced)
    if traced.assets:
        urls = {name: assets[name] for name in traced.assets}
        planned = replace(planned, manifest={**planned.manifest, "assets": urls})
    warnings = (
        *traced.warnings,
        *planner.warnings(planned, traced.rewrites),
        *_edge_warnings(reached, adapter),
    )
    return Function(
        name=planned.name,
        pages=planned.pages,
        entry=planned.entry,
        entry_on_disk=planned.entry_on_disk,
        handler=planned.handler,
        config=planned.config,
        target=_target(planned, adapter),
        traced=replace(traced, warnings=warnings) if warnings else traced,
        entry_text=entry_module(planned, traced, adapter, starts=starts),
        modules=planned.modules,
        is_middleware=planned.is_middleware,
    )


def _refuse_lost(planned: Planned, traced: Traced) -> None:
    """Raise `RouteletError` for a file in whose place the entry module would be written."""
    lost = next((one for one in traced.files if one.archive == planned.entry), None)
    if lost is not None:
        raise RouteletError(
            f"is where the entry module of {planned.title} goes: {planned.entry}",
            where=lost.label,
            mend="rename the file",
        )


def _refuse_middleware(site: Site, routes: Sequence[Reached]) -> None:
    """Raise `RouteletError` for pages that have code of the middleware, which is at the edge."""
    paths = tuple(module.replace(".", "/") for module in site.middleware)
    own = (*(f"{path}.py" for path in paths), *(f"{path}/" for path in paths))
    errors: dict[tuple[str, str], RouteletError] = {}
    for route in routes:
        files = {one.archive: one for one in route.traced.files}
        for file in files.values():
            parent = file.reason.parent
            if not file.archive.startswith(own) or parent.startswith(own):
                continue
            chain = [one.label for one in _with_parents(files, parent)]
            line = f"{chain[0]}:{file.reason.line}" if chain else route.planned.title
            led = f" (imported by {' <- '.join(chain)})" if len(chain) > 1 else ""
            errors[line, file.label] = RouteletError(
                f"brings {file.label}, which is middleware: with edge middleware no function of a "
                "page has its code",
                where=line,
                mend=f"move what both need to {site.src.name}/lib{led}",
            )
    raise_all(list(errors.values()))


def _with_parents(files: Mapping[str, TracedFile], archive: str) -> Iterator[TracedFile]:
    """Yield a file of a function, then each that leads to it, as far as the page."""
    seen: set[str] = set()
    while archive in files and archive not in seen:
        seen.add(archive)
        yield files[archive]
        archive = files[archive].reason.parent


def _edge_warnings(reached: Reached, adapter: Adapter) -> Iterable[str]:
    host = adapter.middleware_host
    if not reached.planned.is_middleware or host is None or host.variables is None:
        return ()
    return variable_warnings(reached.traced.files, host.variables, adapter.target.python)
