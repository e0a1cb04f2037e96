"""Whether zips are equal: builds under other Pythons, zlibs, folders, locales and numbers of jobs.

    .venv/bin/python benchmarks/reproducible/run.py [--python PATH ...] [--zlib LIBRARY ...]

Each Python gets an environment with routelet installed from this folder; each zlib is preloaded in
the first of them. Every build has an empty cache, a folder, a seed of hashes, a number of jobs, a
umask, a locale and a time zone of its own. Sites build for Python 3.11, which therefore has to be
here: bytecode is compiled by it. Exit status 1 where a file of two builds differs.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
EXTRA = "src/pages/reads.py"
PAGE = "import requests, yaml\n\ndef GET(ctx):\n    return yaml.safe_dump(requests.__version__)\n"
TABLE = "[tool.routelet.adapters.aws-lambda]\n"
OPTIONS = f'{TABLE}runtime = "python3.11"\nstrip = true\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A way to build: what differs from machine to machine."""

    name: str
    routelet: Path
    jobs: int = 1
    umask: int = 0o022
    environment: Mapping[str, str] = field(default_factory=dict)


def sites(folder: Path) -> Iterator[Path]:
    """Yield copies of the examples, and of one with a page that has distributions."""
    for source in (ROOT / "examples/api", ROOT / "examples/blog"):
        site = folder / source.name
        ignored = shutil.ignore_patterns("dist", "__pycache__", ".venv")
        shutil.copytree(source, site, ignore=ignored)
        text = (site / "pyproject.toml").read_text()
        (site / "pyproject.toml").write_text(text.replace(TABLE, OPTIONS))
        yield site
    site = folder / "distributions"
    (site / "src/pages").mkdir(parents=True)
    (site / EXTRA).write_text(PAGE)
    (site / "pyproject.toml").write_text(
        '[project]\nname = "d"\nversion = "1"\n'
        'dependencies = ["requests==2.32.3", "pyyaml==6.0.2", "certifi==2024.8.30", '
        '"idna==3.10", "urllib3==2.2.3", "charset-normalizer==3.4.0"]\n'
        f'[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n{OPTIONS}'
    )
    yield site


def built(machine: Machine) -> dict[str, str]:
    """Return the SHA-256 of each zip and prerendered file, by site and path."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="x" * (3 + 5 * machine.jobs)) as name:
        for site in sites(Path(name)):
            command = [machine.routelet, "build", "--root", site, "--jobs", str(machine.jobs)]
            environment = {
                **os.environ,
                "ROUTELET_CACHE": str(Path(name, "cache")),
                "PYTHONHASHSEED": str(machine.jobs),
                **machine.environment,
            }
            environment.pop("PYTHONPATH", None)
            how = {"env": environment, "umask": machine.umask, "capture_output": True}
            done = subprocess.run(command, **how, text=True, check=False)
            if done.returncode:
                sys.exit(f"{machine.name}: {done.stdout}{done.stderr}")
            for part in ("functions", "client"):
                for path in sorted((site / "dist" / part).rglob("*")):
                    if path.is_file():
                        key = f"{site.name}/{path.relative_to(site / 'dist')}"
                        found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def installed(python: str, folder: Path) -> Path:
    """Return the `routelet` of a new environment of this Python."""
    uv, place = find_uv_bin(), folder / hashlib.sha256(python.encode()).hexdigest()[:8]
    subprocess.run([uv, "venv", "--quiet", "--python", python, place], check=True)
    command = [uv, "pip", "install", "--quiet", "--python", place / "bin/python", ROOT]
    subprocess.run(command, check=True)
    return place / "bin/routelet"


def machines(pythons: list[str], zlibs: list[str], folder: Path) -> Iterator[Machine]:
    """Yield every way to build."""
    first = None
    for number, python in enumerate(pythons, 1):
        routelet = installed(python, folder)
        first = first or routelet
        yield Machine(
            name=python,
            routelet=routelet,
            jobs=number,
            umask=0o077 if number % 2 else 0o002,
            environment={"TZ": "Asia/Tokyo" if number % 2 else "UTC", "LC_ALL": "C.UTF-8"},
        )
    assert first is not None
    yield Machine(name="C locale", routelet=first, jobs=4, environment={"LC_ALL": "C"})
    for number, zlib in enumerate(zlibs, 5):
        preload = {"LD_PRELOAD": str(Path(zlib).resolve())}
        yield Machine(name=zlib, routelet=first, jobs=number, environment=preload)


def main() -> int:
    """Build in every way, and print what differs from the first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", action="append", default=[])
    parser.add_argument("--zlib", action="append", default=[])
    given = parser.parse_args()
    reference: dict[str, str] = {}
    status = 0
    with tempfile.TemporaryDirectory() as name:
        for machine in machines(given.python or [sys.executable], given.zlib, Path(name)):
            found = built(machine)
            reference = reference or found
            same = [key for key in reference if found.get(key) == reference[key]]
            other = sorted(reference.keys() ^ set(same)) + sorted(found.keys() - reference.keys())
            print(
                f"{machine.name}: {len(same)} of {len(found)} files equal", *other[:9], sep="\n  "
            )
            status |= bool(other)
    return status


if __name__ == "__main__":
    sys.exit(main())
