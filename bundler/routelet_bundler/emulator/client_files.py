"""Files of `dist/client` and the URLs they answer."""

from mimetypes import MimeTypes
from pathlib import Path
from typing import Final

from routelet_bundler.emulator.built_site import BuiltSite
from routelet_bundler.emulator.serving import HttpAnswer

# Not the module's functions, which read files of this machine.
_TYPES: Final = MimeTypes()
for _extension, _type in {
    ".avif": "image/avif",
    ".md": "text/markdown",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}.items():
    _TYPES.add_type(_type, _extension)


def client_file(site: BuiltSite, path: str) -> Path | None:
    """Return the file that answers the canonical `path` below the base, or None.

    A file's own name comes first, then the pages that `prerendered` lists (where their route
    takes this form of the path), then other pages such as those of `public/`.
    """
    bare = path.strip("/")
    names = [] if path.endswith("/") else [bare]
    pages = [f"{bare}/index.html", f"{bare}.html"] if bare else ["index.html"]
    names += [page for page in pages if _is_page_of(site, page, path)]
    names += [page for page in pages if page not in site.prerendered]
    return next((file for name in names if (file := _file(site.client, name))), None)


def _is_page_of(site: BuiltSite, page: str, path: str) -> bool:
    route = site.prerendered.get(page)
    return route is not None and route.match(path) is not None


def _file(client: Path, name: str) -> Path | None:
    """Return the file, unless a link leads out of `client`; the path was freed of dots before."""
    try:
        file = (client / name).resolve(strict=True)
    except (OSError, ValueError):
        return None
    return file if file.is_file() and file.is_relative_to(client.resolve()) else None


def file_answer(file: Path, status: int = 200) -> HttpAnswer:
    """Return the file with the type that its name says."""
    headers = (("content-type", content_type_of(file.name)),)
    return HttpAnswer(status=status, headers=headers, body=file.read_bytes())


def content_type_of(name: str) -> str:
    """Return the media type for a file name, with the charset where it is text."""
    kind, encoding = _TYPES.guess_type(name)
    if kind is None or encoding is not None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
