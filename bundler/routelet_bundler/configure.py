"""Configure: pyproject.toml, integrations and their first two hooks, to the adapter that builds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from routelet_bundler.adapter import (
    Command,
    ConfigDone,
    ConfigSetup,
    Integration,
    Logger,
    fire,
)
from routelet_bundler.adapters import load_integrations, twins
from routelet_bundler.adapters.hooks import hook_mistakes, hook_warnings
from routelet_bundler.config import (
    TABLE,
    config_error,
    read_config,
    read_document,
)
from routelet_bundler.errors import WRONG_USE, RouteletError, raise_all, said_by
from routelet_bundler.features import check_output, feature_warnings, taken_over
from routelet_bundler.integration_calls import Calls, refuse_twice
from routelet_bundler.model import Adapter, Config, Injections, Project, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """The configuration once `config_setup` of all integrations has run."""

    config: Config
    project: Project
    integrations: tuple[Integration, ...]
    injections: Injections
    watch_files: tuple[Path, ...]
    """Files that integrations read; they need not be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What the site asks for; `adapter` is None where nothing is rendered on demand."""

    root: Path
    config: Config
    project: Project
    integrations: tuple[Integration, ...]
    adapter: Adapter | None
    injections: Injections
    watch_files: tuple[Path, ...]
    warnings: tuple[str, ...]

    @property
    def target(self) -> Target:
        """Where functions run; without an adapter this machine, which prerenders."""
        return self.adapter.target if self.adapter is not None else Target()


def configure(root: Path, command: Command) -> Configured:
    """Read the configuration and let integrations have their say.

    Raises `RouteletError` for a mistake in it, and where two adapters are set.
    """
    found = set_up(root, command)
    config = found.config
    adapter = _adapter_of(config, found.integrations)
    if config.output != "static" and adapter is None:
        raise config_error(
            f'output = "{config.output}" needs an adapter',
            (*TABLE, "output"),
            read_document(root)[1],
            mend='set adapter = "aws-lambda", or output = "static"',
        )
    if adapter is not None:
        check_output(adapter, config.output)
    return Configured(
        root=root,
        config=config,
        project=found.project,
        integrations=found.integrations,
        adapter=adapter,
        injections=found.injections,
        watch_files=found.watch_files,
        warnings=(
            *hook_warnings(found.integrations),
            *(feature_warnings(adapter) if adapter else ()),
        ),
    )


def set_up(root: Path, command: Command) -> SetUp:
    """Read the configuration at `root`, an absolute path, and fire `config_setup`.

    Raises `RouteletError` for a mistake in it, and for what an integration asks for and cannot be.
    """
    config, project = read_config(root)
    integrations = [*load_integrations(root, config, read_document(root)[1])]
    adapter = integrations[-1] if config.adapter is not None else None
    made = []
    for integration in integrations:  # and of those that are added on the way
        raise_all(list(hook_mistakes(integration)))
        calls = Calls(integration.name, root)
        _fire_setup(integration, calls, config, command, root)
        calls.end()
        config = calls.updated(config)
        integrations += calls.integrations
        _refuse_twins(integrations, calls)
        made.append(calls)
    return SetUp(
        config=config,
        project=project,
        integrations=tuple(sorted(integrations, key=lambda one: one is adapter)),
        injections=_injections(made),
        watch_files=tuple(dict.fromkeys(file for calls in made for file in calls.watch_files)),
    )


def _refuse_twins(integrations: Sequence[Integration], calls: Calls) -> None:
    """Raise where an integration was added that has the name of another."""
    mend = "leave it out of integrations in pyproject.toml, or have it add none that is there"
    raise_all(
        [
            RouteletError(f"update_config: {one}", where=calls.where, mend=mend, status=WRONG_USE)
            for one in twins(integrations)
        ]
    )


def _fire_setup(
    integration: Integration, calls: Calls, config: Config, command: Command, root: Path
) -> None:
    def hook(one: Integration, log: Logger) -> None:
        with _unchanged(config) as given:
            one.config_setup(
                ConfigSetup(
                    config=given,
                    command=command,
                    root=root,
                    update_config=calls.update_config,
                    inject_route=calls.inject_route,
                    add_middleware=calls.add_middleware,
                    add_watch_file=calls.add_watch_file,
                    create_codegen_dir=calls.create_codegen_dir,
                    logger=log,
                )
            )

    fire([integration], "config_setup", hook)


@contextmanager
def _unchanged(config: Config) -> Iterator[Config]:
    """Give a hook a configuration of its own: tables of a frozen one are dicts all the same."""
    given = config.model_copy(deep=True)
    yield given
    if given != config:
        raise RouteletError(
            "changes the configuration in place, which nobody sees",
            mend="call update_config, in config_setup",
            status=WRONG_USE,
        )


def _injections(made: Sequence[Calls]) -> Injections:
    routes = tuple(route for calls in made for route in calls.routes)
    refuse_twice(routes)
    return Injections(
        routes=routes, middleware=tuple(one for calls in made for one in calls.middleware)
    )


def _set_adapters(
    config: Config, integrations: tuple[Integration, ...]
) -> list[tuple[str, Adapter]]:
    """Fire `config_done`; return what is set, each with the name of the integration."""
    found: list[tuple[str, Adapter]] = []
    is_over = False

    def set_adapter(integration: str, adapter: Adapter) -> None:
        mistake = f"takes an Adapter, not {adapter!r}"
        if is_over or not isinstance(adapter, Adapter):
            raise RouteletError(
                f"set_adapter {'is called after the hook has returned' if is_over else mistake}",
                where=said_by(integration, "config_done"),
                status=WRONG_USE,
            )
        found.append((integration, adapter))

    def hook(one: Integration, log: Logger) -> None:
        with _unchanged(config) as given:
            one.config_done(
                ConfigDone(config=given, set_adapter=partial(set_adapter, one.name), logger=log)
            )

    fire(integrations, "config_done", hook)
    is_over = True
    return found


def _adapter_of(config: Config, integrations: tuple[Integration, ...]) -> Adapter | None:
    found = _set_adapters(config, integrations)
    if len(found) > 1:
        names = " and ".join(f"{adapter.name} (by {by})" for by, adapter in found)
        raise RouteletError(
            f"two adapters are set: {names}",
            where="pyproject.toml [tool.routelet]",
            mend="a site has one adapter; remove the other",
            status=WRONG_USE,
        )
    if not found:
        if config.adapter is not None:
            raise RouteletError(
                f'"{config.adapter}" never called set_adapter',
                where="pyproject.toml [tool.routelet] adapter",
                mend="name an adapter there, and what is none in integrations",
                status=WRONG_USE,
            )
        return None
    _, adapter = found[0]
    return taken_over(adapter)
