"""The integration that docs/integrations.md shows, and the site's own module there."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from routelet_bundler import build
from routelet_bundler.configure import configure
from routelet_bundler.emulator import Emulator

Site = Callable[..., Path]

DOCS = Path(__file__).parents[3] / "docs" / "integrations.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    """Let each test import modules of the same names from a site of its own."""
    yield
    for name in [one for one in sys.modules if one.partition(".")[0] == "moon"]:
        del sys.modules[name]


def test_the_integration_of_the_docs_builds_and_answers(site_with: Site) -> None:
    [source] = [block for block in BLOCKS if "class Moon" in block]
    stamp = (
        "def on_request(ctx, next):\n    response = next()\n"
        "    response.headers['x-moon'] = 'full'\n    return response\n"
    )
    files = {
        "moon/__init__.py": "from moon.integration import moon\n",
        "moon/integration.py": source,
        "moon/health.py": "def GET(ctx):\n    return {'healthy': True}\n",
        "moon/stamp.py": stamp,
    }
    options = 'output = "server"\nadapter = "aws-lambda"'
    made = build(site_with(files, "moon.integration:moon", options=options))
    version = json.loads((made.out_dir / "client/version.json").read_text())
    assert version == {"site": "https://example.com"}
    with Emulator(made.out_dir) as lambda_:
        answer = lambda_.get("/health")
    assert (answer.json(), answer.headers["x-moon"]) == ({"healthy": True}, "full")


def test_the_module_of_the_docs_redirects(site_with: Site) -> None:
    [source] = [block for block in BLOCKS if "site_integrations.py" in block]
    root = site_with({"site_integrations.py": source}, "site_integrations:redirects")
    [middleware] = configure(root, "build").injections.middleware
    assert "'www.example.com': 'example.com'" in middleware.entrypoint.read_text()
