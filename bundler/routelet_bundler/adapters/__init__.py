"""The adapters and integrations of a site: those shipped here and those of others."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from routelet_bundler.adapter import Integration
from routelet_bundler.config import TABLE, checked, config_error
from routelet_bundler.errors import RouteletError, did_you_mean, raise_all, raised_at
from routelet_bundler.model import Config, kebab
from routelet_bundler.safe_names import safe

GROUPS = {"adapter": "routelet.adapters", "integrations": "routelet.integrations"}
"""Entry-point group by the key that names a member of it."""


def load_integrations(root: Path, config: Config, text: str) -> tuple[Integration, ...]:
    """Return the site's integrations, its adapter last.

    `text` is that of pyproject.toml, for lines. Raises `RouteletError` for a name that is not
    there, or options that its factory does not take.
    """
    loaded = [
        _make(_factory(root, name, "integrations", text), name, "integrations", {}, text)
        for name in config.integrations
    ]
    if config.adapter is not None:
        options = config.adapters.get(config.adapter, {})
        factory = _factory(root, config.adapter, "adapter", text)
        loaded.append(_make(factory, config.adapter, "adapter", options, text))
    mend = "leave one out, or have its class give it another name"
    raise_all(
        [config_error(one, (*TABLE, "integrations"), text, mend=mend) for one in twins(loaded)]
    )
    return tuple(loaded)


def _factory(root: Path, name: str, key: str, text: str) -> Callable[..., Integration]:
    module, colon, attribute = name.partition(":")
    group = {point.name: point for point in entry_points(group=GROUPS[key])}
    if not colon and name not in group:
        raise config_error(
            f'no installed package has the {key.removesuffix("s")} "{name}"',
            (*TABLE, key),
            text,
            mend=did_you_mean(name, group) or 'install it, or write "module:factory"',
        )
    try:
        with _importable(root):
            if colon:
                _forget_another(module, root)
            found: Callable[..., Integration] = (
                getattr(importlib.import_module(module), attribute) if colon else group[name].load()
            )
    except (Exception, SystemExit) as error:  # modules of others run here
        raise _failed(error, f'"{name}" cannot be loaded', key, text) from error
    if not callable(found):
        raise config_error(
            f'"{name}" is {found!r}, which makes nothing',
            (*TABLE, key),
            text,
            mend="name a function that returns an Integration",
        )
    return found


def _failed(error: BaseException, what: str, key: str, text: str) -> RouteletError:
    """Return what is told where code of others raises: its line, if it came to run."""
    mistake = config_error(f"{what}: {type(error).__name__}: {error}", (*TABLE, key), text)
    mistake.where = raised_at(error) or mistake.where
    return mistake


def twins(loaded: Iterable[Integration]) -> Iterator[str]:
    """Yield what is wrong for each integration that has the name of another, and so its folder."""
    seen = set[str]()
    for integration in loaded:
        name = safe(integration.name)
        if name in seen:
            yield f"two integrations are called {integration.name}"
        seen.add(name)


@contextmanager
def _importable(root: Path) -> Iterator[None]:
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))


def _forget_another(module: str, root: Path) -> None:
    """Forget a module of this name that is of another site, which this process has built before."""
    top = module.partition(".")[0]
    places = (root / top / "__init__.py", root / f"{top}.py")
    own = next((str(place) for place in places if place.is_file()), None)
    loaded = getattr(sys.modules.get(top), "__file__", None)
    if own and loaded and own != loaded:
        for name in [one for one in sys.modules if one == top or one.startswith(f"{top}.")]:
            del sys.modules[name]


def _make(
    factory: Callable[..., Integration], name: str, key: str, options: Mapping[str, Any], text: str
) -> Integration:
    given = {key.replace("-", "_"): value for key, value in options.items()}
    parameters = inspect.signature(factory).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    at = (*TABLE, "adapters", name)
    for option in given:
        if option not in parameters and not takes_any:
            known = [kebab(parameter) for parameter in parameters]
            raise config_error(
                f'unknown key "{kebab(option)}"',
                (*at, kebab(option)),
                text,
                mend=did_you_mean(kebab(option), known),
            )
    given = _as_annotated(factory, given, at, text)
    try:
        integration = factory(**given)
    except RouteletError as error:
        if key == "integrations":
            raise
        raise _placed(error, at, text) from None
    except (Exception, SystemExit) as error:  # a factory of others
        raise _failed(error, f'"{name}" gives no integration', key, text) from error
    if not isinstance(integration, Integration):
        raise config_error(f'"{name}" gave {integration!r}, no Integration', (*TABLE, key), text)
    if not isinstance(integration.name, str) or not integration.name:
        raise config_error(f'"{name}" gave an Integration without a name', (*TABLE, key), text)
    return integration


def _as_annotated(
    factory: Callable[..., Integration], given: Mapping[str, Any], at: tuple[str, ...], text: str
) -> dict[str, Any]:
    """Return options as the factory's annotations say, where these can be resolved."""
    try:
        parameters = inspect.signature(factory, eval_str=True).parameters
    except Exception:  # noqa: BLE001 - code of others: what a type checker alone can read
        return dict(given)
    values, mistakes = dict(given), []
    for name in filter(parameters.__contains__, given):
        annotation = parameters[name].annotation
        if annotation is not inspect.Parameter.empty:
            try:
                values[name] = checked(annotation, kebab(name), given[name], at=at, text=text)
            except RouteletError as error:
                mistakes.append(error)
    raise_all(mistakes)
    return values


def _placed(error: RouteletError, at: tuple[str, ...], text: str) -> RouteletError:
    """Give the mistakes of an option table their line: its factory cannot know the file."""
    first, *rest = (
        config_error(one.what, (*at, *one.where.split(".")), text, mend=one.mend)
        for one in (error, *error.others)
    )
    first.others = tuple(rest)
    return first
