"""Sites made of source text: their pages are files, loaded by the runtime's own `load_page`."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from routelet.app import App
from routelet.http import Request, Response
from routelet_bundler.discover.names import parse_route
from routelet_bundler.discover.order import in_order
from routelet_bundler.safe_names import safe_stems

MakeSite = Callable[..., "Site"]


class Site:
    """An App over pages in a folder, asked without a host."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.app = App(manifest)

    def get(self, path: str, **parts: Any) -> Response:
        return self.app.respond(Request(path, **parts))

    def text(self, path: str, **parts: Any) -> str:
        return self.get(path, **parts).text()

    def status(self, path: str, **parts: Any) -> int:
        return self.get(path, **parts).status


@pytest.fixture
def source_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty import root; what is imported from it is forgotten afterwards."""
    before = set(sys.modules)
    root = tmp_path / "src"
    root.mkdir()
    monkeypatch.syspath_prepend(root)
    yield root
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"pages", "middleware", "site_templates"}:
            del sys.modules[name]


@pytest.fixture
def write(source_root: Path) -> Callable[[str, str], None]:
    """Return a function that writes source text to a file below the import root."""

    def write(file: str, source: str) -> None:
        target = source_root / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(source), encoding="utf-8")
        importlib.invalidate_caches()

    return write


@pytest.fixture
def make_site(write: Callable[[str, str], None]) -> MakeSite:
    """Return a function from page files (below `pages/`) and settings of a manifest to a Site."""

    def make(
        pages: Mapping[str, str],
        *,
        middleware: str | None = None,
        prerendered: tuple[str, ...] = (),
        **settings: Any,
    ) -> Site:
        for file, source in pages.items():
            write(f"pages/{file}", source)
        if middleware is not None:
            write("middleware.py", middleware)
            settings["middleware"] = "middleware"
        stems = safe_stems(pages)
        facts = {
            file: {
                "module": "pages." + stems[file].replace("/", "."),
                "source": f"pages/{file}",
            }
            for file in pages
        }
        wanted = {"404.py": 404, "500.py": 500}
        settings["error_pages"] = {wanted[file]: facts[file] for file in wanted if file in pages}
        addressed = {"base": settings.get("base", "/"),
                     "trailing_slash": settings.get("trailing_slash", "ignore")}  # fmt: skip
        routes = in_order(
            parse_route(file, component=file, prerender=file in prerendered, **addressed)
            for file in pages
        )
        return Site(
            {
                "routes": [
                    {
                        "route": route.route,
                        "pattern": route.pattern,
                        "params": route.params,
                        "component": route.component,
                        "prerender": route.prerender,
                        **facts[route.component or ""],
                    }
                    for route in routes
                ],
                **settings,
            }
        )

    return make
