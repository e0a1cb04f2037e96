"""What the source of a page says of it, read without importing it."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routelet_bundler.config import parse_table
from routelet_bundler.errors import FAILED, RouteletError
from routelet_bundler.model import RouteConfig
from routelet_bundler.sources import parse_python


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """`prerender` is None where the source is silent."""

    prerender: bool | None = None
    has_static_paths: bool = False
    handlers: frozenset[str] = frozenset()
    config: RouteConfig = field(default_factory=RouteConfig)


def python_facts(text: str, where: str) -> PageFacts:
    """Return the facts of a Python page; `where` is its path for messages.

    Raises `RouteletError` for a syntax error, or a `prerender` or `config` that is no literal.
    """
    module = parse_python(text, where)
    names: set[str] = set()
    values: dict[str, ast.expr] = {}
    for statement in module.body:
        names.update(_bound_names(statement))
        values.update(_assigned(statement))
    return PageFacts(
        prerender=_prerender(values.get("prerender"), where),
        has_static_paths="get_static_paths" in names,
        handlers=frozenset(name for name in names if name.isalpha() and name.isupper()),
        config=_config(values.get("config"), where),
    )


def front_matter_facts(front_matter: Mapping[str, Any], where: str) -> PageFacts:
    """Return the facts of a Jinja or Markdown page."""
    prerender = front_matter.get("prerender")
    if prerender is not None and not isinstance(prerender, bool):
        raise RouteletError(
            f"prerender is {prerender!r}", where=where, mend="write prerender: true or false"
        )
    return PageFacts(
        prerender=prerender,
        config=_validated_config(front_matter.get("config") or {}, where),
    )


def _bound_names(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return {name}
        case ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name for alias in aliases}
        case ast.Assign() | ast.AnnAssign():
            return set(_assigned(statement))
    return set()


def _assigned(statement: ast.stmt) -> dict[str, ast.expr]:
    match statement:
        case ast.Assign(targets=targets, value=value):
            return {target.id: value for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return {name: value}
    return {}


def _prerender(value: ast.expr | None, where: str) -> bool | None:
    if value is None:
        return None
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        return value.value
    raise RouteletError(
        f"prerender = {ast.unparse(value)} cannot be read without importing the page",
        where=f"{where}:{value.lineno}",
        mend="write prerender = True or prerender = False",
    )


def _config(value: ast.expr | None, where: str) -> RouteConfig:
    if value is None:
        return RouteConfig()
    place = f"{where}:{value.lineno}"
    try:
        table = ast.literal_eval(value)
    except (ValueError, TypeError):
        raise RouteletError(
            "config is no literal, and pages are not imported to read it",
            where=place,
            mend='write it out: config = {"memory": 512, "timeout": 20}',
        ) from None
    return _validated_config(table, place)


def _validated_config(table: object, where: str) -> RouteConfig:
    if not isinstance(table, dict):
        raise RouteletError("config is no table of keys", where=where)
    keys = {str(key).replace("_", "-"): value for key, value in table.items()}
    try:
        return parse_table(RouteConfig, keys, at=(), text="")
    except RouteletError as error:
        raise RouteletError(
            f"config: {error.what}", where=where, mend=error.mend, status=FAILED
        ) from None
