"""Builds: routelet beside what packages Python functions, and beside Astro with Vercel's adapter.

    .venv/bin/python benchmarks/build/run.py [PART ...] [--functions 10 50] [--tools ...]
        [--endpoints 100 1000 10000] [--astro]

Parts: packagers, endpoints, bytecode, verification, reports, hooks, examples; all, where none is
named. The others are installed, as pinned here, into a temporary folder, or into `--keep FOLDER`,
where a later run finds them. Each build is a process of its own; a build of less than ten seconds
counts with the median of three. Tables go to standard output as they are made, what is going on to
standard error.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bytecode
import endpoints
import examples
import hooks
import packagers
import reports
import verification
from tools import TOOLS

Part = Callable[[argparse.Namespace, Path], Iterator[str]]
PARTS: dict[str, Part] = {
    "packagers": lambda options, folder: packagers.rows(options.functions, options.tools, folder),
    "endpoints": lambda options, folder: endpoints.rows(
        options.endpoints, folder, astro=options.astro
    ),
    "bytecode": lambda _options, _folder: bytecode.rows(),
    "verification": lambda options, _folder: verification.rows(
        options.functions, [count for count in options.endpoints if count <= 1_000]
    ),
    "reports": lambda options, _folder: reports.rows(
        [count for count in options.endpoints if count <= 1_000]
    ),
    "hooks": lambda _options, folder: hooks.rows(folder),
    "examples": lambda _options, _folder: examples.rows(),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--functions", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--endpoints", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--astro", action="store_true", help="beside endpoints, up to 1,000")
    parser.add_argument("--keep", type=Path, help="a folder for what is installed")
    options = parser.parse_args()
    if unknown := set(options.parts).difference(PARTS):
        parser.error(f"no part {', '.join(unknown)}: there are {', '.join(PARTS)}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="build-tools-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for part in options.parts or PARTS:
            print(f"\n{part}\n", flush=True)
            for row in PARTS[part](options, folder.resolve()):
                print(row, flush=True)


if __name__ == "__main__":
    sys.exit(main())
