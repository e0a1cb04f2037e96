"""Import the modules of functions from their unpacked zips; runs alone under the target's Python.

Standard input is JSON: `checks`, each with `path` (all of sys.path beside the standard library, the
function's own folder first), `modules` (dotted names, the entry module first) and `export` (a name
the entry module has to have); and `common`, the folders that all checks have. Each check is a fork
of this process. Standard output is a line of JSON for each: null, or `what`, `missing` (a module's
name or null) and `frames` ([file, line]).

What the first function loads of the standard library and of `common` is then loaded here, once for
all that follow, unless that started threads, which no fork has.
"""

import faulthandler
import importlib
import json
import os
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

MAX_SECONDS = 60
"""Lambda gives an import 10 s, and once more the time-out of the function; this machine is busy."""
MAX_SAID = 2_000
"""Characters that are told of what a process said before it ended without a word."""


def answer_of(check: "dict[str, Any]") -> "dict[str, Any] | None":
    """Import everything; return the first failure."""
    faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
    sys.path[:0] = check["path"]
    os.chdir(check["path"][0])
    try:
        entry = importlib.import_module(check["modules"][0])
        if check["export"] and not callable(getattr(entry, check["export"], None)):
            raise AttributeError(f"the entry module has no callable {check['export']!r}")
        for module in check["modules"][1:]:
            importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - SystemExit in a page is a failure as well
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        frames = [
            [frame.filename, frame.lineno]
            for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith("<frozen") and frame.filename != __file__
        ]
        return {"what": f"{type(error).__name__}: {error}", "missing": missing, "frames": frames}
    return None


def forked(check: "dict[str, Any]") -> "tuple[dict[str, Any] | None, list[str]]":
    """Return the answer of a fork, and the modules that it loaded."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.close(reading)
            os.dup2(said.fileno(), 1)  # what modules print, and the processes that they start
            os.dup2(said.fileno(), 2)
            answer = answer_of(check)
            with os.fdopen(writing, "w") as to_parent:
                json.dump([answer, loaded_before(check["path"][0])], to_parent)
            sys.stderr.flush()
            os._exit(0)  # threads that a module started do not hold the build up
        os.close(writing)
        with os.fdopen(reading) as from_child:
            text = from_child.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if text:
            told: tuple[dict[str, Any] | None, list[str]] = tuple(json.loads(text))
            return told
        said.seek(0)
        tail = said.read().decode(errors="replace")[-MAX_SAID:]
    return {"what": f"the process ended with status {status}: {tail}", "frames": []}, []


def loaded_before(own: str) -> "list[str]":
    """Return what was loaded from outside of the folder `own`; nothing where there are threads."""
    faulthandler.cancel_dump_traceback_later()  # it is a thread
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        return []
    return [
        name
        for name, module in list(sys.modules.items())
        if not (getattr(module, "__file__", None) or own).startswith(own)
    ]


def warm_up(names: "list[str]", common: "list[str]", foreign: "set[str]") -> None:
    """Load modules once for all forks to come, but none of a name that a function has itself."""
    sys.path[:0] = common
    for name in names:
        if name.partition(".")[0] not in foreign:
            with suppress(BaseException):  # it is told of each function that needs it
                importlib.import_module(name)
    del sys.path[: len(common)]
    importlib.invalidate_caches()


def main() -> None:
    """Check function after function."""
    job = json.load(sys.stdin)
    to_caller = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for number, check in enumerate(job["checks"]):
        answer, loaded = forked(check)
        to_caller.write(json.dumps(answer) + "\n")
        to_caller.flush()
        if number == 0 and answer is None and len(job["checks"]) > 1:
            warm_up(loaded, job["common"], set(job["own"]))


main()
