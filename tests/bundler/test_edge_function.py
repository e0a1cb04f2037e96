"""The middleware as a function of its own: what is in its zip, and what is in no other."""

import json
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from zipp import Path as ZipPath

from routelet_bundler import Build, RouteletError, build
from routelet_bundler.cli import main
from routelet_bundler.errors import WRONG_USE

WriteSite = Callable[..., Path]

PROJECT = """[project]
name = "site"
version = "1"

[tool.routelet]
output = "hybrid"
adapter = "aws-lambda"

[tool.routelet.adapters.aws-lambda]
edge-middleware = true
"""
MIDDLEWARE = """from lib import guard
import shared

def on_request(ctx, next):
    ctx.locals["user"] = guard.USER
    return next("/posts/1") if ctx.url.path == "/old" else next()
"""
FILES = {
    "src/middleware.py": MIDDLEWARE,
    "src/lib/guard.py": "USER = 'Ada'\n",
    "src/shared.py": "X = 1\n",
    "src/pages/index.py": "def GET(ctx): return 'made at build time'\n",
    "src/pages/posts/[id].py": "prerender = False\ndef GET(ctx): return ctx.locals\n",
    "src/pages/api.py": "import shared\nprerender = False\ndef GET(ctx): return {}\n",
}
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/routelet.schema.json").read_text())


@pytest.fixture(scope="module")
def edge_site(tmp_path_factory: pytest.TempPathFactory) -> Build:
    root = tmp_path_factory.mktemp("edge")
    for name, text in {"pyproject.toml": PROJECT, **FILES}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return build(root)


def names_in(zip_: Path) -> set[str]:
    return {name for name in ZipPath(zip_).root.namelist() if not name.endswith("/")}


def zip_of(made: Build, name: str) -> Path:
    return made.out_dir / "functions" / f"{name}.zip"


def described(made: Build) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((made.out_dir / "routelet.json").read_text())
    jsonschema.validate(manifest, SCHEMA)
    return manifest


def test_no_page_zip_has_code_of_the_middleware(edge_site: Build) -> None:
    for function in edge_site.functions:
        names = names_in(zip_of(edge_site, function.name))
        assert not {name for name in names if "middleware" in name}
        assert not {name for name in names if "guard" in name}
        assert ("shared.py" in names) == (function.name == "api")  # it imports that itself
        entry = (edge_site.out_dir / function.function.entry_on_disk).read_text()
        assert "'middleware'" not in entry
        assert "'edge_middleware': True" in entry


def test_the_zip_of_the_middleware_has_that_and_no_page(edge_site: Build) -> None:
    names = names_in(zip_of(edge_site, "middleware"))
    assert {"entry.py", "middleware.py", "lib/guard.py", "shared.py"} <= names
    assert not {name for name in names if name.startswith("pages/")}
    assert {"routelet/edge.pyc", "routelet/signing.pyc"} <= names


def test_only_functions_behind_the_middleware_have_what_checks_signatures(
    edge_site: Build, write_site: WriteSite
) -> None:
    assert all(
        "routelet/signing.pyc" in names_in(zip_of(edge_site, one.name))
        for one in edge_site.functions
    )
    plain = build(write_site(FILES, pyproject=PROJECT.replace("true", "false")))
    for one in plain.functions:
        names = names_in(zip_of(plain, one.name))
        assert not {"routelet/signing.pyc", "routelet/edge.pyc"} & names
        assert "middleware.py" in names
    assert (plain.middleware_entry_point, plain.edge_function) == (None, None)
    assert described(plain)["edgeFunction"] is None
    assert not (plain.out_dir / "middleware.py").exists()


def test_routelet_json_has_the_edge_function_and_its_entry_point(edge_site: Build) -> None:
    manifest = described(edge_site)
    edge = manifest["edgeFunction"]
    assert manifest["adapter"]["edgeMiddleware"] is True
    assert manifest["middlewareEntryPoint"] == (edge_site.out_dir / "middleware.py").as_uri()
    assert edge_site.middleware_entry_point == manifest["middlewareEntryPoint"]
    assert (edge["name"], edge["zip"], edge["handler"], edge["routes"]) == (
        "middleware", "functions/middleware.zip", "entry.handler", [],
    )  # fmt: skip
    assert (edge["memory"], edge["timeout"], edge["architecture"]) == (128, 5, "x86_64")
    assert (edge["environment"], edge["verified"]) == ({}, True)
    assert "middleware" not in {one["name"] for one in manifest["functions"]}
    assert set(manifest["entryPoints"]) == {"/api", "/posts/[id]"}


