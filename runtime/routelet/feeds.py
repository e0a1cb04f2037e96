"""RSS feeds and sitemaps, for a page such as `src/pages/rss.xml.py` to return.

Paths are whole, base included, as `ctx.url_for` gives them; an escape in one stays as it is. The
clock is never read: equal input gives equal bytes. A character that XML 1.0 cannot have is refused,
not dropped, and so is a link that is neither path nor URL; the `ValueError` names the item.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timezone
from html import escape
from urllib.parse import quote

from routelet.http import URL, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from routelet.context import Context

MAX_URLS = 50_000
MAX_BYTES = 52_428_800  # uncompressed
MAX_URL_LENGTH = 2_047  # characters
"""Limits of a sitemap: https://www.sitemaps.org/protocol.html"""

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_URLS = f'{_DECLARATION}<urlset xmlns="{_SITEMAPS}">\n'
_URLS_END = "</urlset>\n"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # 2.2, Char
_REFERENCES = {ord(character): f"&#x{ord(character):X};" for character in "&<>\r"}
"""Hexadecimal, as the RSS profile has it; of a bare CR a parser would make a line feed."""
_ABSOLUTE = re.compile(
    r"(?P<host>https?://(?:[a-z\d._-]+|\[[\da-f:.]+\])(?::\d{1,5})?)(?P<rest>(?:[/?#].*)?)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_STANDS_FOR_ITSELF = "%/?!$&'()*+,;=:@"  # beside letters, digits and -._~: RFC 3986, 3.3 and 3.4


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """An item of a feed. `title` and `description` are plain text, `content` is the whole as HTML.

    It has a title or a description. `link` is a path or an absolute URL. `published` is a day, or
    a `datetime`, which is in UTC where it names no zone. By `guid` readers know an item again;
    without one it is the link.
    """

    link: str
    title: str | None = None
    published: date | None = None
    description: str | None = None
    content: str | None = None
    categories: list[str] | tuple[str, ...] = ()
    guid: str | None = None


@dataclass(frozen=True, slots=True)
class SitemapUrl:
    """A path or an absolute URL, and the day or `datetime` of its last change."""

    path: str
    last_modified: date | None = None


def rss(
    ctx: "Context",
    *,
    title: str,
    description: str,
    items: "Iterable[FeedItem]",
    language: str | None = None,
    link: str | None = None,
    feed_url: str | None = None,
) -> Response:
    """Return an RSS 2.0 feed of `items`, in their order.

    `link` is the page that the feed tells of, without it the home page; `feed_url` is the feed's
    own URL, without it that of the request less its query. Raises `ValueError` where the
    configuration has no `site`.
    """
    feed, site = "the feed", _site_of(ctx.site)
    requested = str(ctx.url).removeprefix(ctx.url.origin).partition("?")[0]
    if ctx.is_prerendered:  # to a file, whatever slash `trailing-slash` puts behind its route
        requested = requested.rstrip("/") or "/"
    own = _absolute(requested if feed_url is None else feed_url, site, feed)
    listed = tuple(items)
    dates = [_in_utc(item.published, _name(item)) for item in listed if item.published is not None]
    parts = (
        _DECLARATION,
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" ',
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>\n',
        _element("title", title, feed),
        _element("link", _absolute(ctx.url_for("/") if link is None else link, site, feed), feed),
        _element("description", description, feed),
        _optional("language", language, feed),
        _element("lastBuildDate", _rfc_822(max(dates)), feed) if dates else "",
        f'<atom:link href="{own.translate(_REFERENCES)}" rel="self" type="application/rss+xml"/>\n',
        *(_item(item, site) for item in listed),
        "</channel></rss>\n",
    )
    return _response("".join(parts), "application/rss+xml")


def sitemap(ctx: "Context", urls: "Iterable[str | SitemapUrl]") -> Response:
    """Return a sitemap (sitemaps.org, 0.9) of `urls`, in their order.

    Raises `ValueError` where the configuration has no `site`, for a URL of another host, and for
    what is over a limit of the protocol.
    """
    several = "write several sitemaps, and name each in robots.txt: Sitemap: URL"
    site = _site_of(ctx.site)
    parts = [_URLS]
    for number, url in enumerate(urls):
        if number == MAX_URLS:
            raise ValueError(f"a sitemap has {MAX_URLS:,} URLs at most: {several}")
        parts.append(_entry(url if isinstance(url, SitemapUrl) else SitemapUrl(url), site))
    text = "".join([*parts, _URLS_END])
    if len(text) > MAX_BYTES:  # each character is one of ASCII
        raise ValueError(f"a sitemap has {MAX_BYTES:,} bytes at most, not {len(text):,}: {several}")
    return _response(text, "application/xml")


def sitemap_files(site: str, urls: "Iterable[str | SitemapUrl]") -> "list[str]":
    """Return the texts of as many sitemaps as `urls` need by the limits, in their order.

    For what writes files; a page returns `sitemap`. Raises `ValueError` as that does for a URL.
    """
    host = _site_of(site)
    files: list[list[str]] = []
    room = 0
    for url in urls:
        entry = _entry(url if isinstance(url, SitemapUrl) else SitemapUrl(url), host)
        if len(entry) > room or len(files[-1]) == MAX_URLS:
            files.append([])
            room = MAX_BYTES - len(_URLS) - len(_URLS_END)
        files[-1].append(entry)
        room -= len(entry)
    return ["".join([_URLS, *entries, _URLS_END]) for entries in files]


def sitemap_index(site: str, paths: "Iterable[str]") -> str:
    """Return the text of a sitemap that names others: `paths`, or absolute URLs."""
    host, name = _site_of(site), "the sitemap index"
    places = (_element("loc", _absolute(path, host, name), name) for path in paths)
    entries = "".join(f"<sitemap>{place}</sitemap>\n" for place in places)
    return f'{_DECLARATION}<sitemapindex xmlns="{_SITEMAPS}">\n{entries}</sitemapindex>\n'


def _response(text: str, content_type: str) -> Response:
    return Response(text, headers={"content-type": f"{content_type}; charset=utf-8"})


def _item(item: FeedItem, site: str) -> str:
    name = _name(item)
    if item.title is None and item.description is None:
        raise ValueError(f"{name} has neither title nor description: give it one")
    link = _absolute(item.link, site, name)
    parts = ["<item>", _optional("title", item.title, name), _element("link", link, name)]
    if item.guid is None:
        parts.append(_element("guid", link, name))
    else:
        parts.append(_element("guid", item.guid, name, ' isPermaLink="false"'))
    if item.published is not None:
        parts.append(_element("pubDate", _rfc_822(_in_utc(item.published, name)), name))
    if item.description is not None:  # the one element of RSS itself that readers take for HTML
        text = escape(_checked(item.description, "description", name), quote=False)
        parts.append(_element("description", text, name))
    parts += [_element("category", category, name) for category in item.categories]
    return "".join([*parts, _optional("content:encoded", item.content, name), "</item>\n"])


def _name(item: FeedItem) -> str:
    return f"the feed's item {item.link!r}"


def _entry(url: SitemapUrl, site: str) -> str:
    name = f"the sitemap's URL {url.path!r}"
    address = _absolute(url.path, site, name)
    if not address.startswith(f"{site}/"):
        raise ValueError(f"{name} is not on {site}: list it in the sitemap of its own host")
    if len(address) > MAX_URL_LENGTH:
        raise ValueError(f"{name} has {len(address):,} characters: {MAX_URL_LENGTH:,} at most")
    changed = ""
    if url.last_modified is not None:
        moment = _in_utc(url.last_modified, name)
        is_moment = isinstance(url.last_modified, datetime)
        text = moment.isoformat(timespec="seconds") if is_moment else str(moment.date())
        changed = _element("lastmod", text, name)
    location = _element("loc", address, name).replace("'", "&apos;")  # the protocol wants it
    return f"<url>{location}{changed}</url>\n"


def _element(tag: str, text: str, name: str, attribute: str = "") -> str:
    return f"<{tag}{attribute}>{_checked(text, tag, name).translate(_REFERENCES)}</{tag}>"


def _optional(tag: str, text: str | None, name: str) -> str:
    return "" if text is None else _element(tag, text, name)


def _checked(text: object, tag: str, name: str) -> str:
    """Return `text`, if it is one that XML can have."""
    if not isinstance(text, str):
        raise TypeError(f"{name} has no text as its {tag}: {text!r}")
    if found := _NOT_IN_XML.search(text):
        code = f"U+{ord(found[0]):04X}"
        raise ValueError(f"{name} has {code} in its {tag}, which XML cannot have: take it out")
    return text


def _site_of(site: str | None) -> str:
    """Return scheme and host of the site."""
    if not site:
        raise ValueError(
            "links of a feed or sitemap are absolute: set `site` in [tool.routelet] of "
            'pyproject.toml, such as site = "https://example.com"'
        )
    return URL(_absolute(site, "", "`site` in [tool.routelet]")).origin


def _absolute(url: str, site: str, name: str) -> str:
    """Return `url` with scheme and host, and percent-encoded where it is not yet."""
    rest = _checked(url, "URL", name)
    if not url.startswith("/"):
        found = _ABSOLUTE.fullmatch(url)
        if found is None:
            raise ValueError(
                f"{name}: {url!r} is no URL: begin a path with a slash, any other with https://, "
                "and write a host that is not ASCII as xn--"
            )
        site, rest = URL(found["host"]).origin, "/" + found["rest"].removeprefix("/")
    parts = _BAD_ESCAPE.sub("%25", rest).split("#", 1)
    return site + "#".join(quote(part, safe=_STANDS_FOR_ITSELF) for part in parts)


def _in_utc(value: object, name: str) -> datetime:
    """Return a moment; a day begins at midnight, and what names no zone is in UTC."""
    if not isinstance(value, date):
        raise TypeError(f"{name} has no date or datetime as its date: {value!r}")
    utc = timezone.utc  # noqa: UP017 - python3.10 is a target
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=utc)
    return (value.replace(tzinfo=utc) if value.utcoffset() is None else value).astimezone(utc)


def _rfc_822(moment: datetime) -> str:
    from email.utils import format_datetime  # 7 ms, which a sitemap spares  # noqa: PLC0415

    return format_datetime(moment, usegmt=True)
