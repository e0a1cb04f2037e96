"""Prune: files of distributions that no function reads, left out of every function alike.

Stubs, sources and headers of C, Cython and Fortran, what only installers read of dist-info; and
folders of tests, documentation, examples and benchmarks that nothing kept reaches. A folder's name
alone decides nothing: django.test and botocore.docs are imported.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from routelet_bundler.cache import digest
from routelet_bundler.model import Distribution
from routelet_bundler.trace.edges import SPARE_MODULES, Module, spare_folder
from routelet_bundler.trace.reach import ThirdParty, entry_points

_UNREAD = re.compile(
    r"\.(?:a|c|cc|cmake|cpp|cu|cxx|f|f90|for|h|hh|hpp|hxx|pxd|pxi|pyi|pyx)", re.IGNORECASE
)
"""Suffixes of what only compilers and type checkers read."""
_KEPT_INFO = re.compile(
    r"METADATA|entry_points\.txt|top_level\.txt|(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*"
    r"|licenses/.*",
    re.IGNORECASE,
)

Folders = set[tuple[str, str]]
"""Distributions and their folders."""


class Prune:
    """What is left out of the distributions of an environment, decided once for all functions.

    `outside` are the names in them that local code imports.
    """

    def __init__(self, third_party: ThirdParty, outside: Iterable[str]) -> None:
        self._kept = kept = _Kept(third_party)
        self._pruned: dict[str, Distribution] = {}
        for name in outside:
            kept.reach(name)
        for name, distribution in third_party.index.distributions.items():
            kept.take(name, third_party.modules(name).values())
            for _, _, module in entry_points(distribution):
                kept.reach(module)

    def of(self, distribution: Distribution) -> Distribution:
        """Return a distribution without the files that nothing reads, and with another key."""
        if distribution.key not in self._pruned:
            kept = self._kept
            self._pruned[distribution.key] = _without(distribution, kept.folders, kept.reads)
        return self._pruned[distribution.key]


class _Kept:
    """The spare folders that something kept reaches."""

    def __init__(self, third_party: ThirdParty) -> None:
        self.folders: Folders = set()
        self.reads: set[tuple[str, str]] = set()
        """Distributions, and what their modules read: a stub, or folders of a name."""
        self._third_party = third_party

    def reach(self, name: str) -> None:
        """Keep the folder that the module `name` is in."""
        if not SPARE_MODULES.isdisjoint(name.lower().split(".")) and (
            found := self._third_party.resolve(name)
        ):
            self._reach_inside(*found)

    def take(self, distribution: str, modules: Iterable[Module]) -> None:
        """Keep what modules of a distribution reach."""
        for module in modules:
            self.reads |= {(distribution, one) for one in module.reads}
            for inner, _ in module.own:
                if not SPARE_MODULES.isdisjoint(inner.lower().split(".")):
                    self._reach_inside(distribution, inner)
            for name, _ in module.others:
                self.reach(name)

    def _reach_inside(self, distribution: str, name: str) -> None:
        module = self._third_party.module(distribution, name)
        folder = spare_folder(module.archive) if module else None
        if folder and (distribution, folder) not in self.folders:
            self.folders.add((distribution, folder))
            spare = self._third_party.spare_modules(distribution).values()
            self.take(distribution, [m for m in spare if spare_folder(m.archive) == folder])


def _without(
    distribution: Distribution, folders: Folders, reads: set[tuple[str, str]]
) -> Distribution:
    name = distribution.name

    def is_kept(archive: str) -> bool:
        head, _, rest = archive.partition("/")
        if head.endswith(".dist-info"):
            return _KEPT_INFO.fullmatch(rest) is not None
        if _UNREAD.fullmatch(PurePosixPath(archive).suffix) or archive.endswith("/py.typed"):
            return (name, archive) in reads
        folder = spare_folder(archive)
        if folder is None or (name, folder) in folders:
            return True
        return (name, folder) in reads and not archive.endswith(".py")

    files = tuple(file for file in distribution.files if is_kept(file[0]))
    if len(files) == len(distribution.files):
        return distribution
    key = digest("pruned", distribution.key, *(archive for archive, _ in files))
    return replace(distribution, files=files, key=key)
