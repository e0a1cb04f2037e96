"""The pages that search engines should know, written at build time."""

from urllib.parse import urljoin
from xml.etree import ElementTree as Xml

from lib.posts import all_posts
from routelet import Context, Response

PAGES = ("/", "/blog/", "/about/", "/contact")


def GET(ctx: Context) -> Response:
    site = ctx.site or ""
    urlset = Xml.Element("urlset", xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for path in PAGES:
        add_url(urlset, urljoin(site, path))
    for post in all_posts():
        add_url(urlset, urljoin(site, post.path), last_modified=post.published.isoformat())
    body = Xml.tostring(urlset, encoding="utf-8", xml_declaration=True)
    return Response(body, headers={"content-type": "application/xml; charset=utf-8"})


def add_url(urlset: Xml.Element, address: str, *, last_modified: str = "") -> None:
    url = Xml.SubElement(urlset, "url")
    Xml.SubElement(url, "loc").text = address
    if last_modified:
        Xml.SubElement(url, "lastmod").text = last_modified
