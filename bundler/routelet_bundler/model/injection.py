"""What integrations give a site beside its own files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Order = Literal["pre", "post"]
"""Whether middleware goes around the site's own, or is inside of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedRoute:
    """A route whose page is any file."""

    pattern: str
    """As it is written for people, without a slash at the end: `/blog/[slug]`."""
    entrypoint: Path
    prerender: bool | None
    """None: what the page says, or the output."""
    integration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedMiddleware:
    """A module with `on_request`."""

    entrypoint: Path
    order: Order
    integration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Injections:
    """All of them, in the order in which integrations are listed and ask."""

    routes: tuple[InjectedRoute, ...] = ()
    middleware: tuple[InjectedMiddleware, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedFile:
    """A file from outside of `src/` that functions may have."""

    archive: str
    """Path in a zip."""
    source: Path
    label: str
    """How people know it; no path of a machine."""
