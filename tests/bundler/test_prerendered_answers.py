"""What a prerendered response says beside its body, from the page to hosts of files."""

import json
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler import build
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
