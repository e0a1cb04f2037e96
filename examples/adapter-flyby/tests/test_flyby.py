"""The adapter, tried as a site uses it: built, unpacked, and called as flyby calls it.

    pip install -e . --group dev && pytest
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from routelet_bundler import Build, RouteletError, build

PYPROJECT = """\
[project]
name = "site"
version = "1"

[tool.routelet]
output = "server"
adapter = "flyby"
"""
PAGES = {
    "[id=int].py": (
        "async def GET(ctx, id: int):\n"
        "    ctx.cookies.set('seen', str(id))\n"
        "    return {'id': id, 'from': ctx.client_address, 'url': str(ctx.url)}\n"
    ),
    "about.md": "---\nprerender: true\n---\n# About\n",
}
CALL = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from importlib import import_module
serve = import_module(sys.argv[2]).serve
for request in json.loads(sys.argv[3]):
    answer = serve({**request, "body": request["body"].encode()})
    print(json.dumps({**answer, "body": answer["body"].decode()}))
"""
REQUEST = {
    "method": "GET",
    "scheme": "https",
    "host": "example.com",
    "port": None,
    "path": "/7",
    "query": "a=1",
    "headers": [],
    "body": "",
    "client": "192.0.2.1",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    (root / "src/pages").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    for name, text in PAGES.items():
        (root / "src/pages" / name).write_text(text)
    return root


@pytest.fixture(scope="module")
def built(site: Path) -> Build:
    return build(site)


@pytest.fixture(scope="module")
def unpacked(built: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    [function] = built.functions
    with zipfile.ZipFile(built.out_dir / f"functions/{function.name}.zip") as zipped:
        zipped.extractall(folder)
    return folder


def served(unpacked: Path, *requests: dict) -> list[dict]:
    """Call `serve` in a Python that has what is in the zip, and nothing that is installed."""
    command = [sys.executable, "-I", "-S", "-c", CALL, unpacked, "pages.entry__id_int_"]
    told = json.dumps([REQUEST | one for one in requests])
    done = subprocess.run([*command, told], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_request_is_answered_from_the_zip_alone(unpacked: Path) -> None:
    [answer] = served(unpacked, {})
    assert (answer["status"], answer["route"]) == (200, "/[id=int]")
    assert json.loads(answer["body"]) == {
        "id": 7,
        "from": "192.0.2.1",
        "url": "https://example.com/7?a=1",
    }
    headers = dict(answer["headers"])
    assert headers["content-type"] == "application/json"
    assert headers["set-cookie"].startswith("seen=7")


def test_what_no_route_answers_gets_404_and_what_is_broken_400(unpacked: Path) -> None:
    answers = served(unpacked, {"path": "/seven"}, {"path": "/%zz"}, {"path": "/about"}, {})
    assert [(one["status"], one["route"]) for one in answers] == [
        (404, None), (400, None), (404, None), (200, "/[id=int]"),
    ]  # fmt: skip


def test_flyby_json_names_the_entry_of_each_route_and_the_files(built: Build) -> None:
    told = json.loads((built.out_dir / "flyby.json").read_text())
    assert told["files"] == ["about/index.html"]
    [route] = told["routes"]
    assert (route["route"], route["entry"]) == ("/[id=int]", "pages/entry__id_int_.py")
    assert (built.out_dir / route["entry"]).is_file()


def test_a_function_has_the_server_and_nothing_that_builds(unpacked: Path) -> None:
    names = {path.stem for path in (unpacked / "routelet_flyby").rglob("*.py*")}
    assert {name.partition(".")[0] for name in names} == {"__init__", "server"}


def test_features_that_are_not_stable_are_warned_of(built: Build) -> None:
    told = " ".join(built.warnings)
    assert "flyby supports hybrid_output experimentally" in told
    assert "flyby has deprecated its support for static_output" in told


def test_an_unknown_option_is_told_with_its_line(site: Path, tmp_path: Path) -> None:
    (tmp_path / "src/pages").mkdir(parents=True)
    options = "[tool.routelet.adapters.flyby]\nprot = 1\n"
    (tmp_path / "pyproject.toml").write_text(PYPROJECT + options)
    with pytest.raises(RouteletError) as raised:
        build(tmp_path)
    assert (raised.value.where, raised.value.mend) == (
        "pyproject.toml:9",
        'did you mean "port"?',
    )
