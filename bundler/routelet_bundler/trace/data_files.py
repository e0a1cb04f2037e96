"""Which files a Python source reads: paths that are known without running it.

Followed are literals joined to `__file__` or to the working directory, and what
importlib.resources, pkgutil, jinja2 and lazy_loader read of a known package. A path is known as
text below the zip's root, with `*` for what is not known of it.
"""

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from routelet_bundler.trace.calls import IN_PACKAGE, argument
from routelet_bundler.trace.places import ANY, CWD, MARKS, PACKAGE, ROOT, normal, rooted
from routelet_bundler.trace.scopes import SCOPES, Scope
from routelet_bundler.trace.values import Values

_MAY_NAME_FILES = re.compile(
    r"__file__|__path__|\bopen\b|Path\b|\bfiles\b|Loader\b|get_data|resource|_text\b|_binary\b"
    r"|attach_stub|sqlite3|\bCDLL\b|\bcontents\b|cwd\b|TASK_ROOT"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPath:
    """A path below the zip's root: a file, a folder, or with `*` a pattern."""

    path: str
    line: int
    kind: Literal["file", "cwd", "outside", "own"] = "file"
    """`cwd` is relative to the working directory, which need not be the zip's root while
    developing; `outside` is relative to the folder above it, which no function has; `own` is
    anywhere below the source's own folder."""

    @property
    def is_inside(self) -> bool:
        """Whether a zip may have it."""
        return self.kind in {"file", "cwd"}


def data_paths(tree: ast.Module, text: str, archive: str) -> tuple[DataPath, ...]:
    """Return the paths that the source at `archive` names; its own folder is never one.

    `text` is what `tree` was parsed from.
    """
    if not _MAY_NAME_FILES.search(text):
        return ()
    finder = _Finder(tree, archive)
    finder.visit(tree)
    found: dict[str, DataPath] = {}
    for data in finder.found:
        found.setdefault(data.path, data)
    return tuple(found[path] for path in sorted(found))


class _Values(Values):
    """Values that know the files of packages."""

    def text_of_function(self, name: str, node: ast.Call, scope: Scope) -> Iterable[str] | None:
        """Return the files that are read of a package."""
        last = name.rpartition(".")[2]
        if last in IN_PACKAGE or last in {"files", "contents", "PackageLoader", "attach_stub"}:
            found = tuple(self._resource(last, node, scope))
            return found or super().text_of_function(name, node, scope)
        return super().text_of_function(name, node, scope)

    def _resource(self, function: str, node: ast.Call, scope: Scope) -> Iterator[str]:
        package = argument(node, 0, "package", "anchor", "package_name", "package_or_requirement")
        inside = argument(node, 1, "package_path", "resource", "resource_name", "filename", "name")
        for folder in self._folders(package, scope):
            match function:
                case "files" | "contents":
                    yield folder
                case "PackageLoader":
                    inside = inside or ast.Constant("templates")
                    yield from self.path([ast.Constant(folder), inside], scope)
                case "attach_stub" if inside:
                    yield from (f"{text}i" for text in self.texts(inside, scope))
                case _ if inside:
                    yield from self.path([ast.Constant(folder), inside], scope)

    def _folders(self, package: ast.expr | None, scope: Scope) -> Iterator[str]:
        """Yield the folder of a package: named by a literal, its own variables, or itself."""
        own = normal(f"{ROOT}/{posixpath.dirname(self.archive)}")
        if package is None:
            return
        for name in (*self.imported(package, scope), *self.texts(package, scope)):
            if name == PACKAGE:
                yield own
            elif name.startswith(PACKAGE):
                yield f"{own}/{name[2:].replace('.', '/')}"
            elif re.fullmatch(r"\.\w+", name):
                yield f"{own}/{name[1:]}"
            elif re.fullmatch(r"\w+(\.\w+)*", name):
                yield f"{ROOT}/{name.replace('.', '/')}"


class _Finder(ast.NodeVisitor):
    def __init__(self, tree: ast.Module, archive: str) -> None:
        self.found: list[DataPath] = []
        self._archive = archive
        self._values = _Values(tree, archive, attributes=True)
        self._scope: Scope = self._values.module
        self._above: tuple[str, ...] = ()
        """The paths of the expression around: a step to one of them is not named for itself."""

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, SCOPES):
            outer, self._scope = self._scope, self._scope.within(node)
            self.generic_visit(node)
            self._scope = outer
        elif isinstance(node, ast.expr) and not isinstance(node, ast.Name | ast.Constant):
            self._expression(node)
        else:
            self.generic_visit(node)

    def _expression(self, node: ast.expr) -> None:
        paths = tuple(dict.fromkeys(self._paths(node)))
        for path in paths:
            if not any(is_step(path, other) for other in self._above):
                self._add(path, node)
        above, self._above = self._above, paths or (self._above if _passes_on(node) else ())
        self.generic_visit(node)
        self._above = above

    def _add(self, marked: str, node: ast.expr) -> None:
        path = marked[2:]
        if path == f"{posixpath.dirname(self._archive)}/{ANY}".lstrip("/"):
            self.found.append(DataPath(path=path, line=node.lineno, kind="own"))
        elif path.startswith("../"):
            self.found.append(DataPath(path=path[3:], line=node.lineno, kind="outside"))
        elif not _is_own_folder(path, self._archive):
            kind: Literal["cwd", "file"] = "cwd" if marked[0] == CWD else "file"
            self.found.append(DataPath(path=path, line=node.lineno, kind=kind))

    def _paths(self, node: ast.expr) -> Iterator[str]:
        """Yield the paths below the zip's root that an expression is, with the mark of each."""
        texts: Iterable[str] = self._values.texts(node, self._scope)
        if isinstance(node, ast.Call):
            texts = (*texts, *self._loaded(node))
        for text in sorted(texts):
            at = max(text.find(mark) for mark in MARKS)
            if at >= 0:
                path = normal(text[at:].partition("?")[0])
                if len(path) > 2:
                    yield path

    def _loaded(self, node: ast.Call) -> Iterator[str]:
        """Yield the folders that a loader of jinja2 is given: one, or a list of them."""
        names = self._values.names(node.func, self._scope)
        given = argument(node, 0, "searchpath")
        if given and any(name.endswith("FileSystemLoader") for name in names):
            yield from map(rooted, self._values.texts(given, self._scope))
            for one in self._values.elements(given, self._scope):
                if one.node is not None:
                    yield from map(rooted, self._values.texts(one.node, one.scope))


def is_step(path: str, other: str) -> bool:
    """Tell whether `path` is on the way to `other`, which it is a part of."""
    return path == other or other.startswith(path + "/")


def _passes_on(node: ast.expr) -> bool:
    """Tell whether an expression only hands on what is in it, as `open(path).read` does."""
    return isinstance(node, ast.Attribute)


def _is_own_folder(path: str, archive: str) -> bool:
    """Tell whether `path` is the source itself, or all of its folder or of one above."""
    folder = path.removesuffix(f"/{ANY}")
    return folder in {ANY, archive, ".", ".."} or archive.startswith(folder + "/")
