"""Stamps: what tells a file that was left as it was from one that was touched, unread."""

import os
from pathlib import Path

Stamp = tuple[int, int, int]
"""Three numbers of a file that change with it: of its inode, size in bytes, times in ns."""


def stamp_of(path: Path) -> Stamp:
    """Return size, time of change in ns, and that of the inode, which nobody can set."""
    told = path.stat()
    return (told.st_size, told.st_mtime_ns, told.st_ctime_ns)


def stamps(folder: Path) -> dict[str, Stamp]:
    """Return the stamp of every file below `folder`, by its relative path.

    An empty folder, which no build leaves, has one too.
    """
    found: dict[str, Stamp] = {}

    def walk(here: str, below: str) -> None:
        is_empty = bool(below)
        with os.scandir(here) as entries:
            for entry in entries:
                is_empty = False
                if entry.is_dir(follow_symlinks=False):
                    walk(entry.path, f"{below}{entry.name}/")
                else:
                    told = entry.stat(follow_symlinks=False)
                    found[below + entry.name] = (told.st_ino, told.st_size, told.st_mtime_ns)
        if is_empty:
            found[below] = (0, 0, 0)

    if folder.is_dir():
        walk(str(folder), "")
    return found
