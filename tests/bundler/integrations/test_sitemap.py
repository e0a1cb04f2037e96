import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.errors import WRONG_USE

Site = Callable[..., Path]

SERVER = 'output = "hybrid"\nadapter = "aws-lambda"\n'
ON_DEMAND = "prerender = False\ndef GET(ctx): return 'x'\n"
FILES = {
    "src/pages/index.md": "# Home\n",
    "src/pages/about.html": "<p>about</p>",
    "src/pages/a & b.jinja": "<p>",
    "src/pages/404.md": "# Not here\n",
    "src/pages/500.jinja": "<p>",
    "src/pages/data.json.py": "def GET(ctx): return {}\n",
    "src/pages/feed.xml.jinja": "<feed/>",
    "src/pages/moved.py": "def GET(ctx): return ctx.redirect('/about')\n",
    "src/pages/told.py": "def GET(ctx): return '<p>'\n",
    "src/pages/blog/[slug].py": (
        "def get_static_paths():\n"
        "    return [{'params': {'slug': one}} for one in ('b', 'é')]\n\n\n"
        "def GET(ctx): return ctx.params['slug']\n"
    ),
}
SCHEMA = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def locations(file: Path) -> list[str]:
    tree = ElementTree.fromstring(file.read_bytes())
    return [one.text or "" for one in tree.iter(f"{SCHEMA}loc")]


def test_pages_are_listed_sorted_and_escaped_and_nothing_else(site_with: Site) -> None:
    root = site_with(FILES, "sitemap", options='redirects = { "/old" = "/about" }')
    build(root)
    client = root / "dist/client"
    assert locations(client / "sitemap-index.xml") == ["https://example.com/sitemap-0.xml"]
    assert locations(client / "sitemap-0.xml") == [
        "https://example.com/",
        "https://example.com/a%20&%20b",
        "https://example.com/about",
        "https://example.com/blog/%C3%A9",
        "https://example.com/blog/b",
        "https://example.com/told",
    ]
    assert (client / "moved").is_file() or (client / "moved/index.html").is_file()
    assert (client / "old/index.html").is_file()


def test_base_and_trailing_slash_are_those_of_the_site(site_with: Site) -> None:
    files = {"src/pages/index.md": "# Home\n", "src/pages/about.html": "<p>about</p>"}
    root = site_with(files, "sitemap", options='base = "/docs"\ntrailing-slash = "always"')
    build(root)
    client = root / "dist/client"
    assert locations(client / "sitemap-index.xml") == ["https://example.com/docs/sitemap-0.xml"]
    assert locations(client / "sitemap-0.xml") == [
        "https://example.com/docs/",
        "https://example.com/docs/about/",
    ]


def test_on_demand_pages_are_listed_where_they_are_known_to_be_html(site_with: Site) -> None:
    on_demand = "---\nprerender: false\n---\n"
    files = {
        "src/pages/page.jinja": on_demand,
        "src/pages/told.md": on_demand,
        "src/pages/feed.xml.jinja": on_demand,
        "src/pages/[id].jinja": on_demand,
        "src/pages/404.jinja": on_demand,
        "src/pages/api.py": ON_DEMAND,
        "src/pages/then.md": "# Then\n",
    }
    root = site_with(files, "sitemap", options=SERVER)
    build(root)
    assert locations(root / "dist/client/sitemap-0.xml") == [
        "https://example.com/page",
        "https://example.com/then",
        "https://example.com/told",
    ]


def test_pages_that_cannot_be_known_are_named(site_with: Site) -> None:
    files = {
        "src/pages/api.py": ON_DEMAND,
        "site_integrations.py": (
            "from routelet_bundler.integrations.sitemap import sitemap\n\n\n"
            "def listed():\n"
            "    return sitemap(custom_pages=['/api', 'https://example.com/shop?a=1&b=2'])\n"
        ),
    }
    root = site_with(files, "site_integrations:listed", options=SERVER)
    build(root)
    assert locations(root / "dist/client/sitemap-0.xml") == [
        "https://example.com/api",
        "https://example.com/shop?a=1&b=2",
    ]


def test_a_page_of_another_host_is_refused(site_with: Site) -> None:
    files = {
        "src/pages/a.md": "",
        "site_integrations.py": (
            "from routelet_bundler.integrations.sitemap import sitemap\n\n\n"
            "def listed():\n    return sitemap(custom_pages=['https://other.org/'])\n"
        ),
    }
    with pytest.raises(RouteletError, match=r"is not on https://example\.com") as told:
        build(site_with(files, "site_integrations:listed"))
    assert told.value.where == "integration sitemap"


def test_it_needs_the_url_of_the_site(site_with: Site) -> None:
    with pytest.raises(RouteletError, match="the integration sitemap needs the site's URL") as told:
        build(site_with(FILES, "sitemap", site=None))
    assert (told.value.where, told.value.status) == ("pyproject.toml [tool.routelet]", WRONG_USE)


@pytest.mark.parametrize(
    "own", ["public/sitemap-index.xml", "public/sitemap-0.xml", "src/pages/sitemap-index.xml.jinja"]
)
def test_a_file_of_the_site_goes_before_it(
    site_with: Site, own: str, caplog: pytest.LogCaptureFixture
) -> None:
    root = site_with({"src/pages/a.md": "", own: "<own/>"}, "sitemap")
    build(root)
    written = {path.name for path in (root / "dist/client").glob("sitemap*")}
    assert written == {Path(own).name.removesuffix(".jinja")}
    assert "is the site's own: no sitemap is written" in caplog.text


def test_a_site_without_pages_has_none(site_with: Site, caplog: pytest.LogCaptureFixture) -> None:
    root = site_with({"src/pages/a.json.py": "def GET(ctx): return {}\n"}, "sitemap")
    build(root)
    assert not list((root / "dist/client").glob("sitemap*"))
    assert "has no pages to list" in caplog.text


def test_a_rebuild_renders_what_changed_alone_and_forgets_nothing(site_with: Site) -> None:
    files = {f"src/pages/{name}.md": f"# {name}\n" for name in "abc"}
    root = site_with(files, "sitemap")
    client = root / "dist/client"
    build(root)
    build(root)
    there = (client / "a/index.html").stat().st_ino
    (root / "src/pages/d.md").write_text("# d\n")
    (root / "src/pages/b.md").unlink()
    build(root)
    assert (client / "a/index.html").stat().st_ino == there
    assert [url[-1] for url in locations(client / "sitemap-0.xml")] == ["a", "c", "d"]
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("integrations", "# integrations"))
    build(root)
    assert not list(client.glob("sitemap*"))


def test_the_front_of_the_functions_knows_the_files(site_with: Site) -> None:
    files = {"src/pages/a.md": "", "src/pages/[...path].py": ON_DEMAND}
    root = site_with(files, "sitemap", options=SERVER)
    build(root)
    assert '"/sitemap-0.xml"' in (root / "dist/template.yaml").read_text()
    assert json.loads((root / "dist/routelet.json").read_text())["prerendered"]
