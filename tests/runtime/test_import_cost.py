"""What a cold start loads, on which Pythons the runtime answers, and that it needs nothing else."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.interpreters import find_interpreter

RUNTIME = Path(__file__).parents[2] / "runtime"
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]

LOADED_BY_A_JSON_ENDPOINT = """
_collections _collections_abc _functools _json _operator _sre collections copyreg enum functools
importlib importlib._bootstrap importlib._bootstrap_external itertools json json.decoder
json.encoder json.scanner keyword operator pages pages.data_json re re._casefix re._compiler
re._constants re._parser reprlib routelet routelet.app routelet.aws routelet.context
routelet.events routelet.events.bodies routelet.events.http_api routelet.headers routelet.http
routelet.pages routelet.routing types warnings
"""
"""Beside what a bare interpreter has: `re`, `json` and `importlib` with theirs, and our own."""

NEVER_LOADED_BY_A_JSON_ENDPOINT = {
    "asyncio", "base64", "concurrent", "dataclasses", "datetime", "email", "http", "inspect",
    "ipaddress", "logging", "pathlib", "tempfile", "threading", "traceback", "typing", "urllib",
    "uuid", "zipfile",
}  # fmt: skip
"""urllib is loaded where a request has a query, the others where a page asks for them."""

ANSWER = """
import sys
before = set(sys.modules)
sys.path[:0] = sys.argv[1:]
from routelet.aws import create_exports

MANIFEST = {
    "routes": (
        {"route": "/data.json", "pattern": r"^/data\\.json/?$", "params": (),
         "module": "pages.data_json", "source": "pages/data.json.py"},
    ),
}
EVENT = {
    "version": "2.0",
    "rawPath": "/data.json",
    "rawQueryString": "",
    "headers": {"host": "api.example", "accept": "*/*"},
    "requestContext": {
        "domainName": "api.example",
        "http": {"method": "GET", "path": "/data.json", "sourceIp": "192.0.2.1"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}
handler = create_exports(MANIFEST, {})["handler"]
result = handler(EVENT, None)
loaded = sorted(set(sys.modules) - before)
import json
print(json.dumps({"result": result, "loaded": loaded}))
"""

SITE = {
    "pages/data_json.py": "def GET(ctx): return {'path': ctx.url.path}",
    "pages/posts/[id].py": """
import asyncio
import sys
from uuid import UUID

if sys.version_info < (3, 14):  # later, an annotation may name what is not there at run time
    NotHere = object

async def GET(ctx: NotHere, id: int, key: UUID):
    await asyncio.sleep(0)
    ctx.cookies.set("seen", "yes", max_age=60)
    return [id, str(key), ctx.url.search_params["q"], ctx.url_for("/posts/[id]", id="a b")]

def POST(ctx, key: "UUID"):
    return dict(ctx.request.form().items())
""",
    "pages/broken.py": "def GET(ctx): 1 / 0",
    "pages/lost.py": "def GET(ctx): return ctx.rewrite('/nowhere')",
    "pages/404.py": "async def GET(ctx): return 'lost ' + ctx.locals['by']",
    "middleware.py": """
from routelet import sequence

def first(ctx, next):
    ctx.locals["by"] = "first"
    return next()

async def second(ctx, next):
    response = await next()
    response.headers["x-second"] = "yes"
    return response

on_request = sequence(first, second)
""",
}

ANSWER_ALL = """
import json, sys, warnings
warnings.simplefilter("error")
sys.path[:0] = sys.argv[1:]
from routelet import Headers, Request
from routelet.app import App

def route(route, pattern, params, module, source):
    return {"route": route, "pattern": pattern, "params": params, "module": module,
            "source": source}

app = App({
    "routes": [
        route("/data.json", r"^/data\\.json/?$", (), "pages.data_json", "pages/data.json.py"),
        route("/posts/[id]/[key]", "^/posts/([^/]+?)/([^/]+?)/?$", ("id", "key"),
              "pages.posts._id_", "pages/posts/[id].py"),
        route("/broken", "^/broken/?$", (), "pages.broken", "pages/broken.py"),
        route("/lost", "^/lost/?$", (), "pages.lost", "pages/lost.py"),
    ],
    "middleware": "middleware",
    "error_pages": {404: {"module": "pages.404", "source": "pages/404.py"}},
})
KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"
FORM = {"content-type": "application/x-www-form-urlencoded"}
answers = []
for request in (
    Request("/data.json"),
    Request(f"/posts/7/{KEY}?q=x%20y"),
    Request("/posts/x/y"),
    Request(f"/posts/7/{KEY}", method="POST", headers=FORM, body="a=b+c"),
    Request("/broken"),
    Request("/lost"),
    Request("/%zz"),
):
    response = app.respond(request)
    answers.append([response.status, response.text(), response.headers.get("x-second"),
                    response.headers.get_set_cookie()])
print(json.dumps(answers))
"""


def run(python: Path, script: str, *paths: Path) -> Any:
    """Return the JSON that `script` prints; it sees the standard library and `paths` only."""
    command = [str(python), "-I", "-S", "-B", "-c", script, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> Path:
    """Return an interpreter of each version that the runtime is for."""
    found = find_interpreter(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} on this machine")
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the import root of a site."""
    for file, source in SITE.items():
        target = tmp_path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source)
    return tmp_path


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the list is that of Python 3.11")
def test_a_json_endpoint_loads_exactly_these_modules(site: Path) -> None:
    answered = run(Path(sys.executable), ANSWER, RUNTIME, site)
    assert answered["result"]["body"] == '{"path":"/data.json"}'
    assert answered["loaded"] == LOADED_BY_A_JSON_ENDPOINT.split()


def test_a_json_endpoint_loads_nothing_slow_on_any_python(python: Path, site: Path) -> None:
    answered = run(python, ANSWER, RUNTIME, site)
    assert answered["result"]["statusCode"] == 200
    loaded = {name.partition(".")[0] for name in answered["loaded"]}
    assert loaded & NEVER_LOADED_BY_A_JSON_ENDPOINT == set()


def test_the_runtime_answers_on_every_python(python: Path, site: Path) -> None:
    key = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert run(python, ANSWER_ALL, RUNTIME, site) == [
        [200, '{"path":"/data.json"}', "yes", []],
        [200, f'[7,"{key}","x y","/posts/a%20b"]', "yes", ["seen=yes; Max-Age=60"]],
        [404, "lost first", "yes", []],
        [200, '{"a":"b c"}', "yes", []],
        [500, "Internal Server Error", None, []],
        [404, "lost first", "yes", []],
        [400, "Bad Request", None, []],
    ]


FILES = sorted((RUNTIME / "routelet").rglob("*.py"))
SINCE_3_14 = {"annotationlib"}
"""Imported below a check of the version; a list of this Python's modules may not have it."""

BROUGHT_BY_SITES = {"powertools.py": {"aws_lambda_powertools"}, "asgi.py": {"uvicorn"}}
"""What is reached only where a site turns it on, or serves with it."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(RUNTIME)))
def test_the_runtime_imports_the_standard_library_only(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    imported -= BROUGHT_BY_SITES.get(file.name, set())
    assert imported - SINCE_3_14 <= {"routelet", *sys.stdlib_module_names}
