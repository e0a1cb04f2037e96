"""Markdown pages with a layout, prerendered: routelet beside Pelican, Eleventy and Astro.

    .venv/bin/python benchmarks/prerender/run.py [--pages 1000 10000] [--tools routelet pelican ...]

The others are installed, as pinned here, into a temporary folder. Each build starts in a fresh
folder; routelet knows no page from before, and has installed jinja2, as the others have what they
need. Generators take turns.
Times are of the run with the least wall time, memory is the most of all runs. Pages of all
generators have to have the same elements and words.
"""

import argparse
import hashlib
import html
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from cost import Cost, cost_of
from generators import FROM_NPM, GENERATORS, install, write_site

HEAD = """\
| pages | generator | pages/s | wall s | CPU s | peak PSS MB | peak RSS MB |
| ---: | :--- | ---: | ---: | ---: | ---: | ---: |"""


class Size:
    """Builds of so many pages: what they cost, and what pages look like."""

    def __init__(self, count: int, folder: Path, tools: Path) -> None:
        self.count, self.folder, self.tools = count, folder, tools
        self.costs: dict[str, list[Cost]] = {}
        self.looks: dict[int, list[str]] = {}

    def clean(self, name: str) -> None:
        """Measure one build from nothing, and look at its pages."""
        write_site(name, self.folder / name, self.count, self.tools)
        for kept in ("pages", "client") if name == "routelet" else ():
            for folder in (self.tools / "cache").glob(f"v*/{kept}"):
                shutil.rmtree(folder)
        self.build(name, GENERATORS[name].title)
        out = self.folder / name / GENERATORS[name].out
        found = sum(1 for _ in out.rglob("*.html"))
        if found != self.count:
            raise SystemExit(f"{name} made {found} pages of {self.count}")
        for number in range(0, self.count, max(1, self.count // 25)):
            look = elements_and_words((out / f"page-{number}/index.html").read_text())
            first = self.looks.setdefault(number, look)
            if look != first:
                raise SystemExit(
                    f"{name}: page {number} differs at {first_difference(look, first)}"
                )

    def build(self, name: str, title: str, *options: str, cache: Path | None = None) -> None:
        """Measure one build of the site as it is."""
        generator, root, cache = GENERATORS[name], self.folder / name, cache or self.tools / "cache"
        command = [*generator.command(self.tools), *generator.arguments.split(), *options]
        environment = {
            "ROUTELET_CACHE": str(cache),
            "ASTRO_TELEMETRY_DISABLED": "1",
            "PYTHONDONTWRITEBYTECODE": "",
        }
        self.costs.setdefault(title, []).append(cost_of(command, root, environment))

    def rebuild(self) -> None:
        """Measure routelet's rebuilds of the site that its last clean build left."""
        self.build("routelet", "routelet, nothing changed")
        page = self.folder / f"routelet/src/pages/page-{self.count // 2}.md"
        page.write_text(page.read_text() + "\nOne more paragraph.\n")
        self.build("routelet", "routelet, one page changed")

    def rebuilt_beside_clean(self) -> str:
        """Compare what the last rebuild left with a clean build into another folder."""
        rebuilt, clean = self.folder / "routelet/dist", self.folder / "clean"
        self.build(
            "routelet", "routelet, again", "--out-dir", str(clean), cache=self.folder / "empty"
        )
        page = (rebuilt / f"client/page-{self.count // 2}/index.html").read_text()
        digests = [tree_sha256(folder) for folder in (rebuilt, clean)]
        same = digests[0] == digests[1] and "One more paragraph." in page
        return (
            f"{self.count} pages: rebuilt after edits is {'' if same else 'NOT '}byte for byte "
            f"a clean build (SHA-256 {digests[0][:12]}, {digests[1][:12]})"
        )

    def rows(self) -> list[str]:
        """Return a row of the table for each kind of build."""
        rows = []
        for title, costs in self.costs.items():
            best = min(costs, key=lambda cost: cost.wall_s)
            pss, rss = max(cost.pss_mb for cost in costs), max(cost.rss_mb for cost in costs)
            rows.append(
                f"| {self.count} | {title} | {self.count / best.wall_s:.0f} | {best.wall_s:.2f} "
                f"| {best.cpu_s:.2f} | {pss:.0f} | {rss:.0f} |"
            )
        return rows


def elements_and_words(page: str) -> list[str]:
    """Return the tags without attributes, and the words, in order."""
    parts = re.findall(r"<([/!]?\w+)[^>]*>|([^<\s]+)", page)
    return [f"<{tag.lower()}>" if tag else html.unescape(word) for tag, word in parts]


def first_difference(look: Sequence[str], other: Sequence[str]) -> str:
    """Return the first element or word in which two pages differ, and the other's."""
    pairs = zip_longest(look, other, fillvalue="the end")
    return next(f"{one}, not {another}" for one, another in pairs if one != another)


def tree_sha256(folder: Path) -> str:
    """Return a digest of every path and every byte below `folder`."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{digest} {path.relative_to(folder).as_posix()}\n".encode())
    return total.hexdigest()


def measured(count: int, names: Sequence[str], tools: Path) -> list[str]:
    """Return the rows of one size; tell on standard error what is going on."""
    with tempfile.TemporaryDirectory(prefix="prerender-") as folder:
        size = Size(count, Path(folder), tools)
        runs = {name: 3 if count <= 1000 else 1 if name == "astro" else 2 for name in names}
        for turn in range(3):
            for name in (name for name in names if turn < runs[name]):
                print(f"{count} pages: {name}", file=sys.stderr, flush=True)
                size.clean(name)
        for _ in range(runs.get("routelet", 0)):
            size.rebuild()
        rows = size.rows()
        if "routelet" in names:
            print(size.rebuilt_beside_clean(), file=sys.stderr)
        return rows


def versions(names: Sequence[str], tools: Path) -> str:
    """Return what is measured, and on what."""
    programs = {GENERATORS[name].title: GENERATORS[name].command(tools) for name in names}
    programs |= {"Node.js": ["node"]} if FROM_NPM.intersection(names) else {}
    told = [f"Python {platform.python_version()}", f"{os.cpu_count()} cores"]
    for title, program in programs.items():
        said = subprocess.check_output([*program, "--version"], text=True)
        told.append(f"{title} {said.split()[-1].removeprefix('v')}")
    return ", ".join(told)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--tools", nargs="+", choices=GENERATORS, default=list(GENERATORS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="prerender-tools-") as tools:
        install(options.tools, Path(tools))
        print(versions(options.tools, Path(tools)), HEAD, sep="\n\n", flush=True)
        for count in options.pages:
            print(*measured(count, options.tools, Path(tools)), sep="\n", flush=True)


if __name__ == "__main__":
    main()
