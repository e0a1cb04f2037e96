"""The home page: the newest post in full view, the next ones in a list."""

from lib.posts import all_posts
from routelet import Context, Response

LISTED = 4


def GET(ctx: Context) -> Response:
    newest, *older = all_posts()
    return ctx.render("layouts/home.jinja", newest=newest, posts=older[:LISTED])
