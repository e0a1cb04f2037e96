"""Import the modules of functions from their zips; runs alone under the target's Python.

Standard input is JSON: `checks`, each with `path` (all of sys.path beside the standard library, the
function's own folder first), `zip` (where the function's own modules are read from a zip, or null),
and `modules` (dotted names, the entry module first, which fails where an export is not there);
`common`, the folders that all checks have, `shared`, the CRC-32 of their files by name, `first`,
modules that all import, and `own`, top-level names of the functions themselves. Each check is a
fork of this process. Standard output is a line of JSON for each: null, or `what`, `missing` (a
module's name or null), `variable` (that of an environment variable or null) and `frames` ([file,
line]).

`first`, and what the first function loads of the standard library and of `common`, is loaded here,
once for all that follow, unless that starts threads, which no fork has.
"""

import faulthandler
import importlib
import importlib.machinery
import importlib.util
import json
import marshal
import os
import signal
import sys
import tempfile
import traceback
import zipimport
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

MAX_SECONDS = 60
"""Lambda gives an import 10 s, and once more the time-out of the function; this machine is busy."""
MAX_SAID = 2_000
"""Characters that are told of what a process said before it ended without a word."""
PYC_HEADER_BYTES = 16


class ModulesOfZip:
    """Finds and loads the modules of a zip, as if they were below `folder`.

    Raises `ImportError` where a file of `shared`, which is elsewhere, is not in the zip as well.
    """

    def __init__(self, path: str, folder: str, shared: "dict[str, int]") -> None:
        self._zip = zipimport.zipimporter(path)
        self._folder = folder
        files = vars(self._zip)["_files"]  # the CRC at 7; zipfile needs 1 ms to read as much
        for name, crc in shared.items():
            if name not in files or files[name][7] != crc:
                raise ImportError(f"{name} is another file in this zip, or none")
        self._names = files.keys() - shared
        self._folders = {name[: -len("/")] for name in self._names if name.endswith("/")}

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:  # noqa: ARG002
        """Return the spec of a module of the zip, or None."""
        stem = name.replace(".", "/")
        for file, is_package in ((f"{stem}/__init__.py", True), (f"{stem}.py", False)):
            if file in self._names or f"{file}c" in self._names:  # not in __pycache__ alone
                origin = f"{self._folder}/{file}"
                return importlib.util.spec_from_file_location(
                    name,
                    origin,
                    loader=self,  # type: ignore[arg-type]
                    submodule_search_locations=[origin.rpartition("/")[0]] if is_package else None,
                )
        if stem in self._folders:
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [f"{self._folder}/{stem}"]
            return spec
        return None

    def _bytecode(self, file: str) -> "str | None":
        folder, _, name = file.rpartition("/")
        stem = name[: -len(".py")]
        cached = f"__pycache__/{stem}.{sys.implementation.cache_tag}.pyc"
        for one in (f"{folder}/{cached}" if folder else cached, f"{file}c"):
            if one in self._names:
                return one
        return None

    def create_module(self, spec: object) -> None:
        """Have an ordinary module made."""

    def exec_module(self, module: Any) -> None:
        """Run a module, from its bytecode where the zip has it."""
        file = module.__spec__.origin[len(self._folder) + 1 :]
        bytecode = self._bytecode(file)
        if bytecode:
            code = marshal.loads(self._zip.get_data(bytecode)[PYC_HEADER_BYTES:])  # noqa: S302
        else:
            code = compile(self._zip.get_data(file), module.__spec__.origin, "exec")
        exec(code, vars(module))  # noqa: S102


def answer_of(check: "dict[str, Any]", shared: "dict[str, int]") -> "dict[str, Any] | None":
    """Import everything; return the first failure."""
    signal.alarm(MAX_SECONDS)
    sys.path[:0] = check["path"]
    os.chdir(check["path"][0])
    try:
        if check["zip"]:  # where the folder of an unpacked zip would be looked for
            place = sys.meta_path.index(importlib.machinery.PathFinder)
            finder = ModulesOfZip(check["zip"], check["path"][0], shared)
            sys.meta_path.insert(place, finder)
        for module in check["modules"]:
            importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - SystemExit in a page is a failure as well
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        frames = [
            [frame.filename, frame.lineno]
            for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith("<frozen") and frame.filename != __file__
        ]
        return {
            "what": f"{type(error).__name__}: {error}",
            "missing": missing,
            "variable": variable_of(error),
            "frames": frames,
        }
    return None


def variable_of(error: BaseException) -> "str | None":
    """Return the name of the environment variable that is not there, where that is the error."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    if isinstance(error, KeyError) and frame.f_code is type(os.environ).__getitem__.__code__:
        return str(error.args[0])
    return None


def forked(
    check: "dict[str, Any]", shared: "dict[str, int]", said: "IO[bytes]", *, is_first: bool
) -> "tuple[dict[str, Any] | None, list[str]]":
    """Return the answer of a fork, and of the first one the modules that it loaded."""
    reading, writing = os.pipe()
    said.seek(0)
    said.truncate()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(said.fileno(), 1)  # what modules print, and the processes that they start
        os.dup2(said.fileno(), 2)
        answer = answer_of(check, shared)
        loaded = loaded_before(check["path"][0]) if is_first else []
        with os.fdopen(writing, "w") as to_parent:
            json.dump([answer, loaded], to_parent)
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
    if has_threads():
        return []
    return [
        name
        for name, module in list(sys.modules.items())
        if not (getattr(module, "__file__", None) or own).startswith(own)
    ]


def has_threads() -> bool:
    """Tell whether a module started threads that still run."""
    return len(list(Path("/proc/self/task").iterdir())) > 1


def start_again(job: "dict[str, Any]") -> None:
    """Begin as a new process that loads nothing first."""
    with tempfile.TemporaryFile("w+") as file:
        json.dump({**job, "first": []}, file)
        file.seek(0)
        os.dup2(file.fileno(), 0)
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606


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
    warm_up(job["first"], job["common"], set(job["own"]))
    if job["first"] and has_threads():
        start_again(job)
    to_caller = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryFile() as said:
        # Where an import waits is told when the alarm of a fork goes off, which then ends it.
        faulthandler.register(signal.SIGALRM, file=said, chain=True)
        for number, check in enumerate(job["checks"]):
            answer, loaded = forked(check, job["shared"], said, is_first=number == 0)
            to_caller.write(json.dumps(answer) + "\n")
            to_caller.flush()
            if number == 0 and answer is None and len(job["checks"]) > 1:
                warm_up(loaded, job["common"], set(job["own"]))


main()
