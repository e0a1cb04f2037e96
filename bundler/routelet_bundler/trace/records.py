"""What sources said when they were parsed, kept from build to build.

Parsing 10,000 pages takes 5 s, and reading what was kept of them 0.2 s.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache as once
from functools import partial
from pathlib import Path

from routelet_bundler import conditions
from routelet_bundler.cache import Cache, digest
from routelet_bundler.elsewhere import Elsewhere
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import RUNTIME_FILES
from routelet_bundler.sources import Digests, decoded, read_source
from routelet_bundler.trace.data_files import DataPath, data_paths
from routelet_bundler.trace.imports import Imports, imports_of
from routelet_bundler.trace.pragmas import Pragma, pragmas_of
from routelet_bundler.trace.syntax import parse

_BATCH = 50
"""So many sources are one task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one local Python file needs."""

    imports: Imports
    data: tuple[DataPath, ...]
    pragmas: tuple[Pragma, ...] = ()


class Records:
    """Sources by their path in a zip and their digest, for a target of Python `python`."""

    def __init__(self, python: str, known: dict[tuple[str, str], Source] | None = None) -> None:
        self._python = python
        self._known = known or {}
        self._learned: dict[tuple[str, str], Source] = {}
        self._seen: dict[tuple[str, str], Source] = {}

    @classmethod
    def of(cls, root: Path, python: str, cache: Cache) -> "Records":
        """Return what an earlier build of the site at `root` kept."""
        kept = cache.read("records", _key(root, python))
        return cls(python, pickle.loads(kept) if kept else None)  # noqa: S301 - our own entry

    def source(self, archive: str, sha256: str, path: Path, where: str) -> Source:
        """Return what the file at `path` needs; raises `RouteletError` with file and line."""
        key = (archive, sha256)
        found = self._known.get(key) or self._learned.get(key)
        if found is None:
            found = source_of(archive, read_source(path, where), where, self._python)
        self._seen[key] = found
        return found

    def learn(self, files: Mapping[str, Path], digests: Digests, elsewhere: Elsewhere) -> None:
        """Have sources read elsewhere that are not known yet; `files` are by their path in a zip.

        Faulty ones are left to `source`, which tells what is wrong with them.
        """
        keys = [(archive, digests.of(path)) for archive, path in files.items()]
        new = [
            key
            for key in keys
            if key[0].endswith(".py") and key not in self._known and key not in self._learned
        ]
        batches = [new[start : start + _BATCH] for start in range(0, len(new), _BATCH)]
        texts = ([(archive, files[archive].read_bytes()) for archive, _ in one] for one in batches)
        read = partial(sources_of_batch, python=self._python)
        for batch, sources in zip(batches, elsewhere.results(read, texts), strict=True):
            found = zip(batch, sources, strict=True)
            self._learned |= {key: source for key, source in found if source is not None}

    def keep(self, root: Path, cache: Cache) -> None:
        """Keep what was seen for the next build."""
        if self._seen.keys() != self._known.keys():
            cache.write("records", _key(root, self._python), pickle.dumps(self._seen))


def source_of(archive: str, text: str, where: str, python: str) -> Source:
    """Return what a source needs; raises `RouteletError` with file and line."""
    tree = parse(text, where, python)
    return Source(
        imports=imports_of(tree, text, python),
        # The runtime reads no files of its own, and is half of what a small site reaches.
        data=() if archive.startswith(RUNTIME_FILES) else data_paths(tree, text, archive),
        pragmas=pragmas_of(text, where),
    )


def sources_of_batch(batch: Sequence[tuple[str, bytes]], python: str) -> list[Source | None]:
    """Return what sources need, None for faulty ones; this is what runs elsewhere."""
    found: list[Source | None] = []
    for archive, data in batch:
        try:
            found.append(source_of(archive, decoded(data, archive), archive, python))
        except RouteletError:
            found.append(None)
    return found


def _key(root: Path, python: str) -> str:
    return digest("records", str(root), python, _code())


@once
def _code() -> str:
    """Return a digest of the code that reads sources: what another read is not what this would."""
    files = (Path(conditions.__file__), *sorted(Path(__file__).parent.glob("*.py")))
    return digest(*(path.read_bytes() for path in files))
