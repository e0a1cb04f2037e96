"""All that the author of an adapter or an integration reads.

An integration overrides the hooks it wants. Each hook gets one frozen payload; it answers by what
it returns or by calling what the payload holds, and changes nothing in place. An adapter is an
integration that calls `set_adapter` in `config_done`.
"""

import logging
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from routelet.routing import Route
from routelet_bundler.config import option_table
from routelet_bundler.errors import WRONG_USE, RouteletError, raised_at, said_by
from routelet_bundler.model import (
    Adapter,
    AdapterFeatures,
    Assets,
    BuiltFunction,
    Config,
    Level,
    Limits,
    MiddlewareHost,
    Order,
    Prerendered,
    RouteConfig,
    SiteLimits,
    Support,
    Table,
    Target,
)

__all__ = [
    "WRONG_USE",
    "Adapter",
    "AdapterFeatures",
    "AddMiddleware",
    "Assets",
    "BuildDone",
    "BuildGenerated",
    "BuildSetup",
    "BuildSsr",
    "BuildStart",
    "BuiltFunction",
    "Command",
    "Config",
    "ConfigDone",
    "ConfigSetup",
    "InjectRoute",
    "Integration",
    "Level",
    "Limits",
    "Logger",
    "MiddlewareHost",
    "Order",
    "Prerendered",
    "Route",
    "RouteConfig",
    "RouteletError",
    "ServerDone",
    "ServerSetup",
    "ServerStart",
    "SiteLimits",
    "Support",
    "Table",
    "Target",
    "option_table",
]

Command = Literal["build", "dev", "preview"]
"""What the integration takes part in."""

Logger = logging.LoggerAdapter[logging.Logger]


class InjectRoute(Protocol):
    """Adds a route to the site: `inject_route` of `ConfigSetup`."""

    def __call__(
        self, *, pattern: str, entrypoint: str | Path, prerender: bool | None = None
    ) -> None:
        """Have `entrypoint`, a page of any kind, answer the route `pattern`.

        It is a file, relative to the site's folder or absolute. `prerender` goes before what the
        page says of itself.
        """


class AddMiddleware(Protocol):
    """Adds middleware to the site: `add_middleware` of `ConfigSetup`."""

    def __call__(self, *, entrypoint: str | Path, order: Order) -> None:
        """Have the `on_request` of a Python file run around the site's own (`"pre"`), or inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigSetup:
    """Payload of `config_setup`; what it calls is complete when the hook returns."""

    config: Config
    """As pyproject.toml says it, with the changes of the integrations before this one."""
    command: Command
    root: Path
    """The site's folder, absolute."""
    update_config: Callable[..., None]
    """Merges keys into the configuration: `update_config(trailing_slash="never")`."""
    inject_route: InjectRoute
    add_middleware: AddMiddleware
    add_watch_file: Callable[[str | Path], None]
    """Names a file that the integration reads: when it changes, all pages are rendered again."""
    create_codegen_dir: Callable[[], Path]
    """Makes the integration's own folder, `.routelet/integrations/NAME`, and returns it."""
    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDone:
    """Payload of `config_done`: the configuration as it stays."""

    config: Config
    set_adapter: Callable[[Adapter], None]
    """Says what the host is; once, of all integrations of a site."""
    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSetup:
    """Payload of `server_setup`: `routelet dev` is about to serve."""

    config: Config
    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStart:
    """Payload of `server_start`: it serves at `url`."""

    url: str
    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDone:
    """Payload of `server_done`: it serves no more."""

    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStart:
    """Payload of `build_start`."""

    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSetup:
    """Payload of `build_setup`: what will be built, and for where."""

    routes: tuple[Route, ...]
    """In matching order; prerendered ones and redirects are among them."""
    target: Target
    """Without an adapter, a machine like this one."""
    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSsr:
    """Payload of `build_ssr`: the emitted entry modules."""

    entry_points: Mapping[Route, str]
    """File URLs of entry modules, in the folder that becomes `dist/` once the build has succeeded;
    routes that share a function have the same one."""
    middleware_entry_point: str | None
    """That of the middleware, where it is a function of its own."""
    middleware_files: Mapping[str, Path] | None
    """What that function has: source by path in its zip."""
    manifest: Mapping[str, Any]
    """What routelet.json says before there are zips: `output`, `base`, `site`, `trailingSlash`,
    `adapter`, `routes` and `assets`."""
    functions: Mapping[str, Mapping[str, Path]]
    """Traced files of functions by their name, entry modules among them: source by path in the
    zip."""
    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildGenerated:
    """Payload of `build_generated`: prerendered files are in `directory`."""

    directory: Path
    logger: Logger


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildDone:
    """Payload of `build_done`: everything is written to `out_dir`, routelet.json included."""

    out_dir: Path
    """Becomes `dist/` right after; what is written into it goes along."""
    routes: tuple[Route, ...]
    """In matching order; prerendered ones and redirects are among them."""
    functions: tuple[BuiltFunction, ...]
    """As `build()` returns them. Their zips are files that are there now: one that did not change
    may be that of the last build, and not below `out_dir`."""
    pages: tuple[Prerendered, ...]
    """What routes gave that are the same for everyone."""
    client_files: tuple[str, ...]
    """Paths below `client/`, sorted, of prerendered pages and public files."""
    logger: Logger


