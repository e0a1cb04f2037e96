"""The event loop of a process."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from routelet.loop import run

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="unset")


async def running_loop() -> asyncio.AbstractEventLoop:
    await asyncio.sleep(0)
    return asyncio.get_running_loop()


async def failing() -> None:
    raise ZeroDivisionError


def test_the_loop_is_kept_from_one_request_to_the_next() -> None:
    assert run(running_loop()) is run(running_loop())


def test_a_loop_that_was_closed_is_replaced() -> None:
    first = run(running_loop())
    first.close()
    second = run(running_loop())
    assert second is not first
    assert not second.is_closed()


def test_errors_come_through_and_the_loop_goes_on() -> None:
    with pytest.raises(ZeroDivisionError):
        run(failing())
    assert run(running_loop()).is_closed() is False


def test_inside_a_running_loop_it_runs_beside_it() -> None:
    async def outer() -> tuple[asyncio.AbstractEventLoop, asyncio.AbstractEventLoop]:
        return asyncio.get_running_loop(), run(running_loop())

    before = threading.active_count()  # other tests may have left some that wait
    outer_loop, inner_loop = run(outer())
    assert inner_loop is not outer_loop
    assert inner_loop.is_closed()
    assert threading.active_count() == before


def test_inside_a_running_loop_errors_come_through() -> None:
    async def outer() -> None:
        run(failing())

    with pytest.raises(ZeroDivisionError):
        run(outer())


def test_context_variables_go_along() -> None:
    async def read() -> str:
        return VARIABLE.get()

    async def outer() -> str:
        VARIABLE.set("set")
        result: str = run(read())
        return result

    assert run(outer()) == "set"
    assert VARIABLE.get() == "unset"
