"""`sitemap`: the URLs of a site's pages, as sitemaps.org has it, in `client/`.

Listed are prerendered pages of HTML, and on-demand ones that are known to be HTML and have no
parameters; not error pages, redirects and endpoints.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from routelet.feeds import sitemap_files, sitemap_index
from routelet.media_types import UNKNOWN, content_type_of
from routelet.routing import Route, url_for
from routelet_bundler.adapter import BuildDone, ConfigDone, Integration
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Config, Prerendered

INDEX = "sitemap-index.xml"
_ERROR_PAGES = ("/404", "/500")


def sitemap(*, custom_pages: Sequence[str] = ()) -> "Sitemap":
    """Return the integration; `custom_pages` are listed as well: URLs, or paths with the base."""
    return Sitemap(custom_pages)


class Sitemap(Integration):
    """Writes `sitemap-index.xml`, and as many sitemaps as the protocol's limits need."""

    name = "sitemap"
    sees_files = False

    def __init__(self, custom_pages: Sequence[str]) -> None:
        self._custom_pages = tuple(custom_pages)
        self._config = Config()

    def config_done(self, payload: ConfigDone) -> None:
        """Keep what URLs are made from; raises `RouteletError` without `site`."""
        if payload.config.site is None:
            raise RouteletError(
                "the integration sitemap needs the site's URL",
                where="pyproject.toml [tool.routelet]",
                mend='set site, such as site = "https://example.com"',
                status=WRONG_USE,
            )
        self._config = payload.config

    def build_done(self, payload: BuildDone) -> None:
        """Write the files, unless the site has one of their names."""
        urls = sorted({*self._urls(payload.pages, payload.routes), *self._custom_pages})
        texts = self._texts(urls)
        taken = {*payload.client_files, *(one.route.strip("/") for one in payload.routes)}
        if own := sorted(taken & texts.keys()):
            payload.logger.warning("%s is the site's own: no sitemap is written", own[0])
        elif not urls:
            payload.logger.warning("the site has no pages to list: no sitemap is written")
        else:
            _write(payload.out_dir / "client", texts.items())

    def _urls(self, pages: Iterable[Prerendered], routes: Iterable[Route]) -> Iterator[str]:
        for page in pages:
            is_html = (page.content_type or "").startswith("text/html")
            if is_html and page.location is None and page.route not in _ERROR_PAGES:
                yield page.url
        for route in routes:
            if _is_page(route):
                slash = self._config.trailing_slash
                yield url_for(route.route, {}, self._config.base, trailing_slash=slash)

    def _texts(self, urls: Sequence[str]) -> dict[str, str]:
        """Return the files by their names; raises `RouteletError` for a faulty URL."""
        site, base = self._config.site or "", self._config.base.rstrip("/")
        try:
            files = {f"sitemap-{n}.xml": text for n, text in enumerate(sitemap_files(site, urls))}
            index = sitemap_index(site, [f"{base}/{name}" for name in files])
        except ValueError as error:
            raise RouteletError(
                str(error), where="integration sitemap", mend="correct custom_pages"
            ) from None
        return {INDEX: index, **files}


def _is_page(route: Route) -> bool:
    """Tell whether an on-demand route has one URL, and answers with HTML for all that is known."""
    if route.prerender or route.type != "page" or route.params or route.route in _ERROR_PAGES:
        return False
    file = route.component or ""
    named = content_type_of(file.removesuffix(".jinja"))
    return not file.endswith(".jinja") or named.startswith(("text/html", UNKNOWN))


def _write(folder: Path, texts: Iterable[tuple[str, str]]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in texts:
        (folder / name).write_text(text, encoding="utf-8")
