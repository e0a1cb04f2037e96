"""What the modules of an installed distribution import: read once, and kept in the cache.

Names are absolute. What a module imports of its own distribution and what it imports of others
are told apart; that of the standard library is left out.
"""

import marshal
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache as once
from pathlib import Path, PurePosixPath

from routelet_bundler import conditions
from routelet_bundler.cache import Cache, digest
from routelet_bundler.interpreters import standard_library
from routelet_bundler.model import Distribution
from routelet_bundler.trace import lexer
from routelet_bundler.trace.distributions import module_of
from routelet_bundler.trace.lexer import Lexed, Strength, lexed
from routelet_bundler.trace.modules import name_in

SPARE = frozenset(
    {"test", "tests", "doc", "docs", "example", "examples", "benchmark", "benchmarks"}
)
"""Folders of these names may be of no use to a function: see `prune`."""
SPARE_MODULES = SPARE | {"conftest"}
"""Names of such folders as packages, and of the module that pytest loads."""

_PATH = re.compile(
    r"^.*[\"'/](tests?|docs?|examples?|benchmarks?)(?=[\"'/]).*$", re.IGNORECASE | re.MULTILINE
)
_MAKES_PATH = re.compile(
    r"__file__|__path__|path|join|files\(|open|resource|get_data", re.IGNORECASE
)
"""What stands in a line where a string is a part of a path."""

TIME_ZONES = "zoneinfo"
TIME_ZONE_DATA = "tzdata"
"""The one module of the standard library that looks for a distribution, and that. PEP 615."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What one module imports."""

    archive: str
    own: tuple[tuple[str, bool], ...]
    """Modules of its own distribution, each with whether an import statement names it."""
    others: tuple[tuple[str, Strength], ...]
    """Names in other distributions, down to what is imported: `numpy.linalg.norm`."""
    reads: tuple[str, ...] = ()
    """Its own stub, and spare folders beside it or above that paths in it name."""


Modules = Mapping[str, Module]


def spare_folder(archive: str) -> str | None:
    """Return the topmost folder above a file that is called as those of tests or examples are.

    `conftest.py`, which pytest loads, stands for itself.
    """
    parts = archive.split("/")
    for number, part in enumerate(parts[:-1], 1):
        if part.lower() in SPARE:
            return "/".join(parts[:number])
    return archive if parts[-1] == "conftest.py" else None


class Edges:
    """The modules of distributions, each distribution read when it is asked for."""

    def __init__(self, python: str, cache: Cache | None) -> None:
        self._python = python
        self._cache = cache
        self._read: dict[tuple[str, bool], Modules] = {}

    def of(self, distribution: Distribution, *, spare: bool = False) -> Modules:
        """Return the modules of a distribution; with `spare` those in spare folders instead."""
        key = (distribution.key, spare)
        if key not in self._read:
            self._read[key] = self._kept(distribution, spare=spare)
        return self._read[key]

    def _kept(self, distribution: Distribution, *, spare: bool) -> Modules:
        key = digest("edges", _code(), self._python, distribution.key, str(spare))
        stored = self._cache.read("edges", key) if self._cache else None
        if stored is None:
            modules = dict(_modules(distribution, self._python, spare=spare))
            if self._cache:
                plain = {name: (m.archive, m.own, m.others, m.reads) for name, m in modules.items()}
                self._cache.write("edges", key, marshal.dumps(plain))
            return modules
        return {
            name: Module(archive=archive, own=own, others=others, reads=reads)
            for name, (archive, own, others, reads) in marshal.loads(stored).items()  # noqa: S302 - ours
        }


@once
def _code() -> str:
    """Return a digest of the code that reads sources: what another read is not what this would."""
    files = (conditions.__file__, __file__, lexer.__file__)
    return digest(*(Path(file).read_bytes() for file in files))


