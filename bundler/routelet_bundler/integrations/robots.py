"""`robots`: a robots.txt (RFC 9309) that names the sitemap; the site's own goes before it."""

import re
from collections.abc import Sequence
from pathlib import Path

from routelet.http import URL
from routelet_bundler.adapter import ConfigSetup, Integration
from routelet_bundler.discover.names import KINDS
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.integrations import sitemap as sitemaps
from routelet_bundler.model import Config

FILE = "robots.txt"
_RULE = re.compile(r"/[^\x00-\x20\x7f#]*")
"""RFC 9309, 2.2: a path pattern begins with a slash and has no spaces and no number signs."""
_SITEMAP = ("sitemap", f"{sitemaps.__name__}:sitemap")
"""What a site names the integration by."""
_SOURCE = '''\
"""{file} of the site; made by the integration robots."""

from routelet import Response

TEXT = {text!r}


def GET(ctx):
    return Response(TEXT, headers={{"content-type": "text/plain; charset=utf-8"}})
'''


def robots(*, disallow: Sequence[str] = (), sitemap: str | None = None) -> "Robots":
    """Return the integration; `disallow` are the beginnings of paths that no crawler is to visit.

    `sitemap` is the URL, or the path with the base, of a sitemap that the integration of that name
    does not write. Raises `RouteletError` for what is no path.
    """
    for path in disallow:
        if not _RULE.fullmatch(path):
            raise RouteletError(
                f"disallow has {path!r}, which is no path",
                where="integration robots",
                mend="begin it with a slash, and write spaces and # as %20 and %23",
                status=WRONG_USE,
            )
    return Robots(disallow, sitemap)


class Robots(Integration):
    """Injects `/robots.txt`, prerendered."""

    name = "robots"

    def __init__(self, disallow: Sequence[str], sitemap: str | None) -> None:
        self._disallow = tuple(disallow)
        self._sitemap = sitemap

    def config_setup(self, payload: ConfigSetup) -> None:
        """Inject the route, where the site does not have it."""
        config = payload.config
        if own := _own(payload.root, config):
            payload.logger.info("%s is the site's own", own)
            return
        if config.base != "/":
            payload.logger.warning(
                "crawlers read %s at the root of a host alone, and base is %s", FILE, config.base
            )
        file = payload.create_codegen_dir() / "robots.py"
        file.write_text(_SOURCE.format(file=FILE, text=self._text(config)), encoding="utf-8")
        payload.inject_route(pattern=f"/{FILE}", entrypoint=file, prerender=True)

    def _text(self, config: Config) -> str:
        rules = [f"Disallow: {path}" for path in self._disallow] or ["Allow: /"]
        lines = ["User-agent: *", *rules]
        sitemap = self._sitemap
        if sitemap is None and not set(_SITEMAP).isdisjoint(config.integrations):
            sitemap = f"{config.base.rstrip('/')}/{sitemaps.INDEX}"
        if sitemap is not None:
            lines += ["", f"Sitemap: {_absolute(sitemap, config.site)}"]
        return "\n".join([*lines, ""])


def _absolute(url: str, site: str | None) -> str:
    """Return a URL, which the field has to be: RFC 9309, 2.2.4 and sitemaps.org."""
    if not url.startswith("/"):
        if not url.startswith(("https://", "http://")):
            raise RouteletError(
                f"the sitemap {url!r} is no URL",
                where="integration robots",
                mend="begin a path with a slash, and any other URL with https://",
                status=WRONG_USE,
            )
        return str(URL(url))
    if site is None:
        raise RouteletError(
            "the integration robots names a sitemap, and needs the site's URL for that",
            where="pyproject.toml [tool.routelet]",
            mend='set site, such as site = "https://example.com"',
            status=WRONG_USE,
        )
    return URL(site).origin + str(URL(url)).removeprefix(URL(url).origin)


def _own(root: Path, config: Config) -> str:
    """Return what the site has under that name: a public file, a page or a redirect."""
    public = root / config.public_dir / FILE
    pages = root / config.src_dir / "pages"
    files = (public, *(pages / f"{FILE}{suffix}" for suffix in KINDS))
    found = next((one for one in files if one.is_file()), None)
    if found is not None:
        return found.relative_to(root).as_posix()
    return f"the redirect /{FILE}" if f"/{FILE}" in config.redirects else ""
