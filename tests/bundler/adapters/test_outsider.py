"""An adapter by somebody outside, written with what docs/writing-adapters.md says."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.errors import WRONG_USE

DOCS = Path(__file__).parents[3] / "docs" / "writing-adapters.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
ADAPTER = next(block for block in BLOCKS if "class Flyby" in block)
SERVER = next(block for block in BLOCKS if "flyby_server.py" in block)
TEST = next(block for block in BLOCKS if "test_flyby.py" in block)
PYPROJECT = """[project]
name = "site"
version = "1"

[tool.routelet]
output = "server"
adapter = "flyby_adapter:flyby"
"""
PAGE = "async def GET(ctx):\n    return {'id': ctx.params['id']}\n"


def site(write_site: Callable[..., Path], *, more: str = "", adapter: str = ADAPTER) -> Path:
    return write_site(
        {
            "src/pages/[id].py": PAGE,
            "flyby_adapter.py": adapter,
            "flyby_server.py": SERVER,
        },
        pyproject=PYPROJECT + more,
    )


@pytest.fixture(autouse=True)
def fresh_adapter_module() -> None:
    sys.modules.pop("flyby_adapter", None)


def test_the_adapter_of_the_docs_builds_entries_that_serve(
    write_site: Callable[..., Path],
) -> None:
    root = site(write_site)
    built = build(root)
    entry = built.entry_points["/[id]"].removeprefix("file://")
    code = (
        "import asyncio, runpy, sys\n"
        f"sys.path[:0] = [{str(root)!r}, {str(root / 'src')!r}]\n"
        f"serve = runpy.run_path({entry!r})['serve']\n"
        "from routelet import Request\n"
        "print(asyncio.run(serve(Request('https://example.com/7'))).text())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == '{"id":"7"}\n', done.stderr


def test_the_test_of_the_docs_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    (tmp_path / "flyby_adapter.py").write_text(ADAPTER.replace("3.12", running))
    (tmp_path / "flyby_server.py").write_text(SERVER)
    monkeypatch.syspath_prepend(str(tmp_path))
    tests: dict[str, Any] = {}
    exec(TEST.replace('"flyby"', '"flyby_adapter:flyby"'), tests)
    [test] = (value for name, value in tests.items() if name.startswith("test_"))
    test(tmp_path)
    assert list(tmp_path.rglob("functions/*.zip")), "it asserts what a zip that was built answers"


def test_an_entry_of_an_unpacked_zip_is_started_whatever_the_site_has(
    write_site: Callable[..., Path], tmp_path: Path
) -> None:
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    root = site(write_site, adapter=ADAPTER.replace("3.12", running))
    start = "def start(manifest, args):\n    print(manifest['routes'][0]['route'], args['port'])\n"
    (root / "flyby_server.py").write_text(SERVER + start)
    with ZipFile(build(root).functions[0].zip.path) as zipped:
        zipped.extractall(tmp_path / "unpacked")
    command = [sys.executable, "-I", "-S", str(tmp_path / "unpacked/pages/entry__id_.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "/[id] 8000\n", done.stderr


def test_its_zip_has_its_server_and_nothing_of_aws(write_site: Callable[..., Path]) -> None:
    root = site(write_site)
    built = build(root)
    names = {file.archive for file in built.functions[0].function.traced.files}
    assert "flyby_server.py" in names
    assert not {name for name in names if "aws" in name or "events" in name}
    assert not (root / "dist/template.yaml").exists()
    manifest = json.loads((root / "dist/routelet.json").read_text())
    assert manifest["adapter"]["name"] == "flyby"
    assert manifest["functions"][0]["handler"] == "pages/entry__id_.serve"


def test_a_server_that_looks_into_an_earlier_build_is_built_again(
    write_site: Callable[..., Path],
) -> None:
    root = site(write_site)
    looking = "Path(__file__).parent / 'dist' / 'client'"
    server = f"{SERVER}\ndef start(manifest, args):\n    return list(({looking}).iterdir())\n"
    (root / "flyby_server.py").write_text(f"from pathlib import Path\n{server}")
    (root / "public").mkdir()
    (root / "public/x.txt").write_text("x")
    build(root)
    (root / "src/pages/[id].py").write_text(f"{PAGE}# changed\n")
    names = {one.archive for one in build(root).functions[0].function.traced.files}
    assert not {name for name in names if name.startswith("dist/")}


def test_a_hook_cannot_change_the_traced_files(write_site: Callable[..., Path]) -> None:
    change = "        payload.functions['_id_']['more.py'] = None\n        for route, url"
    adapter = ADAPTER.replace("        for route, url", change)
    told = refused(write_site, SERVER, adapter=adapter)
    assert "does not support item assignment" in told.what


def test_traced_files_are_those_of_the_zip_and_its_entry_module_is_among_them(
    write_site: Callable[..., Path],
) -> None:
    copying = (
        "        for path, source in payload.functions['_id_'].items():\n"
        "            copy = Path(__file__).parent / 'copied' / path\n"
        "            copy.parent.mkdir(parents=True, exist_ok=True)\n"
        "            copy.write_bytes(source.read_bytes())\n"
        "        for route, url"
    )
    text = f"from pathlib import Path\n{ADAPTER}".replace("        for route, url", copying)
    root = site(write_site, adapter=text)
    with ZipFile(build(root).functions[0].zip.path) as zipped:
        sources = {name for name in zipped.namelist() if name.endswith(".py")}
        assert sources == {"pages/_id_.py", "pages/entry__id_.py", "flyby_server.py"}
        assert all(zipped.read(name) == (root / "copied" / name).read_bytes() for name in sources)
        # The runtime comes along as bytecode alone.
        others = {str(one.relative_to(root / "copied")) for one in (root / "copied").rglob("*.py")}
        assert {f"{name}c" for name in others - sources} <= set(zipped.namelist())


def test_build_done_has_functions_as_a_build_returns_them_with_zips_that_are_there(
    write_site: Callable[..., Path],
) -> None:
    unpacking = ADAPTER[: ADAPTER.index("    def build_ssr")] + (
        "    sees_files = False\n\n"
        "    def build_done(self, payload):\n"
        "        for one in payload.functions:\n"
        "            with ZipFile(one.zip.path) as zipped:\n"
        "                zipped.extractall(payload.out_dir / 'host' / one.name)\n"
        "        TOLD.append(payload.functions)\n\n"
        "TOLD = []\n\n"
    )
    text = f"from zipfile import ZipFile\n{unpacking}{ADAPTER[ADAPTER.index('def flyby') :]}"
    root = site(write_site, adapter=text)
    for _ in range(2):  # the second one leaves the zip as it is
        built = build(root)
        entry = built.out_dir / "host/_id_/pages/entry__id_.py"
        assert entry.read_bytes() == (built.out_dir / "pages/entry__id_.py").read_bytes()
        shutil.rmtree(built.out_dir / "host")
        [told] = sys.modules["flyby_adapter"].TOLD.pop()
        assert (replace(told, zip=built.functions[0].zip),) == built.functions
    assert built.functions[0].routes == ("/[id]",)
    assert built.functions[0].function.handler == "pages/entry__id_.serve"


@pytest.mark.parametrize("through", ["", "typing-extensions"])
def test_what_the_host_provides_is_there_when_a_zip_is_started_and_not_in_it(
    write_site: Callable[..., Path], through: str
) -> None:
    told = refused(write_site, f"import typing_extensions\n{SERVER}")
    assert told.what == "imports typing_extensions, which no dependency provides"
    provided = f'Target(provided=("six", "typing-extensions"), provided_through="{through}", '
    root = site(write_site, adapter=ADAPTER.replace("Target(", provided))
    (root / "flyby_server.py").write_text(f"import typing_extensions\n{SERVER}")
    sys.modules.pop("flyby_adapter")
    [function] = build(root).functions
    assert function.function.traced.provided == ("six", "typing-extensions")
    assert function.verdict.verified
    with ZipFile(function.zip.path) as zipped:
        assert not [name for name in zipped.namelist() if "typing_extensions" in name]


def test_a_limit_that_a_host_sets_later_holds_for_a_zip_that_has_not_changed(
    write_site: Callable[..., Path],
) -> None:
    adapter = ADAPTER.replace("    def build_ssr", "    sees_files = False\n\n    def build_ssr")
    root = site(write_site, adapter=adapter)
    size = build(root).functions[0].zip.zipped_bytes
    before = (root / "dist/functions/_id_.zip").read_bytes()
    for limit, what in ((size, ""), (size - 1, f"{size:,} bytes zipped, the limit is")):
        limited = adapter.replace("target=", f"limits=Limits(zipped_bytes={limit}), target=")
        text = f"from routelet_bundler.adapter import Limits\n{limited}"
        (root / "flyby_adapter.py").write_text(text)
        sys.modules.pop("flyby_adapter")
        if not what:
            build(root)
            continue
        with pytest.raises(RouteletError, match="the function _id_ is too large") as told:
            build(root)
        assert what in told.value.what
        assert "flyby_server.py" in told.value.mend
    assert (root / "dist/functions/_id_.zip").read_bytes() == before


def test_an_option_that_its_factory_does_not_take_is_told_with_its_line(
    write_site: Callable[..., Path],
) -> None:
    root = site(write_site, more='[tool.routelet.adapters."flyby_adapter:flyby"]\nprot = 1\n')
    with pytest.raises(RouteletError) as raised:
        build(root)
    assert raised.value.where == "pyproject.toml:9"
    assert raised.value.mend == 'did you mean "port"?'
    assert raised.value.status == WRONG_USE


def test_an_output_that_it_does_not_support_stops_the_build(
    write_site: Callable[..., Path],
) -> None:
    root = site(write_site, adapter=ADAPTER.replace("server_output", "static_output"))
    with pytest.raises(RouteletError, match="flyby does not support output") as raised:
        build(root)
    assert raised.value.status == WRONG_USE


def test_a_hook_that_fails_names_the_integration_and_the_hook(
    write_site: Callable[..., Path],
) -> None:
    broken = ADAPTER.replace("        for route, url", "        1 / 0\n        for route, url")
    root = site(write_site, adapter=broken)
    with pytest.raises(RouteletError, match="flyby failed in build_ssr: ZeroDivisionError"):
        build(root)
    assert not (root / "dist").exists()


def refused(write_site: Callable[..., Path], server: str, adapter: str = ADAPTER) -> RouteletError:
    root = site(write_site, adapter=adapter)
    (root / "flyby_server.py").write_text(server)
    with pytest.raises(RouteletError) as raised:
        build(root)
    assert not (root / "dist").exists()
    return raised.value


@pytest.mark.parametrize(
    ("server", "what"),
    [
        (
            "def create_exports(manifest, args):\n    return {'sevre': 1}\n",
            "create_exports does not give the export 'serve'",
        ),
        ("def make_exports(manifest, args):\n    return {}\n", "there is no create_exports"),
        (
            "def create_exports(manifest, args):\n    pass\n",
            "create_exports returns no mapping: 'NoneType' object is not subscriptable",
        ),
        (
            "def create_exports(manifest, args):\n    return ['serve']\n",
            "create_exports returns no mapping: list indices must be integers or slices, not str",
        ),
        (
            "def create_exports(manifest):\n    return {'serve': 1}\n",
            "create_exports() takes 1 positional argument but 2 were given",
        ),
    ],
)
def test_an_export_that_is_not_given_is_told_with_adapter_and_server_entrypoint(
    write_site: Callable[..., Path], server: str, what: str
) -> None:
    write_site({"src/pages/other.py": PAGE})
    told = refused(write_site, server)
    assert told.what.startswith(f"flyby_server: {what}")
    assert (told.where, told.status) == ("adapter flyby", WRONG_USE)
    assert "create_exports(manifest, args)" in told.mend
    assert told.others == ()  # one mistake, although two functions have it


def test_an_export_may_be_any_object(write_site: Callable[..., Path]) -> None:
    listed = ADAPTER.replace('("serve",)', '["config", "nothing", "serve"]')
    root = site(write_site, adapter=listed)
    (root / "flyby_server.py").write_text(
        SERVER.replace('{"serve": serve}', '{"serve": serve, "config": {"ms": 9}, "nothing": None}')
    )
    entry = build(root).entry_points["/[id]"].removeprefix("file://")
    code = (
        f"import runpy, sys\nsys.path[:0] = [{str(root)!r}, {str(root / 'src')!r}]\n"
        f"found = runpy.run_path({entry!r})\nprint(found['config'], found['nothing'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "{'ms': 9} None\n", done.stderr


def test_a_server_that_fails_itself_is_told_with_its_line(write_site: Callable[..., Path]) -> None:
    told = refused(write_site, "def create_exports(manifest, args):\n    return args['prot']\n")
    assert "KeyError: 'prot'" in told.what
    assert told.where == "flyby_server.py:2"


def test_a_server_entrypoint_that_is_not_there_is_told(write_site: Callable[..., Path]) -> None:
    missing = ADAPTER.replace('"flyby_server"', '"flyby_srever"')
    told = refused(write_site, SERVER, adapter=missing)
    assert told.what == "there is no module flyby_srever, which server_entrypoint names"
    assert (told.where, told.status) == ("adapter flyby", WRONG_USE)


def test_a_middleware_entrypoint_that_is_not_there_is_told(
    write_site: Callable[..., Path],
) -> None:
    missing = ADAPTER.replace(
        "AdapterFeatures(function_per_route=True)",
        'AdapterFeatures(edge_middleware=True), middleware_entrypoint="flyby_egde"',
    )
    write_site({"src/middleware.py": "def on_request(ctx, next):\n    return next()\n"})
    told = refused(write_site, SERVER, adapter=missing)
    assert told.what == "there is no module flyby_egde, which middleware_entrypoint names"


def test_cold_starts_of_lambda_are_not_told_of_another_host(
    write_site: Callable[..., Path],
) -> None:
    root = site(write_site)
    (root / "src/pages/other.py").write_text("def GET(ctx):\n    return {}\n")
    assert build(root).splits is None
    assert "splits" not in json.loads((root / "dist/routelet.json").read_text())
    auto = ADAPTER.replace("server_entrypoint=", 'split="auto", server_entrypoint=')
    (root / "flyby_adapter.py").write_text(auto)
    sys.modules.pop("flyby_adapter")
    splits = build(root).splits
    assert splits is not None
    assert splits.choices


def test_an_adapter_without_a_server_entrypoint_has_nothing_to_answer_with(
    write_site: Callable[..., Path],
) -> None:
    lines = ADAPTER.splitlines(keepends=True)
    bare = "".join(one for one in lines if "server_entrypoint" not in one and "exports" not in one)
    told = refused(write_site, SERVER, adapter=bare)
    assert told.what == "the adapter flyby has no server_entrypoint that could answer requests"
    assert told.where == "src/pages/[id].py"
    assert told.status == WRONG_USE


def test_assets_that_it_does_not_support_stop_the_build(write_site: Callable[..., Path]) -> None:
    root = site(
        write_site, adapter=ADAPTER.replace('"assets": "stable"', '"assets": "unsupported"')
    )
    (root / "public").mkdir()
    (root / "public/a.css").write_text("")
    (root / "src/pages/[id].py").write_text("def GET(ctx):\n    return ctx.asset('a.css')\n")
    with pytest.raises(RouteletError, match="flyby does not support assets") as raised:
        build(root)
    assert raised.value.status == WRONG_USE
    assert not (root / "dist").exists()


EVERY_HOOK = """
from routelet_bundler.adapter import Integration

