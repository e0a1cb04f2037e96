"""`dist/graph.json`: who needs what in the functions, for `routelet why` and `routelet report`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from routelet_bundler.model import Edge, Graph

SCHEMA_VERSION = 1


def graph_text(graph: Graph) -> str:
    """Return a graph as JSON, an item of a table on each line; an edge is [target, line, kind]."""
    tables: Mapping[str, Mapping[str, Any]] = {
        "labels": graph.labels,
        "files": {name: _rows(edges) for name, edges in graph.files.items()},
        "requires": graph.requires,
        "owns": graph.owns,
        "functions": {name: _rows(edges) for name, edges in graph.starts.items()},
        "excluded": graph.excluded,
    }
    written = (f' "{name}": {_table(table)}' for name, table in tables.items())
    return ",\n".join([f'{{\n "schemaVersion": {SCHEMA_VERSION}', *written]) + "\n}\n"


def _rows(edges: Iterable[Edge]) -> list[list[object]]:
    return [[edge.target, edge.line, edge.kind] for edge in edges]


def _table(table: Mapping[str, Any]) -> str:
    lines = (f"\n  {json.dumps(name)}: {json.dumps(value)}" for name, value in table.items())
    return f"{{{','.join(lines)}\n }}" if table else "{}"


def graph_from(text: str) -> Graph:
    """Return the graph that `graph_text` wrote."""
    read = json.loads(text)
    return Graph(
        files=_edges(read["files"]),
        requires=_names(read["requires"]),
        owns=_names(read["owns"]),
        labels=read["labels"],
        starts=_edges(read["functions"]),
        excluded=_names(read["excluded"]),
    )


def _edges(table: Mapping[str, list[tuple[str, int, str]]]) -> Mapping[str, tuple[Edge, ...]]:
    return {
        name: tuple(Edge(target=target, line=line, kind=kind) for target, line, kind in rows)
        for name, rows in table.items()
    }


def _names(table: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(names) for name, names in table.items()}
