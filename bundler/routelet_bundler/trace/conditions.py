"""Conditions that are known before a module runs: `if TYPE_CHECKING`, versions, platforms.

They are evaluated for the target, not for the machine that builds.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_UNKNOWN = object()


def truth_of(test: ast.expr, python: str) -> bool | None:
    """Return what `test` is on Linux under Python `python` (`3.12`), or None where unknown."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            known = truth_of(operand, python)
            return None if known is None else not known
        case ast.BoolOp(op=op, values=values):
            return _joined([truth_of(value, python) for value in values], isinstance(op, ast.And))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(left, op, right, python)
        case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[prefix]):
            text, start = _value_of(value, python), _value_of(prefix, python)
            known = isinstance(text, str) and isinstance(start, str)
            return text.startswith(start) if known else None
    return None


def _joined(known: list[bool | None], is_and: bool) -> bool | None:
    if (not is_and) in known:
        return not is_and
    return None if None in known else is_and


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, python: str) -> bool | None:
    compare = _COMPARISONS.get(type(op))
    mine, theirs = _value_of(left, python), _value_of(right, python)
    if compare is None or _UNKNOWN in (mine, theirs):
        return None
    if _needs_the_micro_version(mine, theirs):
        return None
    try:
        return compare(mine, theirs)
    except TypeError:
        return None


def _needs_the_micro_version(version: Any, literal: Any) -> bool:
    """Tell whether `version >= (3, 12, 4)` is asked of a target that is only known as 3.12."""
    if not (isinstance(version, tuple) and isinstance(literal, tuple)):
        return False
    return len(version) > 2 and len(literal) > 2 and version[:2] == literal[:2]


def _value_of(node: ast.expr, python: str) -> Any:
    version = tuple(map(int, python.split(".")))
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=elements):
            values = tuple(_value_of(element, python) for element in elements)
            return _UNKNOWN if _UNKNOWN in values else values
        case ast.Attribute(value=ast.Name(id="sys"), attr="version_info"):
            return (*version, 0)
        case ast.Attribute(value=ast.Name(id="sys"), attr="platform"):
            return "linux"
        case ast.Attribute(value=ast.Name(id="os"), attr="name"):
            return "posix"
        case ast.Subscript(value=value, slice=slice_):
            return _item(_value_of(value, python), slice_)
        case ast.Attribute(value=value, attr="major" | "minor" as part):
            found = _value_of(value, python)
            return found[part == "minor"] if isinstance(found, tuple) else _UNKNOWN
    return _UNKNOWN


def _item(value: Any, slice_: ast.expr) -> Any:
    if not isinstance(value, tuple):
        return _UNKNOWN
    match slice_:
        case ast.Constant(value=int() as index) if index < min(2, len(value)):
            return value[index]
        case ast.Slice(lower=None, upper=ast.Constant(value=int() as end), step=None) if end <= 2:
            return value[:end]
    return _UNKNOWN
