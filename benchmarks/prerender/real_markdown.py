"""Markdown that nobody wrote for routelet, as pages: what builds, what fails, and why.

    .venv/bin/python benchmarks/prerender/real_markdown.py FOLDER... [--site FOLDER] [--raw-html]

Every *.md below the folders becomes a page as it is, the same bytes once. A faulty page stops a
build, so faulty files are taken out, and it is built again until it passes. Failures are printed by
message, with one example of each.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROUTELET = Path(sys.executable).with_name("routelet")
FAULT = re.compile(r"^error src/pages/(\d+)/.+?\.md(?::(\d+))?: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that is no page, and the line and message that the build told."""

    source: Path
    line: str
    message: str


def markdown_below(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield Markdown files of different bytes, in the order of their paths."""
    seen: set[bytes] = set()
    for folder in folders:
        for path in sorted(folder.rglob("*.md")):
            if path.is_symlink() or not path.is_file():
                continue
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest not in seen:
                seen.add(digest)
                yield path


def write_site(site: Path, sources: Sequence[Path], *, raw_html: bool) -> None:
    """Make a page of each file, in a folder of its number, under its own name."""
    for number, source in enumerate(sources):
        folder = site / "src/pages" / str(number)
        folder.mkdir(parents=True)
        shutil.copyfile(source, folder / source.name)
    (site / "pyproject.toml").write_text(
        '[project]\nname = "real"\nversion = "1"\n[tool.routelet]\noutput = "static"\n'
        f"markdown.raw-html = {str(raw_html).lower()}\n"
    )


def build(site: Path) -> tuple[bool, str]:
    """Return whether the site builds, and what the build said."""
    environment = {**os.environ, "ROUTELET_CACHE": str(site / "cache")}
    done = subprocess.run(
        [ROUTELET, "build"],
        cwd=site, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode == 0, done.stderr


def failures_of(site: Path, sources: Sequence[Path]) -> list[Failure]:
    """Build, taking faulty files out, until the site passes; exit where no file is named."""
    failures: list[Failure] = []
    while True:
        passed, said = build(site)
        if passed:
            return failures
        told = {int(number): (line, message) for number, line, message in FAULT.findall(said)}
        if not told:
            raise SystemExit(f"failed without the name of a file:\n{said[-4000:]}")
        for number, (line, message) in told.items():
            shutil.rmtree(site / "src/pages" / str(number))
            failures.append(Failure(source=sources[number], line=line, message=message))


def by_message(failures: Sequence[Failure]) -> Mapping[str, list[Failure]]:
    """Group failures whose messages differ in names and numbers only."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        kind = re.sub(r"'.*'|\".*\"|\d+", "...", failure.message)
        groups.setdefault(kind, []).append(failure)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def report(sources: Sequence[Path], failures: Sequence[Failure], built: Sequence[Path]) -> None:
    """Print how many files there were, how many failed, and why."""
    size = sum(source.stat().st_size for source in sources)
    print(f"{len(sources)} files ({size / 1e6:.1f} MB): {len(built)} built, {len(failures)} failed")
    if others := len(sources) - len(built) - len(failures):
        print(f"{others} are no pages: drafts, or a name that begins with _ or .")
    if odd := sorted(path.name for path in built if path.suffix != ".html"):
        print(f"{len(odd)} of the built have a name without .html, such as {odd[0]}")
    for kind, group in by_message(failures).items():
        example = group[0]
        print(f"{len(group):>5}  {kind}\n       {example.source}:{example.line or 1}")
        print(f"       {example.message}")


def main() -> None:
    """Gather, build and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--site", type=Path, help="Kept there, rather than in a temporary folder.")
    parser.add_argument("--raw-html", action="store_true")
    options = parser.parse_args()
    sources = list(markdown_below(options.folders))
    with tempfile.TemporaryDirectory(prefix="real-markdown-") as temporary:
        site = options.site or Path(temporary)
        write_site(site, sources, raw_html=options.raw_html)
        start = time.perf_counter()
        failures = failures_of(site, sources)
        built = [path for path in (site / "dist/client").rglob("*") if path.is_file()]
        print(f"in {time.perf_counter() - start:.1f} s, with all repetitions")
        report(sources, failures, built)


if __name__ == "__main__":
    main()
