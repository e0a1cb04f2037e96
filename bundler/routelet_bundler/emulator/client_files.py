"""Files of `dist/client` and the URLs they answer."""

from http import HTTPStatus
from pathlib import Path

from routelet.client_files import names_at
from routelet.media_types import content_type_of
from routelet_bundler.emulator.built_site import BuiltSite
from routelet_bundler.emulator.http_api import message
from routelet_bundler.emulator.serving import HttpAnswer


def client_file(site: BuiltSite, path: str) -> Path | None:
    """Return the file that answers the canonical `path` below the base, or None."""
    names = names_at(path, site.prerendered)
    return next((file for name in names if (file := _file(site.client, name))), None)


def file_named(site: BuiltSite, name: str) -> Path | None:
    """Return the file with just this name below `client`, as a bucket has it."""
    is_key = {"", ".", ".."}.isdisjoint(name.split("/"))  # other names of a file are no keys
    return _file(site.client, name) if is_key else None


def not_found(site: BuiltSite) -> HttpAnswer:
    """Return the 404 page, or else what an HTTP API says."""
    page = site.client.resolve() / "404.html"
    return file_answer(site, page, 404) if page.is_file() else message(404, "Not Found")


def _file(client: Path, name: str) -> Path | None:
    """Return the file, unless a link leads out of `client`; the path was freed of dots before."""
    try:
        file = (client / name).resolve(strict=True)
    except (OSError, ValueError):
        return None
    return file if file.is_file() and file.is_relative_to(client.resolve()) else None


def file_answer(site: BuiltSite, file: Path, status: int = 200) -> HttpAnswer:
    """Return the file with its page's type or else that of its name; a page's redirect as one."""
    name = _below(site, file)
    page = site.prerendered.get(name)
    if page and page.redirect and status == HTTPStatus.OK:
        code, location = page.redirect
        return HttpAnswer(status=code, headers=(("location", location),))
    content_type = (page and page.content_type) or content_type_of(file.name)
    headers: tuple[tuple[str, str], ...] = (("content-type", content_type),)
    if name in site.assets:
        headers += (("cache-control", "public, max-age=31536000, immutable"),)
    return HttpAnswer(status=status, headers=headers, body=file.read_bytes())


def _below(site: BuiltSite, file: Path) -> str:
    return file.relative_to(site.client.resolve()).as_posix()
