"""Which pages share a function, and the configuration of such a function.

A group that is named in `config` is one function, whatever the split. Otherwise the split says:
each page alone, all pages of equal settings together, or all pages. What costs least is chosen
from traced sizes, which are not known here: with `auto` each page is alone at first.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.model import MIN_STORAGE_MB, Adapter, Group, Page, RouteConfig, Split

SINGLE_NAME = "site"
"""The function for all routes."""
_ONE_VALUE = ("architecture", "reserved_concurrency", "snap_start")
"""What has no sum and no maximum: a function has one value, which all its pages mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a page's function is configured with, as the host sees it: defaults are filled in.

    `include` and `exclude` are not among them: each page brings what it alone would have.
    """

    group: str | None
    architecture: str
    memory_mb: int | None
    timeout_s: int | None
    storage_mb: int
    environment: tuple[tuple[str, str], ...]
    reserved_concurrency: int | None
    snap_start: bool
    policies: tuple[str, ...]


def settings_of(page: Page, adapter: Adapter) -> Settings:
    """Return the settings of a page; pages of equal ones may share a function unseen."""
    config = page.config
    return Settings(
        group=config.group,
        architecture=config.architecture or adapter.target.architecture,
        memory_mb=config.memory or adapter.memory_mb,
        timeout_s=config.timeout or adapter.timeout_s,
        storage_mb=config.ephemeral_storage or MIN_STORAGE_MB,
        environment=tuple(sorted(config.environment.items())),
        reserved_concurrency=config.reserved_concurrency,
        snap_start=bool(config.snap_start),
        policies=tuple(sorted({json.dumps(one, sort_keys=True) for one in config.policies})),
    )


def split_of(adapter: Adapter) -> Split:
    """Return how an adapter wants routes split."""
    if adapter.split is not None:
        return adapter.split
    return "route" if adapter.features.function_per_route else "single"


def groups_of(pages: Sequence[Page], split: Split, adapter: Adapter) -> tuple[Group, ...]:
    """Return the groups of `pages`, which are in matching order, by their first pages."""
    found: dict[object, list[Page]] = {}
    for page in pages:
        found.setdefault(_key(page, split, adapter), []).append(page)
    return tuple(
        Group(pages=tuple(one), name=SINGLE_NAME if split == "single" else one[0].config.group)
        for one in found.values()
    )


def _key(page: Page, split: Split, adapter: Adapter) -> object:
    if split == "single":
        return None
    if page.config.group is not None:
        return "group", page.config.group
    return settings_of(page, adapter) if split == "config" else ("page", page.file)


def shared_config(pages: Sequence[Page], adapter: Adapter) -> RouteConfig:
    """Return the configuration of one function for `pages`.

    It has the most memory, time and storage that one of them has, all their environment
    variables and policies; and leaves out only what each of them does. Raises `RouteletError`
    where they contradict each other: architecture, reserved concurrency and SnapStart have to be
    equal, and so has the value of a variable.
    """
    if len(pages) == 1:
        return pages[0].config
    raise_all([*_unequal(pages, adapter), *_contradictions(pages)])
    configs = [page.config for page in pages]
    settings = [settings_of(page, adapter) for page in pages]
    first = settings[0]
    merged: dict[str, Any] = {
        "architecture": first.architecture,
        "reserved_concurrency": first.reserved_concurrency,
        "snap_start": first.snap_start or None,
        "memory": max((one.memory_mb for one in settings if one.memory_mb), default=None),
        "timeout": max((one.timeout_s for one in settings if one.timeout_s), default=None),
        "ephemeral_storage": max(c.ephemeral_storage or 0 for c in configs) or None,
        "environment": {key: value for c in configs for key, value in c.environment.items()},
        "include": tuple(dict.fromkeys(one for c in configs for one in c.include)),
        "exclude": tuple(
            one for one in configs[0].exclude if all(one in c.exclude for c in configs)
        ),
        "policies": tuple(_distinct(one for c in configs for one in c.policies)),
    }
    return RouteConfig.model_construct(**merged)


def _unequal(pages: Sequence[Page], adapter: Adapter) -> Iterable[RouteletError]:
    first, *others = pages
    wanted = settings_of(first, adapter)
    for page in others:
        own = settings_of(page, adapter)
        for key in _ONE_VALUE:
            if getattr(own, key) != getattr(wanted, key):
                yield _refused(
                    page,
                    f"has {key.replace('_', '-')} {_said(getattr(own, key))}, and "
                    f"{first.route.component} of the same function has "
                    f"{_said(getattr(wanted, key))}",
                )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value)


def _contradictions(pages: Sequence[Page]) -> Iterable[RouteletError]:
    said: dict[str, tuple[str, Page]] = {}
    for page in pages:
        for name, value in page.config.environment.items():
            other, first = said.setdefault(name, (value, page))
            if other != value:
                yield _refused(
                    page,
                    f"sets the variable {name} to another value than {first.route.component}, "
                    "which is in the same function",
                )


def _refused(page: Page, what: str) -> RouteletError:
    group = page.config.group
    apart = f'take it out of the group "{group}"' if group else 'set split = "config"'
    return RouteletError(
        what,
        where=page.route.component or page.file,
        mend=f"give both the same, or {apart}",
    )


def _distinct(policies: Iterable[Any]) -> Iterable[Any]:
    found = {json.dumps(one, sort_keys=True): one for one in policies}
    return found.values()
