"""Pythons are found, said to be what they are, and run apart from everything installed."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.interpreters import (
    _found,
    exact_version,
    find_interpreter,
    run_isolated,
    standard_library,
)
from routelet_bundler.model import HOST

HERE = [one for one in ("3.10", "3.11", "3.12", "3.13", "3.14") if find_interpreter(one)]
FAKE = "3.98"
"""A minor version that no machine has."""


def find(minor: str) -> Path | None:
    """Look again: what was found is kept, and these tests move things."""
    _found.cache_clear()
    return find_interpreter(minor)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder of PATH; pyenv's is `pyenv` beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return folder


def fake(file: Path, says: str, status: int = 0) -> Path:
    """Write an interpreter that says `says` whatever it is asked."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    file.chmod(0o755)
    return file


def test_the_running_python_is_the_one_of_its_version() -> None:
    assert find_interpreter(HOST) == Path(sys.executable)


@pytest.mark.parametrize("minor", HERE)
def test_what_is_found_has_the_version_that_was_asked_for(minor: str) -> None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    command = [str(find_interpreter(minor)), "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == minor


@pytest.mark.parametrize("minor", HERE)
def test_the_exact_version_is_told_of_what_is_found(minor: str) -> None:
    command = [str(find_interpreter(minor)), "-c", "import sys; print(sys.version.split()[0])"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert exact_version(minor) == done.stdout.strip()
    assert exact_version(FAKE) == ""


def test_a_python_on_path_is_found(path: Path) -> None:
    fake(path / f"python{FAKE}", f"{FAKE} {FAKE}.1 /opt/python{FAKE}")
    assert find(FAKE) == Path(f"/opt/python{FAKE}")


def test_a_python_of_pyenv_is_found_where_its_shim_fails(path: Path, tmp_path: Path) -> None:
    fake(path / f"python{FAKE}", "pyenv: no version is set", 127)
    fake(tmp_path / f"pyenv/versions/{FAKE}.1/bin/python{FAKE}", f"{FAKE} {FAKE}.1 /opt/from-pyenv")
    assert find(FAKE) == Path("/opt/from-pyenv")


@pytest.mark.parametrize(
    ("says", "status"),
    [("3.11 3.11.1 /opt/python3.11", 0), (f"{FAKE} {FAKE}.1 /opt/python", 1), ("", 0)],
)
def test_one_that_is_not_what_it_is_called_is_left(path: Path, says: str, status: int) -> None:
    fake(path / f"python{FAKE}", says, status)
    assert find(FAKE) is None


def test_one_that_cannot_be_started_is_left(path: Path) -> None:
    (path / f"python{FAKE}").write_bytes(b"\x7fELF of another machine")
    (path / f"python{FAKE}").chmod(0o755)
    assert find(FAKE) is None


@pytest.mark.parametrize(
    "older",
    [
        "8",
        "9",
    ],
)
def test_of_pyenv_s_patches_the_newest_is_taken(path: Path, tmp_path: Path, older: str) -> None:
    assert path.is_dir()
    newer = "9" if older == "8" else "10"
    for patch in (older, newer):
        file = tmp_path / f"pyenv/versions/{FAKE}.{patch}/bin/python{FAKE}"
        fake(file, f"{FAKE} {FAKE}.1 /opt/{FAKE}.{patch}")
    assert find(FAKE) == Path(f"/opt/{FAKE}.{newer}")


def test_a_version_is_not_the_beginning_of_another(path: Path, tmp_path: Path) -> None:
    assert path.is_dir()
    fake(tmp_path / f"pyenv/versions/{FAKE}1.0/bin/python{FAKE}", f"{FAKE} {FAKE}.1 /opt/{FAKE}1")
    assert find(FAKE) is None


def test_a_path_with_spaces_is_whole(path: Path) -> None:
    fake(path / f"python{FAKE}", f"{FAKE} {FAKE}.1 /opt/my pythons/python")
    assert find(FAKE) == Path("/opt/my pythons/python")


@pytest.mark.parametrize("minor", HERE)
def test_the_standard_library_is_that_of_the_version(minor: str) -> None:
    names = standard_library(minor)
    assert {"sys", "json", "_thread", "this"} <= names
    assert names.isdisjoint({"pytest", "routelet", "json.decoder", "__main__"})
    number = int(minor.partition(".")[2])
    assert ("distutils" in names) == (number < 12)  # PEP 632
    assert ("telnetlib" in names) == (number < 13)  # PEP 594
    assert ("tomllib" in names) == (number >= 11)  # PEP 680
    assert ("annotationlib" in names) == (number >= 14)  # PEP 749


def test_of_a_python_that_is_not_here_what_is_known_is_taken() -> None:
    assert standard_library("3.99") == standard_library(HOST) | {"annotationlib", "compression"}


TELL = """\
import json, os, sys
print(json.dumps({
    "path": sys.path, "environment": dict(os.environ), "cwd": os.getcwd(),
    "input": sys.stdin.read(), "modules": sorted(sys.modules), "user": sys.flags.no_user_site,
}))
"""


def told(
    tmp_path: Path,
    minor: str = HOST,
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> dict[str, Any]:
    script = tmp_path / "scripts/tell.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(TELL)
    interpreter = find_interpreter(minor)
    assert interpreter
    sent = "gr\u00fc\u00df".encode()
    done = run_isolated(interpreter, script, sent, environment=environment, cwd=cwd)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("minor", HERE)
def test_a_script_runs_apart_from_everything_installed(
    minor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("SECRET", "1")
    monkeypatch.chdir(tmp_path)
    seen = told(tmp_path, minor)
    assert not any("site-packages" in one or str(tmp_path) in one for one in seen["path"])
    assert "site" not in seen["modules"]
    assert seen["user"] == 1
    assert seen["environment"].keys() <= {"PATH", "LANG", "LC_CTYPE"}


def test_a_script_gets_the_input_variables_and_folder_that_it_is_given(tmp_path: Path) -> None:
    seen = told(tmp_path, environment={"MODE": "x", "LANG": "sv_SE.UTF-8"}, cwd=tmp_path)
    assert seen["input"] == "gr\u00fc\u00df"
    assert (seen["environment"]["MODE"], seen["environment"]["LANG"]) == ("x", "sv_SE.UTF-8")
    assert seen["cwd"] == str(tmp_path)


def test_variables_for_python_change_nothing(tmp_path: Path) -> None:
    seen = told(tmp_path, environment={"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere"})
    assert str(tmp_path) not in seen["path"]


def test_a_script_that_fails_raises_nothing_and_is_told_by_its_status(tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text("import sys\nprint('out')\nsys.exit('no')\n")
    done = run_isolated(Path(sys.executable), script, b"")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"out\n", b"no\n")


def test_a_script_leaves_no_bytecode(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x = 1\n")
    script = tmp_path / "import.py"
    script.write_text("import sys\nsys.path.insert(0, sys.stdin.read())\nimport m\n")
    done = run_isolated(Path(sys.executable), script, str(tmp_path).encode())
    assert done.returncode == 0, done.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == ["import.py", "m.py"]
