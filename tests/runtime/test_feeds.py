"""Feeds and sitemaps: what feedparser and an XML parser read from them, and what is refused."""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from html.parser import HTMLParser
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as Xml

import feedparser
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routelet import Context, Request
from routelet.app import App
from routelet.feeds import (
    MAX_BYTES,
    MAX_URLS,
    FeedItem,
    SitemapUrl,
    rss,
    sitemap,
    sitemap_files,
    sitemap_index,
)
from routelet_bundler.interpreters import find_interpreter

SITE = "https://example.com"
RUNTIME = Path(__file__).parents[2] / "runtime"
ENCODED = "{http://purl.org/rss/1.0/modules/content/}encoded"
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}url/{*}loc"
LAST_MODIFIED = "{http://www.sitemaps.org/schemas/sitemap/0.9}url/{*}lastmod"
POST = FeedItem(link="/a", title="A")

xml_text = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff",
                                 include_characters="\t\n\r\x85"), min_size=1)  # fmt: skip
not_xml = [
    chr(code) for code in (*range(9), 11, 12, *range(14, 32), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF)
]
segments = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\ufffe\uffff"), min_size=1
).filter(lambda text: text not in {".", ".."})
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
first, last = datetime(1970, 1, 3), datetime(9999, 12, 30)  # noqa: DTZ001 - hypothesis wants it
moments = st.datetimes(first, last, timezones=st.one_of(st.none(), zones))


class _Nowhere(tzinfo):
    """A zone that does not know its offset: Python calls such a datetime naive."""

    def utcoffset(self, _: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


def context(url: str = "/rss.xml", **manifest: Any) -> Context:
    return Context(App({"routes": [], "site": SITE, **manifest}), Request(url))


def feed(*items: FeedItem, ctx: Context | None = None, **options: Any) -> str:
    options = {"title": "T", "description": "D", **options}
    return rss(ctx or context(), items=items, **options).text()


def read(*items: FeedItem, **options: Any) -> Any:
    """Return what feedparser reads; that it had nothing to mend is asserted."""
    found = feedparser.parse(feed(*items, **options).encode(), sanitize_html=False)
    assert not found.bozo
    return found


def channel(*items: FeedItem, **options: Any) -> Xml.Element:
    found = Xml.fromstring(feed(*items, **options)).find("channel")
    assert found is not None
    return found


def locs(*urls: str | SitemapUrl, **manifest: Any) -> list[str | None]:
    text = sitemap(context(**manifest), urls).text()
    return [element.text for element in Xml.fromstring(text).iterfind(LOC)]


def utc(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def shown(html: str) -> str:
    """Return what a reader shows of HTML; tags show nothing."""
    texts: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            texts.append(data)

    parser = Reader()
    parser.feed(html)
    parser.close()
    return "".join(texts)


# Feeds.


def test_a_feed_reader_finds_all_of_a_feed() -> None:
    item = FeedItem(
        link="/blog/a/",
        title="A & B",
        published=date(2026, 10, 29),
        description="In short.",
        content='<p class="a">Whole &amp; <b>bold</b></p>',
        categories=["one", "two & three"],
    )
    found = read(item, title="Notes", description="Of the day", language="en")
    assert found.version == "rss20"
    facts = (found.feed.title, found.feed.link, found.feed.subtitle, found.feed.language)
    assert facts == ("Notes", f"{SITE}/", "Of the day", "en")
    assert found.feed.updated == "Thu, 29 Oct 2026 00:00:00 GMT"
    (own,) = [link for link in found.feed.links if link.rel == "self"]
    assert (own.href, own.type) == (f"{SITE}/rss.xml", "application/rss+xml")
    (entry,) = found.entries
    assert (entry.title, entry.link, entry.summary) == ("A & B", f"{SITE}/blog/a/", "In short.")
    assert entry.id == f"{SITE}/blog/a/"
    assert entry.published == "Thu, 29 Oct 2026 00:00:00 GMT"
    assert [tag.term for tag in entry.tags] == ["one", "two & three"]
    assert [content.value for content in entry.content] == [item.content]


def test_what_was_not_given_is_not_in_the_feed() -> None:
    found = channel(POST)
    assert [e.tag for e in found] == [
        "title", "link", "description", "{http://www.w3.org/2005/Atom}link", "item",
    ]  # fmt: skip
    assert [element.tag for element in found[-1]] == ["title", "link", "guid"]
    assert read().entries == []


def test_responses_name_their_types() -> None:
    feed = rss(context(), title="", description="", items=[])
    assert feed.headers["content-type"] == "application/rss+xml; charset=utf-8"
    assert sitemap(context(), []).headers["content-type"] == "application/xml; charset=utf-8"


@given(xml_text, xml_text, xml_text, xml_text)
def test_every_text_comes_back_from_xml(
    title: str, description: str, content: str, guid: str
) -> None:
    item = FeedItem(
        link="/",
        title=title,
        description=description,
        content=content,
        categories=(title,),
        guid=guid,
    )
    found = channel(item, title=title, description=description)
    assert (found.findtext("title"), found.findtext("description")) == (title, description)
    (entry,) = found.iterfind("item")
    texts = [entry.findtext(tag) for tag in ("title", "category", ENCODED, "guid")]
    assert texts == [title, title, content, guid]


def is_mended_by_feedparser(text: str) -> bool:
    """Tell whether it takes a text for UTF-8 that somebody read as Latin-1."""
    try:
        return text.encode("latin-1").decode() != text
    except UnicodeError:
        return False


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="&"), min_size=1))
def test_titles_and_descriptions_are_plain_text_to_a_feed_reader(text: str) -> None:
    assume(not is_mended_by_feedparser(text))
    (entry,) = read(FeedItem(link="/", title=text, description=text)).entries
    assert shown(entry.summary) == text
    if "<" not in text:
        assert entry.title == text


