"""Why something is in the function of a route, or is not: a name in, sentences out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal

from packaging.utils import canonicalize_name

from routelet_bundler.errors import WRONG_USE, RouteletError, did_you_mean
from routelet_bundler.interpreters import standard_library
from routelet_bundler.model import DISTRIBUTION
from routelet_bundler.report.needs import Edges, Link, chain_to, edges_beyond, edges_of
from routelet_bundler.report.shipped import (
    Shipped,
    ShippedSite,
    Size,
    module_of,
    owner_of,
)
from routelet_bundler.sources import source_of

State = Literal["shipped", "provided", "omitted", "excluded", "not reached"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What `routelet why` found: the state of a part, and the chain from the page to it."""

    route: str
    part: str
    """A file of the zip by its path there, or `distribution:NAME`."""
    label: str
    state: State
    size: Size
    chain: tuple[Link, ...]
    note: str
    """Why it is left out, or how else it comes to be there."""


def function_of(site: ShippedSite, route: str) -> Shipped:
    """Return the function of a route, or that of this name; raises `RouteletError`."""
    name = site.routes.get(route) or route
    if name in site.functions:
        return site.functions[name]
    if route in site.routes:
        raise RouteletError(
            "is prerendered or a redirect: no function answers it", where=route, status=WRONG_USE
        )
    raise RouteletError(
        f'no route "{route}"',
        mend=did_you_mean(route, {**site.routes, **site.functions})
        or "`routelet routes` lists them",
        status=WRONG_USE,
    )


def why(site: ShippedSite, route: str, name: str, places: Sequence[Path]) -> Why:
    """Return why `name` is in the function of `route`, or why it is not.

    `name` is a path in the zip or below one of `places`, a module, or a distribution. Raises
    `RouteletError` for what is none of these, with the nearest name that is.
    """
    function = function_of(site, route)
    part, file = _part_of(function, name) or _elsewhere(function, name, places)
    if part in function.sizes:
        chain = _chain(route, part, edges_of(function), function)
        state: State = "shipped"
        note = _note(function, part, file)
    else:
        chain = _chain(route, part, edges_beyond(function), function)
        state, note = _left_out(site, function, part, chain)
    return Why(
        route=route,
        part=part,
        label=function.label(part),
        state=state,
        size=function.sizes.get(part, Size()),
        chain=chain,
        note=note,
    )


def _chain(route: str, part: str, edges: Edges, function: Shipped) -> tuple[Link, ...]:
    """Return the chain from the page of `route`, or from another one of its function."""
    pages = dict(zip(function.routes, function.pages, strict=True))
    own = [one for one in edges[function.entry] if function.label(one.target) == pages.get(route)]
    chain = chain_to(part, {**edges, function.entry: own}, function.entry)
    return chain or chain_to(part, edges, function.entry)


def _part_of(function: Shipped, name: str) -> tuple[str, str] | None:
    """Return the part that is meant, and the file of it; None where the graph knows nothing."""
    known = _known_names(function)
    for one in (name, name.removeprefix("./"), canonicalize_name(name)):
        if one in known:
            return known[one], ""
    owners = {path: owner for owner, paths in function.graph.owns.items() for path in paths}
    names = {source_of(one.name) for one in function.members} | {
        one.name for one in function.members
    }
    path = name.replace(".", "/")
    for file in (name, f"{path}.py", f"{path}/__init__.py"):
        if file in names:
            owner = owner_of(source_of(file), owners)
            return (f"{DISTRIBUTION}{owner}" if owner else source_of(file)), file
    owner = owner_of(path, owners) or owner_of(f"{path}.py", owners)
    return (f"{DISTRIBUTION}{owner}", name) if owner else None


def _known_names(function: Shipped) -> Mapping[str, str]:
    """Return the parts of the graph by every name that people may use."""
    graph = function.graph
    edges = [edge for found in (*graph.files.values(), *graph.starts.values()) for edge in found]
    files = {edge.target for edge in edges} | {*graph.files, function.entry}
    names = (*graph.owns, *function.provided)
    parts = {*files, *(f"{DISTRIBUTION}{name}" for name in names)}
    known = {part.removeprefix(DISTRIBUTION): part for part in sorted(parts)}
    for part in files:
        label = function.label(part)
        known.setdefault(label, part)
        known.setdefault(label.partition("/")[2] or label, part)
        if part.endswith(".py"):
            known.setdefault(module_of(part), part)
    return known


