"""The site generators: how each is installed and run, and where it puts pages.

`sites/` has the configuration, layout and front matter for each. All render the same, with tables,
and do nothing beside: no highlighting, no typographic quotes, no templates inside Markdown, no
feeds, no tags.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from content import pages
from uv import find_uv_bin

HERE = Path(__file__).parent
NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """A site generator; in its program, `TOOLS` is the folder of installed tools."""

    title: str
    program: str
    arguments: str
    out: str

    def command(self, tools: Path) -> list[str]:
        """Return the program, ready to be run."""
        return [part.replace("TOOLS", str(tools)) for part in self.program.split()]


GENERATORS = {
    "routelet": Generator(
        title="routelet",
        program=str(Path(sys.executable).with_name("routelet")),
        arguments="build",
        out="dist/client",
    ),
    "pelican": Generator(
        title="Pelican",
        program="TOOLS/pelican/bin/pelican",
        arguments="content --settings conf.py --quiet",
        out="output",
    ),
    "eleventy": Generator(
        title="Eleventy",
        program="node TOOLS/node_modules/@11ty/eleventy/cmd.cjs",
        arguments="--quiet",
        out="_site",
    ),
    "astro": Generator(
        title="Astro",
        program="node TOOLS/node_modules/astro/astro.js",
        arguments="build",
        out="dist",
    ),
}
FROM_NPM = {"eleventy", "astro"}


def install(names: Sequence[str], tools: Path) -> None:
    """Install what these generators need into the folder `tools`, in the pinned versions."""
    if FROM_NPM.intersection(names):
        if not shutil.which("npm"):
            raise SystemExit("npm is missing: install Node.js 20, or say --tools routelet pelican")
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, tools)
        subprocess.run(NPM_CI, cwd=tools, check=True, stdout=subprocess.DEVNULL)
    if "pelican" in names:
        uv, folder = find_uv_bin(), tools / "pelican"
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        options = ("--quiet", "--compile-bytecode", "--python", folder / "bin/python")
        requirements = ("--requirement", HERE / "requirements.txt")
        subprocess.run([uv, "pip", "install", *options, *requirements], check=True)


def write_site(name: str, root: Path, count: int, tools: Path) -> None:
    """Write a fresh site of `count` pages to `root`."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(HERE / "sites" / name, root)
    pattern = next(root.rglob("page-NUMBER.md"))
    front = pattern.read_text()
    pattern.unlink()
    for number, text in enumerate(pages(count)):
        page = pattern.with_name(f"page-{number}.md")
        page.write_text(front.replace("NUMBER", str(number)) + text)
    (root / "node_modules").symlink_to(tools / "node_modules")
