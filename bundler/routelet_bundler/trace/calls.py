"""What calls in a Python source bring along: modules by name, packages, templates, assets."""

import ast
import re
from collections.abc import Container, Iterator, Sequence

from routelet_bundler.trace.found import Import, RewriteCall, Unknown
from routelet_bundler.trace.origins import DISCOVERS
from routelet_bundler.trace.places import ANY, MARKS, PACKAGE, ROOT, UNKNOWN, WORD, Texts, of_module
from routelet_bundler.trace.scopes import Scope
from routelet_bundler.trace.values import Values

IMPORTERS = {"__import__", "builtins.__import__", "importlib.import_module", "importlib.__import__",
             "importlib.util.find_spec", "importlib.find_loader", "pkgutil.find_loader",
             "pkgutil.get_loader", "pkgutil.resolve_name", "runpy.run_module",
             "lazy_loader.load"}  # fmt: skip
"""Functions that are given the name of a module."""
COLLECTORS = {"routelet.content.collection"}
_SEARCHES = {"find_spec", "find_loader", "get_loader"}
"""Those that may find nothing."""
_RELATIVE = {"import_module", "find_spec"}
"""Those that take a package for a relative name."""
IN_PACKAGE = {"get_data", "open_binary", "open_text", "read_binary", "read_text", "path",
              "is_resource", "resource_filename", "resource_string", "resource_stream",
              "resource_listdir"}  # fmt: skip
"""Functions that are called with a package and the name of a file in it."""
_PACKAGE_READERS = IN_PACKAGE | {"files", "contents", "PackageLoader"}
WATCHED = frozenset(
    {name.rpartition(".")[2] for name in IMPORTERS | COLLECTORS}
    | _PACKAGE_READERS
    | DISCOVERS
    | {"attach", "asset", "render", "rewrite", "next", "map"}
)
"""The last parts of all names that are looked at."""
_OWN_FOLDER = "@"