@pytest.mark.parametrize(
    "text",
    ["1 < 2 & 3 > 2", "<script>alert(1)</script>", "&lt;b&gt; is bold", "AT&T", "]]>", "a\rb"],
)
def test_a_description_is_never_taken_for_markup(text: str) -> None:
    (entry,) = channel(FeedItem(link="/", description=text)).iterfind("item")
    assert shown(entry.findtext("description") or "") == text


def test_plain_text_is_encoded_as_the_profile_says() -> None:
    assert "<title>&#x26; &#x3C; &#x3E;</title>" in feed(FeedItem(link="/", title="& < >"))


@given(st.lists(moments, min_size=1, max_size=5))
def test_a_feed_reader_finds_each_date_and_the_newest_one(dates: list[datetime]) -> None:
    items = [FeedItem(link="/", title="", published=moment) for moment in dates]
    found = read(*items)
    wanted = [utc(moment).timetuple()[:6] for moment in dates]
    assert [tuple(entry.published_parsed[:6]) for entry in found.entries] == wanted
    assert tuple(found.feed.updated_parsed[:6]) == max(wanted)


def test_a_datetime_that_knows_no_offset_is_in_utc() -> None:
    (entry,) = read(
        FeedItem(link="/", title="", published=datetime(2026, 1, 1, 5, tzinfo=_Nowhere()))
    ).entries
    assert entry.published == "Thu, 01 Jan 2026 05:00:00 GMT"


def test_a_guid_of_ones_own_is_no_link() -> None:
    item = FeedItem(link="/new", title="A", guid=f"{SITE}/old")
    (entry,) = read(item).entries
    assert (entry.id, entry.link) == (f"{SITE}/old", f"{SITE}/new")
    guids = channel(item, POST).iterfind("item/guid")
    assert [guid.attrib for guid in guids] == [{"isPermaLink": "false"}, {}]


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("/rss.xml", f"{SITE}/rss.xml"),
        ("/rss.xml?utm_source=x", f"{SITE}/rss.xml"),
        ("/tags/a%20%26%3F%2Fb/rss.xml", f"{SITE}/tags/a%20&%3F%2Fb/rss.xml"),
        ("https://d111.cloudfront.net/rss.xml", f"{SITE}/rss.xml"),
    ],
)
def test_a_feed_links_to_itself_on_the_site(url: str, own: str) -> None:
    (link,) = channel(ctx=context(url)).iterfind("{http://www.w3.org/2005/Atom}link")
    assert link.attrib == {"href": own, "rel": "self", "type": "application/rss+xml"}


