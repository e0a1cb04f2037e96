"""Jinja templates to Python source, with the options that functions render them with."""

from dataclasses import dataclass
from functools import cache, partial
from typing import NoReturn

import jinja2
from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, nodes

from routelet_bundler.errors import RouteletError

_REFERRING = (nodes.Extends, nodes.FromImport, nodes.Include, nodes.Import)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A template that another one names; an optional one may be missing."""

    name: str
    line: int
    optional: bool


Filters = tuple[tuple[str, str], ...]
"""A site's own filters: the name, and jinja2's decorator that passes more to it, or nothing."""


@cache
def _environment(filters: Filters = ()) -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    for name, decorator in filters:
        known = partial(_only_when_it_runs)
        environment.filters[name] = getattr(jinja2, decorator)(known) if decorator else known
    return environment


def _only_when_it_runs(*_: object) -> NoReturn:
    raise LookupError  # jinja2 then leaves an expression of constants to the template


def compile_template(text: str, name: str, where: str, lines: int, filters: Filters = ()) -> str:
    """Return the Python source of a template; `lines` were taken off before `text`.

    Raises `RouteletError` with file and line.
    """
    environment = _environment(filters)
    try:
        return environment.compile(_padded(text, lines), name, where, raw=True, defer_init=True)
    except TemplateSyntaxError as error:
        raise _syntax_error(error, where) from None


def referenced_templates(text: str, where: str, lines: int) -> list[Reference]:
    """Return what extends, include, import and from name; `lines` were taken off before `text`.

    Raises `RouteletError` for a name that is only known when the page is rendered.
    """
    found: list[Reference] = []
    for node in _parsed(text, where, lines).find_all(_REFERRING):
        optional = isinstance(node, nodes.Include) and node.ignore_missing
        names = _names(getattr(node, "template"), f"{where}:{node.lineno}")  # noqa: B009 - each has one
        found += [Reference(name=name, line=node.lineno, optional=optional) for name in names]
    return found


def assets_of(text: str, where: str, lines: int) -> list[tuple[str, int]]:
    """Return the names that `ctx.asset` is called with, each with its line; literals alone."""
    found = []
    for node in _parsed(text, where, lines).find_all(nodes.Call):
        match node:
            case nodes.Call(
                node=nodes.Getattr(node=nodes.Name(name="ctx"), attr="asset"),
                args=[nodes.Const(value=str() as name), *_],
            ):
                found.append((name, node.lineno))
    return found


def _parsed(text: str, where: str, lines: int) -> nodes.Template:
    try:
        return _environment().parse(_padded(text, lines))
    except TemplateSyntaxError as error:
        raise _syntax_error(error, where) from None


def _padded(text: str, lines: int) -> str:
    """Put a comment of so many lines before `text`: it renders to nothing, and lines agree."""
    return "{#" + "\n" * lines + "#}" + text


def _names(expression: nodes.Expr, where: str) -> list[str]:
    match expression:
        case nodes.Const(value=str() as name):
            return [name]
        case nodes.List(items=items) | nodes.Tuple(items=items):
            return [name for item in items for name in _names(item, where)]
        case nodes.CondExpr(expr1=first, expr2=second):
            return [
                *_names(first, where),
                *(_names(second, where) if second is not None else []),
            ]
    raise RouteletError(
        "the name of this template is only known when the page is rendered",
        where=where,
        mend="write the name out, or choose between names with if",
    )


def _syntax_error(error: TemplateSyntaxError, where: str) -> RouteletError:
    return RouteletError(
        error.message or "faulty template", where=f"{where}:{error.lineno}", mend="correct it"
    )
