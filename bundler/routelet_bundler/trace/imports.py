"""What a Python source imports, read from its syntax tree: one file in, its imports out.

Imports are found at every level. Those under a condition that is false for the target are left
out; those that a missing module cannot hurt are marked as guarded.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from routelet_bundler.trace.conditions import truth_of

_MODULE_LIKE = re.compile(r"\.?[A-Za-z_]\w*(\.[A-Za-z_]\w*)+|\.[A-Za-z_]\w*", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_URL = re.compile(r"([a-z][a-z0-9-]*)(?:\+([a-z0-9_-]+))?://")
_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import of `module`, relative where `level` is not 0.

    `names` are those of a `from` import. With `is_prefix` the module is only known to begin so.
    """

    module: str
    line: int
    names: tuple[str, ...] = ()
    level: int = 0
    guarded: bool = False
    is_prefix: bool = False
    package: str | None = None
    """The package that a relative `import_module` names; None for the file's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A dynamic import whose module is only known when it runs."""

    expression: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteCall:
    """A call of `ctx.rewrite` or `next` with a path: examples of it, none where it is unknown."""

    examples: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """All that one source imports."""

    imports: tuple[Import, ...]
    unknown: tuple[Unknown, ...]
    templates: tuple[tuple[str, int], ...]
    """Template names given to `ctx.render`, each with its line."""
    collections: tuple[tuple[str, int], ...]
    """Names given to `routelet.content.collection`, each with its line."""
    assets: tuple[tuple[str | None, int], ...]
    """Names given to `ctx.asset`, each with its line; None for what is no literal."""
    rewrites: tuple[RewriteCall, ...]
    strings: tuple[tuple[str, int], ...]
    """String literals that could name a module, `p.m.Class` or `.m`, each with its line."""
    words: tuple[tuple[str, int], ...]
    """String literals that could name a distribution, each with its line; no keys of mappings."""
    exported: tuple[str, ...]
    """The literal `__all__`."""


def imports_of(tree: ast.Module, python: str) -> Imports:
    """Return the imports of a module that runs under Python `python`, such as `3.12`."""
    scan = _Scan(python)
    scan.visit(tree)
    return Imports(
        imports=tuple(scan.imports),
        unknown=tuple(scan.unknown),
        templates=tuple(scan.templates),
        collections=tuple(scan.collections),
        assets=(*scan.assets, *_assets_of_template(tree)),
        rewrites=tuple(scan.rewrites),
        strings=tuple(scan.strings),
        words=tuple(scan.words),
        exported=_exported(tree),
    )


