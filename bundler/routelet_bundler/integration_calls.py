"""What an integration asks for in `config_setup`: each call is checked, and kept for later stages.

Nothing is changed while a hook runs. Once it has returned its calls are complete, and a later one
raises.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from posixpath import splitext
from typing import Any

from routelet_bundler.adapter import Integration
from routelet_bundler.config import merged, updated
from routelet_bundler.discover.names import KINDS, InvalidRouteError, parse_pattern
from routelet_bundler.errors import WRONG_USE, RouteletError, raise_all, said_by
from routelet_bundler.model import Config, InjectedMiddleware, InjectedRoute, Order
from routelet_bundler.safe_names import safe

CODEGEN = ".routelet/integrations"
"""Below the site's folder, a folder for each integration that writes entrypoints."""

ORDERS = ("pre", "post")
_LOADED = {"adapter", "adapters"}


class Calls:
    """The calls that one integration makes; `root` is the site's folder."""

    def __init__(self, integration: str, root: Path) -> None:
        self._integration = integration
        self.where = said_by(integration)
        """What mistakes in these calls are told with."""
        self._root = root
        self._is_over = False
        self.changes: dict[str, Any] = {}
        """Attributes of the configuration, by name."""
        self.integrations: list[Integration] = []
        self.routes: list[InjectedRoute] = []
        self.middleware: list[InjectedMiddleware] = []
        self.watch_files: list[Path] = []

    def end(self) -> None:
        """Refuse all further calls: what they ask for would be lost."""
        self._is_over = True

    def updated(self, config: Config) -> Config:
        """Return `config` with the changes; raises `RouteletError` for those that cannot be."""
        try:
            return updated(config, self.changes)
        except RouteletError as error:
            first, *rest = map(self._told, (error, *error.others))
            first.others = tuple(rest)
            raise first from None

    def _told(self, faulty: RouteletError) -> RouteletError:
        what = f"update_config: {faulty.what}"
        return RouteletError(what, where=self.where, mend=faulty.mend, status=WRONG_USE)

    def update_config(self, *, integrations: Iterable[Integration] = (), **changes: Any) -> None:
        """Merge keys into the configuration: `ConfigSetup.update_config`."""
        self._refuse_late("update_config")
        if late := sorted(_LOADED & changes.keys()):
            raise RouteletError(
                f"update_config: {late[0]} cannot be changed: the adapter is loaded by now",
                where=self.where,
                mend="name it in pyproject.toml",
                status=WRONG_USE,
            )
        for one in integrations:
            match one:
                case Integration(name=str(name)) if name:
                    self.integrations.append(one)
                    self.changes = merged(self.changes, {"integrations": [name]})
                case _:
                    what = f"integrations has {one!r}, no Integration with a name"
                    raise self._mistake("update_config", what, "what a factory returns: sitemap()")
        self.changes = merged(self.changes, changes)

    def inject_route(
        self, *, pattern: str, entrypoint: str | Path, prerender: bool | None = None
    ) -> None:
        """Add a route: `ConfigSetup.inject_route`."""
        self._refuse_late("inject_route")
        file = self._file("inject_route", entrypoint, tuple(KINDS))
        if prerender not in (True, False, None):
            what = f"prerender is {prerender!r}"
            raise self._mistake("inject_route", what, "True, False or None")
        try:
            route, _ = parse_pattern(pattern, file.suffix)
        except InvalidRouteError as error:
            raise self._mistake(
                "inject_route", f'the pattern "{pattern}": {error}', "such as /feeds/[name].xml"
            ) from None
        self.routes.append(
            InjectedRoute(
                pattern=route, entrypoint=file, prerender=prerender, integration=self._integration
            )
        )

    def add_middleware(self, *, entrypoint: str | Path, order: Order) -> None:
        """Add middleware: `ConfigSetup.add_middleware`."""
        self._refuse_late("add_middleware")
        if order not in ORDERS:
            raise self._mistake("add_middleware", f"the order is {order!r}", '"pre" or "post"')
        file = self._file("add_middleware", entrypoint, (".py",))
        self.middleware.append(
            InjectedMiddleware(entrypoint=file, order=order, integration=self._integration)
        )

    def add_watch_file(self, path: str | Path) -> None:
        """Note a file, which need not be there: `ConfigSetup.add_watch_file`."""
        self._refuse_late("add_watch_file")
        self.watch_files.append(self._root / path)

    def create_codegen_dir(self) -> Path:
        """Make the integration's own folder: `ConfigSetup.create_codegen_dir`."""
        self._refuse_late("create_codegen_dir")
        folder = self._root / CODEGEN / safe(self._integration)
        folder.mkdir(parents=True, exist_ok=True)
        ignored = self._root / CODEGEN.partition("/")[0] / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n")  # each build writes it again
        return folder

    def _file(self, call: str, entrypoint: str | Path, suffixes: Sequence[str]) -> Path:
        # Without links: what is in a package is known by the folders that it seems to be in.
        file = Path(self._root, entrypoint)
        if splitext(file.name)[1] not in suffixes:
            known = ", ".join(suffixes)
            raise self._mistake(call, f'the entrypoint "{entrypoint}" is none of {known}')
        if not file.is_file():
            raise self._mistake(
                call,
                f'the entrypoint "{entrypoint}" is not there',
                "a file by its path below the site's folder, or an absolute one",
            )
        return file.parent.resolve() / file.name

    def _refuse_late(self, call: str) -> None:
        if self._is_over:
            raise self._mistake(call, "is called after the hook has returned")

    def _mistake(self, call: str, what: str, right: str = "") -> RouteletError:
        return RouteletError(
            f"{call}: {what}",
            where=self.where,
            mend=f"give it {right}" if right else "",
            status=WRONG_USE,
        )


def refuse_twice(routes: Sequence[InjectedRoute]) -> None:
    """Raise for a pattern that is injected again: one of the two would never answer."""
    first: dict[str, InjectedRoute] = {}
    raise_all(
        [
            RouteletError(
                f"inject_route: {one.pattern} is injected by {other.integration} already",
                where=said_by(one.integration),
                mend="leave one of the two out",
                status=WRONG_USE,
            )
            for one in routes
            if (other := first.setdefault(one.pattern, one)) is not one
        ]
    )
