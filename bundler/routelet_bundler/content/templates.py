"""Jinja templates to Python source, with the options that functions render them with."""

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, nodes

from routelet_bundler.errors import RouteletError

_REFERRING = (nodes.Extends, nodes.FromImport, nodes.Include, nodes.Import)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A template that another one names; an optional one may be missing."""

    name: str
    line: int
    optional: bool


@cache
def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined)


def compile_template(text: str, name: str, where: str, lines: int) -> str:
    """Return the Python source of a template; `lines` were taken off before `text`.

    Raises `RouteletError` with file and line.
    """
    try:
        return _environment().compile(_padded(text, lines), name, where, raw=True, defer_init=True)
    except TemplateSyntaxError as error:
        raise _syntax_error(error, where) from None


def referenced_templates(text: str, where: str, lines: int) -> list[Reference]:
    """Return what extends, include, import and from name; `lines` were taken off before `text`.

    Raises `RouteletError` for a name that is only known when the page is rendered.
    """
    try:
        tree = _environment().parse(_padded(text, lines))
    except TemplateSyntaxError as error:
        raise _syntax_error(error, where) from None
    found: list[Reference] = []
    for node in tree.find_all(_REFERRING):
        optional = isinstance(node, nodes.Include) and node.ignore_missing
        names = _names(getattr(node, "template"), f"{where}:{node.lineno}")  # noqa: B009 - each has one
        found += [Reference(name=name, line=node.lineno, optional=optional) for name in names]
    return found


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
