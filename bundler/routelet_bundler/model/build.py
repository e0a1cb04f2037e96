"""What a build made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from routelet.routing import Route
from routelet_bundler.model.function import Function
from routelet_bundler.model.split import Splits


@dataclass(frozen=True, slots=True, kw_only=True)
class Zip:
    """A finished zip of a function; sizes are in bytes."""

    path: Path
    sha256: str
    zipped_bytes: int
    unzipped_bytes: int
    files: int
    distribution_bytes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verifying a zip gave. `how` says what ran, or why nothing could."""

    function: str
    verified: bool
    how: str
    key: str = field(default="", compare=False)
    """A digest of all that it was found from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prerendered:
    """A file that a prerendered route gave; `path` is below `dist/client/`.

    `url` is the path that it answers. A redirect has a `status` and a `location`, and a file that
    takes the browser on for hosts that know no redirects.
    """

    path: str
    route: str
    url: str = ""
    content_type: str | None = None
    status: int = 200
    location: str | None = None
    lost: tuple[str, ...] = ()
    """Other headers of the response, which a host of files does not know."""
    assets: tuple[str, ...] = ()
    """Files of `public/` that it names by `ctx.asset`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFunction:
    """A function with its finished zip."""

    function: Function
    zip: Zip
    verdict: Verdict
    memory_mb: int | None
    timeout_s: int | None

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.name

    @property
    def routes(self) -> tuple[str, ...]:
        """The routes it answers, in matching order."""
        return self.function.routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a build made. Entry points are file URLs below `out_dir`, by route."""

    out_dir: Path
    entry_points: Mapping[str, str]
    middleware_entry_point: str | None
    functions: tuple[BuiltFunction, ...]
    routes: tuple[Route, ...]
    prerendered: tuple[Prerendered, ...]
    assets: Mapping[str, str]
    """Names that change with the content, by those of the files of `public/`."""
    warnings: tuple[str, ...]
    edge_function: BuiltFunction | None = None
    """What runs the middleware before all functions, with `edge_middleware`."""
    splits: Splits | None = None
    """What each split would give, where there is more than one on-demand route."""

    @property
    def packed(self) -> tuple[BuiltFunction, ...]:
        """All functions that have a zip: that of the middleware is the last, if there is one."""
        return (*self.functions, self.edge_function) if self.edge_function else self.functions
