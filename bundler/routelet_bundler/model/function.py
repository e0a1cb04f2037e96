"""What becomes of routes: functions, and all that they reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from routelet_bundler.model.configuration import RouteConfig
from routelet_bundler.model.host import Target
from routelet_bundler.model.site import Page

RUNTIME_FILES = "routelet/"
"""What the paths of the runtime's files in a zip begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a file or a distribution is in a function: the kind of edge and where it starts."""

    kind: Literal["entry", "import", "package", "data", "requires", "include", "runtime"]
    parent: str = ""
    """Path in the zip of the file that needs it, or name of the distribution that does."""
    line: int = 0

    def __str__(self) -> str:
        place = f" by {self.parent}{f':{self.line}' if self.line else ''}" if self.parent else ""
        return f"{self.kind}{place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedFile:
    """A file of a function."""

    archive: str
    source: Path
    label: str
    """How people know it: its path below the site's folder, where it has one."""
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An installed distribution: its name is normalised, its files are by their path in a zip."""

    name: str
    version: str
    files: tuple[tuple[str, Path], ...]
    requires: tuple[str, ...]
    key: str
    """Changes with any of the files: the digest of its RECORD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """An installed distribution that something packed may import, and that is left out."""

    name: str
    modules: tuple[str, ...]
    """Its modules that are in no other of its modules: what a missing import names first."""
    parent: str
    """Path in the zip of the file that would import it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A place that answers with another page: examples of its path, none where it is unknown."""

    examples: tuple[str, ...]
    where: str
    """File and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """All that one function reaches."""

    files: tuple[TracedFile, ...]
    distributions: tuple[tuple[Distribution, Reason], ...]
    provided: tuple[str, ...] = ()
    """Distributions that it needs and that the host provides."""
    omitted: tuple[Omission, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    assets: tuple[str, ...] = ()
    """Files of `public/` that it names by `ctx.asset`."""
    warnings: tuple[str, ...] = ()

    @property
    def sources(self) -> Mapping[str, Path]:
        """The source of each file by its path in a zip; its own go before those of others."""
        theirs = {path: file for one, _ in self.distributions for path, file in one.files}
        return theirs | {one.archive: one.source for one in self.files}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A function before it is traced: its pages, names and manifest."""

    name: str
    pages: tuple[Page, ...]
    reached: tuple[Page, ...]
    """Pages of other functions that it answers with, by a rewrite."""
    entry: str
    """Path of the entry module in the zip."""
    entry_on_disk: str
    """Path of the entry module below `dist/`."""
    handler: str
    config: RouteConfig
    manifest: Mapping[str, Any]
    modules: tuple[str, ...]
    """Dotted modules that a trace starts with."""
    is_middleware: bool = False
    """Whether it runs the middleware, before all others, and answers no route."""

    @property
    def title(self) -> str:
        """What people know it by: its routes, or that it is the middleware's."""
        return title_of(self.pages, is_middleware=self.is_middleware)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Pages that one function answers, in matching order."""

    pages: tuple[Page, ...]
    name: str | None = None
    """What the site's author calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A planned function with all that it reaches."""

    planned: Planned
    traced: Traced


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What becomes one zip: routes that are answered by one entry module."""

    name: str
    pages: tuple[Page, ...]
    entry: str
    """Path of the entry module in the zip."""
    entry_on_disk: str
    """Path of the entry module below `dist/`."""
    handler: str
    config: RouteConfig
    target: Target
    traced: Traced
    entry_text: str
    modules: tuple[str, ...]
    """Dotted modules that it imports on a request, if not before: what verifying imports."""
    is_middleware: bool = False
    """Whether it runs the middleware, before all others, and answers no route."""

    @property
    def routes(self) -> tuple[str, ...]:
        """The routes it answers, in matching order."""
        return tuple(page.route.route for page in self.pages)

    @property
    def title(self) -> str:
        """What people know it by: its routes, or that it is the middleware's."""
        return title_of(self.pages, is_middleware=self.is_middleware)


def title_of(pages: Sequence[Page], *, is_middleware: bool) -> str:
    """Return what people know a function by: its routes, or that it is the middleware's."""
    return "the middleware" if is_middleware else ", ".join(page.route.route for page in pages)
