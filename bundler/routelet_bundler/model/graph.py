"""Who needs what: the edges between the files of functions, and what distributions require."""

from collections.abc import Mapping
from dataclasses import dataclass

DISTRIBUTION = "distribution:"
"""What the target of an edge begins with, where it is a distribution and no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A file needs `target`, a path in zips or `distribution:NAME`, at `line`; 0 for no line."""

    target: str
    line: int
    kind: str
    """As that of a `Reason`: `import`, `data`, `package`, `entry`, `include`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The edges of all functions: those of a file are the same in each that has it."""

    files: Mapping[str, tuple[Edge, ...]]
    requires: Mapping[str, tuple[str, ...]]
    """What distributions require of each other, by normalised name."""
    owns: Mapping[str, tuple[str, ...]]
    """Files and folders that are a distribution's alone, the outermost ones, by its name."""
    labels: Mapping[str, str]
    """How people know a file, by its path in zips, where the two differ."""
    starts: Mapping[str, tuple[Edge, ...]]
    """What the entry module of a function needs, by the function's name."""
    excluded: Mapping[str, tuple[str, ...]]
    """The patterns of `exclude`, by the name of a function that has some."""
