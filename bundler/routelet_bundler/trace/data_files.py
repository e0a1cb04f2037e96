"""Which files a Python source reads: paths that are known without running it.

Followed are literals joined to `__file__` with pathlib or os.path, through names that are set
once, and what importlib.resources, pkgutil, jinja2 and lazy_loader read of a literal package. A
path is known as text below the zip's root, with `*` for what is not known of it.
"""

import ast
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from routelet_bundler.trace.imports import dotted_name

_OS_UNCHANGED = {"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.fspath", "str",
                 "Path", "pathlib.Path", "PurePath", "pathlib.PurePath", "open"}  # fmt: skip
_RESOURCE_READERS = {"get_data", "open_binary", "open_text", "read_binary", "read_text"}
"""Functions of pkgutil and importlib.resources that are called with a package and a name in it."""
ANY = "*"
"""Stands for the part of a path that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPath:
    """A path below the zip's root: a file, a folder, or with `*` a pattern."""

    path: str
    line: int


def data_paths(tree: ast.Module, archive: str) -> tuple[DataPath, ...]:
    """Return the paths that the source at `archive` names; its own folder is never one."""
    evaluator = _Evaluator(archive, dict(names_set_once(tree)))
    found: dict[str, DataPath] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and not isinstance(node, ast.Name):
            path = evaluator.path_of(node)
            if path is not None and not _is_own_folder(path, archive):
                found.setdefault(path, DataPath(path=path, line=node.lineno))
    return tuple(found[path] for path in sorted(found) if not _goes_on(path, found))


def _goes_on(path: str, found: dict[str, DataPath]) -> bool:
    """Tell whether a longer path begins with this one on the same line: it is a step to it."""
    return any(
        other.startswith(path + "/") and found[other].line == found[path].line for other in found
    )


def _is_own_folder(path: str, archive: str) -> bool:
    """Tell whether `path` is the source itself, or all of its folder or of one above."""
    folder = path.removesuffix(f"/{ANY}")
    is_above = folder in {".", ".."} or folder.startswith("../")
    return is_above or folder in {ANY, archive} or archive.startswith(folder + "/")


def names_set_once(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names of a module that are set in one place, with what they are set to."""
    values: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values.setdefault(name, []).append(value)
    for name, given in values.items():
        if len(given) == 1:
            yield name, given[0]


class _Evaluator:
    def __init__(self, archive: str, names: dict[str, ast.expr]) -> None:
        self._archive = archive
        self._names = names
        self._pending: set[str] = set()

    def path_of(self, node: ast.expr) -> str | None:
        """Return the path that `node` is, or None where it is no known path."""
        match node:
            case ast.Name(id="__file__"):
                return self._archive
            case ast.Name(id=name) if name in self._names and name not in self._pending:
                self._pending.add(name)
                path = self.path_of(self._names[name])
                self._pending.discard(name)
                return path
            case ast.Attribute(value=value, attr="parent"):
                return self._above(self.path_of(value), 1)
            case ast.Subscript(
                value=ast.Attribute(value=value, attr="parents"),
                slice=ast.Constant(value=int() as steps),
            ):
                return self._above(self.path_of(value), steps + 1)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined(self.path_of(left), [right])
            case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=str() as text)):
                start = self.path_of(left)
                return None if start is None else posixpath.normpath(start + text)
            case ast.Call():
                return self._call(node)
        return None

    def _call(self, node: ast.Call) -> str | None:
        if isinstance(node.func, ast.Attribute):
            start = self.path_of(node.func.value)
            if start is not None:
                return self._method(node.func.attr, start, node.args)
        called, args = dotted_name(node.func), node.args
        if called in _OS_UNCHANGED and args:
            return self._joined(self.path_of(args[0]), args[1:] if called != "open" else [])
        if called == "os.path.dirname" and args:
            return self._above(self.path_of(args[0]), 1)
        if called == "os.path.join" and args:
            return self._joined(self.path_of(args[0]), args[1:])
        return self._resource(called, args)

    def _method(self, name: str, start: str, args: list[ast.expr]) -> str | None:
        match name, args:
            case "resolve" | "absolute" | "expanduser", _:
                return start
            case "joinpath" | "glob", _:
                return self._joined(start, args)
            case "with_name", _:
                return self._joined(self._above(start, 1), args)
            case "with_suffix", [ast.Constant(value=str() as suffix)]:
                return posixpath.splitext(start)[0] + suffix
            case "rglob" | "iterdir", _:
                return f"{start}/{ANY}"
        return None

    def _resource(self, called: str | None, args: list[ast.expr]) -> str | None:
        folder = self._package(args[0]) if args else None
        if called is None or folder is None:
            return None
        match called.rpartition(".")[2], args[1:]:
            case "files", _:
                return folder
            case "PackageLoader", rest:
                return self._joined(folder, rest[:1] or [ast.Constant("templates")])
            case "attach_stub", [file, *_]:
                source = self.path_of(file)
                return f"{source}i" if source else None
            case name, [_, *_] if name in _RESOURCE_READERS:
                return self._joined(folder, args[1:2])
        return None

    def _package(self, node: ast.expr) -> str | None:
        """Return the folder of a package that is named by a literal or by its own variables."""
        match node:
            case ast.Constant(value=str() as package):
                return package.replace(".", "/")
            case ast.Name(id="__package__" | "__name__"):
                return posixpath.dirname(self._archive)
        return None

    def _above(self, path: str | None, steps: int) -> str | None:
        for _ in range(steps):
            path = None if path is None else posixpath.normpath(f"{path}/..")
        return path

    def _joined(self, start: str | None, parts: list[ast.expr]) -> str | None:
        if start is None:
            return None
        for part in parts:
            match part:
                case ast.Constant(value=str() as text):
                    start = posixpath.normpath(posixpath.join(start, text))
                case ast.JoinedStr(values=values):
                    text = "".join(map(_known_text, values))
                    start = posixpath.normpath(posixpath.join(start, text))
                case _:
                    return f"{start}/{ANY}"
        return start


def _known_text(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else ANY