def test_the_url_of_a_prerendered_feed_is_that_of_its_file() -> None:
    app = App({"routes": [], "site": SITE}, prerendering=True)
    own = [read(ctx=Context(app, Request(url))).feed.links[-1].href for url in ("/a/rss.xml/", "/")]
    assert own == [f"{SITE}/a/rss.xml", f"{SITE}/"]


def test_a_feed_may_be_of_another_page_and_have_another_url() -> None:
    found = read(link="/blog/", feed_url="https://feeds.example.org/?a=b&c='\"<d>")
    assert found.feed.link == f"{SITE}/blog/"
    assert found.feed.links[-1].href == "https://feeds.example.org/?a=b&c='%22%3Cd%3E"


def test_the_home_page_of_a_site_below_a_base_is_there() -> None:
    assert read(ctx=context("/docs/rss.xml", base="/docs")).feed.link == f"{SITE}/docs/"


def test_pages_return_a_feed_and_a_sitemap(make_site: Callable[..., Any]) -> None:
    pages = {
        "rss.xml.py": """
            from routelet.feeds import FeedItem, rss

            def GET(ctx):
                link = ctx.url_for("/blog/[slug]", slug="ä b")
                return rss(ctx, title="T", description="D", items=[FeedItem(title="A", link=link)])
            """,
        "sitemap.xml.py": """
            from routelet.feeds import sitemap

            def GET(ctx):
                return sitemap(ctx, [ctx.url_for("/"), ctx.url_for("/blog/[slug]", slug="ä b")])
            """,
        "blog/[slug].py": "def GET(ctx): return ''",
    }
    site = make_site(pages, base="/docs", site=SITE)
    post = f"{SITE}/docs/blog/%C3%A4%20b"
    found = feedparser.parse(site.text("/docs/rss.xml"))
    assert [link.href for link in found.feed.links] == [f"{SITE}/docs/", f"{SITE}/docs/rss.xml"]
    assert found.entries[0].link == post
    urls = Xml.fromstring(site.text("/docs/sitemap.xml"))
    assert [element.text for element in urls.iterfind(LOC)] == [f"{SITE}/docs/", post]


# Sitemaps.


def test_a_sitemap_tells_when_pages_changed() -> None:
    east = timezone(timedelta(hours=2))
    dates = [
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001 - which is in UTC
        datetime(2026, 1, 2, 1, tzinfo=east),
    ]
    text = sitemap(context(), ["/", *(SitemapUrl("/a", day) for day in dates)]).text()
    assert [element.text for element in Xml.fromstring(text).iterfind(LAST_MODIFIED)] == [
        "2026-01-02", "2026-01-02T03:04:05+00:00", "2026-01-01T23:00:00+00:00",
    ]  # fmt: skip


@given(st.lists(segments, max_size=8).filter(lambda names: len("".join(names)) < 200))
def test_every_path_comes_back_and_is_encoded_once(names: list[str]) -> None:
    plain = "/" + "/".join(name.replace("%", "").replace("#", "") for name in names)
    (loc,) = locs(plain)
    assert loc is not None
    assert unquote(loc) == SITE + plain
    assert re.fullmatch(r"(?:[A-Za-z0-9\-._~:/?#@!$&'()*+,;=]|%[0-9A-F]{2})+", loc)
    assert locs(loc) == [loc]
    assert locs(loc.removeprefix(SITE)) == [loc]


@given(st.dictionaries(st.sampled_from(["a", "b"]), segments, min_size=2))
def test_paths_of_url_for_stay_as_they_are(params: dict[str, str]) -> None:
    path = context().url_for("/[a]/x-[b].html", **params)
    assert locs(path) == [SITE + path]


@pytest.mark.parametrize(
    ("given", "loc"),
    [
        ("/100%", f"{SITE}/100%25"),
        ("/100%25", f"{SITE}/100%25"),
        ("/a%2Fb%c3%a4", f"{SITE}/a%2Fb%c3%a4"),
        ("/ä?ö=ü&b=[1]#ß#", f"{SITE}/%C3%A4?%C3%B6=%C3%BC&b=%5B1%5D#%C3%9F%23"),
        ("//a", f"{SITE}//a"),
        ("/a\n\\", f"{SITE}/a%0A%5C"),
        ("HTTPS://EXAMPLE.com:443/A", f"{SITE}/A"),
        (SITE, f"{SITE}/"),
        (f"{SITE}?a", f"{SITE}/?a"),
    ],
)
def test_urls_are_made_whole(given: str, loc: str) -> None:
    assert locs(given) == [loc]
    (item,) = channel(FeedItem(link=given, title="")).iterfind("item")
    assert (item.findtext("link"), item.findtext("guid")) == (loc, loc)


