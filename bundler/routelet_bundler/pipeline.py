"""The order of a build, and nothing else.

config, discover, content, install, prerender, trace, plan, emit, pack, verify, render: each stage
takes values and gives values. Hooks of integrations are fired in between. All is written into a
fresh folder that becomes `dist/` when every stage has succeeded.
"""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import time_ns

from routelet_bundler import hooks
from routelet_bundler.cache import open_cache
from routelet_bundler.client import Client, as_left, is_seen, make_client, with_assets
from routelet_bundler.configure import Configured, configure
from routelet_bundler.content import content
from routelet_bundler.costs import compare_splits
from routelet_bundler.discover import discover
from routelet_bundler.discover.page_memory import PageMemory
from routelet_bundler.discover.tree import files_below
from routelet_bundler.elsewhere import Elsewhere
from routelet_bundler.errors import WRONG_USE, RouteletError, raise_all
from routelet_bundler.features import check_assets
from routelet_bundler.functions import trace_functions, with_front
from routelet_bundler.generated import PACKAGE, python_source
from routelet_bundler.model import (
    Build,
    BuiltFunction,
    Config,
    Function,
    Site,
    Target,
)
from routelet_bundler.pack import lacks_bytecode
from routelet_bundler.pack import save as save_zips
from routelet_bundler.plan import has_edge_middleware
from routelet_bundler.prerender import save
from routelet_bundler.render.routelet_json import manifest_text
from routelet_bundler.report import changes
from routelet_bundler.report.budget import budget_warnings, check_budgets
from routelet_bundler.sources import Digests
from routelet_bundler.staging import lay_over, staged, write_texts
from routelet_bundler.trace import Records
from routelet_bundler.trace.environment import environment_of
from routelet_bundler.trace.injected import with_data
from routelet_bundler.work import Report, Work
from routelet_bundler.zips import Emitted, emit_functions, pack_functions, packing_of


def build(
    root: str | Path = ".",
    out_dir: str | Path | None = None,
    *,
    jobs: int | None = None,
    locked: bool = False,
    report: Report = lambda *_: None,
    cache_folder: str | Path | None = None,
    elsewhere: Elsewhere | None = None,
) -> Build:
    """Build the site at `root` into `out_dir` (by default what its configuration says).

    `elsewhere` reads sources, compiles, compresses and prerenders, where that is not done here.

    Raises `RouteletError` for what the site's author can mend; the previous `out_dir` is then as
    it was.
    """
    root = Path(root).resolve()
    report("configure", 0, 1)
    configured = configure(root, "build")
    final = Path(out_dir).resolve() if out_dir else root / configured.config.out_dir
    _refuse_sources(final, root, configured.config)
    report("discover", 0, 1)
    started_ns = time_ns()
    cache = open_cache(Path(cache_folder) if cache_folder else None, configured.project.name)
    digests = Digests.kept(root, cache)
    memory = PageMemory.of(root, cache, digests)
    records = Records.of(root, configured.target.python, cache)
    site = discover(root, configured.config, memory, configured.injections)
    raise_all(site.collisions)
    site = replace(site, injected=with_data(site.injected, records, digests))
    public = files_below(root / configured.config.public_dir, root)
    generated = content(site, configured.config.markdown, cache, public)
    with staged(final) as folder, cache:
        report("install", 0, 1)
        work = Work(
            configured=configured,
            site=site,
            content=generated,
            environments={
                target: environment_of(
                    configured.project,
                    root,
                    target,
                    cache,
                    locked=locked,
                    needs_jinja=bool(generated.templates),
                    sdists=configured.config.allow_sdists,
                )
                for target in _targets(configured, site)
            },
            cache=cache,
            jobs=jobs or os.cpu_count() or 1,
            report=report,
            folder=folder,
            out_dir=final,
            public=public,
            digests=digests,
            records=records,
            started_ns=started_ns,
            elsewhere=elsewhere,
        )
        result, client, emitted = _stages(work)
        kept = as_left(client)
        earlier = changes.summary_of(final, folder, result.packed)
    result = _in_place(result)
    with suppress(OSError):  # the build is done; the next one does without
        memory.keep(root, cache)
        digests.keep(root, site.src, cache, started_ns)
        work.records.keep(root, cache)
        save_zips(cache, final, result.packed, emitted.keys, emitted.sizes)
        if earlier is not None:
            changes.keep(cache, final, earlier)
        if kept != client.earlier and not is_seen(work):
            save(cache, final, kept)
    return replace(result, warnings=(*result.warnings, *cache.warnings))


def _in_place(build: Build) -> Build:
    """Return a build whose zips are where they are now: staging has moved them."""

    def moved(one: BuiltFunction) -> BuiltFunction:
        path = build.out_dir / "functions" / one.zip.path.name
        return replace(one, zip=replace(one.zip, path=path))

    edge = build.edge_function
    return replace(
        build,
        functions=tuple(map(moved, build.functions)),
        edge_function=moved(edge) if edge else None,
    )


def _refuse_sources(out_dir: Path, root: Path, config: Config) -> None:
    """Raise `RouteletError` for an `out_dir` that is below what the site is made from."""
    for name in (config.src_dir, config.public_dir):
        if out_dir.is_relative_to(root / name):
            raise RouteletError(
                f"is below {name}/, which the site is made from",
                where=str(out_dir),
                mend="choose another out-dir",
                status=WRONG_USE,
            )


