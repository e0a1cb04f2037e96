"""The data of a report: a built site in, what the page shows out, as JSON.

What functions share is there once: a distribution of many functions is one part, and modules are
numbers into one list of names, so that a report of many functions stays small.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from routelet_bundler.cache import Cache
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import DISTRIBUTION, RUNTIME_FILES
from routelet_bundler.report.changes import Change, Earlier, changes_of
from routelet_bundler.report.needs import Cut, cuts_of, edges_of
from routelet_bundler.report.shipped import Shipped, ShippedSite, Size, owner_of
from routelet_bundler.report.start import Loaded, profile, total_us
from routelet_bundler.report.trees import tree_of
from routelet_bundler.sources import source_of

MOST_STARTS = 200
"""So many functions are started, the largest ones: each takes a second or so the first time."""
_MOST_CUTS = 5
_MOST_FREED = 8
_MOST_FILES = 40
_MOST_SHARED = 60
_LEAST_OF_A_ZIP = 1 / 1000
"""What frees less is not worth a cut."""
_LEAST_OF_A_START = 1 / 100
"""Modules that take less of a start are told together."""

Start = tuple[Loaded, ...] | str
"""What a function imports, or why that is not known."""


@dataclass(slots=True)
class _Once:
    """Values that many functions have, each by its number in a list."""

    values: list[Any] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, value: object) -> int:
        key = json.dumps(value)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


def report_data(
    site: ShippedSite,
    name: str,
    earlier: Earlier | None,
    cache: Cache,
    *,
    jobs: int,
    report: Callable[[int, int], None],
) -> Mapping[str, Any]:
    """Return what a report of a built site shows; `name` is that of the project.

    `earlier` is the last build that was another. `report` is told of the functions that were
    started, and of how many there are to start.
    """
    functions = sorted(site.functions.values(), key=lambda one: (-one.size.zipped, one.name))
    starts = _starts(functions[:MOST_STARTS], cache, jobs, report)
    changes = changes_of(site, earlier) if earlier is not None else {}
    parts, names = _Once(), _Once()
    described = [
        {
            **_function(one),
            "parts": [parts.number(part) for part in _parts(one)],
            "start": _start(starts.get(one.name, f"one of the {MOST_STARTS} largest"), names),
            "cuts": [
                _cut(cut, one)
                for cut in cuts_of(one, edges_of(one), _MOST_CUTS)
                if cut.size.zipped >= one.size.zipped * _LEAST_OF_A_ZIP
            ],
            "change": _change(changes[one.name], one) if one.name in changes else None,
        }
        for one in functions
    ]
    return {
        "site": name,
        "parts": parts.values,
        "modules": names.values,
        "functions": described,
        "shared": _shared(functions),
        "compared": earlier is not None,
        "removed": [
            {"routes": list((earlier or {})[one].routes), "zipped": change.before.zipped}
            for one, change in changes.items()
            if change.kind == "removed"
        ],
    }


def _starts(
    functions: Sequence[Shipped], cache: Cache, jobs: int, report: Callable[[int, int], None]
) -> Mapping[str, Start]:
    def start(one: Shipped) -> Start:
        try:
            return profile(one, cache)
        except RouteletError as error:
            return error.what

    found: dict[str, Start] = {}
    with ThreadPoolExecutor(jobs) as executor:
        for one, told in zip(functions, executor.map(start, functions), strict=True):
            found[one.name] = told
            report(len(found), len(functions))
    return found


def _function(one: Shipped) -> Mapping[str, Any]:
    return {
        "name": one.name,
        "routes": list(one.routes),
        "pages": list(one.pages),
        "zipped": one.size.zipped,
        "unzipped": one.size.unzipped,
        "python": one.python,
        "architecture": one.architecture,
        "provided": list(one.provided),
        "omitted": list(one.omitted),
    }


def _parts(one: Shipped) -> Iterable[Mapping[str, Any]]:
    """Yield the parts of a zip with their trees: own files, the runtime, each distribution."""
    owners = {path: name for name in one.versions for path in one.graph.owns.get(name, ())}
    files: dict[str, dict[str, Size]] = {"": {}, RUNTIME_FILES: {}}
    for member in one.members:
        file = source_of(member.name)
        owner = owner_of(file, owners)
        part = owner or (RUNTIME_FILES if file.startswith(RUNTIME_FILES) else "")
        path = file if owner else one.label(file).removeprefix(part)
        own = files.setdefault(part, {})
        own[path] = own.get(path, Size()) + member.size
    yield {"kind": "site", "tree": tree_of("the site's own", files.pop(""))}
    yield {"kind": "runtime", "tree": tree_of("routelet runtime", files.pop(RUNTIME_FILES))}
    for name in sorted(files):
        version = one.versions[name]
        yield {"kind": "distribution", "version": version, "tree": tree_of(name, files[name])}


def _start(start: Start, names: _Once) -> Mapping[str, Any]:
    if isinstance(start, str):
        return {"failure": start}
    whole = total_us(start)
    rows = [
        [names.number(row.module), row.depth, row.own_us, row.total_us]
        for row in start
        if row.total_us >= whole * _LEAST_OF_A_START
    ]
    return {"us": whole, "modules": len(start), "rows": rows}


def _cut(cut: Cut, one: Shipped) -> Mapping[str, Any]:
    return {
        "file": one.label(cut.source),
        "line": cut.line,
        "target": one.label(cut.target),
        "zipped": cut.size.zipped,
        "unzipped": cut.size.unzipped,
        "frees": [one.label(part) for part in cut.frees[:_MOST_FREED]],
        "more": max(0, len(cut.frees) - _MOST_FREED),
    }


def _change(change: Change, one: Shipped) -> Mapping[str, Any]:
    return {
        "kind": change.kind,
        "zipped": change.before.zipped,
        "unzipped": change.before.unzipped,
        "files": [
            [one.label(file.name), file.before, file.after] for file in change.files[:_MOST_FILES]
        ],
        "more": max(0, len(change.files) - _MOST_FILES),
    }


def _shared(functions: Sequence[Shipped]) -> list[Mapping[str, Any]]:
    """Return the parts of several functions, the one that takes most in all of them first."""
    sizes: dict[tuple[str, str], list[int]] = {}
    for one in functions:
        for part, size in one.size_by_part.items():
            version = one.versions.get(part.removeprefix(DISTRIBUTION), "")
            name = "routelet runtime" if part == RUNTIME_FILES else one.label(part)
            sizes.setdefault((name, version), []).append(size.zipped)
    several = [(*part, found) for part, found in sizes.items() if len(found) > 1]
    ordered = sorted(several, key=lambda row: (-sum(row[2]), row[0]))
    return [
        {"name": name, "version": version, "functions": len(found), "zipped": sum(found)}
        for name, version, found in ordered[:_MOST_SHARED]
    ]
