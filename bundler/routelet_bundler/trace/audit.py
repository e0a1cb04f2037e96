"""Audit: what stays of distributions by what code reaches, and by what recorded runs opened.

Static and recorded, never recorded alone: a file stays where any module that the function reaches
leads to it, as far as that can be read, or where a run opened it or asked for it. A distribution
stays whole where reading does not tell (an import of a name that is computed), where no run opened
anything of it, and where the recording is of another version of it.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from routelet_bundler.cache import digest
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Distribution, RouteConfig
from routelet_bundler.trace.distributions import Index
from routelet_bundler.trace.ground import Ground, Recording
from routelet_bundler.trace.imports import Imports, Unknown
from routelet_bundler.trace.records import Records, Source
from routelet_bundler.trace.walk import Graph, Walk

RECORDING = "routelet.audit.json"
"""In the site's folder, reviewed and committed like a lock file."""
SCHEMA_VERSION = 1

_LIBRARY = re.compile(r"\.so(\.\d+)*$")
_EXTENSION = re.compile(r"\.(cpython-\w+|abi3)[\w-]*\.so$")
"""A module's file name says what it was built for: PEP 3149."""
_UNREADABLE = Source(
    imports=Imports(
        imports=(), unknown=(Unknown(expression="", line=1, end=1),), templates=(), collections=(),
        assets=(), rewrites=(), strings=(), words=(), exported=(),
    ),
    data=(),
)  # fmt: skip


def read_recording(root: Path) -> Recording | None:
    """Return the recording of a site, or None; raises `RouteletError` for one that is none."""
    try:
        found = json.loads((root / RECORDING).read_text("utf-8"))
        if found["schemaVersion"] != SCHEMA_VERSION:
            raise ValueError(found["schemaVersion"])
        return Recording(files=frozenset(found["files"]), versions=dict(found["distributions"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise RouteletError(
            f"is no recording: {error!r}",
            where=RECORDING,
            mend="remove it, build, and record again with `routelet emulate --record`",
        ) from None


class _WideGround(Ground):
    """A ground on which the modules of distributions are followed like the site's own."""

    def source_of(self, archive: str) -> Source:
        """Return what a file needs; one that does not parse needs what nothing tells."""
        try:
            return super().source_of(archive)
        except RouteletError:
            return _UNREADABLE


class Audit:
    """The audit of one target, for functions that are traced one after the other."""

    def __init__(self, ground: Ground, records: Records | None) -> None:
        index, sources = ground.index, ground.sources
        self._recording = sources.recording
        files = {name: path for one in index.distributions.values() for name, path in one.files}
        wide = replace(
            sources, files={**files, **sources.files}, index=Index(distributions={}, owners={})
        )
        self._ground = _WideGround(wide, ground.target, records)
        self._graph = Graph(self._ground)
        self._trimmed: dict[tuple[str, frozenset[str]], Distribution] = {}

    def trimmed(
        self, packed: Sequence[Distribution], modules: Iterable[str], config: RouteConfig
    ) -> tuple[tuple[Distribution, ...], tuple[str, ...]]:
        """Return what stays of `packed` where a function imports `modules`, and what to tell."""
        recording = self._recording
        if recording is None:
            lacks = f"no {RECORDING}: distributions are whole; see `routelet emulate --record`"
            return tuple(packed), (lacks,)
        whole = {one.name for one in packed if not _is_recorded(one, recording)}
        whole |= set(map(canonicalize_name, config.include))
        asked: set[str] = set()
        walk = Walk(self._graph, config)
        for module in modules:
            walk.start(module)
        walk.run()
        while more := self._to_follow(walk, packed, whole) - asked:
            asked |= more
            for module in sorted(more):
                walk.start(module)
            walk.run()
        reached = self._reached(walk) | recording.files
        told = tuple(
            f"{RECORDING} has {one.name} {known}, and {one.version} is packed, whole; record again"
            for one in packed
            if (known := recording.versions.get(one.name, one.version)) != one.version
        )
        return tuple(one if one.name in whole else self._cut(one, reached) for one in packed), told

    def _to_follow(self, walk: Walk, packed: Sequence[Distribution], whole: set[str]) -> set[str]:
        """Return modules that may run as well: of what became whole, and beside shared objects.

        What a shared object imports cannot be read.
        """
        for one in packed:
            if one.name not in whole and any(self._is_unknown(name, walk) for name, _ in one.files):
                whole.add(one.name)
        folders = {name.rpartition("/")[0] for name in walk.files if _EXTENSION.search(name)}
        names = (
            name
            for one in packed
            for name, _ in one.files
            if name not in walk.files and (one.name in whole or name.rpartition("/")[0] in folders)
        )
        return {module for name in names if (module := self._ground.modules.module_at(name))}

    def _reached(self, walk: Walk) -> set[str]:
        """Return modules, and data that is named as a file; of a folder, runs tell what is read."""
        modules = {name for name in walk.files if name.endswith((".py", ".pyi", ".so"))}
        sources = (name for name in modules if name.endswith(".py"))
        return modules | {
            data.path for name in sources for data in self._ground.source_of(name).data
        }

    def _is_unknown(self, archive: str, walk: Walk) -> bool:
        reached = archive in walk.files and archive.endswith(".py")
        return reached and bool(self._ground.source_of(archive).imports.unknown)

    def _cut(self, distribution: Distribution, reached: Iterable[str]) -> Distribution:
        stay = frozenset(name for name, _ in distribution.files if _always(name))
        stay |= frozenset(name for name, _ in distribution.files).intersection(reached)
        key = (distribution.key, stay)
        if key not in self._trimmed:
            self._trimmed[key] = replace(
                distribution,
                files=tuple(file for file in distribution.files if file[0] in stay),
                key=digest("audit", distribution.key, *sorted(stay)),
            )
        return self._trimmed[key]


def _is_recorded(distribution: Distribution, recording: Recording) -> bool:
    """Tell whether runs opened something of a distribution, of the version that is packed."""
    same = recording.versions.get(distribution.name) == distribution.version
    names = (name for name, _ in distribution.files if ".dist-info/" not in name)
    return same and any(name in recording.files for name in names)


def _always(name: str) -> bool:
    """Tell whether a file stays in any case: metadata, and libraries, which the linker finds."""
    return ".dist-info/" in name or bool(_LIBRARY.search(name) and not _EXTENSION.search(name))
