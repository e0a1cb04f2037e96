"""What an adapter says of itself, and what of it a site uses.

Levels are judged as Astro's validateSupportedFeatures does: nothing, a warning that names adapter
and feature, or an error. A site of which Astro says "won't be built" is not built here.
"""

import re
from collections.abc import Iterable, Mapping
from keyword import iskeyword
from math import isfinite
from typing import get_args

from packaging.utils import canonicalize_name

from routelet_bundler.errors import WRONG_USE, RouteletError, did_you_mean
from routelet_bundler.model import (
    Adapter,
    AdapterFeatures,
    Assets,
    Level,
    Limits,
    Split,
    Target,
)

OUTPUTS = ("static_output", "hybrid_output", "server_output")
FEATURES = (*OUTPUTS, "assets", "i18n_domains", "env_get_secret")
"""What `supported_features` may name. No key of the configuration uses the last two yet."""
LEVELS: tuple[Level, ...] = get_args(Level)
ARCHITECTURES = ("x86_64", "arm64")
SPLITS: tuple[Split, ...] = get_args(Split)
_TYPES: Mapping[str, type] = {
    "name": str,
    "server_entrypoint": str,
    "exports": tuple,
    "args": Mapping,
    "adapter_features": AdapterFeatures,
    "supported_features": Mapping,
    "target": Target,
    "limits": Limits,
}
_SAYS = {
    "experimental": "supports {} experimentally: it may have faults, and may change",
    "deprecated": "has deprecated its support for {}: it will be removed",
}
_IMAGE_LIBRARIES = {"pillow": "is_pillow_compatible", "pyvips": "is_pyvips_compatible"}


def mistakes_of(adapter: Adapter) -> Iterable[RouteletError]:
    """Yield what is wrong with an adapter, whatever the site."""
    if shapeless := list(_mistakes_in_types(adapter)):
        yield from shapeless  # the rest of it cannot be read
        return
    if not adapter.name:
        yield _mistake("adapter", "has no name")
    yield from _mistakes_in_entrypoints(adapter)
    if adapter.split is not None and adapter.split not in SPLITS:
        mend = did_you_mean(str(adapter.split), SPLITS) or f"there are {', '.join(SPLITS)}"
        yield _mistake(adapter.name, f'"{adapter.split}" is no split', mend)
    for key, value in adapter.args.items():
        if not _is_literal(value):
            yield _mistake(
                adapter.name,
                f'"{key}" of args is {value!r}, and entry modules hold literals only',
                mend="write text, numbers, True, False, None, and lists, tuples and dicts of them",
            )
    if adapter.serves_client and "client" in adapter.args:
        what = 'serves_client gives entries the "client" of args, and args has one'
        yield _mistake(adapter.name, what, "give it another name")
    yield from _mistakes_in_target(adapter)
    yield from _mistakes_in_numbers(adapter)
    yield from _mistakes_in_features(adapter)


def _mistakes_in_types(adapter: Adapter) -> Iterable[RouteletError]:
    for key, kind in _TYPES.items():
        value = getattr(adapter, key)
        if not isinstance(value, kind):
            mend = f"it is a {kind.__name__}"
            if key == "exports" and isinstance(value, str):
                mend = f'write exports=("{value}",)'
            yield _mistake(str(adapter.name), f"{key} is {value!r}", mend)


def _mistakes_in_entrypoints(adapter: Adapter) -> Iterable[RouteletError]:
    for key in ("server_entrypoint", "middleware_entrypoint"):
        if (module := getattr(adapter, key)) and not all(map(_is_name, module.split("."))):
            yield _mistake(adapter.name, f"{key} is {module!r}, which is no dotted module")
    for name in adapter.exports:
        if not _is_name(name):
            yield _mistake(adapter.name, f"{name!r} in exports is no name of Python")
    if adapter.exports and not adapter.server_entrypoint:
        yield _mistake(adapter.name, "has exports and no server_entrypoint that gives them")
    if adapter.middleware_entrypoint and not adapter.exports:
        what = "has a middleware_entrypoint and no exports that it gives"
        yield _mistake(adapter.name, what)


def _mistakes_in_target(adapter: Adapter) -> Iterable[RouteletError]:
    target = adapter.target
    lambdas = re.escape(f"python{target.python}")
    for key, pattern, mend in (
        ("python", r"3\.\d+", 'write a minor version as text, such as "3.12"'),
        ("architecture", "|".join(ARCHITECTURES), f"there are {', '.join(ARCHITECTURES)}"),
        ("glibc", r"|2_\d+", 'write it as wheel tags do, such as "2_28"'),
        ("folder", r"/.*", 'write an absolute path, such as "/app"'),
        ("runtime", f"|{lambdas}", "leave it out: it says that functions run on Lambda"),
    ):
        value = getattr(target, key)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            yield _mistake(adapter.name, f"{key} of its target is {value!r}", mend)
    yield from _mistakes_in_provided(adapter.name, target)


