"""Conditions that are known before a module runs: `if TYPE_CHECKING`, versions, platforms.

They are evaluated for the target, not for the machine that builds.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, among: one in among,
    ast.NotIn: lambda one, among: one not in among,
}
_FACTS = {
    "sys.platform": "linux",
    "os.name": "posix",
    "sys.implementation.name": "cpython",
    "platform.system()": "Linux",
    "platform.python_implementation()": "CPython",
}
"""What is so on every target, which is CPython on Linux."""
_UNKNOWN = object()

Lookup = Callable[[str], str | ast.expr | None]
"""What a name stands for: what an import calls it, or the expression that it is set to, once."""


def truth_of(test: ast.expr, python: str, lookup: Lookup = lambda _: None) -> bool | None:
    """Return what `test` is under Python `python` (`3.12`), or None where unknown."""
    return _Judge(python, lookup).truth_of(test)


class _Judge:
    def __init__(self, python: str, lookup: Lookup) -> None:
        self._version = tuple(map(int, python.split(".")))
        self._lookup = lookup
        self._pending: set[str] = set()

    def truth_of(self, test: ast.expr) -> bool | None:
        match test:
            case ast.Constant(value=value):
                return bool(value)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                known = self.truth_of(operand)
                return None if known is None else not known
            case ast.BoolOp(op=op, values=values):
                return _joined([self.truth_of(one) for one in values], isinstance(op, ast.And))
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs = zip([left, *others], ops, others, strict=False)
                return _joined([self._compared(*pair) for pair in pairs], is_and=True)
            case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[prefix]):
                text, start = self._value_of(value), self._value_of(prefix)
                known = isinstance(text, str) and isinstance(start, str | tuple)
                return text.startswith(start) if known else None
            case ast.Name() | ast.Attribute():
                value = self._value_of(test)
                return None if value is _UNKNOWN else bool(value)
        return None

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool | None:
        compare = _COMPARISONS.get(type(op))
        mine, theirs = self._value_of(left), self._value_of(right)
        if compare is None or mine is _UNKNOWN or theirs is _UNKNOWN:
            return None
        if _needs_the_micro_version(mine, theirs):
            return None
        try:
            return compare(mine, theirs)
        except TypeError:
            return None

    def _value_of(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
                values = tuple(map(self._value_of, elements))
                return _UNKNOWN if any(one is _UNKNOWN for one in values) else values
            case ast.Subscript(value=value, slice=slice_):
                return _item(self._value_of(value), slice_)
            case ast.Attribute(value=value, attr="major" | "minor" as part):
                found = self._value_of(value)
                is_known = isinstance(found, tuple) and len(found) > 1
                return found[part == "minor"] if is_known else _UNKNOWN
            case ast.Name(id=name):
                return self._value_of_name(name)
            case ast.Attribute() | ast.Call(args=[], keywords=[]):
                return self._fact(self._dotted(node))
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp():
                known = self.truth_of(node)
                return _UNKNOWN if known is None else known
        return _UNKNOWN

    def _value_of_name(self, name: str) -> Any:
        found = self._lookup(name)
        if not isinstance(found, ast.expr):
            return self._fact(found or name)
        is_changeable = isinstance(found, ast.Constant) and name != "TYPE_CHECKING"
        if is_changeable or name in self._pending:
            return _UNKNOWN  # another module may set DEBUG
        self._pending.add(name)
        value = self._value_of(found)
        self._pending.discard(name)
        return value

    def _fact(self, name: str) -> Any:
        if name.rpartition(".")[2] == "TYPE_CHECKING":
            return False
        if name == "sys.version_info":
            return (*self._version, 0)
        return _FACTS.get(name, _UNKNOWN)

    def _dotted(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return self._dotted_name(name)
            case ast.Attribute(value=value, attr=attr):
                return f"{self._dotted(value)}.{attr}"
            case ast.Call(func=function):
                return f"{self._dotted(function)}()"
        return ""

    def _dotted_name(self, name: str) -> str:
        found = self._lookup(name)
        if not isinstance(found, ast.Attribute) or name in self._pending:
            return found if isinstance(found, str) else name
        self._pending.add(name)
        dotted = self._dotted(found)
        self._pending.discard(name)
        return dotted


MAY_END = (ast.Return, ast.Raise, ast.Continue, ast.Break, ast.If)
"""Statements after which nothing in their block may run."""


def ends(statement: ast.stmt, truth: Callable[[ast.expr], bool | None]) -> bool:
    """Tell whether nothing that follows a statement in its block ever runs."""
    match statement:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.If(test=test, body=body, orelse=orelse):
            known = truth(test)
            taken = [body] if known else [orelse] if known is False else [body, orelse]
            return all(_block_ends(block, truth) for block in taken)
    return False


def _block_ends(block: Sequence[ast.stmt], truth: Callable[[ast.expr], bool | None]) -> bool:
    return any(ends(statement, truth) for statement in block)


def _joined(known: list[bool | None], is_and: bool) -> bool | None:
    if (not is_and) in known:
        return not is_and
    return None if None in known else is_and


def _needs_the_micro_version(version: Any, literal: Any) -> bool:
    """Tell whether `version >= (3, 12, 4)` is asked of a target that is only known as 3.12."""
    if not (isinstance(version, tuple) and isinstance(literal, tuple)):
        return False
    return len(version) > 2 and len(literal) > 2 and version[:2] == literal[:2]


def _item(value: Any, slice_: ast.expr) -> Any:
    if not isinstance(value, tuple):
        return _UNKNOWN
    match slice_:
        case ast.Constant(value=int() as index) if index < min(2, len(value)):
            return value[index]
        case ast.Slice(lower=None, upper=ast.Constant(value=int() as end), step=None) if end <= 2:
            return value[:end]
    return _UNKNOWN
