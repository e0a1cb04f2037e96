"""What a command costs: wall and CPU seconds with all its children, and peak memory.

Memory is that of the process tree: PSS shares out what processes have in common, so that its sum
is what the tree takes; the sum of RSS counts that once for each. It is sampled ten times a second,
less often where that took a tenth of a core; what lives shorter is not seen.
"""

import ctypes
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
"""Of prctl(2): orphans become children of this process, which is told their CPU time."""


class FailedError(Exception):
    """A command ended with another status than 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one run; MB are 10^6 bytes."""

    wall_s: float
    cpu_s: float
    pss_mb: float
    rss_mb: float


def cost_of(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command in `folder`; where it fails, print what it said and raise `FailedError`."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    done, samples = threading.Event(), [(0, 0)]
    sampler = threading.Thread(target=_sample, args=(done, samples))
    log = folder.with_suffix(".log")
    before, start = _cpu_s(), time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    sampler.start()
    status = process.wait()
    wall_s = time.perf_counter() - start
    done.set()
    sampler.join()
    _wait_for_orphans()
    if status:
        print(log.read_text()[-4000:], file=sys.stderr)
        raise FailedError(f"{Path(command[0]).name} ended with status {status}")
    pss_mb, rss_mb = (max(column) * 1024 / 1e6 for column in zip(*samples, strict=True))
    return Cost(wall_s=wall_s, cpu_s=_cpu_s() - before, pss_mb=pss_mb, rss_mb=rss_mb)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wait_for_orphans() -> None:
    try:
        while os.wait():
            pass
    except ChildProcessError:
        return


def _sample(done: threading.Event, samples: list[tuple[int, int]]) -> None:
    took_s = 0.0
    while not done.wait(max(0.1, 10 * took_s)):
        start = time.thread_time()
        memory = [(0, 0), *map(_pss_and_rss_kib, _below(os.getpid()))]
        pss, rss = (sum(column) for column in zip(*memory, strict=True))
        samples.append((pss, rss))
        took_s = time.thread_time() - start


def _below(parent: int) -> Iterator[int]:
    threads = Path(f"/proc/{parent}/task")
    try:
        listed = "".join((each / "children").read_text() for each in threads.iterdir())
    except OSError:  # the process or a thread of it ended meanwhile
        return
    for child in map(int, listed.split()):
        yield child
        yield from _below(child)


def _pss_and_rss_kib(process: int) -> tuple[int, int]:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    kib = {name: int(size) for name, size, *_ in map(str.split, lines)}
    return kib.get("Pss:", 0), kib.get("Rss:", 0)
