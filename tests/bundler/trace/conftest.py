"""Files and installed distributions as a trace sees them, written by the tests."""

import base64
import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from routelet_bundler.interpreters import HOST
from routelet_bundler.model import RouteConfig, Target, Traced
from routelet_bundler.trace import Sources, Tracer
from routelet_bundler.trace.distributions import index_of

Text = str | bytes


def write(folder: Path, files: Mapping[str, Text]) -> dict[str, Path]:
    """Write files below `folder`; return where they are by their path there."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return {name: folder / name for name in files}


class Installed:
    """A folder as `uv pip install --target` leaves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(
        self,
        name: str,
        files: Mapping[str, Text],
        *,
        requires: Iterable[str] = (),
        version: str = "1.0",
        unrecorded: Iterable[str] = (),
    ) -> "Installed":
        """Install a distribution; `unrecorded` are RECORD lines without a file."""
        info = f"{name}-{version}.dist-info"
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
        lines += [f"Requires-Dist: {requirement}\n" for requirement in requires]
        everything = {**files, f"{info}/METADATA": "".join(lines), f"{info}/INSTALLER": "test"}
        written = write(self.folder, everything)
        record = io.StringIO()
        rows = csv.writer(record)
        for path, place in written.items():
            sha = hashlib.sha256(place.read_bytes()).digest()
            encoded = base64.urlsafe_b64encode(sha).rstrip(b"=").decode()
            rows.writerow([path, f"sha256={encoded}", place.stat().st_size])
        for path in (*unrecorded, f"{info}/RECORD"):
            rows.writerow([path, "", ""])
        write(self.folder, {f"{info}/RECORD": record.getvalue()})
        return self


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path / "installed")


@pytest.fixture
def target() -> Target:
    return Target(python=HOST, architecture="x86_64", glibc="2_17")


Trace = Callable[..., Traced]


@pytest.fixture
def trace(tmp_path: Path, installed: Installed, target: Target) -> Trace:
    """Return a function that traces `main` of a site with these files below `src/`."""

    def traced(
        files: Mapping[str, Text],
        *start: str,
        config: RouteConfig | None = None,
        target: Target = target,
        templates: Mapping[str, str] | None = None,
        dependencies: Iterable[str] = (),
    ) -> Traced:
        written = write(tmp_path / "src", files)
        sources = Sources(
            files=written,
            labels={name: f"src/{name}" for name in written},
            templates=templates or {},
            index=index_of(installed.folder),
            dependencies=tuple(dependencies),
        )
        return Tracer(sources, target).trace(start or ("main",), config or RouteConfig())

    return traced