def test_quotes_are_escaped_as_the_protocol_says() -> None:
    assert "<loc>https://example.com/?a=b&#x26;c=&apos;%22</loc>" in sitemap(
        context(), ["/?a=b&c='\""]
    ).text()  # fmt: skip


@pytest.mark.parametrize(
    "site", ["https://[::1]:8080", "http://localhost:4321", "https://xn--bcher-kva.example"]
)
def test_a_site_is_any_host(site: str) -> None:
    assert locs("/a", f"{site}/b", site=f"{site}/") == [f"{site}/a", f"{site}/b"]


@pytest.mark.parametrize(
    "url",
    ["http://example.com/a", "https://www.example.com/a", "https://example.com:8443/a",
     "https://example.com.evil.example/"],
)  # fmt: skip
def test_a_url_of_another_host_has_no_place_in_a_sitemap(url: str) -> None:
    message = re.escape(f"the sitemap's URL {url!r} is not on {SITE}: list it in")
    with pytest.raises(ValueError, match=message):
        locs("/", url)
    (item,) = channel(FeedItem(link=url, title="")).iterfind("item")
    assert item.findtext("link") == url


def test_a_sitemap_has_50_000_urls_at_most() -> None:
    assert len(locs(*repeat("/a", MAX_URLS))) == MAX_URLS
    with pytest.raises(ValueError, match=r"50,000 URLs at most: write several .* robots\.txt"):
        sitemap(context(), repeat("/a"))


def test_a_sitemap_has_52_428_800_bytes_at_most() -> None:
    longest = "/" + "a" * (2_047 - len(SITE) - 1)
    with pytest.raises(ValueError, match=r"52,428,800 bytes at most, not 53,.*: write several"):
        sitemap(context(), repeat(longest, 25_800))


def test_what_is_too_much_for_one_sitemap_is_written_to_several() -> None:
    site = "https://example.com"
    many = sitemap_files(site, (f"/{number}" for number in range(2 * MAX_URLS + 1)))
    assert [text.count("<loc>") for text in many] == [MAX_URLS, MAX_URLS, 1]
    assert all(Xml.fromstring(text).tag.endswith("}urlset") for text in many)
    assert "<loc>https://example.com/50000</loc>" in many[1]
    large = sitemap_files(site, repeat(f"/{'a' * 2_000}", 27_000))
    assert len(large) == 2
    assert MAX_BYTES - 3_000 < len(large[0]) <= MAX_BYTES
    assert sum(text.count("<loc>") for text in large) == 27_000
    assert sitemap_files(site, []) == []


def test_an_index_names_sitemaps() -> None:
    text = sitemap_index("https://example.com/x", ["/docs/sitemap-0.xml", "/a&b.xml"])
    tree = Xml.fromstring(text)
    schema = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    assert (tree.tag, [one.tag for one in tree]) == (
        f"{schema}sitemapindex",
        [f"{schema}sitemap"] * 2,
    )
    assert [one.text for one in tree.iter(f"{schema}loc")] == [
        "https://example.com/docs/sitemap-0.xml",
        "https://example.com/a&b.xml",
    ]


def test_a_url_of_a_sitemap_is_below_2_048_characters_when_it_is_encoded() -> None:
    path = "/" + "a" * (2_047 - len(SITE) - 1)
    assert locs(path) == [SITE + path]
    with pytest.raises(ValueError, match=r"'/a+b' has 2,048 characters: 2,047 at most"):
        locs(path + "b")
    with pytest.raises(ValueError, match=r"has 3,0\d\d characters"):
        locs("/" + "ä" * 500)


# Both.


def test_a_site_without_a_name_says_what_to_set() -> None:
    ctx = context(site=None)
    with pytest.raises(ValueError, match=r"set `site` in \[tool\.routelet\]"):
        rss(ctx, title="", description="", items=[])
    with pytest.raises(ValueError, match=r"set `site` in \[tool\.routelet\]"):
        sitemap(ctx, [])


