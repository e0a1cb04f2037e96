"""Handlers with popular libraries, called from their unpacked zips in a clean room.

The small ones of tests/fixtures/handlers; benchmarks/handlers/run.py calls all of them.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from routelet_bundler import Build, build
from routelet_bundler.model import HOST
from routelet_bundler.trace.install import runtime_packages

SITES = Path(__file__).parents[2] / "fixtures" / "handlers"
EXPECTED: Mapping[str, object] = json.loads((SITES / "tools" / "expected.json").read_text())

PROJECT = """
[project]
name = "site"
version = "1"
dependencies = ["beautifulsoup4", "lxml"]

[tool.routelet]
output = "server"
adapter = "aws-lambda"

[tool.routelet.adapters.aws-lambda]
dependencies = "declared"
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return a build of the site `tools` for the Python that runs the tests."""
    root = tmp_path_factory.mktemp("handlers") / "site"
    shutil.copytree(SITES / "tools", root)
    project = root / "pyproject.toml"
    project.write_text(project.read_text().replace("python3.11", f"python{HOST}"))
    return build(root)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_handler_answers_from_its_zip_alone(tools: Build, name: str, tmp_path: Path) -> None:
    (one,) = (one for one in tools.functions if one.routes == (f"/{name}",))
    with zipfile.ZipFile(tools.out_dir / "functions" / f"{one.name}.zip") as opened:
        opened.extractall(tmp_path)
    folders = [tmp_path, *([runtime_packages(HOST)] if one.function.traced.provided else [])]
    command = [sys.executable, "-I", "-S", "-B", str(SITES / "clean_room.py"),
               one.function.handler, one.routes[0], *map(str, folders)]  # fmt: skip
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=keys)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["status"], json.loads(answer["body"])) == (200, EXPECTED[name])


def test_only_what_is_needed_is_packed(tools: Build) -> None:
    packed = {
        one.routes[0]: {each.name for each, _ in one.function.traced.distributions}
        for one in tools.functions
    }
    assert packed["/articles"] == {"markdown", "pygments"}
    assert packed["/plain"] == {"pyyaml"}
    assert packed["/times"] == {"tzdata"}
    assert packed["/bucket"] == {"tabulate"}
    assert "pyyaml" in packed["/settings"]


def test_what_is_left_out_is_told_at_run_time_and_in_the_manifest(
    write_site: Callable[..., Path], tmp_path: Path
) -> None:
    root = write_site(
        {
            "src/pages/a.py": "import bs4\n\ndef GET(ctx):\n    import bs4.builder._lxml\n",
            "src/pages/b.py": "import lxml\n\ndef GET(ctx):\n    pass\n",
        },
        pyproject=PROJECT,
    )
    built = build(root)
    manifest = json.loads((built.out_dir / "routelet.json").read_text())
    omitted = {one["name"]: one["omitted"] for one in manifest["functions"]}
    (told,) = omitted["a"]
    assert (told["name"], omitted["b"]) == ("lxml", [])
    assert told["parent"].startswith("bs4/")
    with zipfile.ZipFile(built.out_dir / "functions" / "a.zip") as opened:
        opened.extractall(tmp_path / "a")
    command = [sys.executable, "-I", "-S", "-B", str(SITES / "clean_room.py"),
               "pages/entry_a.handler", "/a", str(tmp_path / "a")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["status"] == 500
    assert "lxml was left out of this function" in done.stderr
    with zipfile.ZipFile(built.out_dir / "functions" / "b.zip") as opened:
        assert "routelet/omitted.py" not in opened.namelist()
