"""Wheels made here, and an environment of its own that runs routelet as it is in this tree."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

ADAPTER = {"routelet.adapters": {"flyby": "flyby_adapter:flyby"}}
MODULE = """\
from routelet_bundler.adapter import Integration


class Flyby(Integration):
    name = "flyby"


def flyby():
    return Flyby()
"""


def write_wheel(
    folder: Path,
    name: str = "routelet-flyby",
    *,
    version: str = "1.2.0",
    points: Mapping[str, Mapping[str, str]] = ADAPTER,
    module: str = MODULE,
    requires: tuple[str, ...] = (),
) -> Path:
    """Write a wheel with one module, as the binary distribution format has it."""
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    groups = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in members.items())
        for group, members in points.items()
    )
    required = "".join(f"Requires-Dist: {one}\n" for one in requires)
    info = f"{stem}.dist-info"
    files = {
        f"{name.removeprefix('routelet-').replace('-', '_')}_adapter.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": groups,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
        record = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
        wheel.writestr(f"{info}/RECORD", record)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment whose Python runs routelet; packages are found in `index` alone."""

    python: Path
    index: Path

    @property
    def variables(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key != "GITHUB_ACTIONS"}
        return {**kept, "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(self.index), "UV_OFFLINE": "1"}

    def command(self, *arguments: str | Path) -> list[str]:
        code = "from routelet_bundler.cli import main; main(prog_name='routelet')"
        return [str(self.python), "-P", "-c", code, *map(str, arguments)]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            check=False,
            env=self.variables,
            stdin=subprocess.DEVNULL,
        )

    def installed(self) -> set[str]:
        """Return the distributions in the environment itself."""
        [folder] = self.python.parents[1].glob("lib/python*/site-packages")
        return {path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info")}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Return a new environment; what it runs is found on the path of these tests."""
    folder = tmp_path / "environment"
    create = [find_uv_bin(), "venv", "--quiet", "--offline", "--python", sys.executable]
    subprocess.run([*create, folder], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "tests.pth").write_text("\n".join(path for path in sys.path if Path(path).is_dir()))
    (tmp_path / "index").mkdir()
    return Environment(python=folder / "bin/python", index=tmp_path / "index")


Wheel = Callable[..., Path]


@pytest.fixture
def write(environment: Environment) -> Wheel:
    """Return a function that puts a wheel into the index."""

    def put(*arguments: str, **options: object) -> Path:
        return write_wheel(environment.index, *arguments, **options)  # type: ignore[arg-type]

    return put
