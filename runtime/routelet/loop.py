"""The one event loop of a process: made when the first async page is met, and kept.

Clients that a page keeps between requests are bound to the loop they were made in.
"""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable

    from routelet.http import Response

_loop: asyncio.AbstractEventLoop | None = None


def run(result: "Awaitable[Response]") -> "Response":
    """Wait for `result`; from inside a running loop, in a thread with a loop of its own."""
    global _loop  # noqa: PLW0603 - one loop for one process
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
        return _loop.run_until_complete(_awaited(result))
    from concurrent.futures import ThreadPoolExecutor  # sync inside async only  # noqa: PLC0415

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, _awaited(result)).result()


async def _awaited(result: "Awaitable[Response]") -> "Response":
    return await result
