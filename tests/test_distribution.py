"""What is installed: three packages, and templates that load from a wheel and in place."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from routelet_bundler.generated import read_template

ROOT = Path(__file__).parents[1]
PACKAGES = {"routelet", "routelet_bundler", "routelet_templates"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build sdist, and from it the wheel, as a package index would get them."""
    out = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def test_the_wheel_installs_the_three_packages_and_nothing_else(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    info = {name for name in tops if name.endswith(".dist-info")}
    assert tops - info == PACKAGES
    assert len(info) == 1
    assert {"routelet/py.typed", "routelet_bundler/py.typed"} <= set(names)


def test_the_sdist_has_what_the_wheel_is_built_from(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "runtime/routelet/app.py"} <= names
    assert not any(name.startswith((".venv", "node_modules", "infra")) for name in names)


def test_templates_load_in_place() -> None:
    assert "create_exports" in read_template("function/entry.py.jinja")


def test_templates_and_the_command_work_from_the_wheel(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    environment = tmp_path / "venv"
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin/python"
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", python, built[0]]
    subprocess.run(install, check=True)
    code = (
        "from routelet_bundler.generated import read_template\n"
        "print('MANIFEST' in read_template('function/entry.py.jinja'))"
    )
    run = subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "True\n"
    routelet = [str(environment / "bin/routelet"), "--version"]
    said = subprocess.run(routelet, check=True, capture_output=True, text=True)
    assert said.stdout.startswith("routelet, version ")
