"""What an expression of a Python source may be: every text, as far as it is known.

Texts are literals put together by `+`, `%`, `format`, f-strings and path functions, through names,
tables and lists of literals. Marks stand for what a source is told when it runs, and `ANY` for
what is not known of a text. A text that is not known at all is `ANY` alone.
"""

import ast
import posixpath
import re
from collections.abc import Iterable
from itertools import product
from math import prod

from routelet_bundler.trace.origins import Origins
from routelet_bundler.trace.places import (
    ANY,
    CWD,
    PACKAGE,
    ROOT,
    UNKNOWN,
    Texts,
    as_part,
    environment,
    last_part,
    normal,
    of_module,
    parents,
    rooted,
)
from routelet_bundler.trace.scopes import Scope

_MANY = 256
"""More texts than this are as good as unknown."""

_SAME = {"str", "abspath", "realpath", "normpath", "fspath", "fsdecode", "expanduser", "quote"}
_SAME_METHODS = {"resolve", "absolute", "expanduser", "as_posix", "as_uri", "strip", "lower"}
_PATHS = {"Path", "PurePath", "PosixPath", "PurePosixPath"}
_READERS = {"open", "sqlite3.connect", "ctypes.CDLL", "io.open", "codecs.open", "gzip.open",
            "tarfile.open", "zipfile.ZipFile", "numpy.load"}  # fmt: skip
"""Their first argument is a path, and they are that path here."""


