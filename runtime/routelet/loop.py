"""The one event loop of a process: made when the first async page is met, and kept.

Clients that a page keeps between requests are bound to the loop they were made in. So where an
async server has the loop, async code runs in that one, and sync code in threads, whose coroutines
go back to it.
"""

import asyncio
from contextvars import ContextVar, copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Executor
    from typing import Any

_loop: asyncio.AbstractEventLoop | None = None
_servers_loop: "ContextVar[asyncio.AbstractEventLoop | None]" = ContextVar("loop", default=None)
"""In a thread of `aside`: the loop that waits for it."""


def run(coroutine: "Coroutine[Any, Any, Any]") -> "Any":
    """Return what `coroutine` gives; inside a running loop, in a thread with its own loop."""
    global _loop  # noqa: PLW0603 - one loop for one process
    if not _is_running():
        servers = _servers_loop.get()
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


async def aside(threads: "Executor", function: "Callable[..., Any]", *args: object) -> "Any":
    """Return what `function` gives, called in one of `threads` with the context variables of here.

    A call for which a thread of a call waits gets a thread of its own: from `threads`, where all
    may wait, it might never get one.
    """
    loop = asyncio.get_running_loop()
    context = copy_context()
    is_nested = _servers_loop.get() is not None
    context.run(_servers_loop.set, loop)
    if not is_nested:
        return await loop.run_in_executor(threads, context.run, function, *args)
    from concurrent.futures import ThreadPoolExecutor  # asyncio has loaded it  # noqa: PLC0415

    executor = ThreadPoolExecutor(1, "routelet_own")
    try:
        return await loop.run_in_executor(executor, context.run, function, *args)
    finally:
        executor.shutdown(wait=False)
