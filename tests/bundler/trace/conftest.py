"""Files and installed distributions as a trace sees them, written by the tests."""

import base64
import csv
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from routelet_bundler.cache import Cache
from routelet_bundler.model import HOST, RouteConfig, Target, Traced
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
        metadata = metadata_text(name, version, requires)
        everything = {**files, f"{info}/METADATA": metadata, f"{info}/INSTALLER": "test"}
        record = record_text(everything, (*unrecorded, f"{info}/RECORD"))
        write(self.folder, {**everything, f"{info}/RECORD": record})
        return self


class Wheels:
    """A folder of wheels, which is all that uv finds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(
        self,
        name: str,
        version: str = "1.0",
        *,
        tag: str = "py3-none-any",
        requires: Iterable[str] = (),
        extras: Iterable[str] = (),
        files: Mapping[str, Text] | None = None,
        folder: Path | None = None,
    ) -> Path:
        """Write a wheel, here or into another folder."""
        info = f"{name}-{version}.dist-info"
        everything = {
            **(files or {f"{name}/__init__.py": f"version = {version!r}\n"}),
            f"{info}/METADATA": metadata_text(name, version, requires, extras),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
            f"Tag: {tag}\n",
        }
        record = record_text(everything, [f"{info}/RECORD"])
        path = (folder or self.folder) / f"{name}-{version}-{tag}.whl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as wheel:
            for member, text in {**everything, f"{info}/RECORD": record}.items():
                wheel.writestr(member, text)
        return path

    def add_source(self, name: str, version: str = "1.0", *, tag: str = "py3-none-any") -> None:
        """Write a source distribution without a wheel; it builds into one with this tag."""
        wheel = self.add(name, version, tag=tag, folder=self.folder.parent / "built").read_bytes()
        files = {
            "PKG-INFO": metadata_text(name, version, ()),
            "pyproject.toml": (
                '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n'
                f'[project]\nname = "{name}"\nversion = "{version}"\n'
            ),
            "b.py": (
                "from pathlib import Path\n\n\ndef build_wheel(folder, *_):\n"
                f"    name = '{name}-{version}-{tag}.whl'\n"
                f"    Path(folder, name).write_bytes({wheel!r})\n    return name\n"
            ),
        }
        with tarfile.open(self.folder / f"{name}-{version}.tar.gz", "w:gz") as opened:
            for member, text in files.items():
                info = tarfile.TarInfo(f"{name}-{version}/{member}")
                info.size = len(text)
                opened.addfile(info, io.BytesIO(text.encode()))


def metadata_text(
    name: str, version: str, requires: Iterable[str], extras: Iterable[str] = ()
) -> str:
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    lines += [f"Requires-Dist: {requirement}\n" for requirement in requires]
    lines += [f"Provides-Extra: {extra}\n" for extra in extras]
    return "".join(lines)


def record_text(files: Mapping[str, Text], without_hash: Iterable[str]) -> str:
    """Return the RECORD of these files: CSV, so that names with a comma are quoted."""
    record = io.StringIO()
    rows = csv.writer(record)
    for path, text in files.items():
        content = text if isinstance(text, bytes) else text.encode()
        sha = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={sha}", len(content)])
    for path in without_hash:
        rows.writerow([path, "", ""])
    return record.getvalue()


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def wheels(tmp_path: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Wheels:
    """Return the folder that uv finds wheels in, without a network."""
    folder = tmp_path / "wheels"
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    return Wheels(folder)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


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
            root=tmp_path,
        )
        return Tracer(sources, target).trace(start or ("main",), config or RouteConfig())

    return traced