class Calls:
    """Collects what the calls of one source bring along."""

    def __init__(self, tree: ast.Module) -> None:
        self.imports: list[Import] = []
        self.unknown: list[Unknown] = []
        self.templates: list[tuple[str, int]] = []
        self.collections: list[tuple[str, int]] = []
        self.assets: list[tuple[str | None, int]] = []
        self.rewrites: list[RewriteCall] = []
        self.values = Values(tree, f"{_OWN_FOLDER}/module.py")
        self.scope: Scope = self.values.module
        self.guards = 0
        """How many blocks around expect that an import fails."""

    def call(self, node: ast.Call) -> None:
        """Note what a call brings along."""
        names = self.values.names(node.func, self.scope)
        if any(name in COLLECTORS for name in names):
            self._collection(node)
        elif any(name in IMPORTERS for name in names):
            self._dynamic(node, names)
        elif names == ("map",):
            self._maps(node)
        else:
            self._named(dotted_name(node.func) or "", names, node)

    def handed_on(self, node: ast.Name | ast.Attribute) -> None:
        """Note a function that imports and is handed on, which may be called with any name."""
        if isinstance(node.ctx, ast.Load) and self._is_one(node, IMPORTERS | COLLECTORS):
            self._unknown(node)

    def maps_an_import(self, node: ast.Call) -> bool:
        """Tell whether a call is `map(import_module, names)`."""
        match node:
            case ast.Call(func=ast.Name(id="map"), args=[function, _]):
                return self._is_one(function, IMPORTERS)
        return False

    def _maps(self, node: ast.Call) -> None:
        """Note the elements of `map(import_module, names)`."""
        if not self.maps_an_import(node):
            return
        function, given = node.args
        names = self.values.names(function, self.scope)
        for one in self.values.elements(given, self.scope):
            name = one.node or ast.Name("unknown", ast.Load())
            self._dynamic(ast.copy_location(ast.Call(function, [name], []), node), names)

    def _named(self, called: str, names: Sequence[str], node: ast.Call) -> None:
        """Note what is known of calls that name a template, a page, a package or its folder."""
        for name in names:
            last = name.rpartition(".")[2]
            if last in _PACKAGE_READERS:
                self._package(name, node)
            elif last in DISCOVERS:
                self._discovered(last, node)
            elif name == "lazy_loader.attach" or called.endswith("lazy.attach"):
                self._lazily_attached(node)
        match called.rpartition(".")[2]:
            case "asset":
                self._asset(node, called)
            case "render":
                self._render(node, called)
            case "rewrite" | "next" if node.args:
                self._rewrite(node, called)

    def _texts(self, node: ast.expr | None) -> Texts:
        return UNKNOWN if node is None else self.values.texts(node, self.scope)

    def _collection(self, node: ast.Call) -> None:
        for name in sorted(self._texts(argument(node, 0, "name"))):
            if ANY in name:
                self._unknown(node)
            else:
                self.collections.append((name, node.lineno))

    def _asset(self, node: ast.Call, called: str) -> None:
        for name in sorted(self._texts(argument(node, 0, "name"))):
            if ANY not in name:
                self.assets.append((name, node.lineno))
            elif called.endswith("ctx.asset"):
                self.assets.append((None, node.lineno))

    def _render(self, node: ast.Call, called: str) -> None:
        for name in sorted(self._texts(argument(node, 0, "template"))):
            if name.partition(ANY)[0].strip("/") or ANY not in name:
                if name.endswith(".jinja") or called == "ctx.render":
                    self.templates.append((name, node.lineno))
            elif called == "ctx.render":
                self._unknown(node)

    def _rewrite(self, node: ast.Call, called: str) -> None:
        if examples := _path_examples(node.args[0]):
            self.rewrites.append(RewriteCall(examples=examples, line=node.lineno))
        elif called.endswith(".rewrite"):
            self.rewrites.append(RewriteCall(examples=(), line=node.lineno))

    def _package(self, name: str, node: ast.Call) -> None:
        """Note the package whose files are read, which is imported for that."""
        given = argument(node, 0, "package", "anchor", "package_name")
        for text in sorted(self._texts(given)) if given else ():
            if ANY not in text and re.fullmatch(r"[\w.]+", text) and not name.startswith("."):
                self.imports.append(Import(module=text, line=node.lineno, guarded=True))

    def _discovered(self, function: str, node: ast.Call) -> None:
        """Note the modules of a package that is searched: its own, or with those below."""
        below = WORD if function == "iter_modules" else ANY
        for package in self._searched(argument(node, 0, "path")):
            if package is None:
                self._unknown(node)
            else:
                self._add_pattern(f"{package}.{below}", node)

    def _searched(self, path: ast.expr | None) -> Iterator[str | None]:
        match path:
            case ast.Attribute(value=value, attr="__path__"):
                for name in self.values.imported(value, self.scope) or ("",):
                    yield of_module(name, "__name__") if name.strip(".") else None
            case ast.Name(id="__path__"):
                yield PACKAGE
            case ast.List(elts=folders):
                for text in (text for folder in folders for text in self._texts(folder)):
                    yield _package_at(text)
            case _:
                yield None

    def _lazily_attached(self, node: ast.Call) -> None:
        """Note the submodules that `lazy_loader.attach` is given, as a list and as keys."""
        given = [*node.args[1:3], *(key.value for key in node.keywords)]
        lists = [one for one in given if not (isinstance(one, ast.Constant) and one.value is None)]
        found = [at for one in lists for at in self.values.elements(one, self.scope)]
        texts = [self.values.texts(at.node, at.scope) if at.node else UNKNOWN for at in found]
        names = tuple(sorted({text for one in texts for text in one}))
        if any(ANY in name for name in names):
            self._unknown(node)
        else:
            self.imports.append(Import(module="", line=node.lineno, level=1, names=names))

    def _unknown(self, node: ast.expr) -> None:
        end = getattr(node, "end_lineno", None) or node.lineno
        self.unknown.append(Unknown(expression=ast.unparse(node), line=node.lineno, end=end))

    def _dynamic(self, node: ast.Call, names: Sequence[str]) -> None:
        """Note what a function imports that is given a name, once for each name it may be."""
        last = names[0].rpartition(".")[2]
        given = argument(node, 0, "name", "mod_name", "fullname")
        attributes = self._attributes(node, last)
        packages = self._texts(argument(node, 1, "package")) if last in _RELATIVE else UNKNOWN
        for text in sorted(self._texts(given)):
            relative = text.startswith(".")
            if attributes is None or (relative and any(ANY in one for one in packages)):
                self._unknown(node)
                continue
            for package in packages if relative else [""]:
                self._add_dynamic(last, text.partition(":")[0], package, node, attributes)

    def _add_dynamic(
        self, function: str, text: str, package: str, node: ast.Call, names: tuple[str, ...]
    ) -> None:
        above = len(text) - len(text.lstrip("."))
        level = above or _level_of(node)
        module = text[above:]
        if package == PACKAGE:
            package = ""
        elif package.startswith(f"{PACKAGE}."):
            package, module = "", f"{package[2:]}.{module}"
        self._add_pattern(
            module,
            node,
            level=level,
            package=package,
            names=names,
            guarded=self.guards > 0 or function in _SEARCHES,
            runs=function == "run_module",
        )

    def _attributes(self, node: ast.Call, function: str) -> tuple[str, ...] | None:
        """Return what is imported beside the module itself; None where that is not known."""
        if function == "run_module":
            return ("__main__",)
        given = argument(node, 3, "fromlist") if function == "__import__" else None
        if given is None or (isinstance(given, ast.Constant) and not given.value):
            return ()
        found = self.values.elements(given, self.scope)
        texts = [self.values.texts(at.node, at.scope) if at.node else UNKNOWN for at in found]
        names = sorted({text for one in texts for text in one})
        return None if any(ANY in name for name in names) else tuple(names)

    def _add_pattern(
        self,
        module: str,
        node: ast.Call,
        *,
        level: int = 0,
        package: str = "",
        names: tuple[str, ...] = (),
        guarded: bool = False,
        runs: bool = False,
    ) -> None:
        if module.startswith(PACKAGE):
            level, module = level or 1, module[1:].removeprefix(".")
        is_known = bool(module) and (level > 0 or module[0] not in {ANY, WORD})
        if not is_known or PACKAGE in module or any(mark in module for mark in MARKS):
            self._unknown(node)
            return
        self.imports.append(
            Import(
                module=module,
                line=node.lineno,
                level=level,
                names=names,
                guarded=guarded,
                runs=runs,
                is_pattern=ANY in module or WORD in module,
                package=package or None,
                is_dynamic=True,
            )
        )

    def _is_one(self, node: ast.expr, functions: Container[str]) -> bool:
        return any(name in functions for name in self.values.names(node, self.scope))


def _package_at(path: str) -> str | None:
    """Return the package in a folder that is searched, as far as it is known."""
    own = f"{ROOT}/{_OWN_FOLDER}"
    if path == own:
        return PACKAGE
    if path.startswith(own + "/") and ANY not in path:
        return f"{PACKAGE}.{path[len(own) + 1 :].replace('/', '.')}"
    return None


def _level_of(node: ast.Call) -> int:
    match argument(node, 4, "level"):
        case ast.Constant(value=int() as level):
            return level
    return 0


def argument(node: ast.Call, place: int, *names: str) -> ast.expr | None:
    """Return an argument of a call, given by its place or its name."""
    by_name = (one.value for one in node.keywords if one.arg in names)
    return node.args[place] if len(node.args) > place else next(by_name, None)


def dotted_name(node: ast.expr) -> str | None:
    """Return `a.b.c` for such a name, or None for any other expression."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            inner = dotted_name(value)
            return f"{inner}.{attr}" if inner else None
    return None


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
