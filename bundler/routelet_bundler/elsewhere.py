"""Work that is done elsewhere, by an executor such as that of a Dask cluster.

What is sent are functions of modules with plain values. A worker has the same version of routelet
and of Python; what a task needs besides, its own module says.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeVar

from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.version import __version__

DASK = "dask://"
Task = TypeVar("Task")
Answer = TypeVar("Answer")
_ATTEMPTS = 3
"""So many workers may end during a task before the build fails."""
_PATIENCE_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """An executor, and how many tasks it runs at the same time."""

    executor: Executor
    slots: int

    def results(self, run: Callable[[Task], Answer], tasks: Iterable[Task]) -> Iterator[Answer]:
        """Yield what `run` gives for each of `tasks`, in their order.

        Each is sent alone: Dask wants what is sent together to be small.
        """
        waiting = [self.executor.submit(run, task) for task in tasks]
        try:
            for future in waiting:
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def elsewhere_at(url: str) -> Iterator[Elsewhere]:
    """Give the executor of the Dask cluster whose scheduler is at `dask://HOST:PORT`.

    Raises `RouteletError` where none answers, or where a worker is not as this machine.
    """
    if not url.startswith(DASK) or not url.removeprefix(DASK):
        raise RouteletError(
            f"{url} is no executor", where="--executor", mend="dask://HOST:PORT", status=WRONG_USE
        )
    if find_spec("distributed") is None:
        raise RouteletError(
            "a Dask cluster needs distributed", where=url, mend="pip install 'routelet[dask]'"
        )
    # 0.7 s of CPU, for those alone who ask for it.
    from distributed import Client  # noqa: PLC0415

    try:
        client = Client(url.replace(DASK, "tcp://"), timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise RouteletError(f"no scheduler of Dask answers: {error}", where=url) from None
    with client:
        workers = client.run(what_runs, on_error="return")
        _refuse_others(workers, url)
        slots = sum(client.nthreads().values())
        yield Elsewhere(executor=client.get_executor(pure=False, retries=_ATTEMPTS), slots=slots)


def what_runs() -> str:
    """Return what has to be the same on all machines."""
    return f"routelet {__version__} under Python {sys.version_info.major}.{sys.version_info.minor}"


def _refuse_others(workers: dict[str, object], url: str) -> None:
    if not workers:
        raise RouteletError("the cluster has no workers", where=url, mend="start `dask worker`")
    ours = what_runs()
    for worker, theirs in workers.items():
        if theirs != ours:
            raise RouteletError(
                f"the worker {worker} runs {theirs}, and this is {ours}",
                where=url,
                mend="install the same versions on all machines",
            )
