"""Record what a function opens and asks for of its own files; runs in its process, before its code.

Standard library only. `begin` is called with the file to write to and the folder of the function:
each path is written once, as it is below that folder, when it is first seen. Python tells what it
opens and which extension modules it loads (docs.python.org/3/library/audit_events.html); of
questions for a file no event tells, so that the functions that ask are replaced.
"""

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any


class Recorder:
    """Writes each path below `root` to `file` when it is first seen."""

    def __init__(self, file: str, root: str) -> None:
        self._out = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._prefix = root + os.sep
        self._seen: set[str] = set()

    def note(self, name: Any) -> None:
        """Take what names a file, if it does."""
        if not isinstance(name, bytes | str | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(name))  # noqa: PTH100 - no Path in a hook
        if path.startswith(self._prefix) and path not in self._seen:
            self._seen.add(path)
            os.write(self._out, os.fsencode(path[len(self._prefix) :]) + b"\n")

    def watch(self, event: str, args: tuple[Any, ...]) -> None:
        """Take an audit event."""
        if event in {"open", "ctypes.dlopen"}:
            self.note(args[0])
        elif event == "import":
            self.note(args[1])

    def noted(self, asks: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that asks for a file, and says so."""

        @wraps(asks)
        def asked(path: Any, *args: Any, **options: Any) -> Any:
            self.note(path)
            return asks(path, *args, **options)

        return asked


def begin(file: str, root: str) -> None:
    """Record from now on."""
    recorder = Recorder(file, root)
    for name in ("stat", "lstat", "access"):
        setattr(os, name, recorder.noted(getattr(os, name)))
    sys.addaudithook(recorder.watch)
