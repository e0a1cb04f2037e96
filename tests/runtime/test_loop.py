"""The event loop of a process."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any

import pytest

import routelet.loop
from routelet.loop import run

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="unset")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have no loop yet, as a process that starts."""
    for name in ("_loop", "_running", "_thread"):  # those of other tests are put back together
        monkeypatch.setattr(routelet.loop, name, None)
    yield
    if routelet.loop._loop and routelet.loop._thread is None:
        routelet.loop._loop.close()


def started(function: Callable[..., Any], *args: Any) -> "Future[Any]":
    """Return what a thread of a host will have; one that hangs ends with the process."""
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(function(*args))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test gets it
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def in_thread(coroutine: Any) -> Any:
    """Return what `run` gives to a thread of a host."""
    return started(run, coroutine).result(timeout=30)


async def running_loop() -> asyncio.AbstractEventLoop:
    await asyncio.sleep(0)
    return asyncio.get_running_loop()


async def thread() -> threading.Thread:
    return threading.current_thread()


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


def test_threads_share_one_loop_even_where_they_meet_the_first_async_page_together() -> None:
    start, meeting = threading.Barrier(8), asyncio.Barrier(8)

    async def page() -> asyncio.AbstractEventLoop:
        await meeting.wait()  # each waits for all: none may have the loop for itself
        return asyncio.get_running_loop()

    def request() -> Any:
        start.wait(timeout=30)
        return run(page())

    loops = [one.result(timeout=30) for one in [started(request) for _ in range(8)]]
    assert len(set(loops)) == 1
    assert run(running_loop()) is loops[0]


def test_the_main_thread_and_others_share_one_loop() -> None:
    first = run(running_loop())
    assert in_thread(running_loop()) is first
    assert run(running_loop()) is first


def test_the_main_thread_runs_the_loop_itself_where_no_other_thread_came() -> None:
    assert run(thread()) is threading.main_thread()
    assert in_thread(thread()).name == "routelet_loop"
    assert run(thread()).name == "routelet_loop"


def test_a_thread_is_served_while_the_main_thread_runs_the_loop_and_after() -> None:
    arrived, left = threading.Event(), threading.Event()

    async def of_thread() -> str:
        arrived.set()
        while not left.is_set():
            await asyncio.sleep(0)
        return "served"

    async def of_main() -> Any:
        pending = started(run, of_thread())
        while not arrived.is_set():
            await asyncio.sleep(0)
        return pending  # still at work when the main thread has what it waits for

    pending = run(of_main())
    left.set()
    assert pending.result(timeout=30) == "served"


def test_threads_have_their_own_context_variables() -> None:
    async def read() -> str:
        await asyncio.sleep(0)
        return VARIABLE.get()

    def request(value: str) -> Any:
        VARIABLE.set(value)
        return run(read())

    pending = [started(request, value) for value in "abcd"]
    assert [one.result(timeout=30) for one in pending] == [*"abcd"]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, ZeroDivisionError])
def test_what_one_thread_gets_raised_harms_no_other(error: type[BaseException]) -> None:
    others = threading.Event()

    async def waiting() -> str:
        others.set()
        while others.is_set():
            await asyncio.sleep(0)
        return "whole"

    async def leaving() -> None:
        raise error

    other = started(run, waiting())
    assert others.wait(timeout=30)
    with pytest.raises(error):
        in_thread(leaving())
    others.clear()
    assert other.result(timeout=30) == "whole"


def test_what_a_thread_gets_raised_does_not_end_what_the_main_thread_waits_for() -> None:
    async def leaving() -> None:
        raise SystemExit(3)

    async def of_main() -> Any:
        pending = started(run, leaving())
        while not pending.done():
            await asyncio.sleep(0)
        return pending

    pending = run(of_main())
    with pytest.raises(SystemExit, match="3"):
        pending.result()


def test_a_thread_that_cannot_be_started_fails_one_request_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def refused_once(thread: threading.Thread) -> None:
        if thread.name == "routelet_loop":
            monkeypatch.setattr(threading.Thread, "start", start)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused_once)
    first = running_loop()
    with pytest.raises(RuntimeError, match="new thread"):
        in_thread(first)
    first.close()
    assert in_thread(running_loop()).is_running()


def test_a_thread_asked_from_beside_a_loop_does_not_ask_the_loop_that_waits() -> None:
    async def inner() -> Any:
        return await asyncio.to_thread(run, running_loop())

    async def outer() -> tuple[Any, Any]:
        return asyncio.get_running_loop(), run(inner())

    outer_loop, inner_loop = in_thread(outer())
    assert inner_loop is not outer_loop


FORK_IN_ASIDE = """
import asyncio, os
from concurrent.futures import ThreadPoolExecutor
from routelet.loop import run
from routelet.threads import aside

def page():
    child = os.fork()
    if child == 0:
        run(asyncio.sleep(0))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

assert asyncio.run(aside(ThreadPoolExecutor(1), page)) == 0
"""
FORK = """
import asyncio, os, sys
from concurrent.futures import ThreadPoolExecutor
from routelet.loop import run

async def which():
    await asyncio.sleep(0)
    return id(asyncio.get_running_loop())

def in_thread(coroutine):
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(run, coroutine).result()

which_loop = (run if sys.argv[1] == "main" else in_thread)(which())
child = os.fork()
if child == 0:
    in_thread(which())
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
for _ in range(9):
    assert in_thread(which()) == which_loop
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.parametrize("started_in", ["main", "thread"])
def test_a_forked_process_has_a_loop_of_its_own_and_leaves_that_of_its_parent(
    started_in: str,
) -> None:
    command = [sys.executable, "-c", FORK, started_in]
    done = subprocess.run(command, check=False, timeout=20, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_process_forked_by_a_page_of_an_async_server_does_not_ask_the_servers_loop() -> None:
    command = [sys.executable, "-c", FORK_IN_ASIDE]
    done = subprocess.run(command, check=False, timeout=20, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
