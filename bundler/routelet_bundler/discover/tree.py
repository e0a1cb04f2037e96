"""The files of a site's folders, links followed as far as the site goes."""

import os
from collections.abc import Iterable
from pathlib import Path

from routelet_bundler.errors import RouteletError, raise_all


def files_below(folder: Path, root: Path) -> dict[str, Path]:
    """Return every file below `folder` by its relative path, links inside the site followed.

    Raises `RouteletError` for a link that leads out of the site: what is outside is not the
    site's to publish; for one that leads nowhere, or to a folder it is in; and for what is neither
    file nor folder. The latter may begin with a dot: sockets and locks of editors do.
    """
    found: dict[str, Path] = {}
    errors: list[RouteletError] = []

    def walk(here: str, below: str, above: tuple[str, ...]) -> None:
        with os.scandir(here) as entries:
            in_order = sorted(entries, key=lambda entry: entry.name)
        for entry in in_order:
            if error := _error_of(entry, root, above):
                errors.append(error)
            elif entry.is_file():
                found[below + entry.name] = Path(entry.path)
            elif entry.is_dir() and entry.name != "__pycache__":
                walk(entry.path, f"{below}{entry.name}/", (*above, entry.path))

    if folder.is_dir():
        walk(str(folder), "", (str(folder),))
    raise_all(errors)
    return found


def _error_of(entry: os.DirEntry[str], root: Path, above: Iterable[str]) -> RouteletError | None:
    """Return why an entry can be no part of a site; `above` are the folders it is in."""
    if entry.is_symlink():
        path = Path(entry.path)
        fault = _link_fault(path, root, above)
        return _faulty_link(path, root, fault) if fault else None
    if entry.is_file() or entry.is_dir() or entry.name.startswith("."):
        return None
    return RouteletError(
        "is a pipe, a socket or a device, not a file",
        where=Path(entry.path).relative_to(root).as_posix(),
        mend="remove it, or put a file in its place",
    )


def _link_fault(path: Path, root: Path, above: Iterable[str]) -> str:
    """Return what is wrong with a link, or nothing; `above` are the folders it is in."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # links in a circle are either, by version of Python
        # Editors keep locks in links that lead nowhere and begin with a dot.
        return "" if path.name.startswith(".") else "which is not there"
    if not target.is_relative_to(root.resolve()):
        return "outside of the site"
    if any(Path(folder).resolve().is_relative_to(target) for folder in above):
        return "a folder that it is in itself"
    return ""


def _faulty_link(path: Path, root: Path, fault: str) -> RouteletError:
    return RouteletError(
        f"is a link to {path.readlink()}, {fault}",
        where=path.relative_to(root).as_posix(),
        mend="put a copy in its place, or remove the link",
    )
