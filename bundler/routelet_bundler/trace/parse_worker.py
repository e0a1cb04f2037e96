"""Parse a Python source; runs alone under the target's Python, any version from 3.10.

Standard input is the source. Standard output is marshalled (version 2, which every Python reads):
`("tree", node)`, where a node is (class, fields, line), or `("error", message, line, text)`.
"""

import ast
import marshal
import sys
import warnings
from typing import Any


def plain(node: Any) -> Any:
    """Return a syntax tree as tuples, lists and constants."""
    if isinstance(node, ast.AST):
        fields = {name: plain(value) for name, value in ast.iter_fields(node)}
        return (type(node).__name__, fields, getattr(node, "lineno", 0))
    if isinstance(node, list):
        return [plain(one) for one in node]
    return node


def parsed(source: bytes) -> tuple[Any, ...]:
    """Return the tree of a source, or what is wrong with it."""
    try:
        return ("tree", plain(ast.parse(source)))
    except SyntaxError as error:
        return ("error", error.msg, error.lineno, error.text)


warnings.simplefilter("ignore")
sys.stdout.buffer.write(marshal.dumps(parsed(sys.stdin.buffer.read()), 2))