@pytest.mark.parametrize("character", not_xml)
def test_what_xml_cannot_have_is_refused_by_name(character: str) -> None:
    text = f"a{character}b"
    code = re.escape(f"U+{ord(character):04X}")
    tags = {"title": "title", "description": "description", "content": "content:encoded",
            "guid": "guid"}  # fmt: skip
    for part, tag in tags.items():
        item = FeedItem(**{"link": "/x", "title": "", part: text})  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=f"the feed's item '/x' has {code} in its {tag},"):
            feed(item)
    with pytest.raises(ValueError, match=f"the feed's item '/x' has {code} in its category"):
        feed(FeedItem(link="/x", title="", categories=("a", text)))
    with pytest.raises(ValueError, match=f"the feed has {code} in its title"):
        feed(title=text)
    with pytest.raises(ValueError, match=f"the sitemap's URL '/a.*b' has {code} in its URL"):
        locs(f"/{text}")


@pytest.mark.parametrize(
    "url",
    ["", "a", "./a", "?a", "#a", " /a", "mailto:a@b.c", "javascript:alert(1)", "https:///a",
     "https:a", "https://a b/", "https://bücher.example/", "https://a@b/", "https://a:b/", "ftp://a/b"],
)  # fmt: skip
def test_what_is_neither_path_nor_url_is_refused_by_name(url: str) -> None:
    message = re.escape(f"{url!r} is no URL: begin a path with a slash")
    with pytest.raises(ValueError, match="the sitemap's URL .*" + message):
        locs(url)
    with pytest.raises(ValueError, match="the feed's item .*" + message):
        feed(FeedItem(link=url, title=""))


def test_an_item_has_a_title_or_a_description() -> None:
    assert channel(FeedItem(link="/", description="D")).findtext("item/description") == "D"
    with pytest.raises(ValueError, match="item '/a' has neither title nor description"):
        feed(FeedItem(link="/a", content="C"))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("published", "2026-01-01", "the feed's item '/x' has no date .*'2026-01-01'"),
        ("title", 2026, "the feed's item '/x' has no text as its title: 2026"),
        ("description", 2026, "the feed's item '/x' has no text as its description: 2026"),
        ("categories", [1], "the feed's item '/x' has no text as its category: 1"),
        ("link", None, "the feed's item None has no text as its URL: None"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(part: str, value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        feed(FeedItem(**{"link": "/x", "title": "", part: value}))


def test_equal_input_gives_equal_bytes() -> None:
    items = [FeedItem(link=f"/{n}", title=f"{n}", published=date(2026, 1, n)) for n in (1, 3, 2)]
    assert feed(*items) == feed(*items)
    assert "<lastBuildDate>Sat, 03 Jan 2026" in feed(*items)
    assert sitemap(context(), ["/b", "/a"]).read() == sitemap(context(), ["/b", "/a"]).read()
    assert locs("/b", "/a") == [f"{SITE}/b", f"{SITE}/a"]


ANSWER = """
import sys
sys.path.insert(0, sys.argv[1])
import routelet
assert "routelet.feeds" not in sys.modules
from datetime import datetime
from routelet.app import App
from routelet.feeds import FeedItem, SitemapUrl, rss, sitemap

ctx = routelet.Context(App({"routes": [], "site": "https://example.com"}), routelet.Request("/r"))
moment = datetime(2026, 1, 2, 3)
items = [FeedItem(title="A & B", link="/a b", published=moment, description="<", content="<p>")]
print(rss(ctx, title="T", description="D", items=items).text())
print(sitemap(ctx, [SitemapUrl("/a'b", moment)]).text())
"""


@pytest.mark.parametrize("version", ["3.10", "3.12", "3.13", "3.14"])
def test_every_python_gives_the_same_bytes(version: str) -> None:
    other = find_interpreter(version)
    if other is None:
        pytest.skip(f"no Python {version} on this machine")
    texts = [
        subprocess.run(
            [python, "-I", "-S", "-B", "-W", "error", "-c", ANSWER, str(RUNTIME)],
            capture_output=True,
            check=True,
        ).stdout
        for python in (sys.executable, other)
    ]
    assert b"<pubDate>Fri, 02 Jan 2026 03:00:00 GMT</pubDate>" in texts[0]
    assert texts[0] == texts[1]
