"""Functions of several routes: built, verified, described to AWS and answering in the emulator."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from routelet_bundler import Build, build
from routelet_bundler.emulator import Emulator
from routelet_bundler.errors import RouteletError

Site = Callable[..., Path]

PROJECT = '[project]\nname = "site"\nversion = "1"\n'
SERVER = '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
SPLIT = '[tool.routelet.adapters.aws-lambda]\nsplit = "{}"\n'
LOADED = "sorted(name for name in __import__('sys').modules if name.startswith('pages.'))"
PAGE = f"def GET(ctx):\n    return {{'page': __name__, 'params': ctx.params, 'loaded': {LOADED}}}\n"
PAGES = {
    "src/pages/api/a.py": "config = {'group': 'api', 'policies': ['P'], 'environment': {'A': '1'}}"
    "\nfrom lib.used import text\n" + PAGE,
    "src/pages/api/[id].py": "config = {'group': 'api', 'policies': ['Q'], 'memory': 1024}\n"
    "import os\ndef GET(ctx):\n    return {'id': ctx.params['id'], 'A': os.environ['A']}\n",
    "src/pages/api/moved.py": "config = {'group': 'api'}\n"
    "def GET(ctx):\n    return ctx.rewrite('/far/1')\n",
    "src/pages/far/[n].py": PAGE,
    "src/pages/c.py": PAGE,
    "src/lib/used.py": "from pathlib import Path\n"
    "text = (Path(__file__).parent / 'd.json').read_text()\n",
    "src/lib/d.json": "{}",
}


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Build:
    root = tmp_path_factory.mktemp("grouped")
    for name, text in {"pyproject.toml": PROJECT + SERVER, **PAGES}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return build(root)


@pytest.fixture(scope="module")
def emulator(grouped: Build) -> Iterator[Emulator]:
    with Emulator(grouped.out_dir) as running:
        yield running


def function_of(made: Build, name: str) -> dict[str, Any]:
    manifest = json.loads((made.out_dir / "routelet.json").read_text())
    [found] = [one for one in manifest["functions"] if one["name"] == name]
    return dict(found)


def test_a_group_is_one_verified_zip_and_the_other_pages_have_theirs(grouped: Build) -> None:
    assert {one.name: one.routes for one in grouped.functions} == {
        "api": ("/api/a", "/api/moved", "/api/[id]"),
        "c": ("/c",),
        "far__n_": ("/far/[n]",),
    }
    assert all(one.verdict.verified for one in grouped.functions)


def test_every_route_has_its_entry_on_disk(grouped: Build) -> None:
    entries = {route: Path(url[7:]) for route, url in grouped.entry_points.items()}
    assert {route: path.name for route, path in entries.items()} == {
        "/api/a": "entry_api.py",
        "/api/moved": "entry_api.py",
        "/api/[id]": "entry_api.py",
        "/c": "entry_c.py",
        "/far/[n]": "entry__n_.py",
    }
    assert all(path.is_file() for path in entries.values())
    on_disk = {path.name for path in (grouped.out_dir / "pages").rglob("*.py")}
    assert on_disk == {path.name for path in entries.values()}


def test_a_group_holds_what_each_of_its_pages_reaches_and_no_more(grouped: Build) -> None:
    [api] = [one for one in grouped.functions if one.name == "api"]
    own = {file.archive for file in api.function.traced.files}
    assert {"lib/d.json", "lib/used.py", "pages/api/_id_.py", "pages/far/_n_.py"} <= own
    assert "pages/c.py" not in own


def test_each_route_of_a_group_answers_and_loads_its_page_alone(emulator: Emulator) -> None:
    assert emulator.get("/api/7").json() == {"id": "7", "A": "1"}
    answer = emulator.get("/api/a").json()
    assert answer["page"] == "pages.api.a"
    assert "pages.api.moved" not in answer["loaded"]
    assert emulator.get("/api/moved").json()["page"] == "pages.far._n_"
    assert emulator.get("/c").json()["loaded"] == ["pages.c", "pages.entry_c"]
    assert emulator.get("/api/x/y").status == 404


def test_a_group_has_the_settings_of_all_its_pages(grouped: Build) -> None:
    function = function_of(grouped, "api")
    assert (function["memory"], function["environment"]) == (1024, {"A": "1"})
    assert function["policies"] == ["P", "Q"]


def test_the_template_gives_one_function_all_keys_and_permissions(grouped: Build) -> None:
    template = yaml_parse((grouped.out_dir / "template.yaml").read_text())
    properties = template["Resources"]["ApiFunction"]["Properties"]
    paths = {event["Properties"]["Path"] for event in properties["Events"].values()}
    assert paths == {"/api/a", "/api/moved", "/api/{p0}"}
    assert properties["Policies"] == ["P", "Q"]


def test_one_function_for_each_configuration(write_site: Site) -> None:
    files = {**PAGES, "src/pages/d.py": "config = {'memory': 256}\n" + PAGE}
    root = write_site(files, PROJECT + SERVER + SPLIT.format("config"))
    made = build(root)
    assert {one.name: one.routes for one in made.functions} == {
        "api": ("/api/a", "/api/moved", "/api/[id]"),
        "c": ("/c", "/far/[n]"),
        "d": ("/d",),
    }
    assert not function_of(made, "c")["policies"]
    assert json.loads((root / "dist/routelet.json").read_text())["adapter"]["split"] == "config"


def test_pages_for_two_architectures_are_not_one_function(write_site: Site) -> None:
    files = {"src/pages/a.py": PAGE, "src/pages/b.py": "config = {'architecture': 'arm64'}\n"}
    root = write_site(files, PROJECT + SERVER + SPLIT.format("single"))
    with pytest.raises(RouteletError, match="has architecture arm64") as raised:
        build(root)
    assert raised.value.where == "src/pages/b.py"
    assert 'split = "config"' in raised.value.mend


def test_one_function_and_several_are_not_asked_for_at_once(write_site: Site) -> None:
    options = SPLIT.format("config") + "function-per-route = false\n"
    with pytest.raises(RouteletError, match="makes several functions") as raised:
        build(write_site({"src/pages/a.py": PAGE}, PROJECT + SERVER + options))
    assert raised.value.where == "pyproject.toml:8"


@pytest.mark.parametrize(
    ("files", "options", "lost", "entry"),
    [
        (
            {"src/pages/a.py": "import entry\n" + PAGE, "src/entry.py": ""},
            SPLIT.format("single"),
            "src/entry.py",
            "entry.py",
        ),
        (
            {"src/pages/a.py": PAGE, "src/pages/entry_a.py": PAGE},
            SPLIT.format("config"),
            "src/pages/entry_a.py",
            "pages/entry_a.py",
        ),
    ],
)
def test_an_entry_module_takes_no_files_place(
    write_site: Site, files: dict[str, str], options: str, lost: str, entry: str
) -> None:
    """The page of that name was in no zip, and the function that should have it was verified."""
    root = write_site(files, pyproject=PROJECT + SERVER + options)
    with pytest.raises(RouteletError, match="is where the entry module") as told:
        build(root)
    assert told.value.where == lost
    assert told.value.what.endswith(f": {entry}")
    assert not (root / "dist").exists()
