"""The graph of what was traced: functions and their tracers in, who needs what out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from routelet_bundler.model import DISTRIBUTION, Distribution, Edge, Function, Graph
from routelet_bundler.trace import Tracer
from routelet_bundler.trace.modules import LocalModules
from routelet_bundler.trace.resolve import Resolved


def graph_of(
    functions: Sequence[Function], tracers: Sequence[Tracer], generated: Mapping[str, str]
) -> Graph:
    """Return who needs what in `functions`, which `tracers` traced.

    `generated` says what files were made from, by their path in zips.
    """
    edges: dict[str, dict[Edge, None]] = defaultdict(dict)
    requires: dict[str, dict[str, None]] = defaultdict(dict)
    installed: dict[str, Distribution] = {}
    labels: dict[str, str] = {}
    grounds = {tracer.target: tracer.graph.ground for tracer in tracers}
    for tracer in tracers:
        for file, found in tracer.graph.known.items():
            known = dict.fromkeys(_edges_of(found))
            # Of a file that was made from another, the lines are not those of the other one.
            edges[file] |= _without_lines(known) if file in generated else known
        ground = grounds[tracer.target]
        installed |= ground.index.distributions
        labels |= ground.sources.labels
        for name in ground.index.distributions:
            requires[name] |= dict.fromkeys(ground.closures.required_by(name))
    for function in functions:
        for distribution, reason in function.traced.distributions:
            if reason.parent in installed:
                requires[reason.parent][distribution.name] = None
    files = {*edges, *(edge.target for found in edges.values() for edge in found)}
    for file, package in _packages(files):
        edges[file][Edge(target=package, line=0, kind="package")] = None
    return Graph(
        files={file: tuple(found) for file, found in sorted(edges.items())},
        requires={name: tuple(sorted(found)) for name, found in sorted(requires.items()) if found},
        owns=_owned(installed),
        labels={name: label for name, label in {**labels, **generated}.items() if name in files},
        starts={one.name: tuple(_starts(one, grounds[one.target].modules)) for one in functions},
        excluded={one.name: one.config.exclude for one in functions if one.config.exclude},
    )


def _edges_of(found: Resolved) -> Iterator[Edge]:
    """Yield the edges of a file; one to a package for what is in it is the module's own."""
    below = {
        (folder, reason.line)
        for (file, _), reason in found.edges.items()
        for folder in with_those_above(file.removesuffix("/__init__.py").rpartition("/")[0])
    }
    for (file, _), reason in found.edges.items():
        folder, _, name = file.rpartition("/")
        if name != "__init__.py" or (folder, reason.line) not in below:
            yield Edge(target=file, line=reason.line, kind=reason.kind)
    for name, reason in {**found.owners, **found.provided}.items():
        yield Edge(target=f"{DISTRIBUTION}{name}", line=reason.line, kind=reason.kind)


def _without_lines(edges: Iterable[Edge]) -> dict[Edge, None]:
    return dict.fromkeys(replace(edge, line=0) for edge in edges)


def _packages(files: Set[str]) -> Iterator[tuple[str, str]]:
    """Yield each module with the `__init__` of the nearest package that it is in."""
    for file in files:
        if file.endswith(".py"):
            above = with_those_above(file.removesuffix("/__init__.py").rpartition("/")[0])
            inits = (f"{folder}/__init__.py" for folder in reversed(above))
            if package := next((one for one in inits if one in files), None):
                yield file, package


def _starts(function: Function, modules: LocalModules) -> Iterator[Edge]:
    """Yield what an entry module needs: what it imports, and what `include` names."""
    for module in function.modules:
        if file := modules.file_of(module):
            yield Edge(target=file, line=0, kind="entry")
    if function.config.include:
        for one in function.traced.files:
            if one.reason.kind == "include":
                yield Edge(target=one.archive, line=0, kind="include")
        for distribution, reason in function.traced.distributions:
            if reason.kind == "include":
                yield Edge(target=f"{DISTRIBUTION}{distribution.name}", line=0, kind="include")


def _owned(installed: Mapping[str, Distribution]) -> Mapping[str, tuple[str, ...]]:
    """Return the outermost files and folders that only one distribution has files in, by owner."""
    folders = {
        name: {file.rpartition("/")[0] for file, _ in one.files} for name, one in installed.items()
    }
    owners: dict[str, set[str]] = defaultdict(set)
    for name, found in folders.items():
        for folder in found:
            for above in with_those_above(folder):
                owners[above].add(name)
    owned: dict[str, set[str]] = defaultdict(set)
    for name, distribution in installed.items():
        for file, _ in distribution.files:
            paths = with_those_above(file.rpartition("/")[0])
            shared = sum(len(owners[path]) > 1 for path in paths)
            owned[name].add(paths[shared] if shared < len(paths) else file)
    return {name: tuple(sorted(paths)) for name, paths in sorted(owned.items())}


def with_those_above(path: str, separator: str = "/") -> list[str]:
    """Return a folder, or a module where "." separates, and all that it is in, outermost first."""
    parts = path.split(separator) if path else []
    return [separator.join(parts[: end + 1]) for end in range(len(parts))]
