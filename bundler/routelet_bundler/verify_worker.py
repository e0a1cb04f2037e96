"""Import a function's modules from its unpacked zip; runs alone under the target's Python.

Standard input is JSON: `path` (all of sys.path beside the standard library), `modules` (dotted
names, the entry module first), `export` (a name the entry module has to have). Standard output is
JSON: null, or `what`, `missing` (a module's name or null) and `frames` ([file, line]).
"""

import faulthandler
import importlib
import json
import os
import sys
import traceback

MAX_SECONDS = 60
"""Lambda gives an import 10 s, and once more the time-out of the function; this machine is busy."""


def main() -> None:
    """Import everything; the first failure is told."""
    job = json.load(sys.stdin)
    to_caller = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what modules print, and the processes that they start
    faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
    sys.path[:0] = job["path"]
    try:
        entry = importlib.import_module(job["modules"][0])
        if job["export"] and not callable(getattr(entry, job["export"], None)):
            raise AttributeError(f"the entry module has no callable {job['export']!r}")
        for module in job["modules"][1:]:
            importlib.import_module(module)
        failure = None
    except BaseException as error:  # noqa: BLE001 - SystemExit in a page is a failure as well
        failure = {
            "what": f"{type(error).__name__}: {error}",
            "missing": getattr(error, "name", None)
            if isinstance(error, ModuleNotFoundError)
            else None,
            "frames": [
                [frame.filename, frame.lineno]
                for frame in traceback.extract_tb(error.__traceback__)
                if not frame.filename.startswith("<frozen") and frame.filename != __file__
            ],
        }
    json.dump(failure, to_caller)
    to_caller.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that a module started do not hold the build up


main()
