"""Names for files and modules that a route's own name cannot be: `[slug].py`, `a b.py`.

The rule is the contract's, section 4: every character outside `[A-Za-z0-9_-]` becomes `_`, and
pages that would share a name each get eight hex digits of their path's SHA-256.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from pathlib import PurePosixPath
from posixpath import splitext

INJECTED = "site_injected"
"""The package of copies of modules that integrations named, and that are not in `src/`."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def safe(name: str) -> str:
    """Return `name` with `_` for every character that is unsafe."""
    return _UNSAFE.sub("_", name)


def safe_stems(files: Iterable[str]) -> Mapping[str, str]:
    """Return for each path below `src/pages/` its safe path without the extension."""
    plain = {file: _safe_path(file) for file in files}
    taken = Counter(plain.values())
    return {
        file: f"{stem}_{_digest(file)}" if taken[stem] > 1 else stem for file, stem in plain.items()
    }


def entry_path(stem: str) -> str:
    """Return the entry module of a page: `blog/_slug_` gives `pages/blog/entry__slug_.py`."""
    folders, slash, name = stem.rpartition("/")
    return f"pages/{folders}{slash}entry_{name}.py"


def injected_stems(suffixes: Mapping[str, str], taken: Container[str]) -> Mapping[str, str]:
    """Return by its pattern the safe path of each injected route: `/feed.xml` is `feed_xml`.

    `suffixes` are those of the files that answer. It is that of a page with the route's name; what
    a file below `src/pages/` has already it gets with a digest.
    """
    files = {one: (one.strip("/") or "index") + suffix for one, suffix in suffixes.items()}
    plain = unique({pattern: _safe_path(file) for pattern, file in files.items()})
    return {
        pattern: f"{stem}_{_digest(pattern)}" if stem in taken else stem
        for pattern, stem in plain.items()
    }


def data_path(file: str) -> str:
    """Return where a file below `src/pages/` that is no module stands: folders are safe."""
    folders, slash, name = file.rpartition("/")
    return "/".join(map(safe, folders.split("/"))) + slash + name


def function_name(entry: str) -> str:
    """Return the name of the function with this entry module: `blog__slug_`."""
    path = PurePosixPath(entry)
    folders = path.parent.parts[1:]
    return "_".join([*folders, path.stem.removeprefix("entry_")])


def group_entry(name: str) -> str:
    """Return the entry module of a named group: `admin` gives `pages/entry_admin.py`."""
    return f"pages/entry_{name}.py"


def group_names(groups: Iterable[str], taken: Container[str]) -> Mapping[str, str]:
    """Return the name of the function of each named group.

    One whose name, or entry module, is that of a page's function gets a digest; the page keeps
    what its file calls for.
    """
    plain = unique({group: safe(group) for group in groups})
    return {
        group: f"{name}_{_digest(group)}" if name in taken or group_entry(name) in taken else name
        for group, name in plain.items()
    }


def unique(names: Mapping[str, str], reserved: Container[str] = ()) -> Mapping[str, str]:
    """Return name by key, those that several keys share, or `reserved` has, with a digest."""
    taken = Counter(names.values())
    return {
        key: f"{name}_{_digest(key)}" if taken[name] > 1 or name in reserved else name
        for key, name in names.items()
    }


def _safe_path(file: str) -> str:
    return "/".join(map(safe, splitext(file)[0].split("/")))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]
