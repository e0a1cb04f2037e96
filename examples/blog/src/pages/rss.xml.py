"""The feed, RSS 2.0 with whole posts, written at build time."""

from lib.markdown import to_html
from lib.posts import Post, all_posts
from routelet import Context, Response
from routelet.feeds import FeedItem, rss


def GET(ctx: Context) -> Response:
    return rss(
        ctx,
        title="Cold Start Notes",
        description="Short notes on running Python on AWS Lambda.",
        language="en",
        items=map(item_of, all_posts()),
    )


def item_of(post: Post) -> FeedItem:
    return FeedItem(
        title=post.title,
        link=post.path,
        published=post.published,
        description=post.summary,
        categories=post.tags,
        content=to_html(post.text),
    )
