"""All posts, newest first."""

from lib.posts import all_posts
from routelet import Context, Response


def GET(ctx: Context) -> Response:
    return ctx.render("layouts/post_list.jinja", posts=all_posts())
