"""What an adapter says of itself, and what of it a site uses.

Levels are judged as Astro's validateSupportedFeatures does: nothing, a warning that names adapter
and feature, or an error. A site of which Astro says "won't be built" is not built here.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from functools import cache
from keyword import iskeyword
from math import isfinite
from types import GenericAlias
from typing import Annotated, Any, Literal

from packaging.utils import canonicalize_name
from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError, create_model
from pydantic_core import ErrorDetails, PydanticCustomError

from routelet_bundler.errors import WRONG_USE, RouteletError, did_you_mean, raise_all
from routelet_bundler.model import Adapter, AdapterFeatures, Assets

Feature = Literal[
    "static_output", "hybrid_output", "server_output", "assets", "i18n_domains", "env_get_secret"
]
"""What `supported_features` may name. No key of the configuration uses the last two yet."""
_SAYS = {
    "experimental": "supports {} experimentally: it may have faults, and may change",
    "deprecated": "has deprecated its support for {}: it will be removed",
}
_IMAGE_LIBRARIES = {"pillow": "is_pillow_compatible", "pyvips": "is_pyvips_compatible"}


def taken_over(adapter: Adapter) -> Adapter:
    """Return an adapter as a build goes on with it, whatever of several types a field had.

    Raises `RouteletError` with all that is wrong with it, whatever the site.
    """
    try:
        _types().validate_python(adapter)
    except ValidationError as error:  # the rest of it cannot be read
        raise_all([_mistake_in_type(adapter, one) for one in error.errors()])
    raise_all(list(_mistakes_of(adapter)))
    return replace(
        adapter,
        exports=tuple(adapter.exports),
        args=dict(adapter.args),
        adapter_features=adapter.features,
        supported_features={one: adapter.support(one) for one in adapter.supported_features},
    )


def _mistakes_of(adapter: Adapter) -> Iterable[RouteletError]:
    if not adapter.name:
        yield _mistake("adapter", "has no name")
    yield from _mistakes_in_entrypoints(adapter)
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


def _type_of(kind: type, before: Callable[[object], object] | None = None, **others: Any) -> Any:
    """Return what pydantic reads for a dataclass, or for a mapping of its fields.

    `others` are types of fields where they are not those that the dataclass says.
    """

    def as_dict(value: object) -> object:
        value = before(value) if before else value
        if isinstance(value, kind):
            return {one.name: getattr(value, one.name) for one in fields(kind)}
        return dict(value) if isinstance(value, Mapping) else value

    said: dict[str, Any] = {
        one.name: (others.get(one.name, one.type), ... if one.default is MISSING else one.default)
        for one in fields(kind)
    }
    config = ConfigDict(strict=True, extra="forbid", revalidate_instances="always")
    model = create_model(kind.__name__, __config__=config, **said)
    return Annotated[model, BeforeValidator(as_dict)]


def _as_tuple(value: object) -> object:
    if isinstance(value, str):  # a sequence of str as well
        raise PydanticCustomError("text", 'write ("{name}",)', {"name": value})
    return tuple(value) if isinstance(value, Sequence) else value


def _as_assets(value: object) -> object:
    return value if isinstance(value, Assets | Mapping) else {"support": value}


@cache
def _types() -> TypeAdapter[object]:
    """Return what the fields of an adapter may be; it takes 5 ms to make."""
    return TypeAdapter(
        _type_of(
            Adapter,
            exports=Annotated[tuple[str, ...], BeforeValidator(_as_tuple)],
            adapter_features=_type_of(AdapterFeatures),
            supported_features=GenericAlias(Mapping, (Feature, _type_of(Assets, _as_assets))),
        )
    )


def _mistake_in_type(adapter: Adapter, problem: ErrorDetails) -> RouteletError:
    *above, last = map(str, problem["loc"])
    where, given = ".".join(above), problem["input"]
    what, mend = f"{'.'.join((*above, last))} is {given!r}", problem["msg"]
    match problem["type"]:
        case "literal_error":
            mend = _nearest(given, re.findall("'([^']*)'", problem["ctx"]["expected"]))
            if last == "[key]":
                what = f"supported_features has {given!r}, which is no feature"
        case "extra_forbidden":
            kind = AdapterFeatures if len(above) == 1 else Assets
            what, mend = f"{where} has {last!r}", _nearest(last, [one.name for one in fields(kind)])
        case "missing":
            what, mend = f"{where} lacks {last!r}", ""
    return _mistake(str(adapter.name), what, mend)


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
        ("glibc", r"|2_\d+", 'write it as wheel tags do, such as "2_28"'),
        ("folder", r"/.*", 'write an absolute path, such as "/app"'),
        ("runtime", f"|{lambdas}", "leave it out: it says that functions run on Lambda"),
    ):
        value = getattr(target, key)
        if not re.fullmatch(pattern, value):
            yield _mistake(adapter.name, f"{key} of its target is {value!r}", mend)
    if target.provided and target.provided_through not in {"", *target.provided}:
        what = f"provided_through of its target is {target.provided_through!r}"
        yield _mistake(adapter.name, what, f"name one of {', '.join(target.provided)}")
    for one in target.provided:
        if one != canonicalize_name(one):
            mend = f'write "{canonicalize_name(one)}"'
            yield _mistake(adapter.name, f"provided of its target has {one!r}", mend)


def feature_warnings(adapter: Adapter) -> list[str]:
    """Return a warning for each feature that is experimental or deprecated, in use or not."""
    levels = {feature: adapter.support(feature).support for feature in adapter.supported_features}
    return [
        f"the adapter {adapter.name} {_SAYS[level].format(feature)}"
        for feature, level in levels.items()
        if level in _SAYS
    ]


def check_output(adapter: Adapter, output: str) -> None:
    """Raise `RouteletError` for an output that the adapter does not support."""
    if adapter.support(f"{output}_output").support == "unsupported":
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
    support = adapter.support("assets")
    if assets and support.support == "unsupported":
        raise RouteletError(
            f"the adapter {adapter.name} does not support assets",
            where=f"ctx.asset({next(iter(assets))!r})",
            mend="name the file in public/ by its own URL, or choose another adapter",
            status=WRONG_USE,
        )
    for library, said in _IMAGE_LIBRARIES.items():
        if library in libraries and not getattr(support, said):
            raise RouteletError(
                f"the adapter {adapter.name} is not compatible with {library} ({said})",
                where=", ".join(libraries[library]),
                mend="prerender these routes, or choose another adapter",
                status=WRONG_USE,
            )


def _mistake(name: str, what: str, mend: str = "") -> RouteletError:
    return RouteletError(what, where=f"adapter {name}", mend=mend, status=WRONG_USE)


def _nearest(name: object, known: Collection[str]) -> str:
    return did_you_mean(str(name), known) or f"there are {', '.join(known)}"


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
