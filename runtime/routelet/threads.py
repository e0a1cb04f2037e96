"""Sync code of pages in threads, for an async server. No function has it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from routelet.loop import servers_loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from typing import Any


async def aside(threads: "Executor", function: "Callable[..., Any]", *args: object) -> "Any":
    """Return what `function` gives, called in one of `threads` with the context variables of here.

    A call for which a thread of a call waits gets a thread of its own: from `threads`, where all
    may wait, it might never get one.
    """
    loop = asyncio.get_running_loop()
    context = copy_context()
    is_nested = servers_loop.get() is not None
    context.run(servers_loop.set, loop)
    if not is_nested:
        return await loop.run_in_executor(threads, context.run, function, *args)
    executor = ThreadPoolExecutor(1, "routelet_own")
    try:
        return await loop.run_in_executor(executor, context.run, function, *args)
    finally:
        executor.shutdown(wait=False)
