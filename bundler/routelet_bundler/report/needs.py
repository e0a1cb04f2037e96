"""Who needs what in one function: the shortest chain to a part, and the first edge to cut."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import reduce

from routelet_bundler.model import DISTRIBUTION, RUNTIME_FILES, Edge
from routelet_bundler.report.shipped import Shipped, Size, total

Edges = Mapping[str, Sequence[Edge]]
"""What each part needs, by who needs it; parts are files and `distribution:NAME`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`source` needs the target of `edge`."""

    source: str
    edge: Edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """An edge of the site's own code, and what would leave the zip without it."""

    source: str
    target: str
    line: int
    """The first in `source` that needs it; 0 where it is known to need it somewhere."""
    size: Size
    frees: tuple[str, ...]
    """Parts, the largest first."""

    def text(self, function: Shipped) -> str:
        """Return the edge as people know it."""
        place = function.label(self.source)
        return f"{function.label(self.target)} at {place}{f':{self.line}' if self.line else ''}"


def edges_of(function: Shipped) -> Edges:
    """Return the edges between the parts of a function's zip; its entry module needs the first.

    A part that nothing is known to need is needed by the entry module.
    """
    shipped = function.sizes
    found = {
        part: [edge for edge in edges if edge.target in shipped]
        for part, edges in edges_beyond(function).items()
        if part in shipped
    }
    reached = reachable(found, function.entry)
    lost = [part for part in shipped if part not in reached]
    found.setdefault(function.entry, [])
    found[function.entry] += [Edge(target=part, line=0, kind="other") for part in lost]
    return found


def edges_beyond(function: Shipped) -> Edges:
    """Return the edges of all that a function would reach, were nothing left out of its zip."""
    found: dict[str, Sequence[Edge]] = {}
    pending = [function.entry]
    while pending:
        part = pending.pop()
        if part not in found:
            found[part] = _needs(function, part)
            pending += [edge.target for edge in found[part]]
    return found


def reachable(edges: Edges, start: str) -> Set[str]:
    """Return the parts that `start` leads to, itself included."""
    found, pending = {start}, [start]
    while pending:
        fresh = {edge.target for edge in edges.get(pending.pop(), ())} - found
        found |= fresh
        pending += fresh
    return found


def _needs(function: Shipped, part: str) -> Sequence[Edge]:
    if part == function.entry:
        return function.graph.starts[function.name]
    if part.startswith(DISTRIBUTION):
        names = function.graph.requires.get(part.removeprefix(DISTRIBUTION), ())
        return [Edge(target=f"{DISTRIBUTION}{one}", line=0, kind="requires") for one in names]
    return function.graph.files.get(part, ())


def chain_to(target: str, edges: Edges, entry: str) -> tuple[Link, ...]:
    """Return the shortest chain from the entry module to `target`; none where there is no way.

    Of two that are as short, the one whose edges come first in their files.
    """
    came: dict[str, Link] = {}
    pending = deque([entry])
    while pending and target not in came:
        source = pending.popleft()
        for edge in edges.get(source, ()):
            if edge.target not in came and edge.target != entry:
                came[edge.target] = Link(source=source, edge=edge)
                pending.append(edge.target)
    chain: list[Link] = []
    part = target
    while part in came:
        chain.append(came[part])
        part = came[part].source
    return tuple(reversed(chain))


def part_text(part: str, edges: Edges, function: Shipped) -> str:
    """Return a part and the way from the page to it: `numpy  (src/pages/a.py:3)`."""
    chain = chain_to(part, edges, function.entry)
    places = [(function.label(one.source), one.edge.line) for one in chain[1:]]
    way = " -> ".join(f"{file}:{line}" if line else file for file, line in places)
    return f"{function.label(part)}  ({way})" if way else function.label(part)


