"""The sites that are built: the same functions laid out for each tool, and many small endpoints.

Function i imports nothing, requests, pydantic, jinja2 or boto3 in turn, and one of five local
modules. All tools get the same versions, from one lock; boto3 is left to Lambda's runtime.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
KINDS = ("", "requests", "pydantic", "jinja2", "boto3")
PROVIDED = "boto3"
_FUNCTION_MODULES, _ENDPOINT_MODULES = 5, 20

_PROJECT = f"""\
[project]
name = "site"
version = "1"
requires-python = ">={PYTHON}"
dependencies = %s
[tool.routelet]
output = "server"
adapter = "aws-lambda"
[tool.routelet.adapters.aws-lambda]
runtime = "python{PYTHON}"
"""
_CHALICE_ROUTE = """

@app.route("/f{number}")
def f{number}():
    return {{"n": m{module}.shared({number})}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """One resolution: the lock of uv, and the requirements of each kind of function."""

    lock: str
    requirements: Mapping[str, str]


def pinned(folder: Path) -> Pins:
    """Resolve what the functions import, once; `folder` is fresh."""
    folder.mkdir()
    groups = "".join(f'{name} = ["{name}"]\n' for name in KINDS if name)
    project = _PROJECT % list(filter(None, KINDS)) + f"[dependency-groups]\n{groups}"
    (folder / "pyproject.toml").write_text(project)
    _uv(folder, "lock")
    export = ("export", "--frozen", "--no-hashes", "--no-header", "--no-annotate")
    requirements = {
        name: "" if name in {"", PROVIDED} else _uv(folder, *export, "--only-group", name)
        for name in KINDS
    }
    return Pins(lock=(folder / "uv.lock").read_text(), requirements=requirements)


def _uv(folder: Path, *arguments: str) -> str:
    command = [find_uv_bin(), *arguments, "--quiet"]
    return subprocess.run(
        command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE
    ).stdout  # fmt: skip


def edit(source: Path, number: int) -> None:
    """Change one line; each number makes a text that was not there before."""
    text = source.read_text()
    before = next(line for line in text.splitlines() if "EDIT = " in line)
    after = f"{before.partition(' = ')[0]} = {number}"
    source.write_text(text.replace(before, after))


def write_routelet(root: Path, count: int, pins: Pins, options: str = "") -> None:
    """Write `count` endpoints; `options` are lines of the adapter's table."""
    _write_pages(root, count, KINDS, _FUNCTION_MODULES)
    (root / "pyproject.toml").write_text(_PROJECT % list(filter(None, KINDS)) + options)
    (root / "uv.lock").write_text(pins.lock)


def write_endpoints(root: Path, count: int) -> None:
    """Write `count` endpoints over twenty shared modules; they need no distribution."""
    _write_pages(root, count, [""], _ENDPOINT_MODULES)
    (root / "pyproject.toml").write_text(_PROJECT % [])


def _write_pages(root: Path, count: int, kinds: Sequence[str], modules: int) -> None:
    pages = root / "src/pages"
    pages.mkdir(parents=True)
    for number in range(count):
        _write_shared(root / "src/lib", number % modules)
        (pages / f"f{number}.py").write_text(
            f"{_imports(kinds[number % len(kinds)], number % modules)}EDIT = 0\n\n\n"
            f'def GET(ctx):\n    return {{"n": shared({number})}}\n'
        )


def _imports(kind: str, module: int) -> str:
    first = f"import {kind}\n" if kind else ""
    return f"{first}from lib.m{module} import shared\n\n"


def _write_shared(folder: Path, module: int) -> None:
    folder.mkdir(exist_ok=True)
    text = f"def shared(number):\n    return number + {module}\n"
    (folder / f"m{module}.py").write_text(text)


def write_folders(root: Path, count: int, pins: Pins) -> None:
    """Write a folder for each function, with its requirements and its copy of a shared module."""
    for number in range(count):
        kind, module = KINDS[number % len(KINDS)], number % _FUNCTION_MODULES
        folder = root / f"functions/f{number}"
        folder.mkdir(parents=True)
        _write_shared(folder / "lib", module)
        (folder / "requirements.txt").write_text(pins.requirements[kind])
        (folder / "app.py").write_text(
            f"import json\n{_imports(kind, module)}EDIT = 0\n\n\n"
            "def handler(event, context):\n"
            f'    return {{"statusCode": 200, "body": json.dumps({{"n": shared({number})}})}}\n'
        )


def write_sam(root: Path, count: int, pins: Pins, build_method: str = "") -> None:
    """Write the folders and a SAM template; `build_method` is the `BuildMethod` of each."""
    write_folders(root, count, pins)
    resources = "".join(_sam_function(number, build_method) for number in range(count))
    head = "Transform: AWS::Serverless-2016-10-31\nResources:\n"
    (root / "template.yaml").write_text(head + resources)


def _sam_function(number: int, build_method: str) -> str:
    metadata = f"    Metadata: {{BuildMethod: {build_method}}}\n" if build_method else ""
    return (
        f"  F{number}:\n    Type: AWS::Serverless::Function\n{metadata}"
        f"    Properties: {{CodeUri: functions/f{number}, Handler: app.handler, "
        f"Runtime: python{PYTHON}, Architectures: [x86_64]}}\n"
    )


def write_chalice(root: Path, count: int, pins: Pins) -> None:
    """Write one app with a route for each function: Chalice makes one zip of it."""
    (root / ".chalice").mkdir(parents=True)
    (root / ".chalice/config.json").write_text(
        '{"version": "2.0", "app_name": "site", "stages": {"dev": {"api_gateway_stage": "api"}}}'
    )
    lines = {line for text in pins.requirements.values() for line in text.splitlines()}
    (root / "requirements.txt").write_text("\n".join(sorted(lines)) + "\n")
    modules = range(min(count, _FUNCTION_MODULES))
    for module in modules:
        _write_shared(root / "chalicelib", module)
    imports = "".join(f"import {kind}\n" for kind in KINDS if kind)
    shared = ", ".join(f"m{module}" for module in modules)
    routes = "".join(
        _CHALICE_ROUTE.format(number=number, module=number % _FUNCTION_MODULES)
        for number in range(count)
    )
    (root / "app.py").write_text(
        f"{imports}from chalice import Chalice\nfrom chalicelib import {shared}\n\n"
        f'EDIT = 0\napp = Chalice(app_name="site")\n{routes}'
    )


def write_astro(root: Path, count: int) -> None:
    """Write the endpoints of `write_endpoints` for Astro, one Vercel function each."""
    pages, lib = root / "src/pages", root / "src/lib"
    pages.mkdir(parents=True)
    lib.mkdir()
    (root / "package.json").write_text('{"name": "site", "type": "module"}\n')
    (root / "astro.config.mjs").write_text(
        'import vercel from "@astrojs/vercel/serverless";\n'
        "const adapter = vercel({ functionPerRoute: true });\n"
        'export default { output: "server", adapter };\n'
    )
    for module in range(_ENDPOINT_MODULES):
        (lib / f"m{module}.js").write_text(f"export const shared = (n) => n + {module};\n")
    for number in range(count):
        (pages / f"f{number}.js").write_text(
            f'import {{ shared }} from "../lib/m{number % _ENDPOINT_MODULES}.js";\n'
            "const EDIT = 0\n"
            f"export const GET = () => Response.json({{ n: shared({number}), EDIT }});\n"
        )
