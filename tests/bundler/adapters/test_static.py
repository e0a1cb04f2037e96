import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler import Build, RouteletError, build
from routelet_bundler.errors import WRONG_USE

NAME = "routelet_bundler.adapters.static:static"
LONG = "word " * 1000
SITE = {
    "src/pages/index.md": f"# Home\n\n{LONG}",
    "src/pages/404.md": "# Nothing here",
    "src/pages/data.json.py": f"def GET(ctx): return {{'words': {LONG!r}}}",
    "src/pages/feed.py": (
        "from routelet import Response\ndef GET(ctx):\n"
        f"    return Response({LONG!r}, headers={{'content-type': 'application/rss+xml'}})"
    ),
    "public/short.css": "a {}",
    "public/picture.png": LONG,
    "public/own.txt": LONG,
    "public/own.txt.gz": "mine",
}
Site = Callable[..., Path]


def pyproject(options: str = "", more: str = 'output = "static"') -> str:
    return (
        f'[project]\nname = "site"\nversion = "1"\n[tool.routelet]\n{more}\nadapter = "{NAME}"\n'
        f'[tool.routelet.adapters."{NAME}"]\n{options}\n'
    )


def made(write_site: Site, options: str = "") -> Build:
    return build(write_site(SITE, pyproject=pyproject(options)))


def client_of(built: Build) -> set[str]:
    folder = built.out_dir / "client"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


PLAIN = {"index.html", "404.html", "data.json", "feed", "short.css", "picture.png", "own.txt",
         "own.txt.gz"}  # fmt: skip


def test_a_static_site_has_files_and_no_functions(write_site: Site) -> None:
    built = made(write_site)
    assert built.functions == ()
    assert client_of(built) == PLAIN
    assert not (built.out_dir / "functions").exists()


@pytest.mark.parametrize("output", ["server", "hybrid"])
def test_what_needs_functions_is_refused(write_site: Site, output: str) -> None:
    root = write_site(SITE, pyproject=pyproject(more=f'output = "{output}"'))
    with pytest.raises(RouteletError, match="static does not support output") as told:
        build(root)
    assert told.value.status == WRONG_USE
    assert not (root / "dist").exists()


def test_a_page_on_demand_is_refused(write_site: Site) -> None:
    files = {**SITE, "src/pages/now.py": "prerender = False\ndef GET(ctx): return 'x'"}
    with pytest.raises(RouteletError) as told:
        build(write_site(files, pyproject=pyproject()))
    assert "now.py" in told.value.where


def test_text_of_a_kilobyte_is_compressed_beside_itself(write_site: Site) -> None:
    built = made(write_site, "precompress = true")
    client = built.out_dir / "client"
    new = {"index.html.gz", "data.json.gz", "feed.gz"}
    assert client_of(built) == PLAIN | new
    for name in new:
        packed = (client / name).read_bytes()
        assert gzip.decompress(packed) == (client / name.removesuffix(".gz")).read_bytes()
        assert packed[4:8] == bytes(4)  # no time: the same bytes tomorrow
    assert (client / "own.txt.gz").read_text() == "mine"


def test_what_was_compressed_goes_with_its_file_and_changes_with_it(write_site: Site) -> None:
    root = made(write_site, "precompress = true").out_dir.parent
    client = root / "dist/client"
    before = {path: path.read_bytes() for path in client.rglob("*.gz")}
    build(root)
    assert {path: path.read_bytes() for path in client.rglob("*.gz")} == before
    (root / "src/pages/feed.py").unlink()
    (root / "src/pages/index.md").write_text("short")
    (root / "public/new.txt").write_text(LONG)
    build(root)
    assert {path.name for path in client.rglob("*.gz")} == {
        "data.json.gz", "own.txt.gz", "new.txt.gz",
    }  # fmt: skip


def test_the_page_for_unknown_urls_has_the_hosts_name_as_well(write_site: Site) -> None:
    built = made(write_site, 'fallback = "200.html"\nprecompress = true')
    client = built.out_dir / "client"
    assert client_of(built) == PLAIN | {"200.html", "index.html.gz", "data.json.gz", "feed.gz"}
    assert (client / "200.html").read_bytes() == (client / "404.html").read_bytes()
    assert client_of(made(write_site, 'fallback = "404.html"')) == PLAIN


def test_a_fallback_without_its_page_is_told(write_site: Site) -> None:
    files = {name: text for name, text in SITE.items() if "404" not in name}
    with pytest.raises(RouteletError, match="the site has none") as told:
        build(write_site(files, pyproject=pyproject('fallback = "404.html"')))
    assert "src/pages/404.jinja" in told.value.mend
    assert told.value.status == WRONG_USE


def test_a_fallback_takes_no_files_place(write_site: Site) -> None:
    with pytest.raises(RouteletError, match="there already") as told:
        made(write_site, 'fallback = "index.html"')
    assert told.value.status == WRONG_USE


@pytest.mark.parametrize("option", ['fallback = "../x.html"', 'fallback = "x"', "precompress = 1"])
def test_a_faulty_option_is_told_with_its_line(write_site: Site, option: str) -> None:
    with pytest.raises(RouteletError) as told:
        made(write_site, option)
    assert (told.value.where, told.value.status) == ("pyproject.toml:8", WRONG_USE)


def test_redirects_are_pages_that_take_a_browser_on(write_site: Site) -> None:
    redirects = '[tool.routelet.redirects]\n"/old" = "https://example.com/?a=1&b=\'2\'"\n'
    built = build(write_site(SITE, pyproject=pyproject() + redirects))
    page = (built.out_dir / "client/old/index.html").read_text()
    to = "https://example.com/?a=1&amp;b=&#x27;2&#x27;"
    assert f'<meta http-equiv="refresh" content="0;url={to}">' in page
    assert '<meta name="robots" content="noindex">' in page
    assert f'<link rel="canonical" href="{to}">' in page
