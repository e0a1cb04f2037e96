"""Processes that are forks of the build, for much of what needs nothing but routelet."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread


def forked(count: int | None = None) -> ProcessPoolExecutor:
    """Return an executor of `count` processes, or as many as there are cores.

    An interrupt from the keyboard is left to the build, which ends them; when it is killed they end
    by themselves.
    """
    return ProcessPoolExecutor(count, mp_context=get_context("fork"), initializer=_depend)


def _depend() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    build = parent_process()
    assert build is not None  # noqa: S101 - this is a fork
    sentinel = build.sentinel

    def end_with_it() -> None:
        wait([sentinel])
        os._exit(1)

    Thread(target=end_with_it, daemon=True).start()