def cuts_of(function: Shipped, edges: Edges, most: int) -> tuple[Cut, ...]:
    """Return the edges that free the most when they are cut, the best first.

    An edge is all that needs the same part in one file. It frees what is reached through it
    alone: what the edge dominates in the graph. Edges of the runtime and of distributions are not
    the site's to cut, and what the entry module needs is the page itself.
    """
    dominators = _Dominators(edges, function.entry)
    cuts = [
        _cut(function, source, target, edges[source], dominators)
        for source in edges
        if source != function.entry and not source.startswith((RUNTIME_FILES, DISTRIBUTION))
        for target in dict.fromkeys(edge.target for edge in edges[source])
        if not _is_its_own(edges[source], target)
    ]
    worth = sorted((one for one in cuts if one.frees), key=lambda one: -one.size.zipped)
    return tuple(worth[:most])


def _is_its_own(edges: Sequence[Edge], target: str) -> bool:
    """Tell whether a module has `target` only as the package that it is in."""
    return all(edge.kind == "package" for edge in edges if edge.target == target)


def _cut(
    function: Shipped, source: str, target: str, edges: Sequence[Edge], dominators: "_Dominators"
) -> Cut:
    lines = [one.line for one in edges if one.target == target and one.kind != "package"]
    freed = dominators.below(source, target)
    sizes = {part: function.sizes[part] for part in freed}
    return Cut(
        source=source,
        target=target,
        line=min(lines),
        size=total(sizes.values()),
        frees=tuple(sorted(sizes, key=lambda part: (-sizes[part].zipped, part))),
    )


class _Dominators:
    """The dominator tree of parts and of the edges between them.

    By the algorithm of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001).
    """

    def __init__(self, edges: Edges, entry: str) -> None:
        self._order: dict[object, int] = {}
        before: dict[object, list[object]] = {}
        for number, (node, follow) in enumerate(_postorder(edges, entry)):
            self._order[node] = number
            for one in follow:
                before.setdefault(one, []).append(node)
        before.pop(entry, None)
        self._parent: dict[object, object] = {entry: entry}
        nodes = sorted(before, key=self._order.__getitem__, reverse=True)
        while self._settle(nodes, before):
            pass
        self._children: dict[object, list[object]] = {}
        for node in nodes:
            self._children.setdefault(self._parent[node], []).append(node)

    def _settle(self, nodes: list[object], before: Mapping[object, list[object]]) -> bool:
        """Go over all nodes once; tell whether a dominator is another than before."""
        changed = False
        for node in nodes:
            known = [one for one in before[node] if one in self._parent]
            nearest = reduce(self._common, known)
            changed = changed or self._parent.get(node) != nearest
            self._parent[node] = nearest
        return changed

    def _common(self, one: object, other: object) -> object:
        while one != other:
            if self._order[one] < self._order[other]:
                one = self._parent[one]
            else:
                other = self._parent[other]
        return one

    def below(self, source: str, target: str) -> list[str]:
        """Return the parts that are reached through the edge from `source` to `target` alone."""
        found, pending = [], list(self._children.get((source, target), ()))
        while pending:
            node = pending.pop()
            if isinstance(node, str):
                found.append(node)
            pending += self._children.get(node, ())
        return found


def _postorder(edges: Edges, entry: str) -> Iterator[tuple[object, list[object]]]:
    """Yield each node after those that follow it; an edge is a node between two parts."""

    def after(node: object) -> list[object]:
        if isinstance(node, str):
            return list(dict.fromkeys((node, edge.target) for edge in edges.get(node, ())))
        return [node[1]] if isinstance(node, tuple) else []

    seen: set[object] = {entry}
    stack: list[tuple[object, list[object], Iterator[object]]] = []
    follow = after(entry)
    stack.append((entry, follow, iter(follow)))
    while stack:
        node, follow, rest = stack[-1]
        fresh = next((one for one in rest if one not in seen), None)
        if fresh is None:
            yield node, follow
            stack.pop()
        else:
            seen.add(fresh)
            ahead = after(fresh)
            stack.append((fresh, ahead, iter(ahead)))
