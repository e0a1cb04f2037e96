"""Middleware as a function of its own, for adapters of others: with what the docs say."""

import re
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

from routelet.http import Request
from routelet.signing import Claims, sign
from routelet_bundler import build

PROJECT = """[project]
name = "site"
version = "1"

[tool.routelet]
output = "hybrid"
adapter = "outsider_adapter:Outsider"
"""
MIDDLEWARE = """from guard import USER

def on_request(ctx, next):
    ctx.locals["user"] = USER
    return next("/posts/1") if ctx.url.path == "/old" else next()
"""
FILES = {
    "src/middleware.py": MIDDLEWARE,
    "src/guard.py": "USER = 'Ada'\n",
    "src/pages/posts/[id].py": "prerender = False\ndef GET(ctx): return ctx.locals\n",
}
ADAPTERS = Path(__file__).parents[3] / "docs/writing-adapters.md"
OUTSIDER = """from routelet_bundler.adapter import Adapter, AdapterFeatures, Integration, Target
import sys

class Outsider(Integration):
    name = "outsider"

    def config_done(self, payload):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        payload.set_adapter(
            Adapter(
                name="outsider",
                server_entrypoint="outsider_server",
                exports=("serve",),
                adapter_features=AdapterFeatures(function_per_route=True, edge_middleware=True),
                supported_features={"hybrid_output": "stable"},
                target=Target(python=version, architecture="x86_64", glibc="2_28", folder="/app"),
            )
        )

    def build_ssr(self, payload):
        TOLD.append((payload.middleware_entry_point, sorted(payload.middleware_files or ())))

TOLD = []
"""
SERVER = "def create_exports(manifest, args): return {'serve': lambda request: manifest}\n"


@pytest.fixture
def outsider(write_site: Callable[..., Path]) -> Iterator[Callable[..., Path]]:
    def write(files: Mapping[str, str] = FILES) -> Path:
        own = {"outsider_adapter.py": OUTSIDER, "outsider_server.py": SERVER}
        return write_site({**files, **own}, pyproject=PROJECT)

    yield write
    for name in ("outsider_adapter", "middleware", "guard"):  # of this site, and no other
        sys.modules.pop(name, None)


