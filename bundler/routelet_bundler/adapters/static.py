"""The static adapter: `dist/client` for hosts of files, and what such hosts want beside it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deflate import gzip_compress
from pydantic import Field

from routelet.media_types import content_type_of
from routelet_bundler.adapter import (
    WRONG_USE,
    Adapter,
    Assets,
    BuildDone,
    ConfigDone,
    Integration,
    RouteletError,
    Table,
    option_table,
)

NOT_FOUND = "404.html"
MIN_BYTES = 1024
"""A smaller file fits into a packet, compressed or not."""
LEVEL = 12
"""libdeflate's best: a file is compressed once."""
TEXT_TYPES = (
    "application/json",
    "application/manifest+json",
    "application/wasm",
    "application/xml",
    "image/svg+xml",
)
"""What compresses well beside text/* and types of JSON and XML."""


class Options(Table):
    """`[tool.routelet.adapters.static]`."""

    precompress: bool = False
    fallback: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]+\.html$")


def static(**options: Any) -> "Static":
    """Return the adapter with the options of its table; raises `RouteletError` for faulty ones."""
    return Static(option_table(Options, options))


class Static(Integration):
    """A site without functions."""

    name = "static"

    def __init__(self, options: Options) -> None:
        self._options = options
        self.sees_files = options.precompress or options.fallback is not None

    def config_done(self, payload: ConfigDone) -> None:
        """Say what a host of files is: nothing runs there."""
        payload.set_adapter(
            Adapter(
                name=self.name,
                supported_features={
                    "static_output": "stable",
                    "assets": Assets(
                        support="stable", is_pillow_compatible=True, is_pyvips_compatible=True
                    ),
                },
            )
        )

    def build_done(self, payload: BuildDone) -> None:
        """Write the page for unknown URLs under the host's name for it, and compressed files."""
        client, names = payload.out_dir / "client", payload.client_files
        if self._options.fallback is not None:
            names = (*names, *_copied(client, names, self._options.fallback))
        if self._options.precompress:
            types = {page.path: page.content_type for page in payload.pages}
            _compress(client, names, types)


def _copied(client: Path, names: tuple[str, ...], fallback: str) -> tuple[str, ...]:
    """Copy the page for unknown URLs; return the name that is new."""
    where = "pyproject.toml [tool.routelet.adapters.static] fallback"
    if NOT_FOUND not in names:
        raise RouteletError(
            f'"{fallback}" is a copy of the page for unknown URLs, and the site has none',
            where=where,
            mend="add src/pages/404.jinja, .md, .html or .py",
            status=WRONG_USE,
        )
    if fallback == NOT_FOUND:
        return ()
    if fallback in names:
        raise RouteletError(
            f'"{fallback}" is there already',
            where=where,
            mend="name another file",
            status=WRONG_USE,
        )
    shutil.copy2(client / NOT_FOUND, client / fallback)
    return (fallback,)


def _compress(client: Path, names: tuple[str, ...], types: Mapping[str, str | None]) -> None:
    """Write `NAME.gz` beside each file of text that gets smaller, the same bytes each time."""
    for name in names:
        packed = f"{name}.gz"
        content = (client / name).read_bytes()
        kind = types.get(name) or content_type_of(name)
        if packed in names or len(content) < MIN_BYTES or not _is_text(kind):
            continue
        smaller = gzip_compress(content, LEVEL)
        if len(smaller) < len(content):
            (client / packed).write_bytes(smaller)


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in TEXT_TYPES or kind.endswith(("+json", "+xml"))
