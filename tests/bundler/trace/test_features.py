"""The feature matrix of the project's research: what each form of import reaches."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST, Target, Traced

Trace = Callable[..., Traced]
Installed = Any

CASES = Path(__file__).parents[4] / "shared/cases/trace-features.json"
if not CASES.is_file():
    pytest.skip("../shared/cases is not beside this checkout", allow_module_level=True)
FEATURES = json.loads(CASES.read_text())
LIBRARIES = ("jinja2", "lazy_loader")
"""Third-party modules that the cases import; nothing of them is looked into."""
NEWER_SYNTAX = "26 PEP 695/701 syntax (3.12+)"


def python_for(name: str) -> str:
    """Return the target's Python: the syntax of 3.12 needs one that has it."""
    if name != NEWER_SYNTAX or sys.version_info >= (3, 12):
        return HOST
    found = next((minor for minor in ("3.12", "3.13", "3.14") if find_interpreter(minor)), None)
    return found or pytest.skip("no Python 3.12 or newer on this machine")


@pytest.mark.parametrize("name", FEATURES)
def test_feature(name: str, trace: Trace, installed: Installed, target: Target) -> None:
    case = FEATURES[name]
    for library in LIBRARIES:
        installed.add(library, {f"{library}/__init__.py": ""})
    traced = trace(case["files"], target=replace(target, python=python_for(name)))
    reached = {file.archive for file in traced.files}
    assert reached >= {"main.py", *case["must"], *case["data"]}
    assert not reached & set(case["mustnot"])
    assert all(str(file.reason) for file in traced.files)
