"""What options give: bytes of eleven functions, and whether each answers as it does without them.

    .venv/bin/python benchmarks/options/run.py

Each set of options is a build; each function is unpacked and called by `python -I -S`, with its own
files alone on the path. Bytes are exact, for the versions that are newest on the day.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from routelet_bundler import build
from routelet_bundler.emulator import Emulator

SITE = Path(__file__).with_name("site")
OPTIONS: Mapping[str, str] = {
    "none": "",
    "strip": "strip = true\n",
    "bytecode only": 'bytecode = "only"\n',
    "recipes": 'recipes = ["botocore", "babel", "django"]\n',
    "audit": 'trace = "audit"\n',
    "all": (
        'strip = true\nbytecode = "only"\nrecipes = ["botocore", "babel", "django"]\n'
        'trace = "audit"\n'
    ),
}
ENVIRONMENT = {
    "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1", "LANG": "en_US.UTF-8",
}  # fmt: skip


def answer_of(dist: Path, function: Mapping[str, Any]) -> str:
    """Return the body that a function answers with, or the end of what it said."""
    route = function["routes"][0]
    event = {
        "version": "2.0", "rawPath": route, "rawQueryString": "", "headers": {},
        "requestContext": {
            "http": {"method": "GET", "path": route, "sourceIp": "192.0.2.1"}, "stage": "$default"
        },
    }  # fmt: skip
    module = function["handler"].rpartition(".")[0].replace("/", ".")
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(dist / function["zip"]) as opened:
            opened.extractall(folder)
        code = (
            f"import sys, json; sys.path.insert(0, {folder!r})\n"
            "from importlib import import_module\n"
            f"print(json.dumps(import_module({module!r}).handler({event!r}, None)))\n"
        )
        command = [sys.executable, "-I", "-S", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    lines = done.stdout.splitlines()
    return str(json.loads(lines[-1])["body"]) if lines else done.stderr[-300:]


def built(site: Path, options: str) -> tuple[dict[str, int], dict[str, str]]:
    """Return bytes of zips and answers, by function."""
    text = (SITE / "pyproject.toml").read_text()
    (site / "pyproject.toml").write_text(text + options)
    build(site)
    functions = json.loads((site / "dist/routelet.json").read_text())["functions"]
    sizes = {one["name"]: one["zippedBytes"] for one in functions}
    return sizes, {one["name"]: answer_of(site / "dist", one) for one in functions}


def main() -> int:
    """Build with each set of options, and print a row for each function."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        shutil.copytree(SITE, site, ignore=shutil.ignore_patterns("dist", "__pycache__"))
        results = {}
        for name, options in OPTIONS.items():
            results[name] = built(site, options)
            if name == "none":
                with Emulator(site / "dist", record=site, log=lambda _: None) as emulator:
                    for function in results[name][0]:
                        emulator.get(f"/{function}")
    names = results["none"][0]
    print("function  ", *(f"{option:>14}" for option in OPTIONS))
    for name in names:
        print(f"{name:10}", *(f"{results[option][0][name]:14,}" for option in OPTIONS))
    other = [
        f"{name} with {option}: {results[option][1][name]}"
        for option in OPTIONS
        for name in names
        if results[option][1][name] != results["none"][1][name]
    ]
    print(*(other or ["all answers are equal"]), sep="\n")
    return bool(other)


if __name__ == "__main__":
    sys.exit(main())
