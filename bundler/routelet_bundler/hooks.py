"""The hooks of a build, in their order, and what each is given."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from routelet.routing import Route
from routelet_bundler.adapter import (
    BuildDone,
    BuildGenerated,
    BuildSetup,
    BuildSsr,
    BuildStart,
    Integration,
    fire,
)
from routelet_bundler.client import Client
from routelet_bundler.functions import Routed
from routelet_bundler.model import BuiltFunction, Function
from routelet_bundler.render.routelet_json import ssr_manifest
from routelet_bundler.work import Work


class TracedFiles(Mapping[str, Mapping[str, Path]]):
    """The files of functions, made when they are asked for: most hooks look at few, or none.

    Their entry modules are below `folder`.
    """

    def __init__(self, functions: Iterable[Function], folder: Path) -> None:
        self._functions = {one.name: one for one in functions}
        self._folder = folder

    def __getitem__(self, name: str) -> Mapping[str, Path]:
        function = self._functions[name]
        entry = {function.entry: self._folder / function.entry_on_disk}
        return MappingProxyType({**function.traced.sources, **entry})

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)


def build_start(work: Work) -> None:
    """Tell that a build has begun, and of what will be built."""
    integrations, routes, target = (
        work.configured.integrations,
        work.site.routes,
        work.configured.target,
    )
    fire(integrations, "build_start", lambda one, log: one.build_start(BuildStart(logger=log)))
    fire(
        integrations,
        "build_setup",
        lambda one, log: one.build_setup(BuildSetup(routes=routes, target=target, logger=log)),
    )


def build_ssr(work: Work, routed: Routed, assets: Mapping[str, str]) -> None:
    """Tell of the entry modules that were emitted."""
    if not work.configured.integrations:
        return
    functions = tuple(one for one in routed.functions if not one.is_middleware)
    edge = [routed.edge_function] if routed.edge_function else []
    entry_points = MappingProxyType(entry_points_of(functions, work.folder))
    manifest = ssr_manifest(
        work.site.routes,
        assets,
        config=work.configured.config,
        adapter=work.configured.adapter,
    )
    fire(
        work.configured.integrations,
        "build_ssr",
        lambda one, log: one.build_ssr(
            BuildSsr(
                entry_points=entry_points,
                middleware_entry_point=entry_point_of(routed.edge_function, work.folder),
                middleware_files=next(iter(TracedFiles(edge, work.folder).values()), None),
                manifest=manifest,
                functions=TracedFiles(functions, work.folder),
                logger=log,
            )
        ),
    )


def build_generated(work: Work, client: Client) -> None:
    """Tell of the prerendered files."""
    fire(
        work.configured.integrations,
        "build_generated",
        lambda one, log: one.build_generated(BuildGenerated(directory=client.folder, logger=log)),
    )


def build_done(work: Work, client: Client, built: tuple[BuiltFunction, ...]) -> None:
    """Tell that everything is written."""
    integrations = work.configured.integrations
    # The adapter is the last: where it is alone, and writes nothing before, nobody has.
    has_more = len(integrations) > 1 or any(
        type(one).build_generated is not Integration.build_generated for one in integrations
    )
    fire(
        integrations,
        "build_done",
        lambda one, log: one.build_done(
            BuildDone(
                out_dir=work.folder,
                routes=work.site.routes,
                functions=built,
                pages=client.prerendered,
                client_files=client.files_there if has_more else client.files,
                logger=log,
            )
        ),
    )


def entry_points_of(functions: tuple[Function, ...], folder: Path) -> dict[Route, str]:
    """Return the file URL of each route's entry module below `folder`."""
    url = folder.as_uri()  # what is below it needs no quoting: entries have safe names
    return {
        page.route: f"{url}/{function.entry_on_disk}"
        for function in functions
        for page in function.pages
    }


def entry_point_of(function: Function | None, folder: Path) -> str | None:
    """Return the file URL of the entry module of a function that may not be there."""
    return f"{folder.as_uri()}/{function.entry_on_disk}" if function else None
