"""`dist/client/`: public files and prerendered pages.

Where the last build is still as it was left, only what changed is written: staging lays it over
the files of that build.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path

from routelet.redirects import location_of
from routelet.static_files import asset_url, hashed_name, moved_page, page_file
from routelet_bundler.adapter import Integration
from routelet_bundler.cache import digest
from routelet_bundler.content import markdown_values, rewrites
from routelet_bundler.content.markdown import RENDERERS
from routelet_bundler.errors import RouteletError
from routelet_bundler.generated import PACKAGE
from routelet_bundler.model import Page, Prerendered
from routelet_bundler.prerender import (
    Inputs,
    Kept,
    KeptPage,
    Prerendering,
    Reached,
    load,
    prerender,
)
from routelet_bundler.sources import Digests
from routelet_bundler.staging import files_below
from routelet_bundler.stamps import Stamp, stamp_of, stamps
from routelet_bundler.trace import Tracer
from routelet_bundler.trace.modules import runtime_files
from routelet_bundler.version import __version__
from routelet_bundler.work import RUNTIME, Work, tracer_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The whole of `dist/client`, of which `folder` has what changed since `earlier`."""

    folder: Path
    key: str
    pages: Mapping[str, KeptPage]
    public: Mapping[str, Stamp]
    reads: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]
    earlier: Kept | None
    assets: Mapping[str, str] = field(default_factory=dict)

    @property
    def prerendered(self) -> tuple[Prerendered, ...]:
        """The file of every page and redirect."""
        return tuple(file for page in self.pages.values() for file in page.files)

    @property
    def files(self) -> tuple[str, ...]:
        """The path of every file that the build makes, sorted."""
        return tuple(sorted(_files(self)))

    @property
    def files_there(self) -> tuple[str, ...]:
        """The path of every file, sorted; with those that integrations have written by now."""
        return tuple(sorted(_files(self).union(files_below(self.folder))))

    @property
    def removed(self) -> tuple[str, ...]:
        """Files of the last build that are no more."""
        return (
            tuple(sorted(self.earlier.files.keys() - {*self.files_there})) if self.earlier else ()
        )


def make_client(work: Work, files: Mapping[str, Path], page_modules: Mapping[str, str]) -> Client:
    """Write prerendered pages and public files below `client/` of the build.

    `files` are generated modules by their path in a zip, `page_modules` those of pages by
    component. Raises `RouteletError` for a page that fails.
    """
    key, public, folder = _key(work), work.public, work.folder / "client"
    earlier = _earlier(work, key)
    folder.mkdir()
    rendered = prerender(
        _prerendering(work, folder, page_modules),
        _inputs(work, files, page_modules),
        earlier,
    )
    redirects = dict(_redirects(work, _paths(rendered.pages)))
    client = Client(
        folder=folder,
        key=key,
        pages={**rendered.pages, **redirects},
        public={name: stamp_of(path) for name, path in public.items()},
        reads=rendered.reads,
        warnings=(*rendered.warnings, *_warnings(work)),
        earlier=earlier,
    )
    _refuse_folders(_files(client), public)
    for name, page in redirects.items():
        if earlier is None or earlier.pages.get(name) != page:
            _write_redirect(page, folder)
    for name in _to_copy(client, earlier):
        _copy(public[name], folder / name)
    return client


def _redirects(work: Work, taken: set[str]) -> Iterator[tuple[str, KeptPage]]:
    """Yield what a site without functions has of redirects: a page each, but for parameters.

    `taken` are the files of pages, which come first. As Astro's `build.redirects`; where there are
    functions their front makes them.
    """
    config = work.configured.config
    for route in work.site.routes:
        if route.redirect is None or route.params or config.output != "static":
            continue
        destination, status = route.redirect
        if status in {300, 304}:  # which take nobody anywhere
            continue
        file = Prerendered(
            path=page_file(route.route, config.build.format, is_index=False),
            route=route.route,
            url=config.base.rstrip("/") + route.route,
            content_type="text/html; charset=utf-8",
            status=status or 301,
            location=location_of(destination, {}, config.base),
        )
        if file.path not in work.public and file.path not in taken:
            yield f"redirect {route.route}", KeptPage(inputs=file.location, files=(file,))


def _warnings(work: Work) -> Iterator[str]:
    """Yield a warning for redirects that no file stands for, and no host is known to make."""
    adapter = work.configured.adapter
    redirects = [route for route in work.site.routes if route.redirect]
    if work.configured.config.output == "static":
        for route in redirects:
            if route.params:
                yield (
                    f'pyproject.toml [tool.routelet.redirects]: "{route.route}" has parameters, '
                    "and there are no functions: only a host that reads routelet.json makes it"
                )
    elif redirects and adapter and not (adapter.front or adapter.serves_client):
        names = ", ".join(f'"{route.route}"' for route in redirects)
        yield (
            f"pyproject.toml [tool.routelet.redirects]: the adapter {adapter.name} has neither "
            f"`front` nor `serves_client`: {names} are 404 unless its host reads routelet.json"
        )


def _write_redirect(page: KeptPage, folder: Path) -> None:
    for file in page.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(moved_page(file.location or "/"))