class _Scan(ast.NodeVisitor):
    def __init__(self, python: str) -> None:
        self.imports: list[Import] = []
        self.unknown: list[Unknown] = []
        self.templates: list[tuple[str, int]] = []
        self.collections: list[tuple[str, int]] = []
        self.assets: list[tuple[str | None, int]] = []
        self.rewrites: list[RewriteCall] = []
        self.strings: list[tuple[str, int]] = []
        self.words: list[tuple[str, int]] = []
        self._python = python
        self._guards = 0
        self._collectors = {"routelet.content.collection"}
        self._importers = {"__import__", "importlib.import_module", "runpy.run_module"}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node)
            if alias.asname and alias.name == "routelet.content":
                self._collectors.add(f"{alias.asname}.collection")
            if alias.asname and alias.name in {"importlib", "runpy"}:
                self._importers |= {f"{alias.asname}.import_module", f"{alias.asname}.run_module"}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = tuple(alias.name for alias in node.names)
        self._add(node.module or "", node, names=names, level=node.level)
        for alias in node.names:
            if f"{node.module}.{alias.name}" in self._importers:
                self._importers.add(alias.asname or alias.name)
            if f"{node.module}.{alias.name}" == "routelet.content":
                self._collectors.add(f"{alias.asname or alias.name}.collection")
            elif f"{node.module}.{alias.name}" in self._collectors:
                self._collectors.add(alias.asname or alias.name)

    def visit_If(self, node: ast.If) -> None:
        truth = truth_of(node.test, self._python)
        self.visit(node.test)
        if truth is not False:
            self._visit_all(node.body)
        if truth is not True:
            self._visit_all(node.orelse)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        guarded = any(_catches_import_errors(handler) for handler in node.handlers)
        self._guards += guarded
        self._visit_all(node.body)
        self._guards -= guarded
        for part in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(part)

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self.visit_Try(node)

    def visit_With(self, node: ast.With) -> None:
        guarded = any(_suppresses_import_errors(item.context_expr) for item in node.items)
        self._guards += guarded
        self.generic_visit(node)
        self._guards -= guarded

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and _MODULE_LIKE.fullmatch(node.value):
            self.strings.append((node.value, node.lineno))
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

    def visit_Call(self, node: ast.Call) -> None:
        called = dotted_name(node.func)
        if called in self._importers and node.args:
            self._dynamic(node)
        elif called in self._collectors:
            self._collection(node)
            for given in (*node.args, *node.keywords):
                self.visit(given)
            return
        elif called and called.endswith(".asset"):
            self._asset(node, called)
        elif called == "ctx.render" and not isinstance(_first(node, "template"), ast.Constant):
            self.unknown.append(Unknown(expression=ast.unparse(node), line=node.lineno))
        elif called and node.args:
            self._known_call(called, node)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """Note a `collection` that is handed on, which may be called with any name."""
        if node.id in self._collectors:
            self.unknown.append(Unknown(expression=node.id, line=node.lineno))

    def _collection(self, node: ast.Call) -> None:
        match _first(node, "name"):
            case ast.Constant(value=str() as name):
                self.collections.append((name, node.lineno))
            case _:
                self.unknown.append(Unknown(expression=ast.unparse(node), line=node.lineno))

    def _asset(self, node: ast.Call, called: str) -> None:
        match _first(node, "name"):
            case ast.Constant(value=str() as name):
                self.assets.append((name, node.lineno))
            case _ if called.endswith("ctx.asset"):
                self.assets.append((None, node.lineno))

    def _known_call(self, called: str, node: ast.Call) -> None:
        """Note what is known of calls that name a template, a page, a package or its folder."""
        match called.rpartition(".")[2], node.args[0]:
            case "render", ast.Constant(value=str() as name) if name.endswith(".jinja"):
                self.templates.append((name, node.lineno))
            case "rewrite" | "next", path if examples := _path_examples(path):
                self.rewrites.append(RewriteCall(examples=examples, line=node.lineno))
            case "rewrite", _ if called.endswith(".rewrite"):
                self.rewrites.append(RewriteCall(examples=(), line=node.lineno))
            case "files" | "get_data" | "PackageLoader", ast.Constant(value=str() as package):
                self.imports.append(Import(module=package, line=node.lineno, guarded=True))
            case "attach", ast.Name(id="__name__"):
                self._lazily_attached(node)
            case "iter_modules" | "walk_packages", ast.Attribute(value=value, attr="__path__"):
                if package_name := dotted_name(value):
                    self.imports.append(
                        Import(module=f"{package_name}.", line=node.lineno, is_prefix=True)
                    )

    def _lazily_attached(self, node: ast.Call) -> None:
        """Note the submodules that `lazy_loader.attach` is given, as a list and as keys."""
        given = [*node.args[1:3], *(key.value for key in node.keywords)]
        try:
            names = tuple(name for value in given for name in ast.literal_eval(value) or ())
        except (TypeError, ValueError):
            self.unknown.append(Unknown(expression=ast.unparse(node), line=node.lineno))
        else:
            self.imports.append(Import(module="", line=node.lineno, level=1, names=names))

    def _visit_all(self, nodes: list[ast.stmt]) -> None:
        for node in nodes:
            self.visit(node)

    def _add(
        self, module: str, node: ast.stmt, *, names: tuple[str, ...] = (), level: int = 0
    ) -> None:
        guarded = self._guards > 0
        self.imports.append(
            Import(module=module, line=node.lineno, names=names, level=level, guarded=guarded)
        )

    def _dynamic(self, node: ast.Call) -> None:
        name, is_prefix = _text_of(node.args[0])
        if not name.strip("."):
            self.unknown.append(Unknown(expression=ast.unparse(node), line=node.lineno))
            return
        level = len(name) - len(name.lstrip("."))
        self.imports.append(
            Import(
                module=name[level:],
                line=node.lineno,
                level=level,
                guarded=self._guards > 0,
                is_prefix=is_prefix,
                package=_package_argument(node) if level else None,
            )
        )


def _is_word(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _WORD.fullmatch(node.value) is not None
    )


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


def dotted_name(node: ast.expr) -> str | None:
    """Return `a.b.c` for such a name, or None for any other expression."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            inner = dotted_name(value)
            return f"{inner}.{attr}" if inner else None
    return None


def _first(node: ast.Call, name: str) -> ast.expr | None:
    """Return the first argument of a call, which may be given by its name."""
    given = [*node.args[:1], *(key.value for key in node.keywords if key.arg == name)]
    return given[0] if given else None


def _path_examples(node: ast.expr) -> tuple[str, ...]:
    """Return paths that an expression may give: a literal's own, or two of a formatted one."""
    match node:
        case ast.Constant(value=str() as path) if path.startswith("/"):
            return (path,)
        case ast.JoinedStr(values=[ast.Constant(value=str() as start), *_] as values):
            if start.startswith("/"):
                return ("".join(map(_word, values)), "".join(map(_digit, values)))
    return ()


def _word(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "x"


def _digit(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "1"


def _text_of(node: ast.expr) -> tuple[str, bool]:
    """Return the text that an expression is known to begin with, and whether more follows."""
    match node:
        case ast.Constant(value=str() as text):
            return text, False
        case ast.JoinedStr(values=[ast.Constant(value=str() as text), *_]):
            return text, True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            start, more = _text_of(left)
            end, and_more = _text_of(right)
            return (start, True) if more or and_more or not end else (start + end, False)
    return "", True


def _package_argument(node: ast.Call) -> str | None:
    given = [*node.args[1:2], *(key.value for key in node.keywords if key.arg == "package")]
    match given:
        case [ast.Constant(value=str() as package)]:
            return package
    return None


def _assets_of_template(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names in the `ROUTELET_ASSETS` of a compiled template; content has seen them."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="ROUTELET_ASSETS")], value=value):
                for name in ast.literal_eval(value):
                    yield name, statement.lineno


def _exported(tree: ast.Module) -> tuple[str, ...]:
    return tuple(_exported_names(tree))


def _exported_names(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=value)
                | ast.AugAssign(target=ast.Name(id="__all__"), value=value)
            ) if isinstance(value, ast.List | ast.Tuple):
                for element in value.elts:
                    if isinstance(element, ast.Constant) and isinstance(element.value, str):
                        yield element.value
