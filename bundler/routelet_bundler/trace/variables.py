"""Environment variables that Python sources read, by their literal names."""

import ast
from collections.abc import Iterator, Sequence, Set

from routelet_bundler.model import RUNTIME_FILES, TracedFile
from routelet_bundler.sources import read_source
from routelet_bundler.trace.syntax import parse


def variable_warnings(
    files: Sequence[TracedFile], variables: Set[str], python: str
) -> Iterator[str]:
    """Yield a warning for each place that reads a variable which is none of `variables`.

    Looked at are the site's own sources, not those of distributions or of the runtime.
    """
    for file in files:
        if file.archive.endswith(".py") and not file.archive.startswith(RUNTIME_FILES):
            tree = parse(read_source(file.source, file.label), file.label, python)
            for name, line in variables_read(tree):
                if name not in variables:
                    yield (
                        f"{file.label}:{line}: reads the environment variable {name}, which is not "
                        "there: a function at the edge has none of its own"
                    )


def variables_read(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the name of each variable that is read, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(
                value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()
            ) if _last(value) == "environ":
                yield name, node.lineno
            case ast.Call(
                func=ast.Attribute(value=value, attr="get"),
                args=[ast.Constant(value=str(name)), *_],
            ) if _last(value) == "environ":
                yield name, node.lineno
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if (
                _last(func) == "getenv"
            ):
                yield name, node.lineno


def _last(node: ast.expr) -> str:
    """Return the last part of a dotted name: `environ` of `os.environ`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
