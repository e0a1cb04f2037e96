"""A built `dist/` as values: the functions of routelet.json, their zips, and who needs what."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zipp import Path as ZipPath

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import DISTRIBUTION, RUNTIME_FILES, Graph
from routelet_bundler.render.graph_json import graph_from
from routelet_bundler.sources import source_of

_HEADERS = 30 + 46
"""Bytes of a member's two headers beside its name: PKWARE's APPNOTE 6.3.10, 4.3.7 and 4.3.12."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Bytes in a zip, with what the zip says of them, and unpacked."""

    zipped: int = 0
    unzipped: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(zipped=self.zipped + other.zipped, unzipped=self.unzipped + other.unzipped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of a zip."""

    name: str
    size: Size
    crc: int


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A function of a build; its zip is read when it is asked for."""

    name: str
    routes: tuple[str, ...]
    """The routes it answers; its own name where that is none, as for the middleware's."""
    pages: tuple[str, ...]
    """The files of its routes, as people know them."""
    handler: str
    zip: Path
    sha256: str
    size: Size
    python: str
    """Minor version, such as `3.12`."""
    architecture: str
    versions: Mapping[str, str]
    """Of its distributions, by normalised name."""
    provided: tuple[str, ...]
    omitted: Mapping[str, str]
    """Distributions that are optional and left out, each with the file that would import it."""
    environment: Mapping[str, str]
    graph: Graph

    @property
    def entry(self) -> str:
        """Path of its entry module in the zip."""
        return f"{self.handler.rpartition('.')[0]}.py"

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The files of its zip."""
        return members_of(self.zip)

    @cached_property
    def sizes(self) -> Mapping[str, Size]:
        """What each of its own files and its distributions adds, bytecode and all.

        By path in the zip, and by `distribution:NAME`.
        """
        owners = {path: name for name in self.versions for path in self.graph.owns.get(name, ())}
        found: dict[str, Size] = {}
        for member in self.members:
            file = source_of(member.name)
            owner = owner_of(file, owners)
            node = f"{DISTRIBUTION}{owner}" if owner else file
            found[node] = found.get(node, Size()) + member.size
        return found

    @property
    def size_by_part(self) -> Mapping[str, Size]:
        """What people would name: its own files, its distributions, and the runtime as one."""
        found: dict[str, Size] = {}
        for node, size in self.sizes.items():
            part = RUNTIME_FILES if node.startswith(RUNTIME_FILES) else node
            found[part] = found.get(part, Size()) + size
        return found

    @property
    def modules(self) -> tuple[str, ...]:
        """The dotted modules that a first request imports, the entry module first."""
        starts = (edge.target for edge in self.graph.starts[self.name] if edge.kind == "entry")
        return tuple(dict.fromkeys(module_of(file) for file in (self.entry, *starts)))

    def label(self, node: str) -> str:
        """Return how people know a file of the zip, or a distribution."""
        return label_of(node, self.graph)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedSite:
    """A build with its functions by their names."""

    functions: Mapping[str, Shipped]
    routes: Mapping[str, str | None]
    """The function of each route in matching order, None for one that is prerendered."""


def read_shipped(dist: Path, zips: Mapping[str, Path] | None = None) -> ShippedSite:
    """Return the functions of the build in `dist`; raises `RouteletError` where there is none.

    `zips` says where the zips of functions are, if not below `dist`.
    """
    try:
        manifest = json.loads((dist / "routelet.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RouteletError(
            "there is no build", where=str(dist), mend="run `routelet build` first"
        ) from None
    file = dist / "graph.json"
    told = functions_in(manifest)
    if not (told and file.is_file()):
        raise RouteletError(
            "has no functions",
            where=str(dist),
            mend="all pages are prerendered, or the build is of an older routelet: build again",
        )
    graph = graph_from(file.read_text(encoding="utf-8"))
    components = {one["route"]: one["component"] for one in manifest["routes"]}
    functions = (
        _shipped(one, components, (zips or {}).get(one["name"], dist / one["zip"]), graph)
        for one in told
    )
    return ShippedSite(
        functions={one.name: one for one in functions},
        routes={one["route"]: one["function"] for one in manifest["routes"]},
    )


def functions_in(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the functions of a routelet.json; that of the middleware is the last."""
    edge = manifest["edgeFunction"]
    return [*manifest["functions"], *([edge] if edge else [])]


def routes_in(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the routes of a function, or its own name where it has none."""
    return tuple(entry["routes"] or [entry["name"]])


def _shipped(
    entry: Mapping[str, Any], components: Mapping[str, str | None], path: Path, graph: Graph
) -> Shipped:
    routes = routes_in(entry)
    return Shipped(
        name=entry["name"],
        routes=routes,
        pages=tuple(components.get(route) or route for route in routes),
        handler=entry["handler"],
        zip=path,
        sha256=entry["sha256"],
        size=Size(zipped=entry["zippedBytes"], unzipped=entry["unzippedBytes"]),
        python=entry["runtime"].removeprefix("python"),
        architecture=entry["architecture"],
        versions={one["name"]: one["version"] for one in entry["distributions"]},
        provided=tuple(entry["provided"]),
        omitted={one["name"]: one["parent"] for one in entry.get("omitted", ())},
        environment=entry["environment"],
        graph=graph,
    )


def members_of(path: Path) -> tuple[Member, ...]:
    """Return the files of a zip; raises `RouteletError` where there is none."""
    try:
        with ZipPath(path).root as opened:
            infos = [info for info in opened.infolist() if not info.is_dir()]
    except FileNotFoundError:
        raise RouteletError(
            "is not there", where=str(path), mend="run `routelet build` first"
        ) from None
    return tuple(
        Member(
            name=info.filename,
            size=Size(
                zipped=info.compress_size + _HEADERS + 2 * len(info.filename.encode()),
                unzipped=info.file_size,
            ),
            crc=info.CRC,
        )
        for info in infos
    )


def module_of(file: str) -> str:
    """Return the dotted name of the module in a source of a zip."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def owner_of(file: str, owners: Mapping[str, str]) -> str | None:
    """Return the owner of a file, by the owners of files and folders."""
    while file:
        if file in owners:
            return owners[file]
        file = file.rpartition("/")[0]
    return None


def label_of(node: str, graph: Graph) -> str:
    """Return how people know a file of a zip, or a distribution."""
    return graph.labels.get(node, node.removeprefix(DISTRIBUTION))


def total(sizes: Iterable[Size]) -> Size:
    """Return the sum of sizes."""
    return sum(sizes, Size())