class Noting(Integration):
    name = "noting"
    seen = []

def note(hook):
    def noted(self, payload):
        self.seen.append((hook, payload))
        payload.logger.info(hook)
    return noted

for hook in [
    "config_setup", "config_done", "server_setup", "server_start", "server_done", "build_start",
    "build_setup", "build_ssr", "build_generated", "build_done",
]:
    assert hasattr(Integration, hook)
    setattr(Noting, hook, note(hook))
"""


@pytest.fixture
def noted(write_site: Callable[..., Path]) -> dict[str, object]:
    root = site(write_site, more='integrations = ["noting:Noting"]\nsite = "https://e.org"\n')
    (root / "noting.py").write_text(EVERY_HOOK)
    sys.modules.pop("noting", None)
    build(root)
    return dict(sys.modules["noting"].Noting.seen)


def test_hooks_are_fired_in_astros_order(noted: dict[str, object]) -> None:
    assert list(noted) == [
        "config_setup", "config_done", "build_start", "build_setup", "build_ssr",
        "build_generated", "build_done",
    ]  # fmt: skip


def test_payloads_tell_what_is_built_and_cannot_be_changed(noted: dict[str, Any]) -> None:
    ssr, done = noted["build_ssr"], noted["build_done"]
    [route] = noted["build_setup"].routes
    assert noted["build_setup"].target.python == "3.12"
    assert done.routes == (route,)
    assert ssr.entry_points[route].endswith("/pages/entry__id_.py")
    assert ssr.manifest["site"] == "https://e.org"
    assert ssr.manifest["adapter"]["name"] == "flyby"
    assert ssr.manifest["routes"][0]["function"] == "_id_"
    assert "flyby_server.py" in ssr.functions["_id_"]
    for fixed in (ssr.entry_points, ssr.manifest, ssr.manifest["routes"][0], ssr.functions):
        with pytest.raises(TypeError):
            fixed["x"] = 1
    for payload in noted.values():
        with pytest.raises(dataclasses.FrozenInstanceError):
            payload.logger = None
