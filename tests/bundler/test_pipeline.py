"""Whole builds of small sites: what comes out, and what bad input gets."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

import routelet
from routelet_bundler import RouteletError, build
from routelet_bundler.errors import WRONG_USE
from routelet_bundler.interpreters import find_interpreter

Site = Callable[..., Path]

SERVER = '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
HYBRID = SERVER.replace("server", "hybrid")
PROJECT = '[project]\nname = "site"\nversion = "1"\n'
PAGE = "def GET(ctx):\n    return {'params': ctx.params}\n"


def manifest_of(out: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((out / "routelet.json").read_text())
    return manifest


def names_in(zip_path: Path) -> set[str]:
    with zipfile.ZipFile(zip_path) as opened:
        return set(opened.namelist())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_route_knows_its_function_once_there_is_one(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/a.py": "prerender = False\nconfig = {'group': 'both'}\n" + PAGE,
            "src/pages/b.py": "prerender = False\nconfig = {'group': 'both'}\n" + PAGE,
            "src/pages/index.jinja": "<p>Home</p>",
        },
        pyproject=PROJECT + HYBRID + '[tool.routelet.redirects]\n"/old" = "/a"\n',
    )
    built = build(root)
    expected = {"/": None, "/a": "both", "/b": "both", "/old": None}
    assert {route.route: route.function for route in built.routes} == expected
    described = manifest_of(root / "dist")["routes"]
    assert {route["route"]: route["function"] for route in described} == expected


def test_each_on_demand_route_becomes_a_zip_with_its_entry(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/blog/[slug].py": PAGE,
            "src/pages/data.json.py": PAGE,
            "src/pages/[a]-[b].py": PAGE,
        },
        pyproject=PROJECT + SERVER,
    )
    built = build(root)
    assert {route: Path(url).name for route, url in built.entry_points.items()} == {
        "/blog/[slug]": "entry__slug_.py",
        "/data.json": "entry_data_json.py",
        "/[a]-[b]": "entry__a_-_b_.py",
    }
    assert all(url.startswith("file:///") for url in built.entry_points.values())
    for one in built.functions:
        path = root / "dist/functions" / f"{one.name}.zip"
        assert one.function.entry in names_in(path)
        assert one.verdict.verified


@pytest.mark.parametrize("how", ["sequence", "*"])
def test_what_composes_middleware_is_where_a_module_names_it_alone(
    write_site: Site, how: str
) -> None:
    root = write_site(
        {
            "src/pages/a.py": f"from routelet import {how}\nx = sequence\n{PAGE}",
            "src/pages/b.py": PAGE,
        },
        pyproject=PROJECT + SERVER,
    )
    build(root)
    assert "routelet/middleware.pyc" in names_in(root / "dist/functions/a.zip")
    assert "routelet/middleware.pyc" not in names_in(root / "dist/functions/b.zip")


def test_a_zip_holds_only_what_its_route_reaches(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/a.py": "from lib.used import x\n" + PAGE,
            "src/pages/b.py": PAGE,
            "src/lib/used.py": "from pathlib import Path\n"
            "x = (Path(__file__).parent / 'd.json').read_text()\n",
            "src/lib/d.json": "{}",
            "src/lib/unused.py": "",
            ".env": "SECRET=1",
            "src/.env": "SECRET=1",
        },
        pyproject=PROJECT + SERVER,
    )
    build(root)
    ours = {
        name for name in names_in(root / "dist/functions/a.zip") if not name.startswith("routelet/")
    }
    assert {name for name in ours if not name.endswith(".pyc")} == {
        "lib/", "lib/d.json", "lib/used.py", "pages/", "pages/a.py", "pages/entry_a.py",
    }  # fmt: skip
    assert "lib/used.py" not in names_in(root / "dist/functions/b.zip")


def test_prerendered_routes_make_no_function(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/index.html": "<h1>Home</h1>",
            "src/pages/about.md": "# About",
            "src/pages/x.py": "prerender = False\n" + PAGE,
            "public/robots.txt": "",
        },
        pyproject=PROJECT + HYBRID,
    )
    built = build(root)
    assert [one.routes for one in built.functions] == [("/x",)]
    files = snapshot(root / "dist/client")
    assert files.keys() == {"index.html", "about/index.html", "robots.txt"}
    assert b'<h1 id="about">About</h1>' in files["about/index.html"]


def test_a_static_site_needs_no_adapter_and_names_no_host(write_site: Site) -> None:
    root = write_site({"src/pages/index.jinja": "<p>{{ ctx.url.path }}</p>"}, pyproject=PROJECT)
    build(root)
    assert (root / "dist/client/index.html").read_text() == "<p>/</p>"
    assert manifest_of(root / "dist")["adapter"] is None
    assert not (root / "dist/template.yaml").exists()


def test_function_per_route_false_makes_one_entry_and_one_zip(write_site: Site) -> None:
    root = write_site(
        {"src/pages/a.py": PAGE, "src/pages/[b]/c.py": PAGE},
        pyproject=PROJECT
        + SERVER
        + "[tool.routelet.adapters.aws-lambda]\nfunction-per-route = false\n",
    )
    built = build(root)
    assert [path.name for path in (root / "dist/functions").iterdir()] == ["site.zip"]
    assert {Path(url).name for url in built.entry_points.values()} == {"entry.py"}
    assert (root / "dist/entry.py").is_file()
    assert not (root / "dist/pages").exists()
    assert manifest_of(root / "dist")["functions"][0]["handler"] == "entry.handler"


def test_middleware_and_the_404_page_are_in_every_function(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/a.py": "prerender = False\n" + PAGE,
            "src/pages/b.py": "prerender = False\n" + PAGE,
            "src/pages/404.html": "<p>nothing here</p>",
            "src/middleware.py": "def on_request(ctx, next):\n    return next()\n",
        },
        pyproject=PROJECT + HYBRID,
    )
    build(root)
    for name in "ab":
        names = names_in(root / f"dist/functions/{name}.zip")
        assert {"middleware.py", "site_templates/error_404.py"} <= names


@pytest.mark.parametrize("where", ["its zip", "unpacked", "in place"])
def test_an_entry_runs_from_its_zip_unpacked_and_in_place(
    write_site: Site, tmp_path: Path, where: str
) -> None:
    root = write_site(
        {
            "src/pages/[lang]/[slug].py": "from ._words import WORD\nfrom lib.m import N\n"
            "def GET(ctx):\n    return ctx.render('page.jinja', word=WORD + str(N))\n",
            "src/pages/[lang]/_words.py": "WORD = 'hej'\n",
            "src/lib/m.py": "N = 7\n",
            "src/page.jinja": "{{ word }} {{ ctx.params.slug }}",
        },
        pyproject=PROJECT + SERVER,
    )
    built = build(root)
    zip_path = built.functions[0].zip.path
    assert zip_path == root / "dist/functions" / zip_path.name
    pure = [str(path) for path in _pure_python_dependencies()]
    if where == "unpacked":
        with zipfile.ZipFile(zip_path) as opened:
            opened.extractall(tmp_path / "task")
        path = [str(tmp_path / "task")]
    elif where == "its zip":
        path = [str(zip_path), *pure]
    else:
        path = [str(root / "dist"), str(root / "src"), str(_runtime()), *pure]
    code = (
        "import importlib, json, sys\n"
        f"sys.path[:0] = {path!r}\n"
        "handler = importlib.import_module('pages._lang_.entry__slug_').handler\n"
        "http = {'method': 'GET', 'path': '/sv/x', 'sourceIp': '127.0.0.1'}\n"
        "event = {'rawPath': '/sv/x', 'requestContext': {'http': http}}\n"
        "print(handler(event, None)['body'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "hej7 x\n", done.stderr


def _runtime() -> Path:
    return Path(routelet.__file__).parent.parent


def _pure_python_dependencies() -> list[Path]:
    """jinja2 of this environment: markupsafe's extension cannot be imported from a zip."""
    return [Path(jinja2.__file__).parent.parent]


