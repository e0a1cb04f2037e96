"""Processes that are forks of the build, for much of what needs nothing but routelet."""

import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def forked(count: int | None = None) -> ProcessPoolExecutor:
    """Return an executor of `count` processes, or as many as there are cores.

    An interrupt from the keyboard is left to the build, which ends them.
    """
    return ProcessPoolExecutor(
        count,
        mp_context=get_context("fork"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
