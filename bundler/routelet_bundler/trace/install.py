"""Install once: the site's locked dependencies as wheels for the target, by uv.

`requirements_of` gives pinned requirements from uv.lock, pylock.toml, requirements.txt or the
project's dependencies; `install` gives a folder that holds them, kept by content.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from routelet_bundler.cache import Cache, default_cache, digest
from routelet_bundler.errors import RouteletError

LOCKS = ("uv.lock", "pylock.toml", "requirements.txt")
RUNTIME_PACKAGES = ("awslambdaric", "boto3")
"""What AWS's Python runtime has beside the standard library, each with what it requires.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What wheels have to fit: a minor Python and uv's name of a platform (None: this machine)."""

    python: str
    platform: str | None = None

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform or 'this machine'}"

    @property
    def options(self) -> tuple[str, ...]:
        """The options of uv that say so."""
        chosen = ("--python-platform", self.platform) if self.platform else ()
        return ("--python-version", self.python, *chosen, "--only-binary", ":all:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """Pinned requirements: their text, and the file that they come from."""

    text: str
    source: str
    locked: bool


def requirements_of(
    root: Path, dependencies: Sequence[str], platform: Platform, cache: Cache, *, locked: bool
) -> Requirements:
    """Return the pinned requirements of the site at `root`.

    Without a lock file they are resolved once and kept, so that the next build packs the same
    versions. With `locked` a stale uv.lock, or none at all, raises `RouteletError`.
    """
    lock = next((name for name in LOCKS if (root / name).is_file()), None)
    if lock == "uv.lock":
        return _from_uv_lock(root, locked=locked)
    if lock == "pylock.toml":
        return Requirements(text=(root / lock).read_text(), source=lock, locked=True)
    if lock is not None:
        return _from_requirements(root, lock, platform, cache)
    if locked:
        raise RouteletError(
            "--locked, and there is no lock file",
            where=str(root),
            mend=f"run `uv lock`, or write one of {', '.join(LOCKS)}",
        )
    text = resolve(dependencies, platform, cache, where="pyproject.toml")
    return Requirements(text=text, source="pyproject.toml", locked=False)


def _from_uv_lock(root: Path, *, locked: bool) -> Requirements:
    command = ["export", "--locked" if locked else "--frozen", "--no-dev", "--no-emit-project",
               "--no-header", "--no-annotate", "--format", "requirements-txt"]  # fmt: skip
    text = _uv(command, where="uv.lock", cwd=root)
    return Requirements(text=text, source="uv.lock", locked=True)


def _from_requirements(root: Path, file: str, platform: Platform, cache: Cache) -> Requirements:
    """Complete a requirements file, which may name only what is wanted at the top."""
    content = (root / file).read_text()
    key = digest("requirements", content, str(root), *platform.options)
    kept = cache.read("resolved", key)
    if kept is None:
        hashes = ["--generate-hashes"] if "--hash" in content else []
        command = ["pip", "compile", file, *platform.options, "--no-header", "--no-annotate"]
        kept = _uv([*command, *hashes], where=file, platform=platform, cwd=root).encode()
        cache.write("resolved", key, kept)
    return Requirements(text=kept.decode(), source=file, locked=True)


def resolve(
    dependencies: Sequence[str],
    platform: Platform,
    cache: Cache,
    *,
    where: str,
    constraints: str = "",
) -> str:
    """Return `dependencies` and all they require, pinned for a platform.

    Versions that `constraints` (pinned requirements) name are kept. Raises `RouteletError`.
    """
    if not dependencies:
        return ""
    key = digest("resolve", *sorted(dependencies), *platform.options, constraints)
    kept = cache.read("resolved", key)
    if kept is not None:
        return kept.decode()
    folder = cache.folder_of("constraints", digest(constraints), _writes(constraints))
    command = ["pip", "compile", "-", *platform.options, "--no-header", "--no-annotate",
               "--constraints", str(folder / "requirements.txt")]  # fmt: skip
    text = _uv(command, where=where, platform=platform, text="\n".join(dependencies))
    cache.write("resolved", key, text.encode())
    return text


def install(requirements: Requirements, platform: Platform, cache: Cache) -> Path:
    """Return a folder with these requirements installed as wheels for a platform.

    Raises `RouteletError` that names a distribution without a wheel that fits.
    """
    key = digest("install", requirements.text, *platform.options)
    name = "pylock.toml" if requirements.source == "pylock.toml" else "requirements.txt"

    def fill(folder: Path) -> None:
        source = cache.folder_of("locks", key, _writes(requirements.text, name)) / name
        if requirements.text.strip():
            command = ["pip", "install", "--target", str(folder), *platform.options,
                       "--requirements", str(source), "--no-deps"]  # fmt: skip
            _uv(command, where=requirements.source, platform=platform)

    return cache.folder_of("installed", key, fill)


def runtime_packages(python: str, cache: Cache | None = None) -> Path:
    """Return a folder with what AWS's runtime of this Python has, for this machine."""
    cache = cache or Cache(default_cache())
    platform = Platform(python=python)
    text = resolve(RUNTIME_PACKAGES, platform, cache, where="AWS's runtime")
    return install(Requirements(text=text, source="AWS's runtime", locked=False), platform, cache)


def _writes(text: str, name: str = "requirements.txt") -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        (folder / name).write_text(text)

    return fill


def _uv(
    arguments: Sequence[str],
    *,
    where: str,
    platform: Platform | None = None,
    text: str | None = None,
    cwd: Path | None = None,
) -> str:
    """Run uv and return what it prints; raises `RouteletError` with what it says."""
    command = [find_uv_bin(), *arguments, "--quiet", "--python", sys.executable]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    if done.returncode == 0:
        return done.stdout
    raise _refused(done.stderr, where, platform)


_NO_WHEEL = re.compile(
    r"(?P<name>[\w.-]+)(?P<version>==[^\s,]+)? (?:has no (?:usable )?wheels|can't be installed)"
)
_WHEEL_WORDS = ("no wheels", "no usable wheels", "building source", "a source distribution")


def _refused(said: str, where: str, platform: Platform | None) -> RouteletError:
    """Turn uv's words into ours, and keep them."""
    said = " ".join(said.split()).removeprefix("error: ")
    if "lockfile" in said and "needs to be updated" in said:
        return RouteletError(
            "uv.lock does not fit pyproject.toml any more", where=where, mend="run `uv lock`"
        )
    if platform and any(words in said for words in _WHEEL_WORDS):
        found = _NO_WHEEL.search(said)
        name = f"{found['name']}{found['version'] or ''}" if found else "a dependency"
        return RouteletError(
            f"{name} has no wheel for {platform}",
            where=where,
            mend=(
                "choose a version that has one (it must not need a newer glibc), or another "
                f"runtime or architecture; uv says: {said}"
            ),
        )
    return RouteletError(f"uv could not install the dependencies: {said}", where=where)
