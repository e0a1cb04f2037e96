"""What a prerendered page is made from, as a digest that changes with any of it.

A page's inputs are its own file, the site's files that it reaches (as a function's trace follows
them), and what those read when they last ran. A page whose sources ask for the time, for chance or
for the network has no digest: it is rendered by each build.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from routelet_bundler.cache import digest
from routelet_bundler.generated import PACKAGE
from routelet_bundler.model import Page
from routelet_bundler.sources import goes_on

UNKNOWN = "*"
"""Stands for what is read and is no file: the answer of another process, or of a host."""

_ASKED = (
    b"now|utcnow|today|time_ns|monotonic|perf_counter|localtime|gmtime|ctime|asctime|uuid[14]"
    b"|urandom|getenv|exists|lexists|is_file|is_dir|isfile|isdir|stat|lstat|getmtime|getctime"
    b"|getatime|getsize|rewrite"
)
_CHANGES = re.compile(
    rb"\.(?:" + _ASKED + rb")\b|\b(?:" + _ASKED + rb")\s*\("
    rb"|\btime\.(?:time|strftime)\b|\bfrom time import\b|\brandom\b|\bsecrets\b|\benviron\b"
)
"""What a source asks where files alone do not decide the answer, or another page does."""
_CHANCE = re.compile(rb"filters\['random'\]|resolve\('lipsum'\)")
"""The same of a compiled template, whose text is no code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The site's files that a page reaches, all of them where it is `complete`."""

    files: Mapping[str, Path]
    complete: bool


class Inputs:
    """Digests of the inputs of pages, for one build that began at `started_ns` since the epoch.

    What a site's file is was read before any page is rendered; what pages read besides is looked at
    afterwards, and one that changed meanwhile counts as unknown.
    """

    def __init__(
        self,
        reached: Callable[[tuple[str, ...]], Reached],
        modules_of: Callable[[Page], tuple[str, ...]],
        started_ns: int,
    ) -> None:
        self._reached = reached
        self._modules_of = modules_of
        self._started_ns = started_ns
        self._closures: dict[tuple[str, ...], Reached] = {}
        self._files: dict[Path, str | None] = {}
        self._others: dict[str, str | None] = {}

    def digests(
        self, pages: Iterable[Page], reads: Mapping[str, Sequence[str]]
    ) -> Mapping[str, str | None]:
        """Return by its own path the digest of each page, None for what is rendered each time.

        `reads` are the paths that a source of the site reads, by its own.
        """
        found: dict[tuple[str, ...], str | None] = {}
        digests = {}
        for page in pages:
            modules = self._modules_of(page)
            if modules not in found:
                found[modules] = self._digest(modules, reads)
            closure = found[modules]
            where = (page.file, page.route.component or "", page.route.pattern)
            told = (page.digest, *where, page.layout or "", closure or "")
            digests[page.file] = None if closure is None else digest(*told)
        return digests

    def _digest(self, modules: tuple[str, ...], reads: Mapping[str, Sequence[str]]) -> str | None:
        reached = self._closures.get(modules)
        if reached is None:
            reached = self._closures[modules] = self._reached(modules)
        states = [(name, self._file(path)) for name, path in sorted(reached.files.items())]
        sources = ("", *reached.files, *map(str, reached.files.values()))
        others = {path for source in sources for path in reads.get(source, ())}
        states += [(path, self._other(path)) for path in sorted(others)]
        if not reached.complete or any(state is None for _, state in states):
            return None
        return digest(*(f"{name}\0{state}" for name, state in states))

    def _file(self, path: Path) -> str | None:
        if path not in self._files:
            data = path.read_bytes()
            changes = _CHANCE if path.parent.name == PACKAGE else _CHANGES
            asks = path.suffix == ".py" and (changes.search(data) or goes_on(data))
            self._files[path] = None if asks else hashlib.sha256(data).hexdigest()
        return self._files[path]

    def _other(self, path: str) -> str | None:
        if path not in self._others:
            self._others[path] = None if path == UNKNOWN else _state(path, self._started_ns)
        return self._others[path]


def _state(path: str, started_ns: int) -> str | None:
    """Return what tells one state of a file or a folder from another; None for one that moves."""
    try:
        changed_ns = os.stat(path).st_mtime_ns  # noqa: PTH116 - any kind of file
        folder = os.path.isdir(path)  # noqa: PTH112
        data = "\0".join(sorted(os.listdir(path))).encode() if folder else Path(path).read_bytes()  # noqa: PTH208
    except OSError as error:
        return type(error).__name__
    return None if changed_ns >= started_ns else hashlib.sha256(data).hexdigest()
