"""Import a function's modules from its unpacked zip; runs alone under the target's Python.

Standard input is JSON: `path` (all of sys.path beside the standard library), `modules` (dotted
names, the entry module first), `export` (a name the entry module has to have). Standard output is
JSON: null, or `what`, `missing` (a module's name or null) and `frames` ([file, line]).
"""

import importlib
import json
import sys
import traceback


def main() -> None:
    """Import everything; the first failure is told."""
    job = json.load(sys.stdin)
    to_caller, sys.stdout = sys.stdout, sys.stderr
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
            "missing": getattr(error, "name", None) if isinstance(error, ImportError) else None,
            "frames": [
                [frame.filename, frame.lineno]
                for frame in traceback.extract_tb(error.__traceback__)
                if not frame.filename.startswith("<frozen") and frame.filename != __file__
            ],
        }
    json.dump(failure, to_caller)
    to_caller.flush()


main()
