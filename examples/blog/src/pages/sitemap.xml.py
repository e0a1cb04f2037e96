"""The pages that search engines should know, written at build time."""

from lib.posts import all_posts
from routelet import Context, Response
from routelet.feeds import SitemapUrl, sitemap

PAGES = ("/", "/blog/", "/about/", "/contact")


def GET(ctx: Context) -> Response:
    posts = [SitemapUrl(post.path, post.published) for post in all_posts()]
    return sitemap(ctx, [*PAGES, *posts])
