"""`dist/functions/` and `dist/pages/`: what becomes of on-demand routes.

Functions are planned, traced, packed and verified. Where the last build is still as it was left,
only what changed is written: staging lays it over the files of that build.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from routelet_bundler import pack
from routelet_bundler.cache import digest
from routelet_bundler.client import Client, asset_urls, is_seen
from routelet_bundler.emit import entry_module, has_start
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.grouping import groups_of, split_of
from routelet_bundler.model import (
    Adapter,
    BuiltFunction,
    Distribution,
    Function,
    PartSize,
    Planned,
    Reached,
    Splits,
    Target,
    Traced,
    Zip,
)
from routelet_bundler.plan import Planner
from routelet_bundler.render.front import edge_front
from routelet_bundler.render.graph_json import graph_text
from routelet_bundler.render.routelet_json import prerendered_table, route_table
from routelet_bundler.split import Weights, auto_groups, compare, rates_of, together, weigh
from routelet_bundler.staging import write_texts
from routelet_bundler.trace.graph import graph_of
from routelet_bundler.trace.install import runtime_packages
from routelet_bundler.trace.modules import module_files, runtime_files
from routelet_bundler.trace.variables import variable_warnings
from routelet_bundler.verify import Check, runs_here, verify
from routelet_bundler.version import __version__
from routelet_bundler.work import RUNTIME, Work, made_from, tracer_of

_SPLITS = TypeAdapter(Splits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """What packs the functions of a build, and what is kept of the last one."""

    packers: Mapping[Target, pack.Packer]
    earlier: pack.Kept | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """The functions of a build: all of them, and those that are not as in `earlier`."""

    functions: tuple[Function, ...]
    keys: Mapping[str, str]
    """What each zip is packed from, as a digest, by the name of the function."""
    earlier: pack.Kept | None
    new: tuple[Function, ...]
    packers: Mapping[Target, pack.Packer]

    @property
    def sizes(self) -> Mapping[str, PartSize]:
        """What parts add to a zip, by their keys, as far as this or an earlier build asked."""
        asked = {
            key: one for each in self.packers.values() for key, one in each.asked_sizes.items()
        }
        return asked or (self.earlier.sizes if self.earlier else {})

    @property
    def removed(self) -> Mapping[str, tuple[str, ...]]:
        """Files of the last build that are no more, by the folder that they are below."""
        if self.earlier is None:
            return {}
        zips = {f"functions/{one.name}.zip" for one in self.functions}
        now = zips | {one.entry_on_disk for one in self.functions}
        gone = [path.partition("/") for path in self.earlier.files if path not in now]
        return {
            folder: tuple(name for top, _, name in gone if top == folder)
            for folder in {path.partition("/")[0] for path in self.earlier.files}
        }


def packing_of(work: Work) -> Packing:
    """Return what packs the functions of a build."""
    earlier = None if is_seen(work) else pack.load(work.cache, work.out_dir)
    sizes = earlier.sizes if earlier else {}
    packers = {
        target: pack.Packer(target, work.cache, work.digests, sizes, work.elsewhere)
        for target in work.environments
    }
    return Packing(packers=packers, earlier=earlier)


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
    if planned and not adapter.server_entrypoint:
        raise RouteletError(
            f"the adapter {adapter.name} has no server_entrypoint that could answer requests",
            where=planned[0].pages[0].route.component or "",
            mend="prerender the page, or choose another adapter",
            status=WRONG_USE,
        )
    files = {**runtime_files("routelet", RUNTIME), **files}
    server = _server_files(adapter, work.configured.root)
    tracers = {target: tracer_of(work, files, server, target) for target in work.environments}

    def trace(one: Planned) -> Traced:
        return tracers[_target(one, adapter)].trace(one.modules, one.config)

    edge = _edge(planner, trace)
    routes = []
    for number, one in enumerate(planned):
        work.report("trace", number, len(planned))
        routes.append(_reached(one, trace, planner))

    def pruned(one: Reached) -> Reached:
        if not one.traced.distributions:
            return one
        return replace(one, traced=tracers[_target(one.planned, adapter)].pruned(one.traced))

    routes = list(map(pruned, routes))
    pages = [one.pages[0] for one in planned]
    if split_of(adapter) == "auto":
        groups = auto_groups(_weights(work, routes, adapter, packing), pages, adapter)
    else:
        groups = groups_of(pages, split_of(adapter), adapter)
    reached = [pruned(one) for one in (*together(routes, groups, planner, trace), *edge)]
    urls = asset_urls(work, {name for one in reached for name in one.traced.assets})
    starts = bool(planned) and has_start(adapter, reached[0].traced)
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


def _server_files(adapter: Adapter, root: Path) -> Mapping[str, Path]:
    """Return the files of what an adapter answers with, by their path in a zip."""
    modules = filter(None, (adapter.middleware_entrypoint, adapter.server_entrypoint))
    return {name: path for one in modules for name, path in module_files(one, root).items()}


def _edge(planner: Planner, trace: Callable[[Planned], Traced]) -> tuple[Reached, ...]:
    """Return the function of the middleware, where it has one of its own."""
    planned = planner.plan_middleware()
    return (Reached(planned=planned, traced=trace(planned)),) if planned else ()


def compare_splits(
    work: Work,
    routed: Routed,
    emitted: Emitted,
    built: Sequence[BuiltFunction],
    packing: Packing,
) -> Splits | None:
    """Return what each split would give; nothing where there is but one route.

    Kept for the same zips and configuration: of 10,000 routes it takes a second.
    """
    adapter = work.configured.adapter
    if adapter is None or len(routed.routes) < 2:
        return None
    traffic = work.configured.root / adapter.traffic if adapter.traffic is not None else None
    key = digest(
        "splits",
        __version__,
        repr(adapter),
        work.configured.config.model_dump_json(),
        traffic.read_bytes() if traffic and traffic.is_file() else b"",
        *(f"{name} {emitted.keys[name]}" for name in sorted(emitted.keys)),
    )
    kept = work.cache.read("splits", key)
    if kept is not None:
        return _SPLITS.validate_json(kept)
    weights = _weights(work, routed.routes, adapter, packing)
    pages = [one.planned.pages[0] for one in routed.routes]
    zipped = [one.zip.zipped_bytes for one in built]
    splits = compare(weights, pages, adapter, zipped, has_traffic=adapter.traffic is not None)
    work.cache.write("splits", key, _SPLITS.dump_json(splits))
    return splits


def _weights(work: Work, routes: Sequence[Reached], adapter: Adapter, packing: Packing) -> Weights:
    site, root, base = work.site, work.configured.root, work.configured.config.base
    file = adapter.traffic
    rates = rates_of(root / file, file, site, base) if file is not None else None

    with ThreadPoolExecutor(work.jobs) as executor:

        def sizes(architecture: str, parts: Sequence[pack.Part]) -> Sequence[PartSize]:
            target = next(one for one in packing.packers if one.architecture == architecture)
            return packing.packers[target].sizes(parts, executor)

        return weigh(routes, adapter, rates, sizes)


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


def _edge_warnings(reached: Reached, adapter: Adapter) -> Iterable[str]:
    host = adapter.middleware_host
    if not reached.planned.is_middleware or host is None or host.variables is None:
        return ()
    return variable_warnings(reached.traced.files, host.variables, adapter.target.python)


def emit_functions(work: Work, functions: tuple[Function, ...], packing: Packing) -> Emitted:
    """Write entry modules: of what changed where an earlier build is there to lay them over."""
    packers, earlier = packing.packers, packing.earlier
    keys = {one.name: packers[one.target].key(one) for one in functions}
    kept = earlier.zips if earlier else {}
    new = tuple(
        one for one in functions if one.name not in kept or kept[one.name].key != keys[one.name]
    )
    outside = (one for one in functions if one.entry_on_disk.partition("/")[0] not in pack.FOLDERS)
    write_texts(work.folder, {one.entry_on_disk: one.entry_text for one in (*new, *outside)})
    return Emitted(functions=functions, keys=keys, earlier=earlier, new=new, packers=packers)


def pack_functions(work: Work, emitted: Emitted) -> tuple[BuiltFunction, ...]:
    """Write the zips of what changed, and verify them.

    Raises `RouteletError` for a function that is too large or does not start.
    """
    adapter = work.configured.adapter
    if adapter is None or not emitted.functions:
        return ()
    kept = emitted.earlier.zips if emitted.earlier else {}
    there = work.out_dir / "functions"
    zips = {name: replace(one.zip, path=there / f"{name}.zip") for name, one in kept.items()}
    zips |= _packed(work, emitted, adapter)
    passed = {one.verdict for one in kept.values()}
    return _verified(work, emitted.functions, zips, adapter, passed)


def _packed(work: Work, emitted: Emitted, adapter: Adapter) -> Mapping[str, Zip]:
    new, packers = emitted.new, emitted.packers
    work.report("pack", 0, len(new))

    def packed(function: Function) -> Zip:
        path = work.folder / "functions" / f"{function.name}.zip"
        limits = adapter.limits
        if function.is_middleware and adapter.middleware_host:
            limits = adapter.middleware_host.limits
        return packers[function.target].pack(function, path, limits)

    with ThreadPoolExecutor(work.jobs) as executor:
        for target, packer in packers.items():
            own = [one for one in new if one.target == target]
            packer.prepare(own, work.folder, executor)
        return {one.name: made for one, made in zip(new, executor.map(packed, new), strict=True)}


def _verified(
    work: Work,
    functions: Sequence[Function],
    zips: Mapping[str, Zip],
    adapter: Adapter,
    passed: Collection[str],
) -> tuple[BuiltFunction, ...]:
    def report(done: int, total: int) -> None:
        work.report("verify", done, total)

    report(0, len(functions))
    needs_host = any(function.traced.provided for function in functions)
    provided = runtime_packages(adapter.target.python, work.cache) if needs_host else None
    checks = [
        Check(
            function=function,
            packed=zips[function.name],
            provided=provided if function.traced.provided else None,
            twins=_twins(work, function),
        )
        for function in functions
    ]
    verdicts = verify(checks, work.cache, work.jobs, report, passed)
    return tuple(
        BuiltFunction(
            function=function,
            zip=zips[function.name],
            verdict=verdict,
            memory_mb=function.config.memory or adapter.memory_mb,
            timeout_s=function.config.timeout or adapter.timeout_s,
        )
        for function, verdict in zip(functions, verdicts, strict=True)
    )


def _twins(work: Work, function: Function) -> tuple[Distribution, ...]:
    """Return this machine's versions of a function's distributions, where it cannot run here."""
    if runs_here(function.target):
        return ()
    ours = work.environments[function.target].host_index.distributions
    names = (one.name for one, _ in function.traced.distributions)
    return tuple(ours[name] for name in names if name in ours)
