"""Injected routes and middleware: built, answered by the emulator, prerendered."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.emulator import Emulator
from routelet_bundler.model import Build

Site = Callable[..., Path]

PROJECT = '[project]\nname = "site"\nversion = "1"\n[tool.routelet]\nsite = "https://example.com"\n'
SERVER = 'output = "server"\nadapter = "aws-lambda"\n'
PLUG = """\
from routelet_bundler.adapter import Integration

class Plug(Integration):
    name = "plug"

    def config_setup(self, payload):
        folder = payload.create_codegen_dir()
{body}
"""
ENDPOINT = (
    "from lib.names import NAME\n\n\n"
    "def GET(ctx):\n    return {'module': __name__, 'name': NAME, 'params': ctx.params}\n"
)
STEP = """\
from lib.names import NAME

def on_request(ctx, next):
    ctx.locals["by"] = [*ctx.locals.get("by", []), "{name}"]
    response = next()
    response.headers.append("x-left", f"{name} {{NAME}}")
    return response
"""
FILES = {
    "src/lib/names.py": "NAME = 'ours'\n",
    "src/layouts/base.jinja": "<main>{% block x %}{{ content }}{% endblock %}</main>",
    "kit/page.py": ENDPOINT,
    "kit/page.jinja": (
        "{% extends 'layouts/base.jinja' %}{% block x %}{{ ctx.url.path }}{% endblock %}"
    ),
    "kit/page.md": "---\nlayout: layouts/base.jinja\n---\n# Told\n",
    "kit/page.html": "<p>as it is</p>",
}


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    """Let each test import a module of the same name from a site of its own."""
    yield
    sys.modules.pop("plug", None)


@pytest.fixture
def plugged(write_site: Site) -> Callable[..., Path]:
    """Return a function from the lines of a `config_setup` to a site with them."""

    def write(*lines: str, options: str = SERVER, files: dict[str, str] | None = None) -> Path:
        sys.modules.pop("plug", None)
        body = "".join(f"        {line}\n" for line in lines)
        return write_site(
            {**FILES, "plug.py": PLUG.format(body=body), **(files or {})},
            pyproject=f'{PROJECT}integrations = ["plug:Plug"]\n{options}',
        )

    return write


def inject(pattern: str, entrypoint: str, more: str = "") -> str:
    return f"payload.inject_route(pattern={pattern!r}, entrypoint={entrypoint!r}{more})"


def names_in(made: Build, function: str) -> set[str]:
    [one] = [one for one in made.functions if one.name == function]
    return {file.archive for file in one.function.traced.files}


def test_pages_of_every_kind_answer_from_their_zips(plugged: Callable[..., Path]) -> None:
    root = plugged(
        inject("/", "kit/page.html"),
        inject("/api/[id]", "kit/page.py"),
        inject("/feed.json", "kit/page.py"),
        inject("/from-template", "kit/page.jinja"),
        inject("/told", "kit/page.md"),
    )
    made = build(root)
    assert {one.name for one in made.functions} == {
        "index",
        "api__id_",
        "feed_json",
        "from-template",
        "told",
    }
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/").text == "<p>as it is</p>"
        assert lambda_.get("/api/7").json() == {
            "module": "site_injected.kit.page",
            "name": "ours",
            "params": {"id": "7"},
        }
        assert lambda_.get("/feed.json").json()["params"] == {}
        assert lambda_.get("/from-template").text == "<main>/from-template</main>"
        assert '<h1 id="told">Told</h1>' in lambda_.get("/told").text
    template = (made.out_dir / "template.yaml").read_text()
    assert 'Path: "/feed.json"' in template


def test_a_zip_has_the_file_alone_and_what_it_imports(plugged: Callable[..., Path]) -> None:
    root = plugged(inject("/api", "kit/page.py"), files={"kit/__init__.py": "import plug"})
    made = build(root)
    own = {name for name in names_in(made, "api") if not name.startswith("routelet/")}
    assert own == {"site_injected/kit/page.py", "lib/names.py"}
    graph = json.loads((made.out_dir / "graph.json").read_text())
    assert graph["labels"]["site_injected/kit/page.py"] == "kit/page.py"


READER = """\
from pathlib import Path

HERE = Path(__file__).parent

def GET(ctx):
    name = ctx.url.search_params.get("of") or "a"
    files = [HERE / "t.txt", HERE / "tables" / f"{name}.csv", HERE.parent / "up.txt"]
    return "".join(file.read_text() for file in files)
