"""A site with the shipped integrations, and one of somebody else that is installed as a wheel."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from uv import find_uv_bin

from routelet_bundler import Build, RouteletError, build
from routelet_bundler.cli import main
from routelet_bundler.emulator import Emulator
from routelet_bundler.integrations.sitemap import INDEX

ROOT = Path(__file__).parents[2]

LUNAR = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "routelet-lunar"
version = "1.0"
requires-python = ">=3.11"

[project.entry-points."routelet.integrations"]
lunar = "lunar.integration:lunar"

[tool.hatch.build.targets.wheel]
packages = ["lunar"]
""",
    "lunar/__init__.py": "",
    "lunar/phases.py": "def phase(day):\n    return ['new', 'full'][int(day) % 2]\n",
    "lunar/integration.py": """\
from pathlib import Path

from routelet_bundler.adapter import ConfigSetup, Integration

HERE = Path(__file__).parent
PAGES = {
    "/health": "pages/health.py",
    "/phase/[day=int]": "pages/phase.py",
    "/moon": "pages/moon.jinja",
}


class Lunar(Integration):
    name = "lunar"

    def config_setup(self, payload: ConfigSetup) -> None:
        made = payload.create_codegen_dir() / "version.py"
        made.write_text("def GET(ctx):\\n    return {'base': %r}\\n" % payload.config.base)
        payload.inject_route(pattern="/version.json", entrypoint=made, prerender=True)
        for pattern, page in PAGES.items():
            payload.inject_route(pattern=pattern, entrypoint=HERE / page, prerender=False)
        payload.add_middleware(entrypoint=HERE / "steps/stamp.py", order="post")
        payload.add_watch_file("lunar.toml")


def lunar() -> Lunar:
    return Lunar()
""",
    "lunar/pages/__init__.py": "",
    "lunar/pages/health.py": (
        "from lib.checks import CHECKS\n\n\ndef GET(ctx):\n    return {'checks': CHECKS}\n"
    ),
    "lunar/pages/phase.py": (
        "from lunar.phases import phase\n\n\n"
        "def GET(ctx, day: int):\n    return {'phase': phase(day)}\n"
    ),
    "lunar/pages/moon.jinja": "{% extends 'layouts/base.jinja' %}{% block x %}moon{% endblock %}",
    "lunar/steps/stamp.py": (
        "def on_request(ctx, next):\n    response = next()\n"
        "    response.headers['x-moon'] = 'full'\n    return response\n"
    ),
}
SITE = {
    "src/pages/index.md": "---\nlayout: layouts/base.jinja\n---\n# Home\n",
    "src/pages/[...path].py": (
        "prerender = False\n\n\ndef GET(ctx):\n    return {'path': ctx.params['path']}\n"
    ),
    "src/layouts/base.jinja": "<main>{% block x %}{{ content }}{% endblock %}</main>",
    "src/lib/checks.py": "CHECKS = ['disk']\n",
    "site_integrations.py": (
        "from routelet_bundler.integrations.redirect_by_host import redirect_by_host\n\n\n"
        "def redirects():\n    return redirect_by_host(hosts={'www.example.com': 'example.com'})\n"
    ),
}
PYPROJECT = """\
[project]
name = "site"
version = "1"
dependencies = [{dependencies}]

[tool.routelet]
site = "https://example.com"
output = "hybrid"
adapter = "aws-lambda"
integrations = ["sitemap", "robots", "site_integrations:redirects", "lunar"]

[tool.routelet.routes]
"/moon" = {{ memory = 256 }}
"/health" = {{ memory = 128 }}
"""


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = write(tmp_path_factory.mktemp("lunar"), LUNAR)
    out = project / "dist"
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*command, str(project)], check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module", autouse=True)
def beside_routelet(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Install the wheel where the build imports from, and what pyproject.toml registers."""
    target = tmp_path_factory.mktemp("beside")
    command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([*command, str(wheel)], check=True)
    group = "routelet.integrations"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = (f"{name} = {value}\n" for name, value in project["entry-points"][group].items())
    write(
        target / "registered-1.dist-info",
        {
            "METADATA": "Metadata-Version: 2.1\nName: registered\nVersion: 1\n",
            "entry_points.txt": f"[{group}]\n{''.join(named)}",
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(target)
        yield
    for name in [
        one for one in sys.modules if one.partition(".")[0] in {"lunar", "site_integrations"}
    ]:
        del sys.modules[name]


def site(folder: Path, dependencies: str) -> Path:
    pyproject = PYPROJECT.format(dependencies=dependencies)
    return write(folder, {**SITE, "pyproject.toml": pyproject})


@pytest.fixture(scope="module")
def built(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    root = site(tmp_path_factory.mktemp("site"), f'"routelet-lunar @ {wheel.as_uri()}"')
    return build(root)


@pytest.fixture(scope="module")
def emulator(built: Build) -> Iterator[Emulator]:
    with Emulator(built.out_dir) as emulator:
        yield emulator


def manifest_of(made: Build) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((made.out_dir / "routelet.json").read_text())
    return manifest


def files_in(made: Build, name: str) -> set[str]:
    [one] = [one for one in made.functions if one.name == name]
    return {file.archive for file in one.function.traced.files}


def test_every_function_starts_from_its_zip(built: Build) -> None:
    assert {one.name: one.verdict.verified for one in built.functions} == {
        "health": True,
        "phase__day_int_": True,
        "moon": True,
        "____path_": True,
    }


def test_the_manifest_is_as_its_schema_and_knows_no_folder_of_this_machine(built: Build) -> None:
    manifest = manifest_of(built)
    schema = json.loads((ROOT / "docs/routelet.schema.json").read_text())
    jsonschema.validate(manifest, schema)
    assert {one["route"]: one["component"] for one in manifest["routes"]} == {
        "/": "src/pages/index.md",
        "/health": "lunar:lunar/pages/health.py",
        "/phase/[day=int]": "lunar:lunar/pages/phase.py",
        "/moon": "lunar:lunar/pages/moon.jinja",
        "/version.json": ".routelet/integrations/lunar/version.py",
        "/robots.txt": ".routelet/integrations/robots/robots.py",
        "/[...path]": "src/pages/[...path].py",
    }
    text = (built.out_dir / "pages/entry_health.py").read_text()
    assert str(built.out_dir.parent) not in text


def test_zips_have_the_integrations_files_and_not_the_integration(built: Build) -> None:
    health = files_in(built, "health")
    assert "site_injected/lunar_lunar/pages/health.py" in health
    assert "site_injected/lunar_lunar/steps/stamp.py" in health
    assert "lib/checks.py" in health
    assert not any("integration.py" in name or "bundler" in name for name in health)


def test_a_page_may_import_its_own_distribution_where_the_site_requires_it(built: Build) -> None:
    packed = {
        one.name: [distribution.name for distribution, _ in one.function.traced.distributions]
        for one in built.functions
    }
    assert packed["phase__day_int_"] == ["routelet-lunar"]
    assert packed["health"] == []


def test_the_whole_site_answers(emulator: Emulator) -> None:
    assert emulator.get("/health").json() == {"checks": ["disk"]}
    assert emulator.get("/phase/3").json() == {"phase": "full"}
    assert emulator.get("/moon").text == "<main>moon</main>"
    assert emulator.get("/moon").headers["x-moon"] == "full"
    assert emulator.get("/phase/x").json() == {"path": "phase/x"}
    assert emulator.get("/version.json").json() == {"base": "/"}
    robots = emulator.get("/robots.txt")
    assert robots.headers["content-type"] == "text/plain; charset=utf-8"
    assert robots.text.endswith(f"Sitemap: https://example.com/{INDEX}\n")
    assert "<loc>https://example.com/moon</loc>" in emulator.get("/sitemap-0.xml").text


def test_configuration_by_route_holds_for_injected_ones(built: Build) -> None:
    memory = {one["name"]: one["memory"] for one in manifest_of(built)["functions"]}
    assert (memory["health"], memory["moon"], memory["phase__day_int_"]) == (128, 256, 512)


def test_another_host_is_sent_on_before_anything_answers(built: Build) -> None:
    event = {
        "version": "2.0",
        "rawPath": "/health",
        "rawQueryString": "a=1&b=%2F",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "domainName": "WWW.example.com",
            "http": {"method": "POST"},
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    code = (
        "import json, sys\nsys.path.insert(0, sys.argv[1])\n"
        "from pages.entry_health import handler\n"
        "print(json.dumps(handler(json.loads(sys.argv[2]), None)))\n"
    )
    zipped = str(built.out_dir / "functions/health.zip")
    command = [sys.executable, "-I", "-c", code, zipped, json.dumps(event)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout or done.stderr)
    assert answer["statusCode"] == 308
    assert answer["headers"]["location"] == "https://example.com/health?a=1&b=%2F"
    assert "x-moon" not in answer["headers"]


def test_the_command_line_lists_injected_routes(built: Build) -> None:
    root = str(built.out_dir.parent)
    arguments = ["routes", "--root", root, "--json", "--match", "/phase/3", "/robots.txt"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert [(one["component"], one["params"]) for one in json.loads(result.stdout)["matches"]] == [
        ("lunar:lunar/pages/phase.py", {"day": "3"}),
        (".routelet/integrations/robots/robots.py", {}),
    ]
    listed = CliRunner().invoke(main, ["routes", "--root", root], catch_exceptions=False)
    assert "/version.json" in listed.output


def test_the_same_site_elsewhere_gives_the_same_zips(
    built: Build, wheel: Path, tmp_path: Path
) -> None:
    other = build(site(tmp_path / "another", f'"routelet-lunar @ {wheel.as_uri()}"'))
    assert {one.name: one.zip.sha256 for one in other.functions} == {
        one.name: one.zip.sha256 for one in built.functions
    }


def test_a_site_that_does_not_require_it_is_told_what_its_page_lacks(tmp_path: Path) -> None:
    with pytest.raises(RouteletError, match=r"imports lunar\.phases, which no dep") as told:
        build(site(tmp_path, ""))
    assert told.value.where == "lunar:lunar/pages/phase.py:1"