def test_equal_input_gives_equal_bytes_from_another_folder_and_job_count(
    write_site: Site, tmp_path: Path
) -> None:
    files = {
        "src/pages/a.py": "import yaml\nfrom lib.m import x\n" + PAGE,
        "src/pages/b.py": PAGE,
        "src/pages/c.jinja": "<p>{{ ctx.url.path }}</p>",
        "src/lib/m.py": "x = {'a', 'b', 'c'}\n",
    }
    pyproject = PROJECT + 'dependencies = ["pyyaml"]\n' + SERVER
    first = build(write_site(files, pyproject=pyproject), jobs=1)
    second = build(
        write_site(files, pyproject=pyproject),
        tmp_path / "deep/er/out",
        jobs=4,
        cache_folder=tmp_path / "cold",
    )
    digests = [{one.name: one.zip.sha256 for one in built.functions} for built in (first, second)]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 3


def test_a_second_build_leaves_the_same_dist(write_site: Site) -> None:
    root = write_site({"src/pages/a.py": PAGE, "src/pages/b.md": "# B"}, pyproject=PROJECT + SERVER)
    build(root)
    before = snapshot(root / "dist")
    build(root)
    assert snapshot(root / "dist") == before


BAD = {
    "a syntax error": (
        {"src/pages/a.py": "def GET(ctx):\n    return {\n"},
        SERVER, "src/pages/a.py:2", "never closed", 1,
    ),
    "two pages for one URL": (
        {"src/pages/a.py": PAGE, "src/pages/a/index.py": PAGE},
        SERVER, "src/pages/a.py", "same URLs as src/pages/a/index.py", 1,
    ),
    "no get_static_paths": (
        {"src/pages/[a].py": PAGE},
        "", "src/pages/[a].py:1", "has no get_static_paths", 1,
    ),
    "an unknown key": (
        {"src/pages/a.py": PAGE},
        '[tool.routelet]\noutptu = "server"\n', "pyproject.toml:5", 'unknown key "outptu"', 2,
    ),
    "an import that nothing provides": (
        {"src/pages/a.py": "import lib.m\n" + PAGE, "src/lib/m.py": "\nimport pendulum\n"},
        SERVER, "src/lib/m.py:2", "imports pendulum", 1,
    ),
    "an import of a module that is not there": (
        {"src/pages/a.py": "import lib.n\n" + PAGE, "src/lib/m.py": ""},
        SERVER, "src/pages/a.py:1", "imports lib.n, which is not in the site", 1,
    ),
    "a page name no URL can have": (
        {"src/pages/[a][b].py": PAGE}, SERVER, "src/pages/[a][b].py", "between the parameters", 1,
    ),
    "a module that raises when it starts": (
        {"src/pages/a.py": "import lib.m\n" + PAGE, "src/lib/m.py": "\nraise ValueError('no')\n"},
        SERVER, "src/lib/m.py:2", "does not start: ValueError: no", 1,
    ),
    "on demand without an adapter": (
        {"src/pages/a.py": PAGE},
        '[tool.routelet]\noutput = "server"\n', "pyproject.toml:5", "needs an adapter", 2,
    ),
    "a page that raises while it is prerendered": (
        {"src/pages/a.py": "def GET(ctx):\n    return 1 / 0\n"},
        "", "src/pages/a.py:2", "ZeroDivisionError", 1,
    ),
    "a template that raises while it is prerendered": (
        {"src/pages/a.jinja": "---\nword: x\n---\n\n{{ wrod }}"},
        "", "src/pages/a.jinja:5", "'wrod' is undefined", 1,
    ),
}  # fmt: skip
"""What is wrong: files, configuration, where it is told, part of the message, exit status."""


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_and_leaves_dist_as_it_was(write_site: Site, name: str) -> None:
    files, config, where, what, status = BAD[name]
    root = write_site(files, pyproject=PROJECT + config)
    (root / "dist").mkdir()
    (root / "dist/routelet.json").write_text("from the last good build")
    with pytest.raises(RouteletError) as raised:
        build(root)
    assert raised.value.where == where
    assert what in raised.value.what
    assert raised.value.status == status
    assert snapshot(root / "dist") == {"routelet.json": b"from the last good build"}
    assert [path.name for path in root.iterdir() if path.name.startswith(".dist")] == []


