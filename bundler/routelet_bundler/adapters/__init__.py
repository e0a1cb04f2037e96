"""The adapters and integrations of a site: those shipped here and those of others."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from routelet_bundler.adapter import Integration
from routelet_bundler.config import TABLE, config_error
from routelet_bundler.errors import WRONG_USE, RouteletError, did_you_mean
from routelet_bundler.model import Config, kebab

GROUPS = {"adapter": "routelet.adapters", "integrations": "routelet.integrations"}
"""Entry-point group by the key that names a member of it."""


def load_integrations(root: Path, config: Config, text: str) -> tuple[Integration, ...]:
    """Return the site's integrations, its adapter last.

    `text` is that of pyproject.toml, for lines. Raises `RouteletError` for a name that is not
    there, or options that its factory does not take.
    """
    loaded = [
        _make(_factory(root, name, "integrations", text), name, {}, text)
        for name in config.integrations
    ]
    if config.adapter is not None:
        options = config.adapters.get(config.adapter, {})
        factory = _factory(root, config.adapter, "adapter", text)
        loaded.append(_make(factory, config.adapter, options, text))
    return tuple(loaded)


def _factory(root: Path, name: str, key: str, text: str) -> Callable[..., Integration]:
    module, colon, attribute = name.partition(":")
    try:
        if colon:
            with _importable(root):
                found: Callable[..., Integration] = getattr(
                    importlib.import_module(module), attribute
                )
                return found
        group = {point.name: point for point in entry_points(group=GROUPS[key])}
        if name in group:
            loaded: Callable[..., Integration] = group[name].load()
            return loaded
    except (ImportError, AttributeError) as error:
        raise config_error(f'"{name}" cannot be loaded: {error}', (*TABLE, key), text) from error
    raise config_error(
        f'no installed package has the {key.removesuffix("s")} "{name}"',
        (*TABLE, key),
        text,
        mend=did_you_mean(name, group) or 'install it, or write "module:factory"',
    )


@contextmanager
def _importable(root: Path) -> Iterator[None]:
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))


def _make(
    factory: Callable[..., Integration], name: str, options: Mapping[str, Any], text: str
) -> Integration:
    given = {key.replace("-", "_"): value for key, value in options.items()}
    parameters = inspect.signature(factory).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    at = (*TABLE, "adapters", name)
    for key in given:
        if key not in parameters and not takes_any:
            known = [kebab(parameter) for parameter in parameters]
            raise config_error(
                f'unknown key "{kebab(key)}"',
                (*at, kebab(key)),
                text,
                mend=did_you_mean(kebab(key), known),
            )
    try:
        integration = factory(**given)
    except RouteletError as error:
        raise _placed(error, at, text) from None
    if not isinstance(integration, Integration):
        raise RouteletError(f'"{name}" gave {integration!r}, no Integration', status=WRONG_USE)
    return integration


def _placed(error: RouteletError, at: tuple[str, ...], text: str) -> RouteletError:
    """Give the mistakes of an option table their line: its factory cannot know the file."""
    first, *rest = (
        config_error(one.what, (*at, *one.where.split(".")), text, mend=one.mend)
        for one in (error, *error.others)
    )
    first.others = tuple(rest)
    return first
