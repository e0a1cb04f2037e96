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


_loop: asyncio.AbstractEventLoop | None = None
_running = threading.Lock()
"""Held by the thread that runs `_loop`."""
_thread: threading.Thread | None = None
"""What runs `_loop` for good, once a thread came that is not the main one."""
_changing = threading.Lock()
_of_parents: list[object] = []


def run(coroutine: "Coroutine[Any, Any, Any]") -> "Any":
    """Return what `coroutine` gives; inside a running loop, in a thread with its own loop."""
    if _is_running():
        return _run_beside(coroutine)
    loop = servers_loop.get()
    if loop is None:
        is_main = threading.current_thread() is threading.main_thread()
        loop, running = _own_loop(has_thread=not is_main)
        if is_main and running.acquire(False):  # a keyword costs 0.1 µs
            try:
                return _run_here(loop, coroutine)
            finally:
                running.release()
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


def _run_here(loop: asyncio.AbstractEventLoop, coroutine: "Coroutine[Any, Any, Any]") -> "Any":
    task = loop.create_task(coroutine)
    while True:
        try:
            return loop.run_until_complete(task)
        except SystemExit:
            if task.done():
                raise
            # That of another thread's page: it reaches its own caller.


def _own_loop(*, has_thread: bool) -> "tuple[asyncio.AbstractEventLoop, threading.Lock]":
    global _loop, _running, _thread  # noqa: PLW0603 - one loop for one process
    with _changing:  # threads may meet their first async page at the same time
        if _loop is None or _loop.is_closed():
            _loop, _running, _thread = asyncio.new_event_loop(), threading.Lock(), None
        if has_thread and _thread is None:
            thread = threading.Thread(
                target=_run_for_good, args=(_loop, _running), name="routelet_loop", daemon=True
            )
            thread.start()  # raises where there can be no more threads: then the next one tries
            _thread = thread
        return _loop, _running


def _run_for_good(loop: asyncio.AbstractEventLoop, running: threading.Lock) -> None:
    with running:  # when the main thread has what it waits for
        while not loop.is_closed():
            # Those of a page reach its caller too, and the others are still waiting.
            with suppress(SystemExit, KeyboardInterrupt):
                loop.run_forever()


def _forget() -> None:
    """Have a forked process make a loop: it lacks the thread, and has the parent's selector."""
    global _changing, _loop  # noqa: PLW0603 - one loop for one process
    _of_parents.append(_loop)  # one that is let go is closed, in the parent's selector too
    _loop = None
    _changing = threading.Lock()  # a thread that the child lacks may have held it
    servers_loop.set(None)


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
