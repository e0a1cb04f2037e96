"""Pythons of this machine, and scripts that run in them apart from everything installed.

A script runs as `python -I -S`: no environment variables, no site-packages, no user folder. Only
what it is handed is on its path.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from uv import find_uv_bin

from routelet_bundler.model import HOST

_SINCE_3_14 = frozenset({"annotationlib", "compression"})
"""What the newest Python of Lambda's has that older ones have not: docs.python.org/3.14/whatsnew"""


def find_interpreter(minor: str) -> Path | None:
    """Return a Python of this minor version, such as `3.12`, or None where there is none.

    Looked for: the running one, PATH, pyenv's versions, and what uv manages.
    """
    found = _found(minor)
    return found and found[0]


def exact_version(minor: str) -> str:
    """Return the version of that Python, such as `3.12.4`; nothing where it is not here."""
    found = _found(minor)
    return found[1] if found else ""


@cache
def _found(minor: str) -> tuple[Path, str] | None:
    """Return a Python of this minor version, and its exact one."""
    if minor == HOST:
        return Path(sys.executable), sys.version.split()[0]
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    on_path = shutil.which(f"python{minor}")
    candidates = [Path(on_path)] if on_path else []
    versions = pyenv.glob(f"{minor}.*/bin/python{minor}")
    candidates += sorted(versions, key=_numbers_of_version, reverse=True)
    for candidate in candidates:
        if (found := _interpreter_at(candidate, minor)) is not None:
            return found
    return _managed_by_uv(minor)


def _numbers_of_version(executable: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", executable.parents[1].name)]


def _managed_by_uv(minor: str) -> tuple[Path, str] | None:
    command = [find_uv_bin(), "python", "find", "--managed-python", "--offline", minor]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return _interpreter_at(Path(found.stdout.strip()), minor) if found.returncode == 0 else None


def _interpreter_at(candidate: Path, minor: str) -> tuple[Path, str] | None:
    """Return what `candidate` says it is, and its exact version, if it has this minor one.

    A shim of pyenv says where the interpreter is, or fails where none is chosen.
    """
    code = (
        "import sys; print('%d.%d' % sys.version_info[:2], sys.version.split()[0], sys.executable)"
    )
    command = [str(candidate), "-I", "-S", "-c", code]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version, exact, executable = (*said.stdout.strip().split(" ", 2), "", "", "")[:3]
    return (Path(executable), exact) if said.returncode == 0 and version == minor else None


@cache
def standard_library(minor: str) -> frozenset[str]:
    """Return the top-level modules of that Python; those known here where it is not here."""
    interpreter = find_interpreter(minor)
    if interpreter is None:
        return standard_library(HOST) | _SINCE_3_14
    if minor == HOST:
        return frozenset(sys.stdlib_module_names) | set(sys.builtin_module_names)
    code = "import json, sys; print(json.dumps(sorted(sys.stdlib_module_names)))"
    command = [str(interpreter), "-I", "-S", "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return frozenset(json.loads(found.stdout))


def run_isolated(
    interpreter: Path,
    script: Path,
    data: bytes,
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    hash_seed: str | None = None,
    keeps_bytecode: bool = False,
    importtime: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    """Run `script` apart from everything installed, with `data` on its standard input.

    `keeps_bytecode` lets it write that of what it imports; with `importtime` the interpreter tells
    on standard error what is imported. With a `hash_seed` hashes are the same each time, and the
    script's folder is on its path.
    """
    isolated = "-I" if hash_seed is None else "-s"  # -I ignores the seed
    options = [isolated, "-S", *([] if keeps_bytecode else ["-B"])]
    options += ["-X", "importtime"] if importtime else []
    command = [str(interpreter), *options, str(script)]
    given = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", **(environment or {})}
    if hash_seed is not None:
        given["PYTHONHASHSEED"] = hash_seed
    return subprocess.run(command, input=data, capture_output=True, check=False, env=given, cwd=cwd)