def _elsewhere(function: Shipped, name: str, places: Sequence[Path]) -> tuple[str, str]:
    """Return what no function packs: a file of the site, or a module of Python's own.

    Raises `RouteletError` for what is neither.
    """
    path = name.replace(".", "/")
    for file in (name, f"{path}.py", f"{path}/__init__.py"):
        if any((place / file).is_file() for place in places):
            return file, file
    if _is_standard(function, name):
        return name, name
    names = [*_known_names(function), *(one.name for one in function.members)]
    raise RouteletError(
        f'knows no file, module or distribution "{name}"',
        where=function.zip.name,
        mend=did_you_mean(name, names) or "name a file of the site, a module, or a distribution",
        status=WRONG_USE,
    )


def _note(function: Shipped, part: str, file: str) -> str:
    if file and part.startswith(DISTRIBUTION):
        packed = {name for one in function.members for name in (one.name, source_of(one.name))}
        return f"{file} is {'a file of it' if file in packed else 'not among its files in the zip'}"
    if part == function.entry:
        return "the entry module, made by the build"
    return ""


def _left_out(
    site: ShippedSite, function: Shipped, part: str, chain: Sequence[Link]
) -> tuple[State, str]:
    name = part.removeprefix(DISTRIBUTION)
    if _is_standard(function, part):
        return (
            "provided",
            f"of the standard library of Python {function.python}, which the host has",
        )
    if name in function.provided and part != name:
        return "provided", "left to the host, which has it: all of boto3's set, or none"
    if name in function.omitted and part != name:
        parent = function.label(function.omitted[name])
        include = f'include = ["{name}"]'
        return "omitted", f"{parent} imports it, and does without it; {include} packs it"
    for pattern in function.graph.excluded.get(function.name, ()):
        if canonicalize_name(pattern) == name or _fits(pattern, part, function.label(part)):
            return "excluded", f'left out by exclude = "{pattern}"'
    if chain:
        return "excluded", "needed by what is left out"
    others = [one.routes[0] for one in site.functions.values() if _reaches(one, part)]
    also = f"; it is in that of {', '.join(others[:3])}" if others else ""
    return "not reached", f"nothing that this function imports leads to it{also}"


def _is_standard(function: Shipped, name: str) -> bool:
    is_file = name.endswith(".py")
    return not is_file and name.partition(".")[0] in standard_library(function.python)


def _fits(pattern: str, part: str, label: str) -> bool:
    pattern = pattern.removeprefix("./").removeprefix("src/")
    return any(
        fnmatchcase(name, pattern) or PurePosixPath(name).match(pattern)
        for name in (part, label, label.partition("/")[2])
    )


def _reaches(function: Shipped, part: str) -> bool:
    if part.startswith(DISTRIBUTION):
        return part.removeprefix(DISTRIBUTION) in function.versions
    return part in edges_beyond(function)


def sentences(found: Why, function: Shipped) -> list[str]:
    """Return a chain as people read it, a sentence for each link."""
    return [_sentence(link, function) for link in found.chain]


def _sentence(link: Link, function: Shipped) -> str:
    target = function.label(link.edge.target)
    source = function.label(link.source)
    place = f"{source}:{link.edge.line}" if link.edge.line else source
    match link.edge.kind:
        case "entry" if target in function.pages:
            route = function.routes[function.pages.index(target)]
            return f"{target} answers {route}"
        case "entry":
            return f"{target} is loaded when the function starts"
        case "include":
            return f'{target} is named by include = ["..."]'
        case "data":
            return f"{place} reads {target}"
        case "package":
            return f"{source} is in the package of {target}"
        case "requires":
            return f"{source} requires {target}"
        case "other":
            return f"{target} is there without an import"
    return f"{place} {'uses' if target.endswith('.jinja') else 'imports'} {target}"