class Integration:
    """Something that takes part in a build. Every hook does nothing until it is overridden."""

    name: str = "integration"
    sees_files: bool = True
    """Whether its hooks of a build look at files: then every build makes all of them, not only
    those that changed. One that adds files without looking writes all of its own each time."""

    def config_setup(self, payload: ConfigSetup) -> None:
        """Change the configuration before it is used."""

    def config_done(self, payload: ConfigDone) -> None:
        """Read the final configuration; an adapter calls `set_adapter` here."""

    def server_setup(self, payload: ServerSetup) -> None:
        """Act before `routelet dev` serves."""

    def server_start(self, payload: ServerStart) -> None:
        """Act when `routelet dev` serves."""

    def server_done(self, payload: ServerDone) -> None:
        """Act when `routelet dev` has ended."""

    def build_start(self, payload: BuildStart) -> None:
        """Act before anything is built."""

    def build_setup(self, payload: BuildSetup) -> None:
        """Look at what will be built."""

    def build_ssr(self, payload: BuildSsr) -> None:
        """Use the entry modules that were emitted."""

    def build_generated(self, payload: BuildGenerated) -> None:
        """Use the prerendered files."""

    def build_done(self, payload: BuildDone) -> None:
        """Use, or add to, all that was built."""


Hook = Callable[[Integration, Logger], object]


def fire(integrations: Iterable[Integration], hook_name: str, hook: Hook) -> None:
    """Call a hook of each integration, with a logger that prefixes its name.

    What a hook raises becomes a `RouteletError` that names the integration and the hook, unless
    it is one that says where already.
    """
    for integration in integrations:
        try:
            given = hook(integration, logger_of(integration.name))
            if isinstance(given, Coroutine | Generator):  # hidden by a decorator
                given.close()
                what = "hooks are not async and yield nothing"
                raise RouteletError(what, mend=f"write def {hook_name}", status=WRONG_USE)
        except RouteletError as error:
            for one in (error, *error.others):
                one.where = one.where or said_by(integration.name, hook_name)
            raise
        except (Exception, SystemExit) as error:
            raise RouteletError(
                f"the integration {integration.name} failed in {hook_name}: {error!r}",
                where=raised_at(error),
            ) from error


class _Prefixed(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        return f"[{(self.extra or {}).get('prefix')}] {msg}", kwargs


def logger_of(name: str) -> Logger:
    """Return a logger that puts `[name]` before each message."""
    return _Prefixed(logging.getLogger("routelet"), {"prefix": name})