def _mistakes_in_provided(name: str, target: Target) -> Iterable[RouteletError]:
    provided: object = target.provided
    if not isinstance(provided, tuple):
        mend = f'write provided=("{provided}",)' if isinstance(provided, str) else "it is a tuple"
        yield _mistake(name, f"provided of its target is {provided!r}", mend)
    elif target.provided and target.provided_through not in {"", *target.provided}:
        what = f"provided_through of its target is {target.provided_through!r}"
        yield _mistake(name, what, f"name one of {', '.join(target.provided)}")
    else:
        for one in target.provided:
            if one != canonicalize_name(one):
                mend = f'write "{canonicalize_name(one)}"'
                yield _mistake(name, f"provided of its target has {one!r}", mend)


def _mistakes_in_numbers(adapter: Adapter) -> Iterable[RouteletError]:
    for key in ("memory_mb", "timeout_s"):
        value = getattr(adapter, key)
        if value is not None and (type(value) is not int or value < 1):
            yield _mistake(adapter.name, f"{key} is {value!r}", "it is a whole number, or None")


def _mistakes_in_features(adapter: Adapter) -> Iterable[RouteletError]:
    for feature, support in adapter.supported_features.items():
        if feature not in FEATURES:
            yield _mistake(
                adapter.name,
                f'supported_features has "{feature}", which is no feature',
                mend=did_you_mean(feature, FEATURES) or f"there are {', '.join(FEATURES)}",
            )
        elif (level := _level(support)) not in LEVELS:
            yield _mistake(
                adapter.name,
                f'"{level}" is no level of {feature}',
                mend=did_you_mean(str(level), LEVELS) or f"there are {', '.join(LEVELS)}",
            )


def feature_warnings(adapter: Adapter) -> list[str]:
    """Return a warning for each feature that is experimental or deprecated, in use or not."""
    levels = ((feature, _level(one)) for feature, one in adapter.supported_features.items())
    return [
        f"the adapter {adapter.name} {_SAYS[level].format(feature)}"
        for feature, level in levels
        if level in _SAYS
    ]


def check_output(adapter: Adapter, output: str) -> None:
    """Raise `RouteletError` for an output that the adapter does not support."""
    if _support(adapter, f"{output}_output") == "unsupported":
        raise RouteletError(
            f'the adapter {adapter.name} does not support output = "{output}" ({output}_output)',
            where="pyproject.toml [tool.routelet]",
            mend="choose another output or another adapter",
            status=WRONG_USE,
        )


def check_assets(
    adapter: Adapter, assets: Mapping[str, str], libraries: Mapping[str, tuple[str, ...]]
) -> None:
    """Raise `RouteletError` for assets, or libraries that make images, which a host does not take.

    `assets` are those that the site uses, `libraries` the routes that reach each distribution.
    """
    if assets and _support(adapter, "assets") == "unsupported":
        raise RouteletError(
            f"the adapter {adapter.name} does not support assets",
            where=f"ctx.asset({next(iter(assets))!r})",
            mend="name the file in public/ by its own URL, or choose another adapter",
            status=WRONG_USE,
        )
    support = adapter.supported_features.get("assets")
    if not isinstance(support, Assets):
        return
    for library, said in _IMAGE_LIBRARIES.items():
        if library in libraries and not getattr(support, said):
            raise RouteletError(
                f"the adapter {adapter.name} is not compatible with {library} ({said})",
                where=", ".join(libraries[library]),
                mend="prerender these routes, or choose another adapter",
                status=WRONG_USE,
            )


def _support(adapter: Adapter, feature: str) -> Level:
    """Return how well a feature is supported: one that is not named is not."""
    return _level(adapter.supported_features.get(feature, "unsupported"))


def _level(support: Level | Assets) -> Level:
    return support.support if isinstance(support, Assets) else support


def _mistake(name: str, what: str, mend: str = "") -> RouteletError:
    return RouteletError(what, where=f"adapter {name}", mend=mend, status=WRONG_USE)


def _is_name(text: object) -> bool:
    return isinstance(text, str) and text.isidentifier() and not iskeyword(text)


def _is_literal(value: object) -> bool:
    match value:
        case dict():
            return all(map(_is_literal, [*value, *value.values()]))
        case list() | tuple():
            return all(map(_is_literal, value))
        case float():
            return isfinite(value)  # the others have no literal
    return value is None or type(value) in {str, int, bool, bytes}