"""
READ = {
    "kit/deep/page.py": READER,
    "kit/deep/t.txt": "one ",
    "kit/deep/tables/a.csv": "table ",
    "kit/deep/tables/.hidden.csv": "",
    "kit/up.txt": "up",
    "kit/other.txt": "",
}


@pytest.mark.parametrize("prerender", [True, False])
def test_data_files_that_a_page_names_come_along(
    plugged: Callable[..., Path], *, prerender: bool
) -> None:
    root = plugged(inject("/read", "kit/deep/page.py", f", prerender={prerender}"), files=READ)
    made = build(root)
    folder = made.out_dir / "site_injected/kit"
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {
        "page.py", "t.txt", "a.csv", "up.txt",
    }  # fmt: skip
    if prerender:
        assert (made.out_dir / "client/read/index.html").read_text() == "one table up"
        (root / "kit/up.txt").write_text("changed")
        assert (build(root).out_dir / "client/read/index.html").read_text() == "one table changed"
        return
    own = {name for name in names_in(made, "read") if name.startswith("site_injected")}
    assert own == {
        f"site_injected/kit/{name}"
        for name in ("deep/page.py", "deep/t.txt", "deep/tables/a.csv", "up.txt")
    }
    graph = json.loads((made.out_dir / "graph.json").read_text())
    assert graph["labels"]["site_injected/kit/up.txt"] == "kit/up.txt"
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/read").text == "one table up"


def test_data_beside_an_injected_page_whose_name_is_not_known_is_told(
    plugged: Callable[..., Path],
) -> None:
    reader = (
        "from pathlib import Path\n\ndef GET(ctx):\n"
        "    return (Path(__file__).parent / f'{ctx.params[\"id\"]}.txt').read_text()\n"
    )
    root = plugged(
        inject("/[id]", "kit/any.py"), files={"kit/any.py": reader, "kit/secret.txt": ""}
    )
    made = build(root)
    assert any(one.startswith("kit/any.py:4: reads a file beside") for one in made.warnings)
    assert not [name for name in names_in(made, "_id_") if name.endswith(".txt")]


def test_two_data_files_of_one_place_are_told(plugged: Callable[..., Path]) -> None:
    read = "from pathlib import Path\nT = (Path(__file__).parent / 't.txt').read_text()\n"
    root = plugged(
        inject("/a", "a b/page.py"),
        inject("/b", "a_b/page.py"),
        files={
            f"{folder}/{name}": text
            for folder in ("a b", "a_b")
            for name, text in {"page.py": read + ENDPOINT, "t.txt": folder}.items()
        },
    )
    with pytest.raises(RouteletError) as told:
        build(root)
    assert told.value.what == "reads a_b/t.txt, and a b/t.txt has its place in a zip"
    assert told.value.where == "a_b/page.py:2"


def test_the_entry_answers_in_place(plugged: Callable[..., Path]) -> None:
    root = plugged(inject("/api", "kit/page.py"))
    made = build(root)
    entry = made.entry_points["/api"].removeprefix("file://")
    event = {
        "version": "2.0",
        "rawPath": "/api",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {"http": {"method": "GET"}, "stage": "$default"},
        "isBase64Encoded": False,
    }
    code = (
        "import json, runpy, sys\n"
        f"sys.path[:0] = [{str(root / 'src')!r}]\n"
        f"print(runpy.run_path({entry!r})['handler']({event!r}, None)['body'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout or done.stderr)["name"] == "ours"


def test_what_it_imports_and_nothing_provides_is_told_by_its_file(
    plugged: Callable[..., Path],
) -> None:
    root = plugged(inject("/api", "kit/page.py"), files={"kit/page.py": "\nimport lunar\n"})
    with pytest.raises(RouteletError, match="imports lunar, which no dependency provides") as told:
        build(root)
    assert told.value.where == "kit/page.py:2"


def test_files_that_a_hook_generates_are_pages(plugged: Callable[..., Path]) -> None:
    root = plugged(
        "(folder / 'made.py').write_text('def GET(ctx): return {\"made\": True}')",
        "payload.inject_route(pattern='/made', entrypoint=folder / 'made.py')",
    )
    made = build(root)
    assert "site_injected/_routelet/integrations/plug/made.py" in names_in(made, "made")
    [route] = json.loads((made.out_dir / "routelet.json").read_text())["routes"]
    assert route["component"] == ".routelet/integrations/plug/made.py"
    assert str(root) not in (made.out_dir / "pages/entry_made.py").read_text()


def test_prerendered_ones_become_files(plugged: Callable[..., Path]) -> None:
    listed = (
        "from lib.names import NAME\n\n\ndef get_static_paths():\n"
        "    return [{'params': {'id': one}} for one in 'ab']\n\n\n"
        "def GET(ctx):\n    return {'id': ctx.params['id'], 'name': NAME}\n"
    )
    root = plugged(
        inject("/x/[id].json", "kit/listed.py"),
        inject("/y/[id].json", "kit/listed.py"),
        inject("/told", "kit/page.md"),
        inject("/also/told", "kit/page.md"),
        inject("/plain", "kit/page.jinja"),
        options="",
        files={"kit/listed.py": listed},
    )
    made = build(root)
    client = made.out_dir / "client"
    assert json.loads((client / "x/a.json").read_text()) == {"id": "a", "name": "ours"}
    assert json.loads((client / "y/b.json").read_text()) == {"id": "b", "name": "ours"}
    assert (client / "plain/index.html").read_text() == "<main>/plain</main>"
    told = {(client / f"{name}/index.html").read_text() for name in ("told", "also/told")}
    assert len(told) == 1
    assert "Told" in told.pop()


def test_one_file_may_be_prerendered_at_one_route_and_on_demand_at_another(
    plugged: Callable[..., Path],
) -> None:
    root = plugged(
        inject("/a", "kit/page.md", ", prerender=True"),
        inject("/b", "kit/page.md", ", prerender=False"),
        inject("/c", "kit/page.py", ", prerender=True"),
        inject("/d", "kit/page.py", ", prerender=False"),
    )
    made = build(root)
    assert (made.out_dir / "client/a/index.html").is_file()
    assert json.loads((made.out_dir / "client/c").read_text())["name"] == "ours"
    assert {one.name for one in made.functions} == {"b", "d"}
    assert {one.verdict.verified for one in made.functions} == {True}


def test_middleware_runs_in_order_on_request_and_while_prerendering(
    plugged: Callable[..., Path],
) -> None:
    page = "def GET(ctx):\n    return ctx.locals['by']\n"
    root = plugged(
        "payload.add_middleware(entrypoint='kit/inner.py', order='post')",
        "payload.add_middleware(entrypoint='kit/outer.py', order='pre')",
        files={
            "kit/outer.py": STEP.format(name="outer"),
            "kit/inner.py": STEP.format(name="inner"),
            "src/middleware.py": STEP.format(name="own"),
            "src/pages/now.py": page,
            "src/pages/then.json.py": f"prerender = True\n{page}",
        },
    )
    made = build(root)
    before = (made.out_dir / "client/then.json").read_text()
    assert json.loads(before) == ["outer", "own", "inner"]
    with Emulator(made.out_dir) as lambda_:
        answer = lambda_.get("/now")
    assert answer.json() == ["outer", "own", "inner"]
    assert answer.headers["x-left"] == "inner ours, own ours, outer ours"


def test_a_changed_one_renders_pages_again(plugged: Callable[..., Path]) -> None:
    call = "payload.add_middleware(entrypoint='kit/step.py', order='pre')"
    page = "def GET(ctx):\n    return ctx.locals['by']\n"
    files = {"src/pages/a.json.py": page, "kit/step.py": STEP.format(name="one")}
    root = plugged(call, options="", files=files)
    build(root)
    build(root)
    there = (root / "dist/client/a.json").stat().st_ino
    sys.modules.pop("plug")
    build(root)
    assert (root / "dist/client/a.json").stat().st_ino == there
    (root / "kit/step.py").write_text(STEP.format(name="two"))
    build(root)
    assert json.loads((root / "dist/client/a.json").read_text()) == ["two"]


def test_a_changed_page_is_rendered_again(plugged: Callable[..., Path]) -> None:
    root = plugged(inject("/a", "kit/page.html"), inject("/b.json", "kit/page.py"), options="")
    build(root)
    build(root)
    (root / "kit/page.html").write_text("<p>new</p>")
    (root / "kit/page.py").write_text(ENDPOINT.replace("'name'", "'called'"))
    build(root)
    assert (root / "dist/client/a/index.html").read_text() == "<p>new</p>"
    assert json.loads((root / "dist/client/b.json").read_text())["called"] == "ours"


@pytest.mark.parametrize("change", ["write", "remove"])
def test_a_watched_file_that_changes_renders_all_pages_again(
    plugged: Callable[..., Path], change: str
) -> None:
    root = plugged(
        "payload.add_watch_file('words.txt')",
        options="",
        files={"words.txt": "a", "src/pages/a.md": "# A"},
    )
    build(root)
    build(root)
    there = (root / "dist/client/a/index.html").stat().st_ino
    build(root)
    assert (root / "dist/client/a/index.html").stat().st_ino == there
    if change == "write":
        (root / "words.txt").write_text("b")
    else:
        (root / "words.txt").unlink()
    build(root)
    assert (root / "dist/client/a/index.html").stat().st_ino != there


def test_the_adapter_sees_what_integrations_wrote(plugged: Callable[..., Path]) -> None:
    hook = (
        "    def build_done(self, payload):\n"
        "        (payload.out_dir / 'client/extra.txt').write_text('x')\n"
        "        assert payload.client_files == ()\n"
    )
    root = plugged(files={"src/pages/[...path].py": "def GET(ctx): return 'page'\n"})
    with (root / "plug.py").open("a") as file:
        file.write(hook)
    made = build(root)
    assert "extra.txt" in (made.out_dir / "template.yaml").read_text()


def test_a_page_that_include_names_is_rewritten_to(plugged: Callable[..., Path]) -> None:
    root = plugged(
        inject("/api/[id]", "kit/page.py"),
        files={
            "src/pages/go.py": (
                "config = {'include': ['kit/page.py']}\n\n\n"
                "def GET(ctx):\n    return ctx.rewrite(ctx.url.search_params['to'])\n"
            )
        },
    )
    made = build(root)
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/go?to=/api/7").json()["params"] == {"id": "7"}


@pytest.mark.parametrize("fault", ["page", "step"])
def test_one_that_fails_while_prerendering_is_told_with_its_line(
    plugged: Callable[..., Path], fault: str
) -> None:
    step = "def on_request(ctx, next):\n    return next()\n"
    files = {
        "kit/page.py": "def GET(ctx):\n    return {}\n",
        "kit/step.py": step,
        f"kit/{fault}.py": {
            "page": "def GET(ctx):\n\n    return 1 / 0\n",
            "step": "def on_request(ctx, next):\n\n    return 1 / 0\n",
        }[fault],
    }
    root = plugged(
        inject("/a", "kit/page.py"),
        "payload.add_middleware(entrypoint='kit/step.py', order='pre')",
        options="",
        files=files,
    )
    with pytest.raises(RouteletError, match="ZeroDivisionError: division by zero") as told:
        build(root)
    assert told.value.where == f"kit/{fault}.py:3"
    assert f'File "kit/{fault}.py", line 3' in told.value.mend
    assert "-building-" not in str(told.value)


def test_an_injected_error_page_is_that_of_every_function(plugged: Callable[..., Path]) -> None:
    root = plugged(
        inject("/404", "kit/page.html", ", prerender=True"),
        files={"src/pages/a.py": "def POST(ctx):\n    return {}\n"},
    )
    made = build(root)
    with Emulator(made.out_dir) as lambda_:
        answer = lambda_.get("/a")
    assert (answer.status, answer.text) == (404, "<p>as it is</p>")


def test_with_edge_middleware_all_of_it_is_in_that_function_alone(
    plugged: Callable[..., Path],
) -> None:
    edge = f"{SERVER}[tool.routelet.adapters.aws-lambda]\nedge-middleware = true\n"
    root = plugged(
        "payload.add_middleware(entrypoint='kit/outer.py', order='pre')",
        "payload.add_middleware(entrypoint='kit/inner.py', order='post')",
        options=edge,
        files={
            "kit/outer.py": STEP.format(name="outer"),
            "kit/inner.py": STEP.format(name="inner"),
            "src/pages/now.py": "def GET(ctx):\n    return ctx.locals['by']\n",
        },
    )
    made = build(root)
    steps = {"site_injected/kit/outer.py", "site_injected/kit/inner.py"}
    with ZipFile(made.out_dir / "functions/middleware.zip") as packed:
        assert steps <= set(packed.namelist())
    with ZipFile(made.out_dir / "functions/now.zip") as packed:
        assert not [name for name in packed.namelist() if name.startswith("site_injected")]


def test_a_page_that_imports_injected_middleware_at_the_edge_is_refused(
    plugged: Callable[..., Path],
) -> None:
    edge = f"{SERVER}[tool.routelet.adapters.aws-lambda]\nedge-middleware = true\n"
    root = plugged(
        "payload.add_middleware(entrypoint='src/lib/step.py', order='pre')",
        options=edge,
        files={
            "src/lib/step.py": STEP.format(name="step"),
            "src/pages/now.py": "from lib import names\ndef GET(ctx):\n    import lib.step\n",
        },
    )
    with pytest.raises(RouteletError, match=r"brings src/lib/step\.py, which") as told:
        build(root)
    assert told.value.where == "src/pages/now.py:3"


def test_what_an_integration_does_not_write_any_more_is_gone(plugged: Callable[..., Path]) -> None:
    hook = (
        "    sees_files = False\n\n"
        "    def build_done(self, payload):\n"
        "        with open('names.txt') as file:\n"
        "            for name in file.read().split():\n"
        "                (payload.out_dir / 'client' / name).write_text(name)\n"
    )
    root = plugged(options="", files={"src/pages/a.md": "# A", "names.txt": "b.txt c.txt"})
    with (root / "plug.py").open("a") as file:
        file.write(hook.replace("names.txt", str(root / "names.txt")))
    client = root / "dist/client"
    build(root)
    build(root)
    page = (client / "a/index.html").stat().st_ino
    assert {path.name for path in client.glob("*.txt")} == {"b.txt", "c.txt"}
    (root / "names.txt").write_text("c.txt d.txt")
    build(root)
    assert {path.name for path in client.glob("*.txt")} == {"c.txt", "d.txt"}
    assert (client / "a/index.html").stat().st_ino == page
