"""Build a site in this process; print JSON: seconds in the machinery of hooks, and of the build.

    python hook_times.py ROOT

The machinery is what calls hooks, the payloads, and the manifest that they are given; what a hook
does itself is among it, so the site's integrations should do nothing.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from routelet_bundler import build, configure, hooks

spent: list[float] = []
running: list[str] = []


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, with its time in `spent`, but for calls from one that is timed."""

    def measured(*args: object, **options: object) -> object:
        running.append(function.__name__)
        start = time.perf_counter()
        try:
            return function(*args, **options)
        finally:
            running.pop()
            if not running:
                spent.append(time.perf_counter() - start)

    return measured


gc.set_threshold(50_000, 20, 100)  # as the command line has it
configure.fire = timed(configure.fire)
hooks.fire = timed(hooks.fire)
hooks.build_ssr = timed(hooks.build_ssr)
start = time.perf_counter()
build(sys.argv[1])
print(json.dumps([sum(spent), time.perf_counter() - start]))
