"""What a prerendered response says beside its body, from the page to hosts of files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.emulator import Emulator

PAGES = {
    "old.py": "def GET(ctx):\n    return ctx.redirect('/new?a=1', 308)\n",
    "new.md": "# New",
    "feed.py": (
        "from routelet import Response\ndef GET(ctx):\n"
        "    return Response('<a/>', headers={'content-type': 'application/rss+xml'})\n"
    ),
    "data.json.py": "def GET(ctx):\n    return {'a': 1}\n",
    "picture.png.py": "def GET(ctx):\n    return bytes(range(256))\n",
    "cached.py": (
        "from routelet import Response\ndef GET(ctx):\n"
        "    return Response.html('x', headers={'cache-control': 'no-store', 'x-a': '1'})\n"
    ),
}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    for name, text in PAGES.items():
        (root / "src/pages").mkdir(parents=True, exist_ok=True)
        (root / "src/pages" / name).write_text(text)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "site"\nversion = "1"\n[tool.routelet]\nbase = "/docs"\n'
    )
    return build(root).out_dir


@pytest.fixture(scope="module")
def manifest(dist: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((dist / "routelet.json").read_text())
    return read


def test_the_manifest_has_redirects_and_types_that_names_do_not_tell(
    manifest: dict[str, Any],
) -> None:
    assert {entry["path"]: entry for entry in manifest["prerendered"]} == {
        "old/index.html": {
            "path": "old/index.html",
            "route": "/old",
            "redirect": {"url": "/docs/old", "status": 308, "location": "/new?a=1"},
        },
        "new/index.html": {"path": "new/index.html", "route": "/new"},
        "cached/index.html": {"path": "cached/index.html", "route": "/cached"},
        "feed": {"path": "feed", "route": "/feed", "contentType": "application/rss+xml"},
        "data.json": {"path": "data.json", "route": "/data.json"},
        "picture.png": {
            "path": "picture.png",
            "route": "/picture.png",
            "contentType": "application/octet-stream",
        },
    }


def test_binary_bodies_are_files_byte_for_byte(dist: Path) -> None:
    assert (dist / "client/picture.png").read_bytes() == bytes(range(256))


def test_headers_that_no_file_has_are_told(manifest: dict[str, Any]) -> None:
    [warning] = manifest["warnings"]
    assert warning.startswith("src/pages/cached.py: /docs/cached sets cache-control, x-a, which")


def test_the_emulator_answers_as_the_pages_did(dist: Path) -> None:
    with Emulator(dist) as site:
        moved = site.get("/docs/old")
        assert (moved.status, moved.headers["location"]) == (308, "/new?a=1")
        assert site.get("/docs/feed").headers["content-type"] == "application/rss+xml"
        assert site.get("/docs/data.json").headers["content-type"] == "application/json"


def test_a_template_that_names_its_file_has_the_type_of_that(
    write_site: Callable[..., Path],
) -> None:
    pages = {"src/pages/feed.xml.jinja": "<a/>", "src/pages/v1.2.jinja": "x"}
    made = build(write_site(pages))
    types = {one.path: one.content_type for one in made.prerendered}
    html = "text/html; charset=utf-8"
    assert types == {"feed.xml": "text/xml; charset=utf-8", "v1.2/index.html": html}


@pytest.mark.parametrize("form", ["directory", "file"])
def test_redirects_of_a_static_site_are_pages_for_hosts_that_know_none(
    write_site: Callable[..., Path], form: str
) -> None:
    config = (
        f'[project]\nname = "site"\nversion = "1"\n[tool.routelet]\nbuild.format = "{form}"\n'
        'base = "/docs"\n[tool.routelet.redirects]\n"/old/one" = "/new?a=1"\n'
        '"/away" = { destination = "https://example.com/", status = 302 }\n'
        '"/new" = "/never"\n"/by/[id]" = "/to/[id]"\n'
    )
    root = write_site({"src/pages/new.md": "# New"}, pyproject=config)
    build(root)
    made = build(root)
    assert [one for one in made.warnings if '"/by/[id]" has parameters' in one]
    moved = {one.path: (one.status, one.location) for one in made.prerendered if one.location}
    end = "/index.html" if form == "directory" else ".html"
    assert moved == {
        f"old/one{end}": (301, "/docs/new?a=1"),
        f"away{end}": (302, "https://example.com/"),
    }
    page = (made.out_dir / f"client/old/one{end}").read_text()
    assert 'content="0;url=/docs/new?a=1"' in page
    assert "New" in (made.out_dir / f"client/new{end}").read_text()
    with Emulator(made.out_dir) as site:
        answer = site.get("/docs/old/one")
        assert (answer.status, answer.headers["location"]) == (301, "/docs/new?a=1")
        assert site.get("/docs/by/7").headers["location"] == "/docs/to/7"


def test_a_redirect_that_needs_a_folder_where_a_page_is_a_file_is_refused(
    write_site: Callable[..., Path],
) -> None:
    page = "def GET(ctx):\n    return {}\n"
    config = '[tool.routelet.redirects]\n"/old/one" = "/"\n'
    pyproject = f'[project]\nname = "site"\nversion = "1"\n{config}'
    with pytest.raises(RouteletError, match="old in dist/client cannot be a file"):
        build(write_site({"src/pages/old.py": page}, pyproject=pyproject))
