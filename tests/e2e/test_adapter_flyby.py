"""examples/adapter-flyby, from its wheel to an answer over HTTP, where pip made the environment."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLYBY = ROOT / "examples/adapter-flyby"
PYPROJECT = """\
[project]
name = "site"
version = "1"
dependencies = []

# what routelet does with it
[tool.routelet]
output = "server" # every route is a function
"""
PAGES = {
    "index.py": "def GET(ctx):\n    return 'home'\n",
    "posts/[id=int].py": (
        "async def GET(ctx, id: int):\n    return {'id': id, 'q': ctx.url.search_params.get('q')}\n"
        "def POST(ctx, id: int):\n    return ctx.request.json()\n"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site, and an environment with routelet and nothing of this tree on its path."""

    site: Path
    bin: Path
    wheel: Path

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = (self.bin / command[0], *command[1:])
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=kept, cwd=self.site
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("flyby")
    for source in (ROOT, FLYBY):
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
        subprocess.run([*command, folder, source], check=True, capture_output=True)
    [ours], [wheel] = folder.glob("routelet-*.whl"), folder.glob("routelet_flyby-*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = (environment / "bin/python", "-m", "pip", "install", "--quiet")
    subprocess.run([*pip, ours, "pytest"], check=True)
    site = folder / "site"
    for name, text in PAGES.items():
        page = site / "src/pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)
    (site / "pyproject.toml").write_text(PYPROJECT)
    (site / "requirements.txt").write_text("")
    return Place(site=site, bin=environment / "bin", wheel=wheel)


@pytest.fixture(scope="module")
def added(place: Place) -> str:
    """Add the adapter as its reader would, and return what was said."""
    relative = os.path.relpath(place.wheel, place.site)
    return place.run("routelet", "add", relative, "--yes").stderr


@pytest.fixture(scope="module")
def dist(place: Place, added: str) -> Path:
    assert added
    place.run("routelet", "build")
    return place.site / "dist"


def test_the_wheel_is_added_to_a_site(place: Place, added: str) -> None:
    assert "routelet-flyby 1.0.0: the adapter flyby" in added
    text = (place.site / "pyproject.toml").read_text()
    assert text == f'{PYPROJECT}adapter = "flyby"\n'
    again = place.run("routelet", "add", "flyby")
    assert "flyby: in pyproject.toml already" in again.stderr


@contextmanager
def running(command: list[str | Path], path: Path) -> Iterator[str]:
    """Give the address of an entry that is run as a script."""
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(path), "PORT": "0"}
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def asked(url: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_an_entry_from_its_zip_alone_serves_over_http(dist: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(dist / "functions/posts__id_int_.zip") as zipped:
        zipped.extractall(tmp_path)
    entry = tmp_path / "pages/posts/entry__id_int_.py"
    with running([sys.executable, "-S", entry], tmp_path) as url:
        assert asked(f"{url}/posts/7?q=a%20b") == (200, '{"id":7,"q":"a b"}')
        assert asked(f"{url}/posts/seven")[0] == 404
        typed = {"content-type": "application/json"}
        assert asked(f"{url}/posts/7", b'{"a": [1]}', **typed) == (200, '{"a":[1]}')
        assert asked(f"{url}/posts/7", b"a=1", origin="https://evil.example")[0] == 403


def test_an_entry_in_place_serves_over_http(place: Place, dist: Path) -> None:
    routes = json.loads((dist / "flyby.json").read_text())["routes"]
    entries = {one["route"]: dist / one["entry"] for one in routes}
    with running([place.bin / "python", entries["/"]], place.site / "src") as url:
        assert asked(f"{url}/") == (200, "home")


def test_its_own_tests_pass_against_the_installed_wheel(place: Place, added: str) -> None:
    assert added
    place.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", FLYBY)