@pytest.fixture
def run_in_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """Return a function that runs dist/middleware.py beside its site's sources."""
    before = set(sys.modules)

    def run(made: Build) -> dict[str, Any]:
        monkeypatch.syspath_prepend(str(made.out_dir.parent / "src"))
        return runpy.run_path(str(made.out_dir / "middleware.py"))

    yield run
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"middleware", "lib", "shared"}:
            del sys.modules[name]


def test_the_edge_knows_every_route_by_its_pattern_alone(
    edge_site: Build, run_in_place: Callable[..., dict[str, Any]]
) -> None:
    entry = run_in_place(edge_site)
    manifest = entry["MANIFEST"]
    assert callable(entry["handler"])
    assert [one["route"] for one in manifest["routes"]] == [
        route.route for route in edge_site.routes
    ]
    keys = {key for one in manifest["routes"] for key in one}
    assert {"route", "pattern", "params"} <= keys
    assert not {"module", "source"} & keys


def test_pages_that_the_middleware_rewrites_to_stay_in_their_own_zips(edge_site: Build) -> None:
    names = names_in(zip_of(edge_site, "api"))
    assert not {name for name in names if name.startswith("pages/posts")}


def test_an_unchanged_site_gives_the_same_zip_and_keeps_it(write_site: WriteSite) -> None:
    root = write_site(FILES, pyproject=PROJECT)
    first = build(root)
    zip_ = first.out_dir / "functions/middleware.zip"
    stamp, data = zip_.stat(), zip_.read_bytes()
    second = build(root)
    assert zip_.read_bytes() == data
    assert (zip_.stat().st_ino, zip_.stat().st_mtime_ns) == (stamp.st_ino, stamp.st_mtime_ns)
    assert (second.out_dir / "middleware.py").is_file()
    (root / "src/lib/guard.py").write_text("USER = 'Bea'\n")
    pages = {one.name: one.zip.sha256 for one in second.functions}
    third = build(root)
    assert zip_.read_bytes() != data
    assert {one.name: one.zip.sha256 for one in third.functions} == pages
    (root / "pyproject.toml").write_text(PROJECT.replace("true", "false"))
    build(root)
    assert not zip_.exists()


def test_equal_sites_in_other_folders_have_equal_zips(
    edge_site: Build, write_site: WriteSite
) -> None:
    other = build(write_site(FILES, pyproject=PROJECT))
    assert other.edge_function
    assert edge_site.edge_function
    assert other.edge_function.zip.sha256 == edge_site.edge_function.zip.sha256


def test_the_command_tells_of_the_middleware_and_compares_its_zip(
    write_site: WriteSite,
) -> None:
    root = write_site(FILES, pyproject=PROJECT)
    done = CliRunner().invoke(main, ["build", "--root", str(root), "--check-reproducible"])
    assert done.exit_code == 0, done.output
    assert "the middleware" in done.output
    assert "reproducible: 3 zips" in done.output
    assert "functions: 3, prerendered files: 1" in done.output


CLASHES: Mapping[str, tuple[Mapping[str, str], str]] = {
    "a page": ({"src/pages/middleware.py": "prerender = False\ndef GET(ctx): return {}\n"},
               "/middleware"),
    "a group": ({"src/pages/b.py": "prerender = False\nconfig = {'group': 'middleware'}\n"
                                   "def GET(ctx): return {}\n"}, "/b"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "route"), CLASHES.values(), ids=CLASHES)
def test_no_page_takes_the_name_of_the_middleware(
    write_site: WriteSite, files: Mapping[str, str], route: str
) -> None:
    made = build(write_site({**FILES, **files}, pyproject=PROJECT))
    names = {one: function.name for function in made.functions for one in function.routes}
    assert names[route].startswith("middleware_")
    assert "middleware.py" in names_in(zip_of(made, "middleware"))


