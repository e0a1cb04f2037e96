"""What functions open under the emulator, written into the site's recording."""

import json
import zipfile
from pathlib import Path
from typing import Any

from routelet_bundler.emulator import Emulator
from routelet_bundler.trace.audit import RECORDING

ENTRY = """\
import os
from pathlib import Path
import pkg.opened
HERE = Path(__file__).parent

def handler(event, context):
    found = [os.path.exists(HERE / 'pkg/asked.txt'), (HERE / 'pkg/read.txt').read_text()]
    if event.get('rawPath') == '/late':
        import pkg.late
    return {'statusCode': 200, 'body': str(found)}
"""
FILES = ("__init__.py", "opened.py", "late.py", "never.py", "asked.txt", "read.txt", "left.txt")


def recorded(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / RECORDING).read_text())
    return found


def run(dist: Path, root: Path, path: str) -> None:
    with Emulator(dist, record=root, log=lambda _: None) as emulator:
        assert emulator.get(path).text == "[True, '']"


def write(dist: Any, version: str) -> Path:
    dist.function("a", ENTRY, distributions=[{"name": "pkg", "version": version, "bytes": 1}])
    dist.route("/a", "a")
    dist.route("/late", "a")
    with zipfile.ZipFile(dist.path / "functions/a.zip", "a") as opened:
        for name in FILES:
            opened.writestr(f"pkg/{name}", "")
    written: Path = dist.write()
    return written


def test_what_is_opened_imported_or_asked_for_is_added_run_by_run(
    dist: Any, tmp_path: Path
) -> None:
    built = write(dist, "1.0")
    run(built, tmp_path, "/a")
    first = {"entry.py", "pkg/__init__.py", "pkg/opened.py", "pkg/asked.txt", "pkg/read.txt"}
    assert set(recorded(tmp_path)["files"]) == first
    assert recorded(tmp_path)["distributions"] == {"pkg": "1.0"}
    run(built, tmp_path, "/late")
    assert set(recorded(tmp_path)["files"]) == first | {"pkg/late.py"}
    run(built, tmp_path, "/a")
    assert set(recorded(tmp_path)["files"]) == first | {"pkg/late.py"}


def test_a_recording_of_another_version_is_begun_anew(dist: Any, tmp_path: Path) -> None:
    built = write(dist, "1.0")
    old = {"schemaVersion": 1, "distributions": {"pkg": "0.9"}, "files": ["pkg/gone.py"]}
    (tmp_path / RECORDING).write_text(json.dumps(old))
    run(built, tmp_path, "/a")
    assert "pkg/gone.py" not in recorded(tmp_path)["files"]
    assert recorded(tmp_path)["distributions"] == {"pkg": "1.0"}


def test_without_record_nothing_is_written(dist: Any, tmp_path: Path) -> None:
    with Emulator(write(dist, "1.0"), log=lambda _: None) as emulator:
        assert emulator.get("/a").status == 200
    assert not (tmp_path / RECORDING).exists()
