"""Carry out: install, look whether it works, write pyproject.toml, lock again.

The files are written last and are put back where anything fails after that.
"""

import json
import os
import shlex
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from routelet_bundler.additions.edit import LOCK, Addition
from routelet_bundler.additions.uv_pip import run_uv, uv_pip_install
from routelet_bundler.config import FILE
from routelet_bundler.errors import RouteletError

_LOAD = """
import json, sys
from importlib.metadata import entry_points
for group, name in json.loads(sys.argv[1]):
    found = tuple(entry_points(group=group, name=name))
    if not found:
        sys.exit(f"no entry point {name!r} in {group}")
    found[0].load()
"""


def commands_of(addition: Addition) -> tuple[str, ...]:
    """Return the commands that carrying out runs, as a person would type them."""
    commands = []
    if addition.installs:
        install = ("uv", "pip", "install", "--python", sys.executable, "--", *addition.installs)
        commands.append(shlex.join(install))
    if addition.relocks:
        commands.append("uv lock")
    return tuple(commands)


def carry_out(addition: Addition) -> tuple[str, ...]:
    """Do what an addition says, and return the names of the files written.

    Raises `RouteletError`; pyproject.toml and uv.lock then are as they were. A distribution that
    was installed by then stays, and the error tells how to remove it.
    """
    file = (addition.root / FILE).resolve()
    _check_is_writable(file)
    if addition.installs:
        uv_pip_install(addition.installs, addition.root, what=" and ".join(addition.installs))
    try:
        return _written(addition, file)
    except RouteletError as error:
        error.mend = " ".join(filter(None, (error.mend, _left_installed(addition))))
        raise


def _written(addition: Addition, file: Path) -> tuple[str, ...]:
    _check_that_it_loads(addition)
    if addition.after == addition.before:
        return ()
    lock = addition.root / LOCK
    with _kept((file, lock) if addition.is_locked else (file,)) as kept:
        if kept[file].decode() != addition.before:
            raise RouteletError("was changed meanwhile", where=FILE, mend="run the command again")
        _replace(file, addition.after.encode())
        if not addition.relocks:
            return (FILE,)
        if (said := run_uv(("lock",), addition.root)) is not None:
            raise RouteletError(f"uv cannot lock the project with it: {said}", where=LOCK)
    return (FILE, LOCK)


def _check_is_writable(file: Path) -> None:
    """Raise before anything is installed; for root too a file without write permission is one."""
    if not stat.S_IMODE(file.stat().st_mode) & 0o222 or not os.access(file.parent, os.W_OK):
        raise RouteletError("cannot be written", where=FILE, mend="give it write permission")


def _check_that_it_loads(addition: Addition) -> None:
    """Load the entry points in a new process: this one does not see what was just installed."""
    points = [point for offer in addition.offers for point in offer.points]
    command = [sys.executable, "-P", "-c", _LOAD, json.dumps(points)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        names = " and ".join(name for _, name in points)
        raise RouteletError(f"{names} cannot be loaded: {last}")


def _left_installed(addition: Addition) -> str:
    names = [offer.distribution for offer in addition.offers if offer.install is not None]
    if not names:
        return ""
    remove = shlex.join(("uv", "pip", "uninstall", "--python", sys.executable, *names))
    return f"{FILE} is as it was; {' and '.join(names)} is installed: {remove}"


@contextmanager
def _kept(files: tuple[Path, ...]) -> Iterator[Mapping[Path, bytes]]:
    """Give the bytes of files, and put them back where what is done with them fails."""
    before = {file: file.read_bytes() for file in files}
    try:
        yield before
    except BaseException:
        for file, data in before.items():
            if file.read_bytes() != data:
                _replace(file, data)
        raise


def _replace(file: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".routelet-add-") as folder:
            written = Path(folder, file.name)
            written.write_bytes(data)
            written.chmod(stat.S_IMODE(file.stat().st_mode))
            written.replace(file)
    except OSError as error:
        raise RouteletError(f"cannot be written: {error.strerror}", where=file.name) from error
