"""What `dist/` has, read once from `dist/routelet.json`."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routelet.client_files import PageFile
from routelet.front import page_file_of, route_of
from routelet.routing import Route
from routelet_bundler.errors import RouteletError


@dataclass(frozen=True, slots=True, kw_only=True)
class ZippedFunction:
    """A function and its zip."""

    name: str
    handler: str
    zip: Path
    runtime: str
    architecture: str
    memory_mb: int
    timeout_s: float
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltSite:
    """A build: its routes in matching order, what answers them, and the prerendered files."""

    client: Path
    base: str
    routes: tuple[Route, ...]
    functions: tuple[ZippedFunction, ...]
    edge_function: ZippedFunction | None
    """What runs the middleware before all others, if that is a function of its own."""
    function_of: Mapping[Route, str]
    """The function's name for each route that has one."""
    prerendered: Mapping[str, PageFile]
    """Files below `client` that routes gave."""
    assets: frozenset[str]
    """Files below `client` whose names change with their content."""


def read_built_site(dist: Path) -> BuiltSite:
    """Return what the build in `dist` left."""
    manifest = dist / "routelet.json"
    try:
        built: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RouteletError(
            "there is no build", where=str(manifest), mend="run `routelet build` first"
        ) from None
    routes = tuple((route_of(entry), entry.get("function")) for entry in built["routes"])
    by_name = {route.route: route for route, _ in routes}
    return BuiltSite(
        client=dist / "client",
        base=built["base"],
        routes=tuple(route for route, _ in routes),
        functions=tuple(_function_of(entry, dist) for entry in built["functions"]),
        edge_function=_function_of(edge, dist) if (edge := built.get("edgeFunction")) else None,
        function_of={route: function for route, function in routes if function},
        prerendered={
            entry["path"]: page_file_of(entry, by_name[entry["route"]])
            for entry in built["prerendered"]
        },
        assets=frozenset(built.get("assets", {}).values()),
    )


def site_of(dist: Path) -> tuple[Path, Path] | None:
    """Return the folder of the site that `dist` is in, and of its sources, if it is in one."""
    project = dist.parent / "pyproject.toml"
    if not project.is_file():
        return None
    options = tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {}).get("routelet", {})
    return dist.parent, dist.parent / options.get("src-dir", "src")


def _function_of(entry: Mapping[str, Any], dist: Path) -> ZippedFunction:
    return ZippedFunction(
        name=entry["name"],
        handler=entry["handler"],
        zip=dist / entry["zip"],
        runtime=entry["runtime"],
        architecture=entry["architecture"],
        memory_mb=entry["memory"],
        timeout_s=entry["timeout"],
        environment=entry.get("environment") or {},
    )
