"""The example sites: build times, zip sizes by function, and of all in one."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cost import Cost, cost_of
from tools import ROUTELET

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = """\
| example | build | wall s | CPU s |
| :--- | :--- | ---: | ---: |"""
SIZES_HEAD = """\
| routes of a function of `examples/api` | zip bytes |
| :--- | ---: |"""


def rows() -> Iterator[str]:
    """Yield the rows of both tables."""
    with tempfile.TemporaryDirectory(prefix="examples-") as temporary:
        folder = Path(temporary)
        yield HEAD
        for name in ("blog", "api"):
            root = copy(name, folder / name)
            for kind in ("clean", "no-op"):
                cost = _built(root)
                yield f"| {name} | {kind} | {cost.wall_s:.2f} | {cost.cpu_s:.2f} |"
        single = copy("api", folder / "single")
        with (single / "pyproject.toml").open("a") as pyproject:
            pyproject.write("\nfunction-per-route = false\n")
        _built(single)
        yield from ("", SIZES_HEAD, *_sizes(folder / "api"))
        (all_in_one,) = _sizes(single)
        yield f"| all in one function |{all_in_one.rpartition(' |')[0].rpartition('|')[2]} |"


def copy(name: str, root: Path) -> Path:
    """Copy an example, without a build of it."""
    return shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns("dist"))


def _built(root: Path) -> Cost:
    environment = {"ROUTELET_CACHE": str(root / ".cache"), "PYTHONDONTWRITEBYTECODE": ""}
    return cost_of(ROUTELET, root, environment)


def _sizes(root: Path) -> list[str]:
    functions = json.loads((root / "dist/routelet.json").read_text())["functions"]
    return [f"| {', '.join(one['routes'])} | {one['zippedBytes']:,} |" for one in functions]