class Values(Origins):
    """The values of one source, which is at `archive` in the zip."""

    def __init__(self, tree: ast.Module, archive: str, *, attributes: bool = False) -> None:
        super().__init__(tree, attributes=attributes)
        self.archive = archive
        self._texts: dict[tuple[int, int], tuple[ast.expr, Texts]] = {}

    def texts(self, node: ast.expr, scope: Scope) -> Texts:
        """Return all that an expression may be as a text."""
        key = (id(node), id(scope))
        if key in self._pending:
            return UNKNOWN
        if key not in self._texts:
            self._pending.add(key)
            found: set[str] = set()
            for origin in self.origins(node, scope):
                node_ = origin.node
                found.update(self._text(node_, origin.scope) if node_ else UNKNOWN)
            self._pending.discard(key)
            texts = UNKNOWN if len(found) > _MANY else frozenset(found)
            self._texts[key] = node, texts  # a node that is kept shares its identity with none
        return self._texts[key][1]

    def _text(self, node: ast.expr, scope: Scope) -> Iterable[str]:
        match node:
            case ast.Constant(value=value):
                return {value if isinstance(value, str) else str(value)}
            case ast.JoinedStr(values=values):
                return self._joined(values, scope)
            case ast.FormattedValue(value=value):
                return self.texts(value, scope)
            case ast.BinOp():
                return self._text_of_operation(node, scope)
            case ast.Name(id="__file__"):
                return {f"{ROOT}/{self.archive}"}
            case ast.Name(id="__package__" | "__name__"):
                return {PACKAGE}
        return self._text_of_access(node, scope)

    def _text_of_operation(self, node: ast.BinOp, scope: Scope) -> Iterable[str]:
        match node.op:
            case ast.Add():
                return self._joined([node.left, node.right], scope)
            case ast.Mod():
                right = node.right
                given = right.elts if isinstance(right, ast.Tuple) else [right]
                return self._filled(node.left, r"%[sdr]", given, scope)
            case ast.Div():
                return self.path([node.left, node.right], scope)
        return UNKNOWN

    def _text_of_access(self, node: ast.expr, scope: Scope) -> Iterable[str]:
        match node:
            case ast.Attribute(value=value, attr=attr):
                return self._text_of_attribute(value, attr, scope)
            case ast.Subscript(value=ast.Attribute(value=value, attr="parents"), slice=key):
                return self._above(self.texts(value, scope), key)
            case ast.Subscript(slice=key):
                return environment(self.texts(key, scope))
            case ast.Call():
                return self._text_of_call(node, scope)
        return UNKNOWN

    def _joined(self, parts: Iterable[ast.expr], scope: Scope) -> set[str]:
        texts = [self.texts(part, scope) for part in parts]
        if prod(map(len, texts)) > _MANY:
            return set(UNKNOWN)
        return {"".join(one) for one in product(*texts)}

    def _filled(
        self, template: ast.expr, places: str, given: list[ast.expr], scope: Scope
    ) -> set[str]:
        """Return the texts of a template with what it is given; `places` is a pattern of those."""
        found: set[str] = set()
        for text in self.texts(template, scope):
            pieces = re.split(places, text)
            values = given if len(given) == len(pieces) - 1 else [ast.Constant(ANY)] * len(pieces)
            parts: list[ast.expr] = [ast.Constant(pieces[0])]
            for value, piece in zip(values, pieces[1:], strict=False):
                parts += [value, ast.Constant(piece)]
            found |= self._joined(parts, scope)
        return found

    def _text_of_attribute(self, value: ast.expr, attr: str, scope: Scope) -> Iterable[str]:
        if attr == "parent" and isinstance(value, ast.Name) and value.id == "__spec__":
            return {PACKAGE}
        if attr == "parent":
            return parents(self.texts(value, scope), 1)
        if attr in {"name", "stem"}:
            return {last_part(text, attr) for text in self.texts(value, scope)}
        if attr in {"__name__", "__package__", "__file__"}:
            modules = [name for name in self.imported(value, scope) if name.strip(".")]
            return {of_module(name, attr) for name in modules} or UNKNOWN
        return UNKNOWN

    def _above(self, texts: Texts, key: ast.expr) -> Iterable[str]:
        match key:
            case ast.Constant(value=int() as steps) if steps >= 0:
                return parents(texts, steps + 1)
        return UNKNOWN

    def _text_of_call(self, node: ast.Call, scope: Scope) -> Iterable[str]:
        names = self.names(node.func, scope)
        for name in names:
            texts = self.text_of_function(name, node, scope)
            if texts is not None:
                return texts
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=attr)):
                return self._text_of_method(value, attr, node.args, scope)
        return UNKNOWN

    def text_of_function(self, name: str, node: ast.Call, scope: Scope) -> Iterable[str] | None:
        """Return what a call of the function `name` may be, or None where that is not known."""
        last, args = name.rpartition(".")[2], node.args
        is_path = name.startswith(("os.path.", "posixpath.", "os.fs")) or "." not in name
        if name in {"os.getcwd", "Path.cwd", "pathlib.Path.cwd"}:
            return {CWD}
        if not args:
            return None
        if last in _PATHS or (name.startswith("os.path") and last == "join"):
            return self.path(args, scope, is_rooted=last in _PATHS)
        if name in _READERS and not self._writes(node, scope):
            return self.path(args[:1], scope, is_rooted=True)
        if is_path and last == "dirname":
            return parents(self.texts(args[0], scope), 1)
        if is_path and last in _SAME:
            return self.texts(args[0], scope)
        if name in {"os.getenv", "os.environ.get"}:
            return environment(self.texts(args[0], scope))
        return None

    def _writes(self, node: ast.Call, scope: Scope) -> bool:
        """Tell whether an `open` is for writing: it makes the file."""
        given = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "mode")]
        return any(set("wax") & set(mode) for one in given for mode in self.texts(one, scope))

    def _text_of_method(
        self, value: ast.expr, attr: str, args: list[ast.expr], scope: Scope
    ) -> Iterable[str]:
        match attr, args:
            case name, _ if name in _SAME_METHODS:
                return self.texts(value, scope)
            case "format", _:
                return self._filled(value, r"\{[^{}]*\}", args, scope)
            case "join", [parts]:
                return self._with_separator(value, parts, scope)
            case "joinpath", _:
                return self.path([value, *args], scope)
            case "with_name" | "with_stem" | "with_suffix", [given]:
                return self._renamed(attr, value, given, scope)
            case "glob" | "rglob", [pattern]:
                return self._globbed(value, pattern, attr == "rglob", scope)
            case "iterdir" | "walk", _:
                return self.path([value, ast.Constant(ANY)], scope)
        return UNKNOWN

    def _with_separator(self, separator: ast.expr, parts: ast.expr, scope: Scope) -> Iterable[str]:
        if not isinstance(parts, ast.List | ast.Tuple):
            return UNKNOWN
        between: list[ast.expr] = []
        for part in parts.elts:
            between += [separator, part]
        return self._joined(between[1:], scope)

    def path(
        self, parts: list[ast.expr], scope: Scope, *, is_rooted: bool = False
    ) -> Iterable[str]:
        """Return paths of parts put together; relative ones begin at the working directory."""
        texts = [self.texts(part, scope) for part in parts]
        if is_rooted:
            texts[0] = frozenset(map(rooted, texts[0]))
        if prod(map(len, texts)) > _MANY:
            return UNKNOWN
        paths = {posixpath.join(*map(as_part, one)) for one in product(*texts)}
        return {normal(path) for path in paths}

    def _renamed(self, how: str, value: ast.expr, given: ast.expr, scope: Scope) -> Iterable[str]:
        found = set()
        for path, text in product(self.texts(value, scope), self.texts(given, scope)):
            folder, _, name = path.rpartition("/")
            stem, suffix = posixpath.splitext(name)
            renamed = {"with_name": text, "with_stem": text + suffix, "with_suffix": stem + text}
            found.add(f"{folder}/{renamed[how]}" if folder else ANY)
        return found

    def _globbed(
        self, value: ast.expr, pattern: ast.expr, is_deep: bool, scope: Scope
    ) -> Iterable[str]:
        for path, text in product(self.texts(value, scope), self.texts(pattern, scope)):
            deep = is_deep or text.startswith("**")
            last = re.sub(r"(\*\*/?)+", "", text) or ANY
            yield f"{path}/{last}"
            if deep and not last.startswith(ANY):
                yield f"{path}/*/{last}"
