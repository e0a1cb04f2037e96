"""A site on disk, written from a mapping of paths to texts."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

SITE = '[project]\nname = "site"\nversion = "1"\n'


@pytest.fixture
def write_site(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes `files` and pyproject.toml, and returns the site's folder."""
    root = tmp_path / "site"

    def write(files: Mapping[str, str | bytes], pyproject: str = SITE) -> Path:
        for name, text in {"pyproject.toml": pyproject, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return root

    return write
