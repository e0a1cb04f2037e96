"""The adapter, tried as a site uses it: built, unpacked, and called as flyby calls it.

    pip install -e . --group dev && pytest
"""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from routelet import URL, Request
from routelet.signing import KEY_VARIABLE, Claims, sign
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
        "    told = dict(ctx.locals), 'x-routelet-locals' in ctx.request.headers\n"
        "    return {'id': id, 'from': ctx.client_address, 'url': str(ctx.url), 'told': told}\n"
    ),
    "about.md": "---\nprerender: true\n---\n# About\n",
}
OPTIONS = "[tool.routelet.adapters.flyby]\n"
KEY = "a key of flyby's own, as long as a digest"
CALL = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from importlib import import_module
serve = import_module(sys.argv[2]).serve
for request in json.loads(sys.argv[3]):
    answer = serve({**request, "body": request["body"].encode()})
    print(json.dumps({**answer, "body": answer["body"].decode()}))
"""
REQUEST: dict[str, Any] = {
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


def site(root: Path, options: str = "") -> Path:
    (root / "src/pages").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT + options)
    for name, text in PAGES.items():
        (root / "src/pages" / name).write_text(text)
    return root


def unzipped(built: Build, folder: Path) -> Path:
    [function] = built.functions
    with zipfile.ZipFile(built.out_dir / f"functions/{function.name}.zip") as zipped:
        zipped.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return build(site(tmp_path_factory.mktemp("site")))


@pytest.fixture(scope="module")
def unpacked(built: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unzipped(built, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(scope="module")
def behind_front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a function that takes locals from flyby's front."""
    root = site(tmp_path_factory.mktemp("front"), f"{OPTIONS}signed-locals = true\n")
    return unzipped(build(root), tmp_path_factory.mktemp("unpacked"))


def served(unpacked: Path, *requests: dict[str, Any], **environment: str) -> list[dict[str, Any]]:
    """Call `serve` in a Python that has what is in the zip, and nothing that is installed."""
    command = [sys.executable, "-I", "-S", "-c", CALL, str(unpacked), "pages.entry__id_int_"]
    told = json.dumps([REQUEST | one for one in requests])
    done = subprocess.run(
        [*command, told], capture_output=True, text=True, check=True, env=environment
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_request_is_answered_from_the_zip_alone(unpacked: Path) -> None:
    [answer] = served(unpacked, {})
    assert answer["status"] == 200
    assert json.loads(answer["body"]) == {
        "id": 7,
        "from": "192.0.2.1",
        "url": "https://example.com/7?a=1",
        "told": [{}, False],
    }
    headers = dict(answer["headers"])
    assert headers["content-type"] == "application/json"
    assert headers["set-cookie"].startswith("seen=7")


def test_what_no_route_answers_gets_404_and_what_is_broken_400(unpacked: Path) -> None:
    answers = served(unpacked, {"path": "/seven"}, {"path": "/%zz"}, {"path": "/about"}, {})
    assert [one["status"] for one in answers] == [404, 400, 404, 200]


def signed(path: str = "/7", *, key: str = KEY, ago: float = 0) -> dict[str, Any]:
    """Return a request as flyby's front sends it, having signed its visitor in."""
    asked = Request(URL(host="example.com", path=path, query="a=1"))
    claims = Claims(locals={"user": "ada"}, host="example.com", client_address="192.0.2.1")
    return {"headers": [["X-Routelet-Locals", sign(asked, claims, key, time.time() - ago)]]}


def test_locals_of_the_front_reach_the_page(behind_front: Path) -> None:
    [answer] = served(behind_front, signed(), **{KEY_VARIABLE: KEY})
    assert json.loads(answer["body"])["told"] == [{"user": "ada"}, False]


def test_what_the_front_did_not_sign_is_refused(behind_front: Path) -> None:
    [[name, text]] = signed()["headers"]
    forged = [
        {},
        signed("/8"),
        signed(key=KEY[::-1]),
        signed(ago=3600),
        {"headers": [[name, text[:-1]]]},
        {"headers": [[name, text], [name, text]]},
    ]
    answers = served(behind_front, *forged, **{KEY_VARIABLE: KEY})
    assert [one["status"] for one in answers] == [403] * len(forged)
    assert served(behind_front, signed())[0]["status"] == 403  # it has no key


def test_without_a_front_locals_of_a_visitor_are_dropped(unpacked: Path) -> None:
    [answer] = served(unpacked, signed(), **{KEY_VARIABLE: KEY})
    assert json.loads(answer["body"])["told"] == [{}, False]


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


def test_an_unknown_option_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(RouteletError) as raised:
        build(site(tmp_path, f"{OPTIONS}prot = 1\n"))
    told = raised.value
    assert (told.where, told.mend) == ("pyproject.toml:9", 'did you mean "port"?')
