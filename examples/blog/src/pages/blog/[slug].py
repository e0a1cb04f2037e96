"""One page for each post, written at build time."""

from typing import Any

from lib.markdown import to_html
from lib.posts import all_posts
from routelet import Context, Response


def get_static_paths() -> list[dict[str, Any]]:
    posts = all_posts()
    neighbours = zip((None, *posts), posts, (*posts[1:], None), strict=False)
    return [
        {
            "params": {"slug": post.slug},
            "props": {"post": post, "html": to_html(post.text), "newer": newer, "older": older},
        }
        for newer, post, older in neighbours
    ]


def GET(ctx: Context) -> Response:
    return ctx.render("layouts/post.jinja", **ctx.props)