def test_without_an_entrypoint_the_module_exposes_the_middleware(
    outsider: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = outsider()
    made = build(root)
    assert made.middleware_entry_point == (made.out_dir / "middleware.py").as_uri()
    monkeypatch.syspath_prepend(str(root / "src"))
    entry = runpy.run_path(str(made.out_dir / "middleware.py"))
    assert entry["on_request"].__code__.co_filename == str(root / "src/middleware.py")
    assert entry["MANIFEST"]["middleware"]
    assert {"create_exports", "handler", "ARGS"}.isdisjoint(entry)


def test_build_ssr_has_the_entry_module_and_its_files(outsider: Callable[..., Path]) -> None:
    root = outsider()
    build(root)
    [(url, files)] = sys.modules["outsider_adapter"].TOLD
    assert url.endswith("/middleware.py")
    assert {"entry.py", "middleware.py", "guard.py"} <= set(files)


def test_a_server_of_others_hands_signed_locals_to_its_pages(
    outsider: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", ADAPTERS.read_text(), re.DOTALL)
    root = outsider()
    (root / "outsider_server.py").write_text(next(one for one in blocks if "accept(" in one))
    url = build(root).entry_points["/posts/[id]"].removeprefix("file://")
    request = Request("https://api.example/posts/7")
    text = sign(request, Claims(locals={"user": "Ada"}, host="shop.example"), "k" * 32, time.time())
    code = (
        "import asyncio, runpy, sys\n"
        f"sys.path[:0] = [{str(root)!r}, {str(root / 'src')!r}]\n"
        f"serve = runpy.run_path({url!r})['serve']\n"
        "from routelet import Request\n"
        "for headers in ({}, {'x-routelet-locals': sys.argv[1]}):\n"
        "    request = Request('https://api.example/posts/7', headers=headers)\n"
        "    print(asyncio.run(serve(request)).text())\n"
    )
    for key, expected in (("k" * 32, 'Forbidden\n{"user":"Ada"}\n'), ("", "Forbidden\n" * 2)):
        monkeypatch.setenv("ROUTELET_LOCALS_KEY", key)
        done = subprocess.run(
            [sys.executable, "-c", code, text], capture_output=True, text=True, check=False
        )
        assert done.stdout == expected, done.stderr
        assert text not in done.stderr


def test_middleware_of_others_hands_over_what_their_server_takes(
    outsider: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", ADAPTERS.read_text(), re.DOTALL)
    root = outsider()
    (root / "outsider_server.py").write_text(next(one for one in blocks if "accept(" in one))
    (root / "outsider_gate.py").write_text(next(one for one in blocks if "EdgeApp(" in one))
    adapter = root / "outsider_adapter.py"
    named = 'exports=("serve",),\n                middleware_entrypoint="outsider_gate",'
    adapter.write_text(adapter.read_text().replace('exports=("serve",),', named))
    made = build(root)
    code = (
        "import asyncio, runpy, sys\n"
        f"sys.path[:0] = [{str(root)!r}, {str(root / 'src')!r}]\n"
        "gate, page = (runpy.run_path(path)['serve'] for path in sys.argv[1:])\n"
        "from routelet import Request\n"
        "sent = {'x-routelet-locals': 'forged', 'x_routelet_locals': 'forged'}\n"
        "asked = gate(Request('https://shop.example/old', headers=sent, host_context={}))\n"
        "print(asked.url.path, asked.headers.get('x_routelet_locals'))\n"
        "print(asyncio.run(page(asked)).text())\n"
    )
    entries = (made.middleware_entry_point, made.entry_points["/posts/[id]"])
    paths = [str(one).removeprefix("file://") for one in entries]
    monkeypatch.setenv("ROUTELET_LOCALS_KEY", "k" * 32)
    done = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False
    )
    assert done.stdout == '/posts/1 None\n{"user":"Ada"}\n', done.stderr


def test_without_middleware_there_is_no_entry_module(outsider: Callable[..., Path]) -> None:
    made = build(outsider({key: FILES[key] for key in FILES if key != "src/middleware.py"}))
    assert (made.middleware_entry_point, made.edge_function) == (None, None)
    assert sys.modules["outsider_adapter"].TOLD == [(None, [])]


def test_both_entrypoints_have_their_own_neighbours_in_their_zips_alone(
    outsider: Callable[..., Path], tmp_path: Path
) -> None:
    root = outsider()
    named = 'server_entrypoint="outsider_server",'
    (root / "outsider_adapter.py").write_text(
        OUTSIDER.replace(
            named, 'server_entrypoint="acme.flyby.server", middleware_entrypoint="acme.gate",'
        )
    )
    exports = "\n\ndef create_exports(manifest, args):\n    return {'serve': lambda: TOLD}\n"
    folder = root / "acme/flyby"
    folder.mkdir(parents=True)
    (folder / "server.py").write_text(f"import acme_shared\nTOLD = acme_shared.TOLD{exports}")
    (root / "acme_shared.py").write_text(
        "from pathlib import Path\n"
        "TOLD = (Path(__file__).parent / 'acme' / 'told.txt').read_text()\n"
    )
    (root / "acme/told.txt").write_text("from the data file")
    (root / "acme/gate.py").write_text(f"from acme.names import TOLD{exports}")
    (root / "acme/names.py").write_text("TOLD = 'from the gate'\n")
    made = build(root)
    told = {}
    for name, entry in (("posts__id_", "pages/posts/entry__id_"), ("middleware", "entry")):
        unpacked = tmp_path / name
        with ZipFile(made.out_dir / f"functions/{name}.zip") as packed:
            packed.extractall(unpacked)
        code = (
            f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
            f"import importlib; print(importlib.import_module({entry.replace('/', '.')!r}).serve())"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
        )
        told[name] = (done.stdout.strip(), (unpacked / "acme/names.py").exists(), done.stderr)
    assert told == {
        "posts__id_": ("from the data file", False, ""),
        "middleware": ("from the gate", True, ""),
    }
