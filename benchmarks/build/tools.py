"""The tools beside each other: how each is installed, run and cleaned, and what it leaves.

In commands and environments TOOLS is the folder of installed tools.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sites import (
    KINDS,
    PYTHON,
    Pins,
    write_chalice,
    write_folders,
    write_routelet,
    write_sam,
)
from uv import find_uv_bin

HERE = Path(__file__).parent
ROUTELET = (str(Path(sys.executable).with_name("routelet")), "build")
_SAM = ("TOOLS/aws-sam-cli/bin/sam", "build", "--parallel", "--cached")
_SAM_ZIPS = (sys.executable, str(HERE / "zip_folders.py"), ".aws-sam/build", "zips")
PACKAGES = {"sam-pip": "aws-sam-cli", "sam-uv": "aws-sam-cli", "chalice": "chalice"}
"""The distribution of each tool that is installed here."""
REQUIREMENTS = {
    "aws-sam-cli": ("aws-sam-cli==1.170.0",),
    "chalice": ("chalice==1.34.0", *filter(None, KINDS)),  # it imports the app that it packages
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What is run in a site's folder, and what it reads and leaves there."""

    title: str
    write: Callable[[Path, int, Pins], None]
    edited: str
    """The source of one function."""
    command: tuple[str, ...]
    left: tuple[str, ...]
    """Globs of what a clean build starts without."""
    zips: str
    """Glob of what it makes."""
    zip_command: tuple[str, ...] = ()
    """What makes zips of its output, where it makes none."""
    environment: Mapping[str, str] = field(default_factory=dict)


def _sam(title: str, *options: str, build_method: str = "") -> Tool:
    return Tool(
        title=title,
        write=partial(write_sam, build_method=build_method),
        edited="functions/f0/app.py",
        command=(*_SAM, *options),
        left=(".aws-sam", "zips"),
        zips="zips/*.zip",
        zip_command=_SAM_ZIPS,
        environment={"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"},
    )


def _routelet(title: str, options: str = "", cache: str = ".cache") -> Tool:
    return Tool(
        title=title,
        write=partial(write_routelet, options=options),
        edited="src/pages/f0.py",
        command=ROUTELET,
        left=("dist", cache),
        zips="dist/functions/*.zip",
    )


TOOLS = {
    "routelet": _routelet("routelet"),
    "installed": _routelet("routelet, wheels installed before", cache=".cache/v*/[!i]*"),
    "sources": _routelet("routelet, `bytecode = false`", "bytecode = false\n"),
    "uv-zip": Tool(
        title="uv + zip script",
        write=write_folders,
        edited="functions/f0/app.py",
        command=("sh", str(HERE / "uv_zip.sh"), find_uv_bin(), PYTHON),
        left=("build", "zips"),
        zips="zips/*.zip",
    ),
    "sam-uv": _sam(
        "`sam build`, uv (beta)", "--beta-features", build_method="python-uv"
    ),
    "sam-pip": _sam("`sam build`, pip"),
    "chalice": Tool(
        title="`chalice package` (one function)",
        write=write_chalice,
        edited="app.py",
        command=("TOOLS/chalice/bin/chalice", "package", "packaged"),
        left=("packaged", ".chalice/deployments"),
        zips="packaged/deployment.zip",
        environment={"AWS_DEFAULT_REGION": "us-east-1"},
    ),
}  # fmt: skip


def install(package: str, tools: Path) -> None:
    """Install a distribution in an environment of its own, unless it is there."""
    folder = tools / package
    if folder.is_dir():
        return
    uv = find_uv_bin()
    # With pip: SAM's builder calls the one of the Python that it finds on PATH.
    subprocess.run(
        [uv, "venv", "--quiet", "--seed", "--python", sys.executable, folder], check=True
    )
    options = ("--quiet", "--compile-bytecode", "--python", folder / "bin/python")
    subprocess.run([uv, "pip", "install", *options, *REQUIREMENTS[package]], check=True)


def install_astro(tools: Path) -> None:
    """Install Astro and its adapter into `tools`, in the pinned versions."""
    if not shutil.which("npm"):
        raise SystemExit("npm is missing: install Node.js 20, or leave --astro out")
    for file in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "astro" / file, tools)
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run(["npm", "ci", *options], cwd=tools, check=True, stdout=subprocess.DEVNULL)


def search_path(name: str, tools: Path) -> str:
    """Return PATH: the tool's own Python first, where it has one, and uv."""
    own = [str(tools / PACKAGES[name] / "bin")] if name in PACKAGES else []
    return os.pathsep.join([*own, str(Path(find_uv_bin()).parent), os.environ["PATH"]])
