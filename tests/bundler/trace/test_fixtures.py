"""A folder for each rule of tracing local code: an input tree, and exactly what is reached.

`expected.json` has `files` with the reason of each, and where there are any `distributions`,
`warnings` and `errors`. `installed` are distributions of one module each; `python` is the target's.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST, Target, Traced

Trace = Callable[..., Traced]
Installed = Any

CASES = Path(__file__).parents[2] / "fixtures" / "trace"
EXPECTED = "expected.json"


def result_of(trace: Trace, files: dict[str, bytes], target: Target) -> dict[str, Any]:
    try:
        traced = trace(files, target=target)
    except RouteletError as error:
        return {"errors": [f"{one.where}: {one.what}" for one in (error, *error.others)]}
    distributions = {one.name: str(reason) for one, reason in traced.distributions}
    return {
        "files": {file.archive: str(file.reason) for file in traced.files},
        **({"distributions": distributions} if distributions else {}),
        **({"warnings": list(traced.warnings)} if traced.warnings else {}),
    }


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_case(name: str, trace: Trace, installed: Installed, target: Target) -> None:
    folder = CASES / name
    expected = json.loads((folder / EXPECTED).read_text())
    for library in expected.pop("installed", ()):
        installed.add(library, {f"{library}/__init__.py": ""})
    python = expected.pop("python", HOST)
    if python > HOST and not find_interpreter(python):
        pytest.skip(f"no Python {python} on this machine")
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != EXPECTED]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    assert result_of(trace, files, replace(target, python=python)) == expected
