"""`[tool.routelet]` of a site's pyproject.toml as a `Config`.

Every mistake is reported at once, with file, line and the nearest right key; exit status 2.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import GenericAlias
from typing import Any, TypeVar

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from routelet_bundler.errors import WRONG_USE, RouteletError, did_you_mean
from routelet_bundler.model import Config, Project, Table, kebab
from routelet_bundler.toml_lines import line_of

FILE = "pyproject.toml"
TABLE = ("tool", "routelet")


T = TypeVar("T", bound=BaseModel)


def read_config(root: Path) -> tuple[Config, Project]:
    """Read the configuration of the site at `root`.

    Raises `RouteletError` where there is no pyproject.toml, or for each mistake in it.
    """
    document, text = read_document(root)
    tool = document.get("tool", {})
    table = tool.get("routelet", {}) if isinstance(tool, dict) else {}
    config = parse_table(Config, table, at=TABLE, text=text)
    project = parse_table(Project, document.get("project", {}), at=("project",), text=text)
    return config, project


def read_document(root: Path) -> tuple[dict[str, Any], str]:
    """Return pyproject.toml of `root`, parsed and as text."""
    path = root / FILE
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except FileNotFoundError:
        raise RouteletError(
            f"there is no {FILE} in {root}",
            mend="name the site's folder with --root",
            status=WRONG_USE,
        ) from None
    except UnicodeDecodeError as error:
        raise RouteletError(
            f"is no UTF-8 text: {error.reason}", where=FILE, status=WRONG_USE
        ) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise RouteletError(
            f"is no valid TOML: {error}",
            where=f"{FILE}:{line[1]}" if line else FILE,
            mend="correct the syntax",
            status=WRONG_USE,
        ) from None


def parse_table(model: type[T], table: Mapping[str, Any], *, at: tuple[str, ...], text: str) -> T:
    """Return `table` as `model`; it stands `at` those keys of pyproject.toml, whose text is `text`.

    Raises `RouteletError` with every mistake.
    """
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise _mistakes(model, error, at, text) from None


def updated(config: Config, changes: Mapping[str, Any]) -> Config:
    """Return `config` with `changes`, of attributes by name, merged into it.

    Raises `RouteletError` with every mistake, its key as `where`: whoever asks for the change
    knows who wants it.
    """
    if not changes:
        return config
    said = config.model_dump(by_alias=True, exclude_unset=True)
    return option_table(Config, merged(said, {kebab(key): changes[key] for key in changes}))


def merged(said: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with `changes` merged into it as Astro's `mergeConfig` does.

    Tables are merged and lists concatenated, at any depth; what else there is takes the place of
    what was said, but for None, which changes nothing.
    """
    found = dict(said)
    for key, value in changes.items():
        old = found.get(key)
        match _plain(value):
            case None:
                pass
            case dict(table):
                found[key] = merged(old if isinstance(old, dict) else {}, table)
            case (list() | tuple()) as items if isinstance(old, list | tuple):
                found[key] = [*old, *items]
            case other:
                found[key] = other
    return found


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True, exclude_unset=True)
    return value


def option_table(model: type[T], options: Mapping[str, Any]) -> T:
    """Return keywords, such as those of an adapter's factory, as `model`.

    Raises `RouteletError` with every mistake, its key as `where`: whoever calls the factory
    knows the file.
    """
    try:
        return model.model_validate({kebab(key): value for key, value in options.items()})
    except ValidationError as error:
        raise _mistakes(model, error, (), None) from None


def checked(annotation: Any, key: str, value: object, *, at: tuple[str, ...], text: str) -> Any:
    """Return the value of a key as an annotation says; its table is `at` of pyproject.toml.

    Strictly: "5" is no number. But an array may be a tuple or a set, and text a path. It stays as
    it is where pydantic does not know the annotation. Raises `RouteletError` with every mistake.
    """
    table = {key: value}
    try:
        adapter = TypeAdapter[dict[str, Any]](GenericAlias(dict, (str, annotation)))
        with suppress(ValidationError):
            return _kept(value, adapter.validate_python(table, strict=True)[key])
        return _kept(value, adapter.validate_json(json.dumps(table, default=str), strict=True)[key])
    except ValidationError as error:
        raise _mistakes(_model_in(annotation) or Table, error, at, text) from None
    except (PydanticUserError, SchemaError, NameError):  # of a type, or a name in no module
        return value


def _kept(value: object, checked: object) -> object:
    return value if isinstance(checked, Iterator) else checked  # an Iterable would be read once


def _mistakes(
    model: type[BaseModel], error: ValidationError, at: tuple[str, ...], text: str | None
) -> RouteletError:
    first, *rest = (_mistake(model, problem, at, text) for problem in error.errors())
    first.others = tuple(rest)
    return first


def _mistake(
    model: type[BaseModel], problem: Any, at: tuple[str, ...], text: str | None
) -> RouteletError:
    keys = tuple(str(key) for key in problem["loc"])
    mend = ""
    if problem["type"] == "extra_forbidden":
        what = f'unknown key "{keys[-1]}"'
        mend = did_you_mean(keys[-1], keys_at(model, keys[:-1]))
    else:
        what = f'"{".".join(keys or at[-1:])}": {problem["msg"]}, not {problem["input"]!r}'
    if text is None:
        return RouteletError(what, where=".".join(keys), mend=mend, status=WRONG_USE)
    return config_error(what, (*at, *keys), text, mend=mend)


def config_error(what: str, keys: tuple[str, ...], text: str, *, mend: str = "") -> RouteletError:
    """Return a mistake at `keys` of pyproject.toml, with the line where they stand."""
    line = line_of(text, keys)
    where = f"{FILE}:{line}" if line else f"{FILE} [{'.'.join(keys[:-1])}]"
    return RouteletError(what, where=where, mend=mend, status=WRONG_USE)


def keys_at(model: type[BaseModel], keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys that the table at `keys` below `model` may have."""
    found = model
    for key in keys:
        field = {kebab(name): field for name, field in found.model_fields.items()}.get(key)
        inner = _model_in(field.annotation) if field else found
        if inner is None:
            return ()
        found = inner
    return tuple(map(kebab, found.model_fields))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the table that a field holds, by itself or as the values of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model), None)
