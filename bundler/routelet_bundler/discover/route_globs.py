"""`[tool.routelet.routes."/api/**"]`: which tables speak of a route."""

import re
from collections.abc import Iterable


def most_specific(globs: Iterable[str], route: str) -> list[str]:
    """Return the globs that match `route`, the one with most literal text first."""
    matching = [glob for glob in globs if matches(glob, route)]
    return sorted(matching, key=lambda glob: (-len(glob.replace("*", "")), glob))


def matches(glob: str, route: str) -> bool:
    """Tell whether `glob` speaks of `route`.

    `*` is anything within a segment, `**` any number of segments, and `/api/**` speaks of `/api`
    too. Brackets are literal: `/blog/[slug]` is a route's own name.
    """
    pattern = ""
    for piece in re.split(r"(/\*\*|\*\*|\*)", glob):
        pattern += {"/**": "(?:/.*)?", "**": ".*", "*": "[^/]*"}.get(piece, re.escape(piece))
    return re.fullmatch(pattern, route) is not None
