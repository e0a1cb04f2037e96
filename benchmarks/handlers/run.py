"""Handlers with popular libraries, each called from its unpacked zip in a clean room.

    python benchmarks/handlers/run.py [--site many] [--policy reached] [--python 3.13] [--only NAME]

Sites are in tests/fixtures/handlers/, what their pages answer is in the expected.json of each. Each
site is built with each policy of optional companions; each zip is unpacked and its handler called
by `python -I -S` of the target, with nothing else on sys.path, and boto3 where the function leaves
it to Lambda. Printed are passes and failures, and bytes without bytecode. It downloads over 500 MB
the first time and takes minutes. Exit status 1: a handler failed with the default policy.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routelet_bundler import pipeline, zips
from routelet_bundler.adapters import aws_lambda
from routelet_bundler.cache import Cache, default_cache
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST, Build, BuiltFunction, Limits, Verdict
from routelet_bundler.trace.install import runtime_packages

SITES = Path(__file__).parents[2] / "tests" / "fixtures" / "handlers"
POLICIES = ("declared", "reached", "all")
LIMIT = 250 * 1024 * 1024
"""Of unzipped bytes: aws_lambda.LIMITS, which is lifted here, so that every policy is measured."""
ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "TZ": ":UTC",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "MPLCONFIGDIR": tempfile.gettempdir() + "/routelet-matplotlib",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one handler under one policy."""

    name: str
    unzipped: int
    distributions: tuple[str, ...]
    omitted: tuple[str, ...]
    failure: str


def built(site: Path, policy: str, python: str, folder: Path) -> Build:
    """Build a copy of a site with a policy; what verifying would refuse is measured as well."""
    shutil.copytree(site, folder)
    project = folder / "pyproject.toml"
    text = re.sub(r'dependencies = "\w+"', f'dependencies = "{policy}"', project.read_text())
    project.write_text(re.sub(r'runtime = "\S+"', f'runtime = "python{python}"', text))
    aws_lambda.LIMITS = Limits()
    zips.verify = lambda checks, *_: tuple(
        Verdict(function=one.function.name, verified=False, how="the handler is called instead")
        for one in checks
    )
    return pipeline.build(folder)


def outcome(one: BuiltFunction, python: str, expected: Mapping[str, Any], zips: Path) -> Outcome:
    """Call the handler of one function, whose zip is in the folder `zips`."""
    folder = zips / one.name
    name = one.function.pages[0].file.removesuffix(".py")
    with zipfile.ZipFile(zips / f"{one.name}.zip") as opened:
        opened.extractall(folder)
        sizes = [info.file_size for info in opened.infolist() if "__pycache__" not in info.filename]
    provided = (
        runtime_packages(python, Cache(default_cache())) if one.function.traced.provided else None
    )
    said = called(one, python, [folder, *([provided] if provided else [])])
    shutil.rmtree(folder)
    wrong = said if not isinstance(said, dict) or said != expected[name] else ""
    return Outcome(
        name=name,
        unzipped=sum(sizes),
        distributions=tuple(each.name for each, _ in one.function.traced.distributions),
        omitted=tuple(each.name for each in getattr(one.function.traced, "omitted", ())),
        failure=str(wrong),
    )


def called(one: BuiltFunction, python: str, folders: Sequence[Path]) -> Any:
    """Return what the handler answers: a value from JSON, or text for anything but a 200."""
    command = [str(find_interpreter(python)), "-I", "-S", "-B", str(SITES / "clean_room.py"),
               one.function.handler, one.routes[0], *map(str, folders)]  # fmt: skip
    environment = {**ENVIRONMENT, "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    lines = done.stdout.splitlines()
    if not lines or not lines[-1].startswith('{"status"'):
        return f"ended with status {done.returncode}: {done.stderr[-2000:]}"
    answer = json.loads(lines[-1])
    return json.loads(answer["body"]) if answer["status"] == 200 else answer["body"] + done.stderr


def outcomes(site: Path, policy: str, python: str, only: Iterable[str]) -> list[Outcome]:
    """Build a site with a policy and call all handlers, or those named."""
    expected = json.loads((site / "expected.json").read_text())
    with tempfile.TemporaryDirectory(prefix="routelet-handlers-") as temporary:
        made = built(site, policy, python, Path(temporary, "site"))
        wanted = [one for one in made.functions if not only or one.name in only]
        with ThreadPoolExecutor(2) as executor:
            return list(
                executor.map(
                    lambda one: outcome(one, python, expected, made.out_dir / "functions"), wanted
                )
            )


def main() -> None:
    """Print a table for each site, and the totals."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--site", action="append", default=[])
    parser.add_argument("--policy", action="append", default=[])
    parser.add_argument("--python", default=HOST)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    sites = given.site or sorted(path.parent.name for path in SITES.glob("*/pyproject.toml"))
    policies = given.policy or POLICIES
    failed = False
    totals: dict[str, list[Outcome]] = {policy: [] for policy in policies}
    for site in sites:
        for policy in policies:
            found = outcomes(SITES / site, policy, given.python, given.only)
            totals[policy] += found
            failed |= policy == "reached" and any(one.failure for one in found)
            tell(site, policy, found, verbose=given.verbose)
    for policy, found in totals.items():
        tell("all sites", policy, found, verbose=False)
    sys.exit(failed)


def tell(site: str, policy: str, found: Sequence[Outcome], *, verbose: bool) -> None:
    """Print what became of a site's handlers."""
    passed = sum(not one.failure for one in found)
    total = sum(one.unzipped for one in found)
    large = [one.name for one in found if one.unzipped > LIMIT]
    print(f"{site} {policy}: {passed}/{len(found)} passed, {total / 1e6:,.1f} MB unzipped, "
          f"over 250 MB: {', '.join(large) or 'none'}", flush=True)  # fmt: skip
    for one in found:
        if verbose or one.failure:
            mark = "FAIL" if one.failure else "ok"
            omitted = ", ".join(one.omitted) or "-"
            print(f"  {mark:4} {one.name:24} {one.unzipped / 1e6:8.2f} MB  omitted: {omitted}")
        if verbose:
            print(f"       {' '.join(one.distributions)}")
        if one.failure:
            print("      " + one.failure[-300:].replace("\n", "\n      "))


if __name__ == "__main__":
    main()
