"""Builds of one site, timed: cold, clean, nothing changed, one line changed, and elsewhere."""

import hashlib
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cost import Cost, cost_of
from sites import edit

RUNS, LONG_S = 3, 10.0
"""So many runs of each build, but one where the first took longer than `LONG_S`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """How the site at `root` is built; in its environment, ROOT is that folder."""

    root: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    edited: str
    left: Sequence[str]
    """Globs of what a clean build starts without."""
    zips: str
    """Glob of what is made: files, or folders of functions."""
    zip_command: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class Measured:
    """What builds of one site cost by kind, and which of their zips are the same."""

    costs: dict[str, list[Cost]] = field(default_factory=dict)
    zipping: list[Cost] = field(default_factory=list)
    """Apart, where the tool leaves that to another."""
    bytes_by_zip: dict[str, int] = field(default_factory=dict)
    equal_again: int = 0
    equal_elsewhere: int = 0
    changed: int = 0
    """Zips that differ after one line was changed."""
    written: int = 0
    """Zips that were written after that, equal or not."""


def measured(builder: Builder, *, cold: bool, elsewhere: bool) -> Measured:
    """Build the site in every way; `cold`: what the tool keeps on this machine is not there yet."""
    result = Measured()
    if cold:
        _repeat(builder, result, "cold", lambda _: _clean(builder), most=1)
    _repeat(builder, result, "clean", lambda _: _clean(builder))
    before = digests(builder.root, builder.zips)
    result.bytes_by_zip = sizes(builder.root, builder.zips)
    _repeat(builder, result, "no-op", lambda _: None)
    result.equal_again = _equal(before, digests(builder.root, builder.zips))
    written = _written(builder)
    _repeat(builder, result, "one line", lambda number: _edit(builder, number), most=1)
    after = digests(builder.root, builder.zips)
    result.changed = len(after) - _equal(before, after)
    result.written = len(after) - _equal(written, _written(builder))
    _repeat(builder, result, "one line", lambda number: _edit(builder, number))
    if elsewhere:
        again = digests(builder.root, builder.zips)
        result.equal_elsewhere = _equal(again, _built_elsewhere(builder))
    return result


def _repeat(
    builder: Builder,
    result: Measured,
    kind: str,
    prepare: Callable[[int], None],
    *,
    most: int = RUNS,
) -> None:
    costs = result.costs.setdefault(kind, [])
    while len(costs) < most and not (costs and costs[0].wall_s > LONG_S):
        prepare(len(costs))
        cost, *zipping = run(builder, builder.root)
        costs.append(cost)
        result.zipping += zipping
    told = f"{statistics.median(cost.cpu_s for cost in costs):.2f} s CPU"
    print(f"{builder.root.name} {kind}: {told}", file=sys.stderr, flush=True)


def _edit(builder: Builder, number: int) -> None:
    edit(builder.root / builder.edited, number + 1)


def _written(builder: Builder) -> Mapping[str, tuple[int, int]]:
    """Return what tells of each zip whether it was written again."""
    stats = {path.name: path.stat() for path in builder.root.glob(builder.zips)}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def _clean(builder: Builder) -> None:
    _remove(builder.root, builder.left)


def _remove(root: Path, patterns: Sequence[str]) -> None:
    for pattern in patterns:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _built_elsewhere(builder: Builder) -> Mapping[str, str]:
    """Build a copy of the site at a longer path; return digests of its zips."""
    copy = builder.root.parent / "another/place" / builder.root.name
    shutil.copytree(builder.root, copy, symlinks=True)
    _remove(copy, builder.left)
    run(builder, copy)
    return digests(copy, builder.zips)


def run(builder: Builder, root: Path) -> list[Cost]:
    """Build at `root`; return the cost of it, and of zipping where that is another command."""
    environment = {
        name: value.replace("ROOT", str(root)) for name, value in builder.environment.items()
    }
    commands = filter(None, [builder.command, builder.zip_command])
    return [cost_of(command, root, environment) for command in commands]


def digests(root: Path, pattern: str) -> Mapping[str, str]:
    """Return SHA-256 by name of what a build made."""
    return {path.name: _digest(path) for path in root.glob(pattern)}


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    for file in _files(path):
        total.update(str(file.relative_to(path)).encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def sizes(root: Path, pattern: str) -> dict[str, int]:
    """Return bytes by name of what a build made."""
    return {
        path.name: sum(file.stat().st_size for file in _files(path)) for path in root.glob(pattern)
    }


def _files(path: Path) -> list[Path]:
    below = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in below if file.is_file()]


def _equal(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    return len(one.items() & other.items())


def median(costs: Sequence[Cost], name: str) -> float:
    """Return the median of a figure."""
    return statistics.median(getattr(cost, name) for cost in costs)
