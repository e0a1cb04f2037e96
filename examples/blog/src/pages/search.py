"""The search page: /search?q=bytecode"""

from lib.posts import all_posts
from lib.search import MAX_QUERY_LENGTH, search
from routelet import Context, Response

prerender = False


def GET(ctx: Context) -> Response:
    query = (ctx.request.url.search_params.get("q") or "").strip()[:MAX_QUERY_LENGTH]
    posts = all_posts()
    tags = sorted({tag for post in posts for tag in post.tags})
    hits = search(posts, query)
    return ctx.render("layouts/search.jinja", query=query, hits=hits, tags=tags)
