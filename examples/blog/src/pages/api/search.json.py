"""The same search for programs: /api/search.json?q=bytecode"""

from typing import Any

from lib.posts import all_posts
from lib.search import MAX_QUERY_LENGTH, Hit, search
from routelet import Context

prerender = False


def GET(ctx: Context) -> dict[str, Any]:
    query = (ctx.request.url.search_params.get("q") or "").strip()[:MAX_QUERY_LENGTH]
    return {"query": query, "results": [result_of(hit) for hit in search(all_posts(), query)]}


def result_of(hit: Hit) -> dict[str, Any]:
    return {
        "title": hit.post.title,
        "path": hit.post.path,
        "published": hit.post.published.isoformat(),
        "summary": hit.post.summary,
        "tags": hit.post.tags,
        "excerpt": "".join(piece.text for piece in hit.excerpt),
        "score": hit.score,
    }
