"""Files for hosts of files: which one a page is, assets of `ctx.asset`, pages that redirect.

Only a build uses it: no zip has it.
"""

from hashlib import sha256
from html import escape
from urllib.parse import quote

_DIGITS = 10
"""Hexadecimal ones: 40 bits, so that two contents of one file never share a name in practice."""


def hashed_name(name: str, data: bytes) -> str:
    """Return the name of a file with a part that changes with `data`: `a/style.1f2e3d4c5b.css`."""
    folders, slash, file = name.rpartition("/")
    stem, dot, extension = file.rpartition(".")
    if not stem:
        stem, dot, extension = file, "", ""
    return f"{folders}{slash}{stem}.{sha256(data).hexdigest()[:_DIGITS]}{dot}{extension}"


def asset_url(base: str, hashed: str) -> str:
    """Return the URL path of a file below `base`."""
    return f"{base.rstrip('/')}/{quote(hashed)}"


def page_file(path: str, build_format: str, *, is_index: bool) -> str:
    """Return the file of a page of HTML by its URL path: Astro's `build.format`."""
    path = path.strip("/")
    if not path:
        return "index.html"
    as_file = build_format == "file" or (build_format == "preserve" and not is_index)
    return f"{path}.html" if as_file or path in ("404", "500") else f"{path}/index.html"


def moved_page(location: str) -> bytes:
    """Return a page that takes a browser on."""
    to = escape(location)
    return (
        f'<!doctype html><title>Moved</title><meta http-equiv="refresh" content="0;url={to}">'
        f'<meta name="robots" content="noindex"><link rel="canonical" href="{to}">'
        f'<a href="{to}">{to}</a>\n'
    ).encode()
