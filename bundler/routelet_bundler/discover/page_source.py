"""What the source of a page says of it, read without importing it."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from routelet_bundler.config import parse_table
from routelet_bundler.errors import FAILED, RouteletError
from routelet_bundler.model import RouteConfig
from routelet_bundler.sources import line_of_key, parse_python, split_front_matter


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """`prerender` is None where the source is silent, else `prerender_line` says it."""

    prerender: bool | None = None
    prerender_line: int = 1
    has_static_paths: bool = False
    is_draft: bool = False
    layout: str | None = None
    layout_line: int = 1
    config: RouteConfig | None = None


def python_facts(text: str, where: str) -> PageFacts:
    """Return the facts of a Python page; `where` is its path for messages.

    Raises `RouteletError` for a syntax error, or a `prerender` or `config` that is no literal.
    """
    module = parse_python(text, where)
    names: set[str] = set()
    values: dict[str, ast.expr] = {}
    for statement in module.body:
        bound, assigned = _bound_names(statement), _assigned(statement)
        if "prerender" in bound - assigned.keys():
            raise _unreadable(statement, where)
        names |= bound
        values |= assigned
    prerender = values.get("prerender")
    return PageFacts(
        prerender=_prerender(prerender, where),
        prerender_line=prerender.lineno if prerender else 1,
        has_static_paths="get_static_paths" in names,
        config=_config(values.get("config"), where),
    )


def front_matter_facts(text: str, where: str) -> PageFacts:
    """Return the facts of a Jinja or Markdown page; `where` is its path for messages.

    Raises `RouteletError` for faulty front matter.
    """
    front_matter, _, _ = split_front_matter(text, where)
    for key in ("prerender", "draft"):
        if not isinstance(value := front_matter.get(key), bool | None):
            raise RouteletError(
                f"{key} is {value!r}",
                where=f"{where}:{line_of_key(text, key)}",
                mend=f"write {key}: true or false",
            )
    if not isinstance(layout := front_matter.get("layout"), str | None):
        raise RouteletError(
            f"the layout {layout!r} is not there",
            where=f"{where}:{line_of_key(text, 'layout')}",
            mend="name a template by its path below src/, such as layouts/post.jinja",
        )
    return PageFacts(
        prerender=front_matter.get("prerender"),
        prerender_line=line_of_key(text, "prerender"),
        is_draft=bool(front_matter.get("draft")),
        layout=layout,
        layout_line=line_of_key(text, "layout"),
        config=_front_matter_config(front_matter, text, where),
    )


def _front_matter_config(
    front_matter: Mapping[str, object], text: str, where: str
) -> RouteConfig | None:
    table = front_matter.get("config")
    place = f"{where}:{line_of_key(text, 'config')}"
    return None if table is None else _validated_config(table, place)


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
    raise _unreadable(value, where)


def _unreadable(node: ast.stmt | ast.expr, where: str) -> RouteletError:
    return RouteletError(
        f"prerender is {ast.unparse(node)}, and pages are not imported to read it",
        where=f"{where}:{node.lineno}",
        mend="write prerender = True or prerender = False",
    )


def _config(value: ast.expr | None, where: str) -> RouteConfig | None:
    if value is None:
        return None
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
        first, *rest = (
            RouteletError(f"config: {one.what}", where=where, mend=one.mend, status=FAILED)
            for one in (error, *error.others)
        )
        first.others = tuple(rest)
        raise first from None
