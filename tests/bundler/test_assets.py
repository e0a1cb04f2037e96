"""`ctx.asset`: URLs that change with the content of a file, in pages and in functions."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet.static_files import asset_url, hashed_name
from routelet_bundler import RouteletError, build
from routelet_bundler.emulator import Emulator

PYPROJECT = '[project]\nname = "site"\nversion = "1"\n[tool.routelet]\n'
SERVER = 'output = "hybrid"\nadapter = "aws-lambda"\nbase = "/docs"\n'
BASE = "{{ ctx.asset('a b/style.css') }} {% block x %}{% endblock %}"
FILES: Mapping[str, str] = {
    "public/a b/style.css": "a {}",
    "public/app.js": "1",
    "public/other.txt": "no asset",
    "src/layouts/base.jinja": BASE,
    "src/pages/index.md": "---\nlayout: layouts/base.jinja\n---\n",
    "src/pages/script.py": "def GET(ctx):\n    return ctx.asset('app.js')\n",
}
Write = Callable[..., Path]


def client(root: Path) -> dict[str, str]:
    folder = root / "dist/client"
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_pages_name_copies_whose_names_change_with_the_content(write_site: Write) -> None:
    root = write_site(FILES, pyproject=PYPROJECT)
    build(root)
    first = client(root)
    manifest = json.loads((root / "dist/routelet.json").read_text())
    style, script = (manifest["assets"][name] for name in ("a b/style.css", "app.js"))
    assert re.fullmatch(r"a b/style\.[0-9a-f]{10}\.css", style)
    assert first["index.html"] == f"/{style.replace(' ', '%20')} "
    assert first["script/index.html"] == f"/{script}"
    assert first[style] == first["a b/style.css"] == "a {}"
    pages = {"index.html", "script/index.html"}
    assert first.keys() == pages | {style, script, "a b/style.css", "app.js", "other.txt"}
    (root / "public/a b/style.css").write_text("b {}")
    build(root)
    second = client(root)
    assert second["index.html"] != first["index.html"]
    assert style not in second
    assert "b {}" in second.values()


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("src/layouts/base.jinja", "\n{{ ctx.asset('none.css') }}", "src/layouts/base.jinja:2"),
        (
            "src/pages/script.py",
            "def GET(ctx):\n    return ctx.asset('n')\n",
            "src/pages/script.py:2",
        ),
        (
            "src/pages/script.py",
            "def GET(ctx):\n    return ctx.asset('../n')\n",
            "src/pages/script",
        ),
    ],
)
def test_an_asset_that_is_not_there_is_told_at_its_line(
    write_site: Write, file: str, text: str, where: str
) -> None:
    with pytest.raises(RouteletError, match="asset") as raised:
        build(write_site({**FILES, file: text}, pyproject=PYPROJECT))
    assert raised.value.where.startswith(where)


@pytest.mark.counterpart
def test_functions_know_the_urls_that_they_name(write_site: Write) -> None:
    page = "---\nprerender: false\n---\n{% extends 'layouts/base.jinja' %}"
    script = f"prerender = False\n{FILES['src/pages/script.py']}"
    files = {"src/pages/index.jinja": page, "src/pages/script.py": script}
    root = write_site({**FILES, **files}, pyproject=PYPROJECT + SERVER)
    (root / "src/pages/index.md").unlink()
    made = build(root)
    with Emulator(made.out_dir) as site:
        style = site.get("/docs/").text.strip()
        assert style == f"/docs/{made.assets['a b/style.css'].replace(' ', '%20')}"
        answer = site.get(style)
        assert (answer.text, answer.headers["content-type"]) == ("a {}", "text/css; charset=utf-8")
        assert "immutable" in answer.headers["cache-control"]
        assert "cache-control" not in site.get("/docs/other.txt").headers
        assert site.get("/docs/script").text == f"/docs/{made.assets['app.js']}"
    first = {one.name: one.zip.sha256 for one in made.functions}
    (root / "public/app.js").write_text("2")
    changed = {one.name: one.zip.sha256 for one in build(root).functions}
    assert {name for name in first if first[name] != changed[name]} == {"script"}


def test_a_function_that_names_no_literal_is_warned_of(write_site: Write) -> None:
    script = "prerender = False\n\n\ndef GET(ctx):\n    return ctx.asset(ctx.url.query)\n"
    root = write_site({**FILES, "src/pages/script.py": script}, pyproject=PYPROJECT + SERVER)
    assert any(one.startswith("src/pages/script.py:5: the name of") for one in build(root).warnings)


def test_a_function_that_names_a_missing_asset_is_an_error_at_its_line(write_site: Write) -> None:
    script = "prerender = False\n\n\ndef GET(ctx):\n    return ctx.asset('none')\n"
    root = write_site({**FILES, "src/pages/script.py": script}, pyproject=PYPROJECT + SERVER)
    with pytest.raises(RouteletError, match='the asset "none"') as raised:
        build(root)
    assert raised.value.where == "src/pages/script.py:5"


NAMES = st.from_regex(r"([a-z .]{1,5}/)?[a-z.é]{1,8}", fullmatch=True)


@given(NAMES, st.binary(), st.binary())
def test_a_hashed_name_keeps_folder_and_extension_and_tells_contents_apart(
    name: str, one: bytes, other: bytes
) -> None:
    hashed = hashed_name(name, one)
    assert hashed.rpartition("/")[0] == name.rpartition("/")[0]
    file = name.rpartition("/")[2]
    if "." in file[1:]:
        assert hashed.rpartition(".")[2] == name.rpartition(".")[2]
    assert (hashed == hashed_name(name, other)) == (one == other)
    assert asset_url("/docs/", hashed).startswith("/docs/")
