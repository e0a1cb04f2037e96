"""Names of a Python source: what each may stand for, by the scope that it is looked up in.

Flow is not followed: a name stands for all that is ever bound to it. A name that is also bound in
a way that is not read here, such as a parameter, is opaque.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp,
          ast.SetComp, ast.GeneratorExp, ast.DictComp)  # fmt: skip
_APPENDS = {"append", "insert", "add", "appendleft"}
_MUTATES = {"update", "setdefault", "__setitem__"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One way in which a name gets a value.

    It is that of `node`, or one of its elements, of which `steps` are taken where it is unpacked;
    or what an import names. An opaque one is not known.
    """

    kind: Literal["value", "element", "import", "opaque"]
    node: ast.expr | None = None
    steps: tuple[int, ...] = ()
    imported: str = ""
    """A dotted name, with leading dots where it is relative."""


_OPAQUE = Binding(kind="opaque")


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class, function or comprehension, with the names that it binds."""

    node: ast.AST
    parent: "Scope | None" = None
    _bindings: dict[str, list[Binding]] | None = None
    inner: dict[int, "Scope"] = field(default_factory=dict)
    """Scopes within, by the identity of their nodes."""

    def within(self, node: ast.AST) -> "Scope":
        """Return the scope that `node` makes here."""
        return self.inner.setdefault(id(node), Scope(node, self))

    def lookup(self, name: str) -> "tuple[list[Binding], Scope] | None":
        """Return the bindings of a name as it is seen here, and where they are; None for none."""
        scope: Scope | None = self
        while scope is not None:
            is_hidden = isinstance(scope.node, ast.ClassDef) and scope is not self
            found = None if is_hidden else scope.bindings.get(name)
            if found:
                return found, scope
            scope = scope.parent
        return None

    @property
    def bindings(self) -> dict[str, list[Binding]]:
        """What is bound in this scope, by name."""
        if self._bindings is None:
            self._bindings = {}
            for name, binding in _bound_in(self.node):
                self._bindings.setdefault(name, []).append(binding)
            self._add_what_is_changed()
        return self._bindings

    def _add_what_is_changed(self) -> None:
        """Add what lists grow by; names that are set from other scopes are opaque."""
        for node in ast.walk(self.node):
            for name, binding in _changed_by(node):
                if name in self.bindings:
                    self.bindings[name].append(binding)


def _changed_by(node: ast.AST) -> Iterator[tuple[str, Binding]]:
    match node:
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from ((name, _OPAQUE) for name in names)
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
            yield name, _OPAQUE
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr), args=[*_, last]):
            if attr in _APPENDS:
                yield name, Binding(kind="value", node=ast.List([last], ast.Load()))
            elif attr == "extend":
                yield name, Binding(kind="value", node=last)
            elif attr in _MUTATES:
                yield name, _OPAQUE


def _bound_in(scope: ast.AST) -> Iterator[tuple[str, Binding]]:
    match scope:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            given = scope.args
            extra = [one for one in (given.vararg, given.kwarg) if one]
            for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, *extra):
                yield argument.arg, _OPAQUE
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for part in scope.generators:
                yield from _targets(part.target, part.iter, "element")
            return
    body = getattr(scope, "body", [])
    for node in _own_nodes(body if isinstance(body, list) else [body]):
        yield from _bound_by(node)


def _own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield nodes and what is in them, without what is in scopes of their own."""
    pending = list(nodes)[::-1]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, SCOPES):
            pending.extend([*ast.iter_child_nodes(node)][::-1])


def _bound_by(node: ast.AST) -> Iterator[tuple[str, Binding]]:
    match node:
        case ast.Assign():
            yield from (
                one for target in node.targets for one in _targets(target, node.value, "value")
            )
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _targets(target, value, "value")
        case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
            yield name, Binding(kind="value", node=_sum(target, op, value))
        case ast.NamedExpr(target=target, value=value):
            yield from _targets(target, value, "value")
        case ast.For() | ast.AsyncFor():
            yield from _targets(node.target, node.iter, "element")
        case ast.Import() | ast.ImportFrom():
            yield from _imported_by(node)
        case _:
            for name in _opaquely_bound_by(node):
                yield name, _OPAQUE


def _sum(target: ast.Name, op: ast.operator, value: ast.expr) -> ast.expr:
    """Return what `name += value` makes of a list that was there."""
    is_list = isinstance(op, ast.Add) and isinstance(value, ast.List | ast.Tuple)
    return value if is_list else ast.copy_location(ast.BinOp(target, op, value), target)


def _opaquely_bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
            yield name
        case ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
            yield name
        case ast.withitem(optional_vars=ast.expr() as target):
            yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))


def _targets(
    target: ast.expr, value: ast.expr, kind: Literal["value", "element"], *steps: int
) -> Iterator[tuple[str, Binding]]:
    match target:
        case ast.Name(id=name):
            yield name, Binding(kind=kind, node=value, steps=steps)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            for step, element in enumerate(elements):
                yield from _targets(element, value, kind, *steps, step)
        case ast.Starred(value=ast.Name(id=name)):
            yield name, _OPAQUE


def _imported_by(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Binding]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            inside = "." * node.level + (node.module or "")
            dot = "" if inside.endswith(".") or not inside else "."
            bound, imported = alias.asname or alias.name, f"{inside}{dot}{alias.name}"
        elif alias.asname:
            bound, imported = alias.asname, alias.name
        else:
            bound = imported = alias.name.partition(".")[0]
        yield bound, Binding(kind="import", imported=imported)
