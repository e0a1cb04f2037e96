"""The one event loop of a process: made when the first async page is met, and kept.

Clients that a page keeps between requests are bound to the loop they were made in. So where an
async server has the loop, async code runs in that one, and sync code in threads, whose coroutines
go back to it.
"""

import asyncio
from contextvars import ContextVar, copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

_loop: asyncio.AbstractEventLoop | None = None
servers_loop: "ContextVar[asyncio.AbstractEventLoop | None]" = ContextVar("loop", default=None)
"""In a thread of `routelet.threads`: the loop that waits for it."""


def run(coroutine: "Coroutine[Any, Any, Any]") -> "Any":
    """Return what `coroutine` gives; inside a running loop, in a thread with its own loop."""
    global _loop  # noqa: PLW0603 - one loop for one process
    if not _is_running():
        servers = servers_loop.get()
        if servers is not None:
            return asyncio.run_coroutine_threadsafe(coroutine, servers).result()
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
        return _loop.run_until_complete(coroutine)
    # Sync inside async only; asyncio has loaded both.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(copy_context().run, asyncio.run, coroutine).result()


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
