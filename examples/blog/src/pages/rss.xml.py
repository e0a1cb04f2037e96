"""The feed, RSS 2.0 with whole posts, written at build time."""

from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from urllib.parse import urljoin
from xml.etree import ElementTree as Xml

from lib.markdown import to_html
from lib.posts import Post, all_posts
from routelet import Context, Response

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"


def GET(ctx: Context) -> Response:
    feed = feed_of(all_posts(), ctx.site or "")
    return Response(feed, headers={"content-type": "application/rss+xml; charset=utf-8"})


def feed_of(posts: tuple[Post, ...], site: str) -> bytes:
    Xml.register_namespace("atom", ATOM)
    Xml.register_namespace("content", CONTENT)
    rss = Xml.Element("rss", version="2.0")
    channel = Xml.SubElement(rss, "channel")
    add(channel, "title", "Cold Start Notes")
    add(channel, "link", urljoin(site, "/"))
    add(channel, "description", "Short notes on running Python on AWS Lambda.")
    add(channel, "language", "en")
    # The newest post's day, not today: the same posts give the same file.
    add(channel, "lastBuildDate", rfc_822(posts[0].published))
    self_link = {"href": urljoin(site, "/rss.xml"), "rel": "self", "type": "application/rss+xml"}
    Xml.SubElement(channel, f"{{{ATOM}}}link", self_link)
    for post in posts:
        channel.append(item_of(post, site))
    feed: bytes = Xml.tostring(rss, encoding="utf-8", xml_declaration=True)
    return feed


def item_of(post: Post, site: str) -> Xml.Element:
    item = Xml.Element("item")
    add(item, "title", post.title)
    add(item, "link", urljoin(site, post.path))
    add(item, "guid", urljoin(site, post.path))
    add(item, "pubDate", rfc_822(post.published))
    add(item, "description", post.summary)
    for tag in post.tags:
        add(item, "category", tag)
    add(item, f"{{{CONTENT}}}encoded", to_html(post.text))
    return item


def add(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, name).text = text


def rfc_822(day: date) -> str:
    return format_datetime(datetime.combine(day, time(), UTC), usegmt=True)
