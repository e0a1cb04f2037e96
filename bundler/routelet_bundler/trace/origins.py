"""Where the value of an expression comes from: through names, tables, lists and loops."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from routelet_bundler.trace.places import ANY, WORD
from routelet_bundler.trace.scopes import Binding, Scope

_SEQUENCES = {"sorted", "list", "tuple", "set", "frozenset", "reversed", "iter"}
_VIEWS = {"keys", "values", "items"}
DISCOVERS = {"iter_modules", "walk_packages"}


@dataclass(frozen=True, slots=True)
class At:
    """An expression, and the scope of its names; None for one that is not known."""

    node: ast.expr | None
    scope: Scope


class Origins:
    """The origins of the values of one source."""

    def __init__(self, tree: ast.Module, *, attributes: bool = False) -> None:
        self.module = Scope(tree)
        self._attributes = dict(_attributes_of(tree)) if attributes else {}
        self._pending: set[tuple[int, int]] = set()
        self._tracked: set[tuple[int, int]] = set()

    def names(self, node: ast.expr, scope: Scope) -> tuple[str, ...]:
        """Return the dotted names that an expression stands for, imports and aliases resolved."""
        match node:
            case ast.Name(id=name):
                found = scope.lookup(name)
                if found is None:
                    return (name,)
                bindings, place = found
                return tuple(dict.fromkeys(self._named(name, bindings, place))) or (name,)
            case ast.Attribute(value=value, attr=attr):
                return tuple(f"{one}.{attr}" for one in self.names(value, scope))
        return ()

    def imported(self, node: ast.expr, scope: Scope) -> tuple[str, ...]:
        """Return the dotted names of modules that an expression is by an import."""
        top = node
        while isinstance(top, ast.Attribute):
            top = top.value
        found = scope.lookup(top.id) if isinstance(top, ast.Name) else None
        is_one = found is not None and all(one.kind == "import" for one in found[0])
        return self.names(node, scope) if is_one else ()

    def _named(self, name: str, bindings: Iterable[Binding], scope: Scope) -> Iterator[str]:
        for binding in bindings:
            is_alias = binding.kind == "value" and not binding.steps
            if binding.kind == "import":
                yield binding.imported
            elif is_alias and isinstance(binding.node, ast.Name | ast.Attribute):
                key = (id(binding.node), id(scope))
                if key not in self._pending:
                    self._pending.add(key)
                    yield from self.names(binding.node, scope)
                    self._pending.discard(key)
            else:
                yield name

    def origins(self, node: ast.expr, scope: Scope) -> list[At]:
        """Return the expressions that one may have its value from."""
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.List | ast.Tuple | ast.Dict):
            return [At(node, scope)]
        key = (id(node), id(scope))
        if key in self._tracked:
            return []  # it is made of itself and of what is found besides
        self._tracked.add(key)
        found = self._origins(node, scope)
        self._tracked.discard(key)
        return found

    def _origins(self, node: ast.expr, scope: Scope) -> list[At]:
        match node:
            case ast.Name(id=name) if found := scope.lookup(name):
                bindings, place = found
                return [at for one in bindings for at in self._bound(one, place)]
            case ast.IfExp(body=body, orelse=orelse):
                return [*self.origins(body, scope), *self.origins(orelse, scope)]
            case ast.BoolOp(values=values):
                return [at for value in values for at in self.origins(value, scope)]
            case ast.NamedExpr(value=value):
                return self.origins(value, scope)
            case ast.Subscript(value=value, slice=key) if not self._is_text(value, scope):
                return self._items(value, key, scope)
            case ast.Call(func=ast.Attribute(value=value, attr="get" | "pop"), args=[_, *default]):
                defaults = [at for one in default for at in self.origins(one, scope)]
                return [*self._items(value, None, scope), *defaults]
            case ast.Attribute(value=value, attr=attr):
                return self._attribute(value, attr, At(node, scope))
        return [At(node, scope)]

    def _is_text(self, value: ast.expr, scope: Scope) -> bool:
        """Tell whether what is subscribed gives texts: `path.parents` and `os.environ`."""
        is_parents = isinstance(value, ast.Attribute) and value.attr == "parents"
        return is_parents or "os.environ" in self.names(value, scope)

    def _bound(self, binding: Binding, scope: Scope) -> list[At]:
        key = (id(binding), id(scope))
        if key in self._pending:
            return []  # it is made of itself and of what is found besides
        if binding.node is None:
            return [At(None, scope)]
        self._pending.add(key)
        find = self.elements if binding.kind == "element" else self.origins
        found = find(binding.node, scope)
        for step in binding.steps:
            found = [at for one in found for at in self._item(one, ast.Constant(step))]
        self._pending.discard(key)
        return found

    def _items(self, value: ast.expr, key: ast.expr | None, scope: Scope) -> list[At]:
        return [at for one in self.origins(value, scope) for at in self._item(one, key)]

    def _item(self, at: At, key: ast.expr | None) -> list[At]:
        """Return what is in a list or a table under a key, or all that is for an unknown one."""
        known = key.value if isinstance(key, ast.Constant) else None
        match at.node:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                if isinstance(known, int) and -len(elements) <= known < len(elements):
                    return self.origins(elements[known], at.scope)
                return self.elements(at.node, at.scope)
            case ast.Dict(keys=keys, values=values):
                fitting = [
                    value
                    for one, value in zip(keys, values, strict=True)
                    if known is None or not isinstance(one, ast.Constant) or one.value == known
                ]
                return [found for one in fitting for found in self.origins(one, at.scope)]
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
                return [found for one in keywords for found in self.origins(one.value, at.scope)]
        return [At(None, at.scope)]

    def _attribute(self, value: ast.expr, attr: str, at: At) -> list[At]:
        if attr == "name":
            origins = self.origins(value, at.scope)
            if any(isinstance(one.node, _Discovered) for one in origins):
                return [found for one in origins for found in self._item(one, ast.Constant(1))]
        if isinstance(value, ast.Name) and attr in self._attributes:
            return [
                found for one in self._attributes[attr] for found in self.origins(one, self.module)
            ]
        return [at]

    def elements(self, node: ast.expr, scope: Scope) -> list[At]:
        """Return the expressions that are looped over in one."""
        key = (-id(node), id(scope))
        if key in self._pending:
            return []  # it is made of itself and of what is found besides
        self._pending.add(key)
        found = [at for one in self.origins(node, scope) for at in self._elements(one)]
        self._pending.discard(key)
        return found

    def _elements(self, at: At) -> list[At]:
        match at.node:
            case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
                return [found for one in elts for found in self._spread(one, at.scope)]
            case ast.Dict(keys=keys):
                return [At(key, at.scope) for key in keys]
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.origins(at.node.elt, at.scope.within(at.node))
            case ast.BinOp(left=left, op=ast.Add() | ast.BitOr(), right=right):
                return [*self.elements(left, at.scope), *self.elements(right, at.scope)]
            case ast.Call():
                return self._elements_of_call(at.node, at.scope)
        return [At(None, at.scope)]

    def _spread(self, node: ast.expr, scope: Scope) -> list[At]:
        if isinstance(node, ast.Starred):
            return self.elements(node.value, scope)
        return self.origins(node, scope)

    def _elements_of_call(self, node: ast.Call, scope: Scope) -> list[At]:
        match node:
            case ast.Call(func=ast.Name(id=name), args=[value, *_]) if name in _SEQUENCES:
                return self.elements(value, scope)
            case ast.Call(func=ast.Name(id="enumerate"), args=[value, *_]):
                return [
                    At(ast.Tuple([ast.Constant(ANY), one.node or ast.Constant(ANY)]), one.scope)
                    for one in self.elements(value, scope)
                ]
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str() as text), attr="split")
            ):
                return [At(ast.Constant(word), scope) for word in _split(text, node.args)]
            case ast.Call(func=ast.Attribute(value=value, attr=attr), args=[]) if attr in _VIEWS:
                return self._view(value, attr, scope)
        if any(name.rpartition(".")[2] in DISCOVERS for name in self.names(node.func, scope)):
            return [At(_Discovered(elts=[ast.Constant(ANY), _found_module(node)]), scope)]
        return [At(None, scope)]

    def _view(self, table: ast.expr, attr: str, scope: Scope) -> list[At]:
        match attr:
            case "values":
                return self._items(table, None, scope)
            case "items":
                return [at for one in self.origins(table, scope) for at in _pairs(one)]
        return self.elements(table, scope)


class _Discovered(ast.Tuple):
    """What `pkgutil.iter_modules` gives: a finder and a name."""


def _found_module(node: ast.Call) -> ast.expr:
    given = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "prefix")]
    return ast.JoinedStr([*given, ast.Constant(WORD)])


def _split(text: str, separator: list[ast.expr]) -> list[str]:
    match separator:
        case []:
            return text.split()
        case [ast.Constant(value=str() as between), *_] if between:
            return text.split(between)
    return [ANY]


def _pairs(at: At) -> list[At]:
    if not isinstance(at.node, ast.Dict):
        return [At(None, at.scope)]
    found = zip(at.node.keys, at.node.values, strict=True)
    return [At(ast.Tuple([key or ast.Constant(ANY), one]), at.scope) for key, one in found]


def _attributes_of(tree: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    """Yield what attributes of `self` and of classes are set to anywhere, by name."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(), attr=attr)], value=value):
                found.setdefault(attr, []).append(value)
            case ast.ClassDef(body=body):
                for one in body:
                    match one:
                        case (
                            ast.Assign(targets=[ast.Name(id=name)], value=value)
                            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                        ):
                            found.setdefault(name, []).append(value)
    yield from found.items()
