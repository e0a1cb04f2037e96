"""Configure: pyproject.toml, integrations and their first two hooks, to the adapter that builds."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from routelet_bundler.adapter import (
    Command,
    ConfigDone,
    ConfigSetup,
    Integration,
    fire,
)
from routelet_bundler.adapters import load_integrations
from routelet_bundler.config import (
    TABLE,
    config_error,
    read_config,
    read_document,
    updated,
)
from routelet_bundler.errors import WRONG_USE, RouteletError, raise_all
from routelet_bundler.features import check_output, feature_warnings, mistakes_of
from routelet_bundler.model import Adapter, Config, Project, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What the site asks for; `adapter` is None where nothing is rendered on demand."""

    root: Path
    config: Config
    project: Project
    integrations: tuple[Integration, ...]
    adapter: Adapter | None
    warnings: tuple[str, ...]

    @property
    def target(self) -> Target:
        """Where functions run; without an adapter this machine, which prerenders."""
        return self.adapter.target if self.adapter is not None else Target()


def configure(root: Path, command: Command) -> Configured:
    """Read the configuration and let integrations have their say.

    Raises `RouteletError` for a mistake in it, and where two adapters are set.
    """
    config, project = read_config(root)
    _, text = read_document(root)
    integrations = load_integrations(root, config, text)
    config = _set_up(config, integrations, command)
    adapter = _adapter_of(config, integrations)
    if config.output != "static" and adapter is None:
        raise config_error(
            f'output = "{config.output}" needs an adapter',
            (*TABLE, "output"),
            text,
            mend='set adapter = "aws-lambda", or output = "static"',
        )
    if adapter is not None:
        check_output(adapter, config.output)
    return Configured(
        root=root,
        config=config,
        project=project,
        integrations=integrations,
        adapter=adapter,
        warnings=tuple(feature_warnings(adapter)) if adapter else (),
    )


def _set_up(
    config: Config,
    integrations: tuple[Integration, ...],
    command: Command,
) -> Config:
    for integration in integrations:
        changes: dict[str, Any] = {}
        before = config
        fire(
            [integration],
            "config_setup",
            lambda one, log, now=before, into=changes: one.config_setup(  # type: ignore[misc]
                ConfigSetup(config=now, command=command, update_config=into.update, logger=log)
            ),
        )
        config = updated(config, changes)
    return config


def _adapter_of(config: Config, integrations: tuple[Integration, ...]) -> Adapter | None:
    found: list[tuple[str, Adapter]] = []

    def set_adapter(integration: str, adapter: Adapter) -> None:
        if not isinstance(adapter, Adapter):
            raise TypeError(f"set_adapter takes an Adapter, not {adapter!r}")
        found.append((integration, adapter))

    fire(
        integrations,
        "config_done",
        lambda one, log: one.config_done(
            ConfigDone(config=config, set_adapter=partial(set_adapter, one.name), logger=log)
        ),
    )
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
    raise_all(list(mistakes_of(adapter)))
    return adapter
