"""Bytecode for the target, compiled by the target's own Python."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter, run_isolated
from routelet_bundler.model import RUNTIME_FILES, Target

_WORKER = Path(__file__).with_name("compile_worker.py")
Pycs = Mapping[tuple[str, Path], tuple[str, bytes]]
"""Path in the zip and content of a .pyc, by those of its source."""


def can_compile(python: str) -> bool:
    """Tell whether this machine has the Python whose bytecode is wanted."""
    return find_interpreter(python) is not None


def makes_bytecode(target: Target) -> bool:
    """Tell whether zips have bytecode; raises `RouteletError` where they would have nothing else.

    Without a Python of that minor version they have sources, if these are wanted at all.
    """
    if target.bytecode == "only" and not can_compile(target.python):
        raise RouteletError(
            f'bytecode = "only" needs Python {target.python}, and this machine has none',
            where="pyproject.toml",
            mend=f"install it, for one with `uv python install {target.python}`",
        )
    return bool(target.bytecode) and can_compile(target.python)


def in_place_of_sources(contents: Mapping[str, bytes], pycs: Pycs) -> Mapping[str, bytes]:
    """Return `contents` with bytecode where its source was: `m.pyc` for `m.py`, as PEP 3147 has it.

    A source that does not compile is data, such as the template of a project, and stays.
    """
    done = {archive: pyc for (archive, _), (_, pyc) in pycs.items()}
    left = {name: content for name, content in contents.items() if name not in done}
    return left | {f"{archive}c": pyc for archive, pyc in done.items()}


def runtime_apart(
    files: Sequence[tuple[str, Path]],
) -> tuple[list[tuple[str, Path]], list[tuple[str, Path]]]:
    """Return the files of the runtime and the others, which `compiled` takes one by one."""
    runtime = [file for file in files if file[0].startswith(RUNTIME_FILES)]
    return runtime, [file for file in files if not file[0].startswith(RUNTIME_FILES)]


def compiled(files: Sequence[tuple[str, Path]], python: str, folder: str) -> Pycs:
    """Return path and content of the .pyc of each source that compiles, by the pair in `files`.

    `files` are (path in the zip, source), of the runtime or none of it, which is in zips without
    docstrings, assertions and columns of expressions: 49 KB compressed instead of 110. `folder` is
    where the zip is unpacked: tracebacks name sources below it.
    """
    interpreter = find_interpreter(python)
    sources = [(archive, source) for archive, source in files if archive.endswith(".py")]
    if interpreter is None or not sources:
        return {}
    is_runtime = sources[0][0].startswith(RUNTIME_FILES)
    job = {
        "optimize": 2 if is_runtime else 0,
        "sources": [[str(source), f"{folder}/{archive}"] for archive, source in sources],
    }
    done = run_isolated(
        interpreter,
        _WORKER,
        json.dumps(job).encode(),
        environment={"PYTHONNODEBUGRANGES": "1"} if is_runtime else {},
        hash_seed="0",  # before Python 3.11 sets of constants are marshalled as they are hashed
    )
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
