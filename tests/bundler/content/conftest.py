"""Compiled content of a site, imported as a function imports it."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from routelet_bundler.content import Content, content
from routelet_bundler.discover import discover
from routelet_bundler.generated import PACKAGE, module_of
from routelet_bundler.model import Config
from routelet_bundler.staging import write_texts


@pytest.fixture
def compiled(write_site: Callable[..., Path]) -> Callable[..., Content]:
    """Return a function that compiles the pages and templates of a site of these files."""

    def compile_site(files: Mapping[str, str | bytes], **config: object) -> Content:
        keys = {key.replace("_", "-"): value for key, value in config.items()}
        keys.setdefault("output", "server")
        parsed = Config.model_validate(keys)
        return content(discover(write_site(files), parsed), parsed.markdown)

    return compile_site


@pytest.fixture
def imported(
    compiled: Callable[..., Content], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ModuleType]]:
    """Return a function that imports the module of a page, such as `pages/about.md`."""
    monkeypatch.syspath_prepend(str(tmp_path / "site/src"))
    monkeypatch.syspath_prepend(str(tmp_path / "dist"))

    def import_page(name: str, files: Mapping[str, str | bytes]) -> ModuleType:
        write_texts(tmp_path / "dist", compiled(files).modules)
        importlib.invalidate_caches()
        return importlib.import_module(f"{PACKAGE}.{module_of(name)}")

    yield import_page
    for name in [name for name in sys.modules if name.split(".")[0] in {PACKAGE, "filters"}]:
        del sys.modules[name]


@pytest.fixture
def rendered(imported: Callable[..., ModuleType]) -> Callable[..., str]:
    """Return a function that answers a GET with a page, and gives the body."""

    def get(name: str, files: Mapping[str, str | bytes], ctx: object = None) -> str:
        body: str = imported(name, files).GET(ctx).body
        return body

    return get
