"""Which page answers a URL, for many URLs: static routes are looked up, others tried in order."""

from collections.abc import Sequence
from unicodedata import normalize

from routelet.routing import below_base, canonical_path, literal_text
from routelet_bundler.model import Page


class Owners:
    """The pages of a site, in matching order."""

    def __init__(self, pages: Sequence[Page], base: str) -> None:
        self._base = base
        self._static: dict[str, tuple[int, Page]] = {}
        self._dynamic: list[tuple[int, Page]] = []
        for number, page in enumerate(pages):
            if page.route.params:
                self._dynamic.append((number, page))
            else:
                text = normalize("NFC", literal_text(page.route.route))
                self._static.setdefault(text.strip("/"), (number, page))

    def of(self, url: str) -> Page | None:
        """Return the page that answers a URL path as `url_for` gives it, or None."""
        path = below_base(canonical_path(url), self._base)
        if path is None:
            return None
        static = self._static.get(path.strip("/"))
        for number, page in self._dynamic:
            if static is not None and number > static[0]:
                break
            if page.route.match(path) is not None:
                return page
        return static and static[1]
