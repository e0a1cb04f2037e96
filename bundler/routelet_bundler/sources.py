"""Source text: Python to a syntax tree, pages to front matter and what follows it."""

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from routelet_bundler.cache import Cache, digest
from routelet_bundler.errors import RouteletError
from routelet_bundler.stamps import Stamp, stamp_of

_KNOWN = TypeAdapter(dict[str, tuple[Stamp, str]])
_SETTLED_NS = 1_000_000_000
_FENCE = "---"
_BYTE_ORDER_MARK = "\ufeff"
"""What some editors put before UTF-8 text; it is no part of it."""


class Digests:
    """SHA-256 of files by path, each file read once, and not at all where it was left as it was.

    `known` are stamps and digests of an earlier build, by path.
    """

    def __init__(self, known: Mapping[str, tuple[Stamp, str]] | None = None) -> None:
        self._known = known or {}
        self._seen: dict[str, tuple[Stamp, str]] = {}
        self._found: dict[Path, str] = {}

    @classmethod
    def kept(cls, root: Path, cache: Cache) -> "Digests":
        """Return what an earlier build of the site at `root` kept."""
        try:
            return cls(_KNOWN.validate_json(cache.read("digests", digest(str(root))) or b"{}"))
        except ValidationError:
            return cls()

    def of(self, path: Path) -> str:
        """Return the digest of a file as it was when it was first asked for."""
        if path not in self._found:
            stamp = stamp_of(path)  # what is written while it is read has another
            known = self._known.get(str(path))
            sha = known[1] if known and known[0] == stamp else None
            self._found[path] = sha or hashlib.sha256(path.read_bytes()).hexdigest()
            self._seen[str(path)] = (stamp, self._found[path])
        return self._found[path]

    def keep(self, root: Path, folder: Path, cache: Cache, started_ns: int) -> None:
        """Keep what was seen below `folder` for the next build of the site at `root`.

        Not of files that changed in the second before `started_ns`: clocks of file systems are
        coarse, and what is written next may have the same stamp.
        """
        settled = {
            name: (stamp, sha)
            for name, (stamp, sha) in self._seen.items()
            if name.startswith(f"{folder}/") and max(stamp[1:]) < started_ns - _SETTLED_NS
        }
        if settled != self._known:
            cache.write("digests", digest(str(root)), _KNOWN.dump_json(settled))


_TAG = re.compile(r"\.[a-z]+-\d+(\.opt-\w+)?\.pyc(\.\d+)?$")
"""Of what bytecode is called: `.cpython-312.pyc`, and with a number while it is written."""


def source_of(name: str) -> str:
    """Return the path of the source that bytecode is of, as PEP 3147 has it; any other as it is."""
    folder, cached, file = name.rpartition("__pycache__/")
    if cached:
        return f"{folder}{_TAG.sub('', file)}.py"
    return name.removesuffix("c") if name.endswith(".pyc") else name


def read_source(path: Path, where: str) -> str:
    """Return the text of a file, which people know as `where`; raises `RouteletError`."""
    return decoded(path.read_bytes(), where)


def decoded(data: bytes, where: str) -> str:
    """Return the text of a file's bytes, each line ended by LF; raises `RouteletError`."""
    try:
        return data.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise RouteletError(
            f"is no UTF-8 text: {error.reason}", where=where, mend="save the file as UTF-8"
        ) from None


def parse_python(text: str, where: str) -> ast.Module:
    """Parse Python source; raises `RouteletError` with file and line."""
    try:
        return ast.parse(text.removeprefix(_BYTE_ORDER_MARK), where)
    except SyntaxError as error:
        source = (error.text or "").strip()
        raise RouteletError(
            f"{error.msg}: {source}" if source else error.msg,
            where=f"{where}:{error.lineno}" if error.lineno else where,
            mend="correct the syntax",
        ) from None
    except ValueError as error:  # a NUL byte
        raise RouteletError(str(error), where=where, mend="correct the syntax") from None


def bound_names(module: ast.Module) -> Iterator[str]:
    """Yield the names that a module binds at its top; `*` for all those of another."""
    nodes: list[ast.AST] = [*module.body]
    while nodes:
        match node := nodes.pop():
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.ImportFrom() | ast.Import():
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case _:
                nodes += ast.iter_child_nodes(node)


def split_front_matter(text: str, where: str) -> tuple[Mapping[str, Any], str, int]:
    """Return YAML front matter, the text after it, and how many lines were taken off.

    Raises `RouteletError` with file and line for faulty YAML.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK)
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != _FENCE:
        return {}, text, 0
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        raise RouteletError(
            "the front matter is not closed", where=f"{where}:1", mend=f"end it with {_FENCE}"
        )
    try:
        values = yaml.load("".join(lines[1:end]), _Loader) or {}  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        problem = getattr(error, "problem", None) or str(error)
        raise RouteletError(f"faulty front matter: {problem}", where=f"{where}:{line}") from None
    except ValueError as error:  # 2024-02-30, say
        raise RouteletError(f"faulty front matter: {error}", where=f"{where}:1") from None
    if not isinstance(values, dict):
        raise RouteletError("the front matter is no table of keys", where=f"{where}:1")
    return values, "".join(lines[end + 1 :]), end + 1


def line_of_key(text: str, key: str) -> int:
    """Return the number, from 1, of the line of front matter that sets `key`; 1 for none."""
    at = f"\n{text}".find(f"\n{key}:")
    return text.count("\n", 0, at) + 1 if at > 0 else 1


def goes_on(data: bytes) -> bool:
    """Tell whether a Python source may go on with another page: by `rewrite`, or by `next`."""
    return bool(_REWRITE.search(data) or (_TAKES_NEXT.search(data) and _NEXT_WITH.search(data)))


_REWRITE = re.compile(rb"\brewrite\b")
_TAKES_NEXT = re.compile(rb"\bdef\s+\w+\s*\([^)]*\bnext\b")
_NEXT_WITH = re.compile(rb"\bnext\(\s*[^)\s]")

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
