"""Bytecode for the target, compiled by the target's own Python."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter, run_isolated

_WORKER = Path(__file__).with_name("compile_worker.py")


def can_compile(python: str) -> bool:
    """Tell whether this machine has the Python whose bytecode is wanted."""
    return find_interpreter(python) is not None


def compiled(
    files: Sequence[tuple[str, Path]], python: str, folder: str
) -> Mapping[tuple[str, Path], tuple[str, bytes]]:
    """Return path and content of the .pyc of each source that compiles, by the pair in `files`.

    `files` are (path in the zip, source); `folder` is where the zip is unpacked: tracebacks name
    sources below it.
    """
    interpreter = find_interpreter(python)
    sources = [(archive, source) for archive, source in files if archive.endswith(".py")]
    if interpreter is None or not sources:
        return {}
    jobs = [[str(source), f"{folder}/{archive}"] for archive, source in sources]
    # Before Python 3.11 a set of constants is marshalled in the order of its hashes.
    done = run_isolated(interpreter, _WORKER, json.dumps(jobs).encode(), hash_seed="0")
    if done.returncode:
        raise RouteletError(f"compiling under {interpreter} failed: {done.stderr.decode()}")
    pycs, position = {}, 0
    for archive, source in sources:
        size = int.from_bytes(done.stdout[position : position + 4], "big")
        position += 4 + size
        if size:
            pyc = done.stdout[position - size : position]
            pycs[archive, source] = (_pyc_path(archive, python), pyc)
    return pycs


def _pyc_path(archive: str, python: str) -> str:
    """Return where Python `python` looks for the bytecode of a source: PEP 3147."""
    path = PurePosixPath(archive)
    tag = f"cpython-{python.replace('.', '')}"
    return str(path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc")
