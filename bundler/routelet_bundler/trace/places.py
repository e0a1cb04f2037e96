"""Texts of module names and of paths, with marks for what is only known when a source runs."""

import posixpath
from collections.abc import Iterable

ANY = "*"
WORD = "\ue000"
"""The name of one module, without a dot."""
ROOT = "\ue001"
"""The folder that a zip is unpacked to."""
CWD = "\ue002"
"""The working directory, which is the same folder on the host."""
PACKAGE = "\ue003"
"""The dotted name of the source's own package."""
MARKS = (ROOT, CWD)

Texts = frozenset[str]
UNKNOWN: Texts = frozenset({ANY})


def rooted(text: str) -> str:
    """Return a path that is relative to the working directory with its mark."""
    known = (
        text and not text.startswith(("/", ANY, "~")) and not any(mark in text for mark in MARKS)
    )
    return f"{CWD}/{text}" if known and ":" not in text else text


def as_part(text: str) -> str:
    """Return a text as a part of a path: what has a mark begins anew, as what has a slash."""
    return f"/{text}" if text.startswith(MARKS) else text


def normal(path: str) -> str:
    """Return a path without `.` and `..`, as far as those are not above its mark."""
    path = path.lstrip("/") if path.lstrip("/").startswith(MARKS) else path
    if not path.startswith(MARKS):
        return posixpath.normpath(path) if path else path
    rest = posixpath.normpath(path[1:].lstrip("/") or ".")
    return path[0] if rest == "." else f"{path[0]}/{rest}"


def parents(texts: Iterable[str], steps: int) -> set[str]:
    """Return the folders so many steps above paths."""
    return {normal(text + "/.." * steps) if text != ANY else ANY for text in texts}


def last_part(text: str, attr: str) -> str:
    """Return the `name` or the `stem` of a path."""
    name = text.rpartition("/")[2]
    known = name if attr == "name" else posixpath.splitext(name)[0]
    return ANY if name.startswith(MARKS) else known


def of_module(name: str, attr: str) -> str:
    """Return the name of an imported module, or the place of a package's file."""
    level = len(name) - len(name.lstrip("."))
    if attr == "__file__":
        return f"{ROOT}/{name.replace('.', '/')}/__init__.py" if not level else ANY
    if level > 1:
        return ANY
    return f"{PACKAGE}.{name[1:]}" if level else name


def environment(texts: Texts) -> Texts:
    """Return what variables of the environment are: Lambda says where a zip is unpacked."""
    return frozenset(ROOT if text == "LAMBDA_TASK_ROOT" else ANY for text in texts)