def test_functions_for_arm_leave_the_edge_as_it_is(write_site: WriteSite) -> None:
    arm = build(write_site(FILES, pyproject=PROJECT + 'architecture = "arm64"\n'))
    assert {one["architecture"] for one in described(arm)["functions"]} == {"arm64"}
    assert described(arm)["edgeFunction"]["architecture"] == "x86_64"


def test_files_alone_can_be_behind_the_middleware(write_site: WriteSite) -> None:
    files = {key: FILES[key] for key in FILES if "posts" not in key and "api" not in key}
    made = build(write_site(files, pyproject=PROJECT))
    assert made.functions == ()
    assert described(made)["edgeFunction"]["name"] == "middleware"


def test_an_edge_without_middleware_protects_nothing(write_site: WriteSite) -> None:
    files = {key: FILES[key] for key in FILES if key != "src/middleware.py"}
    with pytest.raises(RouteletError, match="nothing is protected") as caught:
        build(write_site(files, pyproject=PROJECT))
    assert caught.value.status == WRONG_USE


def test_the_key_is_in_no_configuration(write_site: WriteSite) -> None:
    table = "\n[tool.routelet.routes.'/**'.environment]\nROUTELET_LOCALS_KEY = 'mine'\n"
    with pytest.raises(RouteletError, match="sets ROUTELET_LOCALS_KEY") as caught:
        build(write_site(FILES, pyproject=PROJECT + table))
    assert caught.value.status == WRONG_USE
    assert "mine" not in str(caught.value)


def test_a_zip_that_the_edge_refuses_is_told_with_its_largest_parts(write_site: WriteSite) -> None:
    noise = __import__("random").Random(7).randbytes(1_200_000).hex()
    files = {**FILES, "src/lib/guard.py": f"USER = 'Ada'\nBIG = '{noise}'\n"}
    with pytest.raises(RouteletError, match="the function middleware is too large") as caught:
        build(write_site(files, pyproject=PROJECT))
    told = str(caught.value)
    assert "the limit is 1,048,576" in told
    assert "cloudfront-limits.html" in told
    assert "src/lib/guard.py  (src/middleware.py:1)" in told


def test_a_middleware_that_does_not_start_is_told_with_its_line(write_site: WriteSite) -> None:
    files = {**FILES, "src/lib/guard.py": "1 / 0\n"}
    del files["src/pages/index.py"]  # rendered at build time, it would be told first
    with pytest.raises(RouteletError, match="the function of the middleware does not start") as e:
        build(write_site(files, pyproject=PROJECT))
    assert e.value.where == "src/lib/guard.py:1"


def test_a_variable_that_the_middleware_needs_at_its_start_is_told_with_what_to_do(
    write_site: WriteSite,
) -> None:
    reads = "import os\nUSER = os.environ['A_' + 'TABLE']\n"
    files = {**FILES, "src/lib/guard.py": reads}
    del files["src/pages/index.py"]  # rendered at build time, it would be told first
    with pytest.raises(RouteletError, match="does not start: KeyError: 'A_TABLE'") as caught:
        build(write_site(files, pyproject=PROJECT))
    assert caught.value.where == "src/lib/guard.py:2"
    assert "no environment variable A_TABLE where the middleware runs" in caught.value.mend
    assert "module of the site, or fetch it" in caught.value.mend


def test_variables_that_the_edge_has_not_are_told(write_site: WriteSite) -> None:
    reads = (
        "import os\nfrom os import environ, getenv\n"
        "USER = 'Ada'\n\n\ndef f():\n"
        "    os.environ['A_SECRET']\n    os.getenv('B', 'x')\n    environ.get('C')\n"
        "    getenv('D')\n    os.environ['AWS_REGION']\n    os.environ['SET'] = '1'\n"
    )
    made = build(write_site({**FILES, "src/lib/guard.py": reads}, pyproject=PROJECT))
    told = [one.partition(", which")[0] for one in made.warnings if "environment variable" in one]
    assert told == [
        f"src/lib/guard.py:{line}: reads the environment variable {name}"
        for name, line in (("A_SECRET", 7), ("B", 8), ("C", 9), ("D", 10))
    ]