def _targets(configured: Configured, site: Site) -> list[Target]:
    """Return the target of the site, then those of pages that name another architecture."""
    wanted = [page.config.architecture for page in site.pages if not page.prerender]
    adapter = configured.adapter
    if adapter and adapter.middleware_host and has_edge_middleware(site, adapter):
        wanted.append(adapter.middleware_host.config.architecture)
    own = configured.target
    others = [replace(own, architecture=one) for one in dict.fromkeys(wanted) if one]
    return list(dict.fromkeys([own, *others]))


def _stages(work: Work) -> tuple[Build, Client, Emitted]:
    hooks.build_start(work)
    files = write_texts(work.folder, work.content.modules)
    files |= write_texts(work.folder, work.content.data)
    injected = {one.archive: one.source.read_bytes() for one in work.site.injected}
    files |= write_texts(work.folder, injected)
    page_modules = dict(work.content.pages)
    client = make_client(work, files, page_modules)
    files |= _error_modules(work, client, page_modules)
    packing = packing_of(work)
    routed = trace_functions(work, files, page_modules, packing)
    assets = (name for one in routed.functions for name in one.traced.assets)
    client = with_assets(client, work, assets)
    routed = with_front(work, routed, client)
    functions = routed.functions
    for function in functions:
        for page in function.pages:
            object.__setattr__(page.route, "function", function.name)
    emitted = emit_functions(work, functions, packing)
    if work.configured.adapter is not None:
        check_assets(work.configured.adapter, client.assets, _reaching(functions))
    hooks.build_ssr(work, routed, client.assets)
    hooks.build_generated(work, client)
    everything = pack_functions(work, emitted)
    built = tuple(one for one in everything if not one.function.is_middleware)
    edge_function = next((one for one in everything if one.function.is_middleware), None)
    result = Build(
        out_dir=work.out_dir,
        entry_points={
            route.route: url
            for route, url in hooks.entry_points_of(functions, work.out_dir).items()
        },
        middleware_entry_point=hooks.entry_point_of(routed.edge_function, work.out_dir),
        functions=built,
        edge_function=edge_function,
        routes=work.site.routes,
        prerendered=client.prerendered,
        assets=client.assets,
        warnings=_warnings(work, client.warnings, everything),
        splits=compare_splits(work, routed.routes, emitted, built, packing),
    )
    with (work.folder / "routelet.json").open("w") as file:
        file.writelines(manifest_text(result, work.configured.config, work.configured.adapter))
    check_budgets(work.folder, everything, work.configured.config.budget, work.cache, work.jobs)
    hooks.build_done(work, client, built)
    removed = {"client": client.removed} if client.earlier else {}
    lay_over(work.folder, work.out_dir, {**removed, **emitted.removed})
    return result, client, emitted


def _error_modules(work: Work, client: Client, page_modules: dict[str, str]) -> dict[str, Path]:
    """Make a module of each prerendered error page, so that every function can answer with it."""
    texts = {}
    for status in (404, 500):
        page, name = work.site.error_page(status), f"{status}.html"
        if page is not None and page.prerender and name in {one.path for one in client.prerendered}:
            component = page.route.component or ""
            fresh, before = client.folder / name, work.out_dir / "client" / name
            text = (fresh if fresh.is_file() else before).read_text(encoding="utf-8")
            texts[f"{PACKAGE}/error_{status}.py"] = python_source(
                "html_page.py.jinja", file=component, content=text
            )
            page_modules[component] = f"{PACKAGE}.error_{status}"
    if texts and not (work.folder / PACKAGE / "__init__.py").exists():
        texts[f"{PACKAGE}/__init__.py"] = ""
    return write_texts(work.folder, texts)


def _reaching(functions: tuple[Function, ...]) -> dict[str, tuple[str, ...]]:
    """Return the routes of functions by the distributions that they reach."""
    found: dict[str, tuple[str, ...]] = {}
    for function in functions:
        for distribution, _ in function.traced.distributions:
            found[distribution.name] = (
                *found.get(distribution.name, ()),
                *(function.routes or (function.title,)),
            )
    return found


def _warnings(
    work: Work, warnings: tuple[str, ...], built: tuple[BuiltFunction, ...]
) -> tuple[str, ...]:
    """Return what is worth telling, once each."""
    told = [*work.configured.warnings, *work.site.warnings, *warnings]
    environment = work.environments[work.configured.target]
    if work.configured.project.dependencies and not environment.requirements.locked:
        told.append(
            "dependencies are not pinned by a lock file: another machine may pack other "
            "versions; run `uv lock`"
        )
    for one in built:
        told += one.function.traced.warnings
        if not one.verdict.verified:
            told.append(f"{one.function.title}: not verified, {one.verdict.how}")
    told += budget_warnings(work.configured.config.budget, built)
    lacking = {one.function.target.python for one in built if lacks_bytecode(one.function.target)}
    told += [
        f"no Python {python} on this machine: zips have sources only, and start slower"
        for python in sorted(lacking)
    ]
    return tuple(dict.fromkeys(told))
