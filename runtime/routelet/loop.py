"""The one event loop of a process: made when the first async page is met, and kept.

Clients that a page keeps between requests are bound to the loop they were made in. So where an
async server has the loop, async code runs in that one, and sync code in threads, whose coroutines
go back to it. Elsewhere the loop is our own: the main thread, such as Lambda's, runs it while it
waits; for the threads of a host a thread runs it for good.
"""

import asyncio
import os
import threading
from contextlib import suppress
from contextvars import ContextVar, copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

servers_loop: "ContextVar[asyncio.AbstractEventLoop | None]" = ContextVar("loop", default=None)
"""In a thread that a loop waits for: that loop."""


class OwnLoop:
    """A loop that no server has, and what runs it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.is_closed = self._loop.is_closed
        self._running = threading.Lock()  # held by the thread that runs the loop
        self._thread: threading.Thread | None = None

    def run(self, coroutine: "Coroutine[Any, Any, Any]") -> "Any":
        """Return what `coroutine` gives, to the main thread or another."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and self._running.acquire(False):  # a keyword costs 0.1 µs
            try:
                return self._loop.run_until_complete(coroutine)
            finally:
                self._running.release()
        with _lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run_for_good, name="routelet_loop", daemon=True
                )
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _run_for_good(self) -> None:
        with self._running:  # when the main thread has what it waits for
            while not self.is_closed():
                # Those of a page reach its caller too, and the others are still waiting.
                with suppress(SystemExit, KeyboardInterrupt):
                    self._loop.run_forever()


_own: OwnLoop | None = None
_of_parents: list[OwnLoop | None] = []
_lock = threading.Lock()


def run(coroutine: "Coroutine[Any, Any, Any]") -> "Any":
    """Return what `coroutine` gives; inside a running loop, in a thread with its own loop."""
    global _own  # noqa: PLW0603 - one loop for one process
    if _is_running():
        return _run_beside(coroutine)
    servers = servers_loop.get()
    if servers is not None:
        return asyncio.run_coroutine_threadsafe(coroutine, servers).result()
    own = _own
    if own is None or own.is_closed():
        with _lock:  # threads may meet their first async page at the same time
            if _own is None or _own.is_closed():
                _own = OwnLoop()
            own = _own
    return own.run(coroutine)


def _forget() -> None:
    """Have a forked process make a loop: it lacks the thread, and has the parent's selector."""
    global _own  # noqa: PLW0603 - one loop for one process
    _of_parents.append(_own)  # one that is let go is closed, in the parent's selector too
    _own = None


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run_beside(coroutine: "Coroutine[Any, Any, Any]") -> "Any":
    """Return what `coroutine` gives, while the loop of this thread stands still."""
    # Sync inside async only; asyncio has loaded both.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    async def beside() -> "Any":
        servers_loop.set(asyncio.get_running_loop())  # for its threads: the other one waits
        return await coroutine

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(copy_context().run, asyncio.run, beside()).result()
