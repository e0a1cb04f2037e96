"""Removes what no build used for long: entries, installed folders, and those of older versions.

Reading an entry marks it as used, once a day. The store that machines share is not pruned from
here: a bucket has rules of its own for that.
"""

import shutil
from pathlib import Path

from routelet_bundler.cache.local import SMALL_FILE
from routelet_bundler.cache.small import DAY_S, SmallEntries

UNUSED_DAYS = 30
UNUSED_S = UNUSED_DAYS * DAY_S
_MARK = "pruned"
"""A file whose time says when this was done last."""


def prune(folder: Path, now_s: float) -> None:
    """Remove what is unused in the cache in `folder`, at most once a day."""
    mark = folder / _MARK
    if mark.exists() and now_s - mark.stat().st_mtime < DAY_S:
        return
    mark.touch()
    for entry in folder.glob("v[0-9]*/*/*/*"):
        if now_s - entry.stat().st_mtime > UNUSED_S:
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
    for database in folder.glob(f"v[0-9]*/{SMALL_FILE}"):
        if now_s - database.stat().st_mtime > UNUSED_S:
            database.unlink(missing_ok=True)
        else:
            SmallEntries(database).forget(UNUSED_DAYS)
