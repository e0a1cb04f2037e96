"""Collections: the Markdown files of each folder below `src/content/`, as data.

Entries are kept by the digest of their file, so that a build renders only those that are new.
"""

import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from routelet_bundler.cache import Cache, digest
from routelet_bundler.content.markdown import RENDERERS, markdown_to_html
from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.forks import forked
from routelet_bundler.generated import PACKAGE, python_source
from routelet_bundler.model import MarkdownOptions, Site
from routelet_bundler.sources import decoded, line_of_key, split_front_matter
from routelet_bundler.version import __version__

_FOLDER = "content/"
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_DEPTH = 2
_FEW = 40
"""Up to so many entries other processes would cost more than they give."""

Entry = Mapping[str, Any]
"""`slug`, `file`, `lines` (of keys), `data`, `headings`, `html` and `body`."""


def collections(
    site: Site, options: MarkdownOptions, cache: Cache | None
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the modules of all collections, and their data, by their path in a zip.

    Raises `RouteletError` for faulty front matter, of every file at once.
    """
    found: dict[str, dict[str, Path]] = {}
    for name, path in site.files.items():
        if name.startswith(_FOLDER) and name.endswith(".md") and not _is_private(name):
            folder, _, file = name.removeprefix(_FOLDER).partition("/")
            found.setdefault(folder, {})[file] = path
    src = site.src.relative_to(site.root).as_posix()
    modules, data = {}, {}
    for folder, files in found.items():
        where = f"{src}/{_FOLDER}{folder}"
        if not _NAME.fullmatch(folder):
            raise RouteletError(
                "is no name of a collection", where=where, mend="use letters, digits, - and _"
            )
        entries = _entries(files, str(site.root), where, options, cache)
        name = folder.replace("-", "_")
        module = f"{PACKAGE}/collection_{name}"
        if f"{module}.py" in modules:
            raise RouteletError(
                "is there with - and with _ in its name", where=where, mend="rename one of the two"
            )
        modules[f"{module}.py"] = python_source("collection.py.jinja", folder=where, name=name)
        data[f"{module}.pickle"] = pickle.dumps(_shared(entries, {}), protocol=4)
    return modules, data


def _is_private(name: str) -> bool:
    """Tell whether a file is of no collection, or has `_` or `.` before a part of its path."""
    return name.count("/") < _DEPTH or any(part[0] in "._" for part in name.split("/"))


def _entries(
    files: Mapping[str, Path],
    root: str,
    where: str,
    options: MarkdownOptions,
    cache: Cache | None,
) -> list[Entry]:
    key = digest(__version__, *RENDERERS, root, where, options.model_dump_json())
    stored = cache.read("collections", key) if cache else None
    known: dict[str, Entry] = pickle.loads(stored) if stored else {}  # noqa: S301 - our own cache
    texts = {file: path.read_bytes() for file, path in files.items()}
    digests = {file: digest(file, data) for file, data in texts.items()}
    new = [(file, data) for file, data in texts.items() if digests[file] not in known]
    found = _mapped(partial(_entry, where=where, options=options), new)
    raise_all([one for one in found if isinstance(one, RouteletError)])
    for (file, _), one in zip(new, found, strict=True):
        if not isinstance(one, RouteletError):
            known[digests[file]] = one
    if cache and new:
        cache.write("collections", key, pickle.dumps({one: known[one] for one in digests.values()}))
    entries = (known[one] for one in digests.values())
    kept = sorted((one for one in entries if not one["data"].get("draft")), key=_slug)
    raise_all([_same_slug(*pair) for pair in pairwise(kept) if _slug(pair[0]) == _slug(pair[1])])
    return kept


def _same_slug(one: Entry, other: Entry) -> RouteletError:
    return RouteletError(
        f"has the slug of {one['file']}", where=other["file"], mend="rename one of the two"
    )


def _shared(value: Any, seen: dict[Any, Any]) -> Any:
    """Return `value` with one object for each text in it, whatever it was made of.

    Pickle writes an object once, so that equal entries would give other bytes where one of them
    comes from the cache.
    """
    match value:
        case str() | bytes():
            return seen.setdefault((type(value), value), value)
        case dict():
            return {_shared(key, seen): _shared(one, seen) for key, one in value.items()}
        case list() | tuple():
            return type(value)(_shared(one, seen) for one in value)
    return copy(value)


def _mapped(
    read: Callable[[tuple[str, bytes]], Entry | RouteletError], files: Sequence[tuple[str, bytes]]
) -> list[Entry | RouteletError]:
    if len(files) <= _FEW:
        return [read(file) for file in files]
    with forked() as processes:
        return list(processes.map(read, files, chunksize=_FEW))


def _entry(file: tuple[str, bytes], where: str, options: MarkdownOptions) -> Entry | RouteletError:
    name, data = file
    place = f"{where}/{name}"
    try:
        text = decoded(data, place)
        front_matter, body, _ = split_front_matter(text, place)
    except RouteletError as error:
        return error
    if not isinstance(draft := front_matter.get("draft"), bool | None):
        line = line_of_key(text, "draft")
        return RouteletError(
            f"draft is {draft!r}", where=f"{place}:{line}", mend="write draft: true or false"
        )
    rendered = markdown_to_html(body, raw_html=options.raw_html)
    return {
        "slug": name.removesuffix(".md").removesuffix("/index"),
        "file": place,
        "lines": {str(key): line_of_key(text, str(key)) for key in front_matter},
        "data": dict(front_matter),
        "headings": rendered.headings,
        "html": rendered.html,
        "body": body,
    }


def _slug(entry: Entry) -> str:
    return str(entry["slug"])
