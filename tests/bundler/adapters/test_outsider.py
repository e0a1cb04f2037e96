"""An adapter by somebody outside, written with what docs/writing-adapters.md says."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.errors import WRONG_USE

DOCS = Path(__file__).parents[3] / "docs" / "writing-adapters.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
ADAPTER = next(block for block in BLOCKS if "class Flyby" in block)
SERVER = "from routelet.app import App\n" + next(b for b in BLOCKS if "def create_exports" in b)
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
    root = site(write_site, adapter=ADAPTER.replace('"server_output": "stable", ', ""))
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
