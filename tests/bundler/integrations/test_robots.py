from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.errors import WRONG_USE
from routelet_bundler.integrations.robots import robots

Site = Callable[..., Path]

PAGE = {"src/pages/index.md": "# Home\n"}
FACTORY = "from routelet_bundler.integrations.robots import robots\n\n\ndef rules():\n    return "


def text_of(root: Path) -> str:
    build(root)
    return (root / "dist/client/robots.txt").read_text()


def test_all_may_be_visited(site_with: Site) -> None:
    assert text_of(site_with(PAGE, "robots", site=None)) == "User-agent: *\nAllow: /\n"


@pytest.mark.parametrize("order", [("robots", "sitemap"), ("sitemap", "robots")])
def test_the_sitemap_is_named_where_it_is_written(site_with: Site, order: tuple[str, str]) -> None:
    text = text_of(site_with(PAGE, *order))
    assert text == ("User-agent: *\nAllow: /\n\nSitemap: https://example.com/sitemap-index.xml\n")


def test_it_is_below_the_base_as_the_site_is(
    site_with: Site, caplog: pytest.LogCaptureFixture
) -> None:
    text = text_of(site_with(PAGE, "robots", "sitemap", options='base = "/docs"'))
    assert "Sitemap: https://example.com/docs/sitemap-index.xml\n" in text
    assert "crawlers read robots.txt at the root of a host alone" in caplog.text


@pytest.mark.parametrize("slash", ["always", "never", "ignore"])
def test_it_is_a_file_whatever_slash_urls_have(site_with: Site, slash: str) -> None:
    assert text_of(site_with(PAGE, "robots", options=f'trailing-slash = "{slash}"'))


def test_what_the_site_says_is_in_it(site_with: Site) -> None:
    factory = f"{FACTORY}robots(disallow=['/admin/', '/a%20b'], sitemap='/maps/all.xml')\n"
    root = site_with({**PAGE, "site_integrations.py": factory}, "site_integrations:rules")
    assert text_of(root) == (
        "User-agent: *\nDisallow: /admin/\nDisallow: /a%20b\n\n"
        "Sitemap: https://example.com/maps/all.xml\n"
    )


def test_a_sitemap_needs_the_url_of_the_site(site_with: Site) -> None:
    factory = f"{FACTORY}robots(sitemap='/maps/all.xml')\n"
    files = {**PAGE, "site_integrations.py": factory}
    with pytest.raises(RouteletError, match="names a sitemap, and needs the site's URL"):
        build(site_with(files, "site_integrations:rules", site=None))


@pytest.mark.parametrize("url", ["maps.xml", "ftp://example.com/a.xml", ""])
def test_a_sitemap_that_is_no_url_is_refused(site_with: Site, url: str) -> None:
    """It was said to be on localhost."""
    files = {**PAGE, "site_integrations.py": f"{FACTORY}robots(sitemap={url!r})\n"}
    with pytest.raises(RouteletError, match="is no URL") as told:
        build(site_with(files, "site_integrations:rules"))
    assert (told.value.where, told.value.status) == ("integration robots", WRONG_USE)


def test_a_file_that_is_no_page_does_not_go_before_it(site_with: Site) -> None:
    assert "Allow: /" in text_of(site_with({**PAGE, "src/pages/robots.txt.bak": ""}, "robots"))


@pytest.mark.parametrize("path", ["admin", "/a b", "/a#b", "/a\nAllow: /", ""])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(RouteletError, match="which is no path"):
        robots(disallow=[path])


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("public/robots.txt", "User-agent: own\n"),
        ("src/pages/robots.txt.py", "def GET(ctx): return b'User-agent: own\\n'\n"),
        ("src/pages/robots.txt.jinja", "User-agent: own\n"),
    ],
)
def test_the_sites_own_goes_before_it(site_with: Site, file: str, text: str) -> None:
    assert text_of(site_with({**PAGE, file: text}, "robots")).startswith("User-agent: own")


def test_it_is_a_file_beside_functions_too(site_with: Site) -> None:
    page = {"src/pages/[...path].py": "def GET(ctx): return 'x'\n"}
    root = site_with(page, "robots", options='output = "server"\nadapter = "aws-lambda"')
    made = build(root)
    assert (root / "dist/client/robots.txt").is_file()
    assert [one.routes for one in made.functions] == [("/[...path]",)]
    assert '"/robots.txt"' in (root / "dist/template.yaml").read_text()


def test_a_folder_that_cannot_be_made_is_not_told_with_a_line_of_python(site_with: Site) -> None:
    with pytest.raises(RouteletError, match="robots failed in config_setup: NotADir") as told:
        build(site_with({**PAGE, ".routelet": "in the way"}, "robots"))
    assert told.value.where == ""
