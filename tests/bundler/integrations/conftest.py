"""Sites with the integrations that come with routelet."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Site = Callable[..., Path]

NAMES = {
    "sitemap": "routelet_bundler.integrations.sitemap:sitemap",
    "robots": "routelet_bundler.integrations.robots:robots",
    "redirect-by-host": "routelet_bundler.integrations.redirect_by_host:redirect_by_host",
}
"""Their factories: an editable install knows an entry point only from the next install on."""


@pytest.fixture
def site_with(write_site: Site) -> Iterator[Site]:
    """Return a function from files and names of integrations to a site that has them."""

    def write(
        files: dict[str, str],
        *integrations: str,
        options: str = "",
        site: str | None = "https://example.com",
    ) -> Path:
        listed = ", ".join(f'"{NAMES.get(one, one)}"' for one in integrations)
        lines = ['[project]\nname = "site"\nversion = "1"\n[tool.routelet]']
        lines += [f'site = "{site}"'] if site else []
        lines += [f"integrations = [{listed}]", options, ""]
        return write_site(files, pyproject="\n".join(lines))

    yield write
    sys.modules.pop("site_integrations", None)
