"""Syntax trees of Python sources, under the grammar of the target.

The running Python parses what it can. A source that it cannot may use syntax of a newer target:
that Python parses it, where it is on this machine, and the tree is built again here.
"""

import ast
import marshal
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter, run_isolated
from routelet_bundler.model import HOST
from routelet_bundler.sources import parse_python

_LAZY = re.compile(r"^([ \t]*)lazy[ \t]+(?=import\b|from\b)", re.MULTILINE)
_WORKER = Path(__file__).with_name("parse_worker.py")


def parse(text: str, where: str, python: str) -> ast.Module:
    """Parse a source for Python `python`, such as `3.13`.

    Raises `RouteletError` with file and line.
    """
    try:
        return parse_python(text, where)
    except RouteletError as error:
        with suppress(RouteletError):
            return _with_lazy_imports(text, where)
        return _parsed_by_target(text, where, python, error)


def _with_lazy_imports(text: str, where: str) -> ast.Module:
    """Parse a source with lazy imports as if they were none: PEP 810, Python 3.15.

    What a string loses by it is no import either way.
    """
    eager = _LAZY.sub(r"\1", text)
    if eager == text:
        raise RouteletError("has no lazy import", where=where)
    return parse_python(eager, where)


def _parsed_by_target(text: str, where: str, python: str, error: RouteletError) -> ast.Module:
    interpreter = find_interpreter(python) if python != HOST else None
    done = run_isolated(interpreter, _WORKER, text.encode()) if interpreter else None
    if done is None or done.returncode:
        raise error
    match marshal.loads(done.stdout):  # noqa: S302 - our own worker wrote it
        case ("tree", tree):
            return cast("ast.Module", _node(tree))
        case (_, message, line, code):
            raise RouteletError(
                f"{message}: {(code or '').strip()}".rstrip(": "),
                where=f"{where}:{line}",
                mend=f"correct the syntax, which is read as that of Python {python}",
            ) from None
    raise error


def _node(value: Any) -> Any:
    """Return a worker's node as one of this Python; classes it does not know have fields alone."""
    match value:
        case (str() as kind, dict() as fields, int() as line):
            unknown = {"_fields": tuple(fields)}
            cls: type[ast.AST] = getattr(ast, kind, None) or type(kind, (ast.AST,), unknown)
            node: Any = cls.__new__(cls)
            for name, inner in fields.items():
                setattr(node, name, _node(inner))
            node.lineno = line
            return node
        case list():
            return [_node(one) for one in value]
    return value