def test_an_unknown_key_names_the_nearest_one(write_site: Site) -> None:
    root = write_site({}, pyproject=PROJECT + '[tool.routelet]\noutptu = "server"\n')
    with pytest.raises(RouteletError) as raised:
        build(root)
    assert raised.value.mend == 'did you mean "output"?'
    assert raised.value.status == WRONG_USE


def test_a_page_without_a_wheel_for_the_target_is_refused_by_name(write_site: Site) -> None:
    root = write_site(
        {"src/pages/a.py": "import numpy\n" + PAGE},
        pyproject=PROJECT
        + 'dependencies = ["numpy==2.4.6"]\n'
        + SERVER
        + '[tool.routelet.adapters.aws-lambda]\nruntime = "python3.11"\n',
    )
    with pytest.raises(RouteletError) as raised:
        build(root)
    # numpy 2.4 has wheels for Python 3.11, but they need a newer glibc than Lambda's 3.11 has.
    assert raised.value.what == "numpy==2.4.6 has no wheel for Python 3.11 on x86_64-manylinux_2_17"
    assert raised.value.where == "pyproject.toml:4"


def test_another_architecture_is_verified_as_its_host_twin(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/a.py": "import markupsafe._speedups\n" + PAGE,
            "src/pages/b.py": "config = {'architecture': 'x86_64'}\nimport markupsafe\n" + PAGE,
        },
        pyproject=PROJECT
        + 'dependencies = ["markupsafe"]\n'
        + SERVER
        + '[tool.routelet.adapters.aws-lambda]\narchitecture = "arm64"\n',
    )
    a, b = build(root).functions
    assert (a.verdict.verified, a.verdict.how.endswith("as its host twin")) == (True, True)
    assert (b.verdict.verified, b.verdict.how.endswith("as its host twin")) == (True, False)
    shared_objects = {
        one.name: [
            name for name in names_in(root / f"dist/functions/{one.name}.zip") if ".so" in name
        ]
        for one in (a, b)
    }
    assert all("aarch64" in name for name in shared_objects["a"])
    assert all("x86_64" in name for name in shared_objects["b"])
    assert shared_objects["a"]


def test_a_python_that_is_not_here_is_not_verified_and_says_so(write_site: Site) -> None:
    if find_interpreter("3.14") is not None:
        pytest.skip("this machine has Python 3.14")
    root = write_site(
        {"src/pages/a.py": PAGE},
        pyproject=PROJECT
        + SERVER
        + '[tool.routelet.adapters.aws-lambda]\nruntime = "python3.14"\n',
    )
    built = build(root)
    assert not built.functions[0].verdict.verified
    assert "/a: not verified, no Python 3.14 on this machine" in built.warnings
    assert any("sources only" in warning for warning in built.warnings)
    assert not any(name.endswith(".pyc") for name in names_in(root / "dist/functions/a.zip"))


def test_a_handler_string_that_is_too_long_gets_the_root_module(write_site: Site) -> None:
    folder = "a" * 60
    root = write_site({f"src/pages/{folder}/{folder}/p.py": PAGE}, pyproject=PROJECT + SERVER)
    function = build(root).functions[0]
    assert function.function.handler == "entry.handler"
    assert "entry.py" in names_in(root / f"dist/functions/{function.name}.zip")
    assert function.verdict.verified
