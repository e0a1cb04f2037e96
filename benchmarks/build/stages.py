"""Build a site in this process; print JSON: [stage, wall s, CPU s of this process, of children].

    python stages.py ROOT

A stage lasts until the next is reported; `after` is what follows the last function verified.
"""

import gc
import json
import resource
import sys
import time
from itertools import pairwise

from routelet_bundler import build

marks: list[tuple[str, tuple[float, ...]]] = []


def clocks() -> tuple[float, ...]:
    """Return wall seconds, CPU seconds of this process, and those of its children."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = (resource.getrusage(kind) for kind in kinds)
    return (time.perf_counter(), *(one.ru_utime + one.ru_stime for one in used))


def report(stage: str, done: int, total: int) -> None:
    """Mark the beginning of each stage, and the end of the last."""
    if stage == "verify" and done == total:
        stage = "after"
    if not marks or marks[-1][0] != stage:
        marks.append((stage, clocks()))


gc.set_threshold(50_000, 20, 100)  # as the command line has it
build(sys.argv[1], report=report)
marks.append(("end", clocks()))
spans = [
    (stage, *(after - before for before, after in zip(start, end, strict=True)))
    for (stage, start), (_, end) in pairwise(marks)
]
print(json.dumps(spans))