def _modules(
    distribution: Distribution, python: str, *, spare: bool
) -> Iterator[tuple[str, Module]]:
    names: dict[str, str] = {}
    for archive, _ in distribution.files:
        if name := module_of(archive):
            names.setdefault(name, archive)
    resolve = _Resolver(names, standard_library(python))
    places = dict(distribution.files)
    for name, archive in names.items():
        if (spare_folder(archive) is not None) is not spare:
            continue
        if archive.endswith(".so"):
            yield name, Module(archive=archive, own=tuple(resolve.beside(name)), others=())
            continue
        text = places[archive].read_text("utf-8-sig", errors="replace")
        module = resolve.module(archive, lexed(text, python))
        yield name, replace(module, reads=tuple(_reads(archive, text)))


def _reads(archive: str, text: str) -> Iterator[str]:
    """Yield what a source reads: its stub, by `lazy_loader.attach_stub`, and spare folders."""
    if "attach_stub(" in text:
        yield f"{archive}i"
    names = {line[1].lower() for line in _PATH.finditer(text) if _MAKES_PATH.search(line[0])}
    for folder in map(str, PurePosixPath(archive).parents):
        yield from (f"{folder}/{name}" for name in sorted(names))


class _Resolver:
    """Names as they are written, in the words of one distribution."""

    def __init__(self, names: Mapping[str, str], standard: frozenset[str]) -> None:
        self._names = names
        self._standard = standard
        self._children: dict[str, list[str]] = {}
        for name in names:
            self._children.setdefault(name.rpartition(".")[0], []).append(name)

    def beside(self, name: str) -> Iterator[tuple[str, bool]]:
        """Yield what a shared object may import: nothing tells, so all that is beside it."""
        for other in self._children[name.rpartition(".")[0]]:
            if other.rpartition(".")[2] not in SPARE_MODULES:
                yield other, True

    def module(self, archive: str, source: Lexed) -> Module:
        """Return what the source at `archive` imports."""
        own: dict[str, bool] = {}
        others: dict[tuple[str, Strength], None] = {}
        for found in source.imports:
            base = name_in(archive.split("/")[:-1], found.module, found.level)
            if base is None:
                continue
            if found.is_prefix:
                own |= dict.fromkeys(self._beginning_with(base), True)
                continue
            for name in _imported(base, found.names):
                if mine := self._nearest(name):
                    own[mine] = own.get(mine, False) or found.strength != "string"
                elif name.partition(".")[0] not in self._standard or name == TIME_ZONES:
                    others[name, found.strength] = None
        for mine in self._named(archive, source):
            own.setdefault(mine, False)
        return Module(archive=archive, own=tuple(own.items()), others=tuple(others))

    def _nearest(self, name: str) -> str | None:
        """Return the module that has `name`: itself, or the nearest above that is a module here."""
        while name and name not in self._names:
            name = name.rpartition(".")[0]
        return name or None

    def _beginning_with(self, prefix: str) -> list[str]:
        package, _, start = prefix.rpartition(".")
        return [
            name
            for name in self._children.get(package, ())
            if package and _is_meant_by(name.rpartition(".")[2], start)
        ]

    def _named(self, archive: str, source: Lexed) -> Iterator[str]:
        """Yield the modules that strings name: `p.m.Class`, `.m`, or a child where that may be."""
        package = archive.rpartition("/")[0].replace("/", ".")
        names_children = source.is_dynamic or archive.endswith("/__init__.py")
        for text in sorted(source.strings):
            name = text.replace(":", ".")
            if name.startswith("."):
                name = f"{package}.{name.strip('.')}"
            elif "." not in name:
                name = f"{package}.{name}" if names_children else ""
                if name not in self._names:
                    continue
            mine = self._nearest(name.strip("."))
            if mine and "." in mine:
                yield mine


def _is_meant_by(name: str, start: str) -> bool:
    """Tell whether a name that begins so may be meant: tests only where they are begun to name."""
    return name.startswith(start) and (bool(start) or name not in SPARE_MODULES)


def _imported(base: str, names: Iterable[str]) -> Iterator[str]:
    yield base
    for name in names:
        if name != "*":
            yield f"{base}.{name}"
