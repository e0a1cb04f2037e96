"""Small entries, of which a build has thousands, in one database: a file for each takes 0.4 ms."""

import sqlite3
import time
from pathlib import Path
from threading import Lock
from typing import Any

DAY_S = 24 * 60 * 60
_TABLE = """
CREATE TABLE IF NOT EXISTS entries (name TEXT PRIMARY KEY, data BLOB NOT NULL, day INTEGER NOT NULL)
WITHOUT ROWID
"""
_WAIT_S = 30.0
"""How long a build waits for another one that writes."""


class SmallEntries:
    """Bytes by name in the database at `path`, which threads and builds may share.

    One that is damaged is removed, and so are entries that `forget` finds unused.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()

    def read(self, name: str) -> bytes | None:
        """Return an entry, None where there is none; notes, once a day, that it is in use."""
        found = self._run("SELECT data, day FROM entries WHERE name = ?", name)
        if found and found[0][1] != _today():
            self._run("UPDATE entries SET day = ? WHERE name = ?", _today(), name)
        return found[0][0] if found else None

    def write(self, name: str, data: bytes) -> None:
        """Keep an entry."""
        self._run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", name, data, _today())

    def forget(self, days: int) -> None:
        """Remove what no build used for so many days."""
        self._run("DELETE FROM entries WHERE day < ?", _today() - days)

    def _run(self, statement: str, *values: str | bytes | int) -> list[Any]:
        """Return rows; where the database fails it is as if nothing were kept."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = _connected(self._path)
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.DatabaseError as error:
                self._connection = None
                if not isinstance(error, sqlite3.OperationalError):  # a lock, or a full disk
                    self._path.unlink(missing_ok=True)
                return []


def _connected(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Each statement is a transaction. One that a kill cuts short may damage the database, which is
    # then made again: a journal on disk would cost more than that.
    database = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = MEMORY")
    database.execute("PRAGMA synchronous = OFF")
    database.execute(_TABLE)
    return database


def _today() -> int:
    return int(time.time()) // DAY_S
