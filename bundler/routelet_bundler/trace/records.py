"""What sources said when they were parsed, kept from build to build.

Parsing 10,000 pages takes 5 s, and reading what was kept of them 0.2 s.
"""

import pickle
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

from routelet_bundler.cache import Cache, digest
from routelet_bundler.sources import read_source
from routelet_bundler.trace.data_files import DataPath, data_paths
from routelet_bundler.trace.imports import Imports, imports_of
from routelet_bundler.trace.syntax import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one local Python file needs."""

    imports: Imports
    data: tuple[DataPath, ...]


class Records:
    """Sources by their path in a zip and their digest, for a target of Python `python`."""

    def __init__(self, python: str, known: dict[tuple[str, str], Source] | None = None) -> None:
        self._python = python
        self._known = known or {}
        self._seen: dict[tuple[str, str], Source] = {}

    @classmethod
    def of(cls, root: Path, python: str, cache: Cache) -> "Records":
        """Return what an earlier build of the site at `root` kept."""
        kept = cache.read("records", _key(root, python))
        return cls(python, pickle.loads(kept) if kept else None)  # noqa: S301 - our own entry

    def source(self, archive: str, sha256: str, path: Path, where: str) -> Source:
        """Return what the file at `path` needs; raises `RouteletError` with file and line."""
        key = (archive, sha256)
        found = self._known.get(key)
        if found is None:
            tree = parse(read_source(path, where), where, self._python)
            found = Source(imports=imports_of(tree, self._python), data=data_paths(tree, archive))
        self._seen[key] = found
        return found

    def keep(self, root: Path, cache: Cache) -> None:
        """Keep what was seen for the next build."""
        if self._seen.keys() != self._known.keys():
            cache.write("records", _key(root, self._python), pickle.dumps(self._seen))


def _key(root: Path, python: str) -> str:
    return digest("records", str(root), python, _code())


@once
def _code() -> str:
    """Return a digest of the code that reads sources: what another read is not what this would."""
    return digest(*(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
