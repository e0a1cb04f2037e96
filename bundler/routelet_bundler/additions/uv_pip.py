"""uv, as additions use it: into the environment that runs routelet, or a folder beside it."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from uv import find_uv_bin

from routelet_bundler.errors import RouteletError

_BY_PIP = (
    "uv reads no settings of pip: where pip can install it, do so with "
    f"`{shlex.quote(sys.executable)} -m pip install`, then add it by its name"
)
_NOT_FOUND = re.compile(r"Because (?P<name>[\w.-]+) was not found")


def uv_pip_install(
    requirements: Sequence[str],
    root: Path,
    *options: str,
    what: str,
    mend: str = "",
) -> None:
    """Install requirements for the Python that runs this; raises `RouteletError` with uv's words.

    uv has the settings of the site at `root`. `what` is how the user named the requirements,
    `mend` a hint for a name that no index has.
    """
    # After --, so that what looks like an option is a requirement, and a wrong one.
    arguments = ("pip", "install", "--python", sys.executable, *options, "--", *requirements)
    said = run_uv(arguments, root)
    if said is None:
        return
    if found := _NOT_FOUND.search(said):
        mend = "\n".join((mend or f"uv says: {said}", _BY_PIP))
        raise RouteletError(f'"{found["name"]}" is in no package index', mend=mend)
    if "--only-binary" in options and "wheel" in said:
        mend = "what has no wheel is not built to be looked at: install it, then add it by its name"
    elif "--target" not in options:  # it is the environment that refuses what was looked at before
        mend = _BY_PIP
    raise RouteletError(f"{what} cannot be installed; uv says: {said}", mend=mend)


def run_uv(arguments: Sequence[str], cwd: Path) -> str | None:
    """Run uv in a folder; return None where it succeeded, and else what it says."""
    # As `routelet build` runs it: what is activated in the shell is not what runs routelet.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    command = [find_uv_bin(), "--quiet", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    if done.returncode == 0:
        return None
    return " ".join(done.stderr.split()).removeprefix("error: ") or f"exit {done.returncode}"
