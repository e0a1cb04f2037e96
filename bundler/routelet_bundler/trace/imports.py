"""What a Python source imports, read from its syntax tree: one file in, its imports out.

Imports are found at every level. Those that are never reached on the target are left out; those
that a missing module cannot hurt are marked as guarded.
"""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from routelet_bundler.conditions import MAY_END, ends, truth_of
from routelet_bundler.trace.calls import WATCHED, Calls, dotted_name
from routelet_bundler.trace.found import Import, Imports, RewriteCall, Unknown
from routelet_bundler.trace.scopes import SCOPES
from routelet_bundler.trace.values import Values

__all__ = ["Import", "Imports", "RewriteCall", "Unknown", "imports_of"]

_MODULE_LIKE = re.compile(
    r"\.?[A-Za-z_]\w*(\.[A-Za-z_]\w*)+(:[\w.]+)?|\.[A-Za-z_]\w*|[A-Za-z_]\w*:[A-Za-z_][\w.]*",
    re.ASCII,
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_URL = re.compile(r"([a-z][a-z0-9-]*)(?:\+([a-z0-9_-]+))?://")
_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_RENAMED = re.compile(
    r"\bas\s+(\w+)|^[ \t]*(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*[\w.]+[ \t]*(?:#|$)", re.M
)
"""Names that may stand for one that is watched."""


def imports_of(tree: ast.Module, text: str, python: str) -> Imports:
    """Return the imports of a module that runs under Python `python`, such as `3.12`.

    `text` is what `tree` was parsed from.
    """
    scan = _Scan(tree, text, python)
    scan.visit(tree)
    calls = scan.calls
    return Imports(
        imports=tuple(calls.imports),
        unknown=tuple(calls.unknown),
        templates=tuple(calls.templates),
        collections=tuple(calls.collections),
        assets=(*calls.assets, *_assets_of_template(tree)),
        rewrites=tuple(calls.rewrites),
        strings=tuple(scan.strings),
        words=tuple(scan.words),
        exported=_exported(calls.values) if "__all__" in text else (),
    )


class _Scan(ast.NodeVisitor):
    def __init__(self, tree: ast.Module, text: str, python: str) -> None:
        self.calls = Calls(tree)
        self.strings: list[tuple[str, int]] = []
        self.words: list[tuple[str, int]] = []
        self._python = python
        self._watched = WATCHED.union(*_RENAMED.findall(text))
        self._visits: dict[type[ast.AST], Callable[[Any], None]] = {
            getattr(ast, name.removeprefix("visit_")): getattr(self, name)
            for name in dir(type(self))
            if name.startswith("visit_")
        }

    def visit(self, node: ast.AST) -> None:
        """Visit a node, in the scope that it makes if it makes one."""
        visit = self._visits.get(type(node))
        if visit is not None:
            visit(node)
        elif isinstance(node, SCOPES):
            outer, self.calls.scope = self.calls.scope, self.calls.scope.within(node)
            self.generic_visit(node)
            self.calls.scope = outer
        else:
            self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        """Visit all that is in a node, and of a block what is reached."""
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                self._visit_all(value)
            elif isinstance(value, ast.AST) and value._fields:
                self.visit(value)

    def _visit_all(self, nodes: Sequence[Any]) -> None:
        for node in nodes:
            if isinstance(node, ast.AST):
                self.visit(node)
                if isinstance(node, MAY_END) and ends(node, self._truth_of):
                    return  # nothing that follows runs

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = tuple(alias.name for alias in node.names)
        self._add(node.module or "", node, names=names, level=node.level)

    def visit_If(self, node: ast.If) -> None:
        truth = self._truth_of(node.test)
        self.visit(node.test)
        if truth is not False:
            self._visit_all(node.body)
        if truth is not True:
            self._visit_all(node.orelse)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        if self._truth_of(node.test) is not False:
            self._visit_all(node.body)
        self._visit_all(node.orelse)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        guarded = any(_catches_import_errors(handler) for handler in node.handlers)
        self.calls.guards += guarded
        self._visit_all(node.body)
        self.calls.guards -= guarded
        for part in (node.handlers, node.orelse, node.finalbody):
            self._visit_all(part)

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self.visit_Try(node)

    def visit_With(self, node: ast.With) -> None:
        guarded = any(_suppresses_import_errors(item.context_expr) for item in node.items)
        self.calls.guards += guarded
        self.generic_visit(node)
        self.calls.guards -= guarded

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and _MODULE_LIKE.fullmatch(node.value):
            self.strings.append((node.value.partition(":")[0], node.lineno))
        elif isinstance(node.value, str):
            url = _URL.match(node.value)  # `mysql+pymysql://` names a driver
            words = filter(None, url.groups()) if url else _WORD.findall(node.value)[:1]
            self.words += [(word, node.lineno) for word in words if url or word == node.value]

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None and not _is_word(key):
                self.visit(key)
            self.visit(value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        if not _is_word(node.slice):
            self.visit(node.slice)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self._watched:
            self.calls.handed_on(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in self._watched:
            self.calls.handed_on(node)
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        last = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        if last not in self._watched:
            self.generic_visit(node)
            return
        self.calls.call(node)
        if isinstance(node.func, ast.Attribute):
            self.visit(node.func.value)
        given = node.args[1:] if self.calls.maps_an_import(node) else node.args
        self._visit_all([*given, *node.keywords])

    def visit_Assign(self, node: ast.Assign) -> None:
        """Visit a statement; another name for a function is known for what it is."""
        is_alias = isinstance(node.value, ast.Name | ast.Attribute)
        for part in (*node.targets, *([] if is_alias and _is_name(node.targets) else [node.value])):
            self.visit(part)

    def _truth_of(self, test: ast.expr) -> bool | None:
        return truth_of(test, self._python, self._lookup)

    def _lookup(self, name: str) -> str | ast.expr | None:
        """Return what a name stands for in a condition: an import, or what it is set to."""
        found = self.calls.scope.lookup(name)
        if found is None or len(found[0]) != 1:
            return None
        [binding] = found[0]
        is_whole = binding.kind == "value" and not binding.steps
        return binding.imported or (binding.node if is_whole else None)

    def _add(
        self, module: str, node: ast.stmt, *, names: tuple[str, ...] = (), level: int = 0
    ) -> None:
        guarded = self.calls.guards > 0
        self.calls.imports.append(
            Import(module=module, line=node.lineno, names=names, level=level, guarded=guarded)
        )


def _is_word(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _WORD.fullmatch(node.value) is not None
    )


def _is_name(targets: list[ast.expr]) -> bool:
    return all(isinstance(target, ast.Name) for target in targets)


def _catches_import_errors(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(_last_name(kind) in _IMPORT_ERRORS for kind in caught)


def _suppresses_import_errors(context: ast.expr) -> bool:
    return (
        isinstance(context, ast.Call)
        and _last_name(context.func) == "suppress"
        and any(_last_name(kind) in _IMPORT_ERRORS for kind in context.args)
    )


def _last_name(node: ast.expr) -> str:
    return (dotted_name(node) or "").rpartition(".")[2]


def _assets_of_template(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names in the `ROUTELET_ASSETS` of a compiled template; content has seen them."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="ROUTELET_ASSETS")], value=value):
                for name in ast.literal_eval(value):
                    yield name, statement.lineno


def _exported(values: Values) -> tuple[str, ...]:
    """Return what `__all__` is known to hold: it may be added to."""
    name, scope = ast.Name("__all__", ast.Load()), values.module
    found = (at.node for at in values.elements(name, scope))
    texts = (one.value for one in found if isinstance(one, ast.Constant))
    return tuple(dict.fromkeys(text for text in texts if isinstance(text, str)))
