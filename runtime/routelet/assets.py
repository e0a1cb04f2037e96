"""Names of assets that change with their content, for `ctx.asset`.

Only a build uses it: no zip has it.
"""

from hashlib import sha256
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
