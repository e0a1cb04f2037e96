"""Media types of files, by their names. No zip has it but that of a server of files."""

from mimetypes import MimeTypes

UNKNOWN = "application/octet-stream"

# Not the module's functions, which read files of this machine.
_TYPES = MimeTypes()
for _extension, _type in {
    ".avif": "image/avif",
    ".md": "text/markdown",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}.items():
    _TYPES.add_type(_type, _extension)


def content_type_of(name: str) -> str:
    """Return the media type for a file name, with the charset where it is text."""
    kind, encoding = _TYPES.guess_type(name)
    if kind is None or encoding is not None:
        return UNKNOWN
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