def with_assets(client: Client, work: Work, names: Iterable[str]) -> Client:
    """Write the files that `ctx.asset` gives URLs of: `names` of functions, and those of pages."""
    used = {*names, *(name for file in client.prerendered for name in file.assets)}
    hashed = {name: _hashed(work, name) for name in sorted(used)}
    before = client.earlier.assets if client.earlier else {}
    for name, copy in hashed.items():
        if before.get(name) != copy:
            _copy(work.public[name], client.folder / copy)
    return replace(client, assets=hashed)


def as_left(client: Client) -> Kept:
    """Return what to keep of the client as it is now; the swap changes no inode and no time."""
    before = client.earlier.files if client.earlier else {}
    gone = {*client.removed}
    files = {name: stamp for name, stamp in before.items() if name not in gone}
    return Kept(
        key=client.key,
        pages=client.pages,
        public=client.public,
        assets=client.assets,
        reads=client.reads,
        files=files | stamps(client.folder),
    )


def asset_urls(work: Work, names: Iterable[str]) -> dict[str, str]:
    """Return the URL paths of files of `public/`, by their names."""
    base = work.configured.config.base
    return {name: asset_url(base, _hashed(work, name)) for name in names}


def _hashed(work: Work, name: str) -> str:
    return hashed_name(name, work.public[name].read_bytes())


def _prerendering(work: Work, out: Path, page_modules: Mapping[str, str]) -> Prerendering:
    config, environment = work.configured.config, work.environments[work.configured.target]
    return Prerendering(
        site=work.site,
        config=config,
        page_modules=page_modules,
        rewrites=rewrites(work.site),
        markdown=partial(markdown_values, config.markdown),
        interpreter=environment.interpreter,
        path=[work.folder, work.site.src, RUNTIME.parent, environment.host],
        public=frozenset(work.public),
        out=out,
        jobs=work.jobs,
        report=lambda done, total: work.report("prerender", done, total),
        elsewhere=work.elsewhere,
    )


def _inputs(work: Work, files: Mapping[str, Path], page_modules: Mapping[str, str]) -> Inputs:
    target = work.configured.target

    @cache
    def tracer() -> Tracer:
        return tracer_of(work, files, runtime_files("routelet", RUNTIME), target)

    def reached(modules: tuple[str, ...]) -> Reached:
        found, complete = tracer().local_files(modules)
        return Reached(files=found, complete=complete)

    def modules_of(page: Page) -> tuple[str, ...]:
        own = page_modules.get(page.route.component or "", page.module)
        if page.kind == "md":
            template = work.content.templates.get(page.layout or "")
            own = f"{PACKAGE}.{template}" if template else ""
        templates = f"{PACKAGE}.environment" if own.startswith(PACKAGE) else ""
        return tuple(filter(None, (own, templates, *work.site.middleware)))

    return Inputs(reached, modules_of, work.started_ns)


def _key(work: Work) -> str:
    """Return the digest of what all pages are made from."""
    environment = work.environments[work.configured.target]
    return digest(
        __version__,
        work.configured.config.model_dump_json(),
        environment.requirements.text,
        str(environment.host),
        str(environment.interpreter),
        version("jinja2"),
        *RENDERERS,
        *(part for file in work.configured.watch_files for part in _watched(file, work.digests)),
    )


def _watched(file: Path, digests: Digests) -> tuple[str, str]:
    """Return what changes with a file that an integration reads, or with its going."""
    return str(file), digests.of(file) if file.is_file() else ""


def is_seen(work: Work) -> bool:
    """Tell whether an integration sees what is built, and may change it."""
    others = (type(one) for one in work.configured.integrations if one.sees_files)
    hooks = ("build_ssr", "build_generated", "build_done")
    return any(
        getattr(one, hook) is not getattr(Integration, hook) for one in others for hook in hooks
    )


def _earlier(work: Work, key: str) -> Kept | None:
    """Return what the last build kept, unless an integration is to see the whole client."""
    earlier = None if is_seen(work) else load(work.cache, work.out_dir)
    return earlier if earlier and earlier.key == key else None


def _to_copy(client: Client, earlier: Kept | None) -> Iterator[str]:
    """Yield the public files that no page takes the place of, and that are not there already."""
    pages, before = _paths(client.pages), _paths(earlier.pages) if earlier else set()
    for name, stamp in client.public.items():
        is_there = earlier and name not in before and earlier.public.get(name) == stamp
        if name not in pages and not is_there:
            yield name


def _refuse_folders(files: set[str], public: Mapping[str, Path]) -> None:
    """Raise for a file where another one needs a folder, of `public/`, pages and redirects."""
    for name in files:
        for folder in accumulate(name.split("/")[:-1], "{}/{}".format):
            if folder in files:
                source = public.get(name) or public.get(folder) or f"dist/client/{folder}"
                raise RouteletError(
                    f"{folder} in dist/client cannot be a file, and the folder of {name}",
                    where=str(source),
                    mend="rename the file, the page or the redirect",
                )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _paths(pages: Mapping[str, KeptPage]) -> set[str]:
    return {file.path for page in pages.values() for file in page.files}


def _files(client: Client | Kept) -> set[str]:
    return _paths(client.pages) | client.public.keys() | {*client.assets.values()}
