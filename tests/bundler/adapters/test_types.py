"""The types of what the authors of adapters import reach them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import routelet
import routelet_bundler

ROOT = Path(__file__).parents[3]
SOURCES = [str(Path(one.__path__[0]).parent) for one in (routelet_bundler, routelet)]
DOCS = (ROOT / "docs/writing-adapters.md").read_text()
OPTIONS = """
from routelet_bundler.adapter import BuildDone, ConfigSetup, Integration, Table, option_table

class Options(Table):
    max_body: int = 10

class Moon(Integration):
    name = "moon"

    def __init__(self, options: Options) -> None:
        self.options = options

    def config_setup(self, payload: ConfigSetup) -> None:
        payload.inject_route(pattern="/health", entrypoint="health.py")

    def build_done(self, payload: BuildDone) -> None:
        payload.logger.info("%d pages", payload.pagse)

def moon(**options: object) -> Moon:
    return Moon(option_table(Options, options))
"""


def checked(*files: Path) -> str:
    """Return what mypy says where the packages are installed, and no sources that it checks."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", *map(str, files)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(SOURCES)}
    folder = files[0].parent
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    ).stdout


def test_adapters_of_others_are_checked_strictly(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    written = tmp_path / "flyby_adapter.py"
    written.write_text(next(one for one in blocks if "class Flyby" in one))
    example = ROOT / "examples/adapter-flyby/src/routelet_flyby/adapter.py"
    moon = tmp_path / "moon.py"
    moon.write_text(OPTIONS)
    line = 1 + OPTIONS[: OPTIONS.index("pagse")].count("\n")
    told = checked(written, example, moon)
    assert told.startswith(f'moon.py:{line}: error: "BuildDone" has no attribute "pagse"')
    assert "Found 1 error in 1 file (checked 3 source files)" in told
