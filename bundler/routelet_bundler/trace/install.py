"""Install once: the site's locked dependencies as wheels for the target, by uv.

`requirements_of` gives pinned requirements from uv.lock, pylock.toml, requirements.txt or the
project's dependencies; `install` gives a folder that holds them, kept by content.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from routelet_bundler.cache import Cache, default_cache, digest
from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST_ARCHITECTURE

LOCKS = ("uv.lock", "pylock.toml", "requirements.txt")
RUNTIME_PACKAGES = ("awslambdaric", "boto3")
"""What AWS's Python runtime has beside the standard library, each with what it requires.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What wheels have to fit: a minor Python and uv's name of a platform (None: this machine).

    `sdists` are distributions that are built from source; all others have to have a wheel.
    """

    python: str
    platform: str | None = None
    sdists: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform or 'this machine'}"

    @property
    def options(self) -> tuple[str, ...]:
        """The options of uv that say so."""
        chosen = ("--python-platform", self.platform) if self.platform else ()
        built = (part for name in self.sdists for part in ("--no-binary", name))
        return ("--python-version", self.python, *chosen, "--only-binary", ":all:", *built)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """Pinned requirements: their text, and the file that they come from.

    Paths in them, and settings of uv, are those of the folder `root`. `listed` are what a
    requirements file names itself. With `in_place` uv reads `source`, which is complete.
    """

    text: str
    source: str
    locked: bool
    root: Path | None = None
    listed: tuple[str, ...] = ()
    in_place: bool = False


def requirements_of(
    root: Path, dependencies: Sequence[str], platform: Platform, cache: Cache, *, locked: bool
) -> Requirements:
    """Return the pinned requirements of the site at `root`.

    Without a lock file they are resolved once and kept, so that the next build packs the same
    versions. With `locked` a stale uv.lock, or none at all, raises `RouteletError`.
    """
    lock = next((name for name in LOCKS if (root / name).is_file()), None)
    if lock == "uv.lock":
        return _from_uv_lock(root, platform, cache, locked=locked)
    if lock == "pylock.toml":
        text = (root / lock).read_text()
        return Requirements(text=text, source=lock, locked=True, root=root, in_place=True)
    if lock is not None:
        return _from_requirements(root, lock, platform, cache)
    if locked:
        raise RouteletError(
            "--locked, and there is no lock file",
            where=str(root),
            mend=f"run `uv lock`, or write one of {', '.join(LOCKS)}",
        )
    text = resolve(dependencies, platform, cache, where="pyproject.toml", root=root)
    return Requirements(text=text, source="pyproject.toml", locked=False, root=root)


def _from_uv_lock(root: Path, platform: Platform, cache: Cache, *, locked: bool) -> Requirements:
    """Return what uv makes of its lock file; kept, unless uv is to compare it with the project."""
    said = [(root / name).read_bytes() for name in ("uv.lock", "pyproject.toml")]
    key = digest("export", version("uv"), str(root), platform.python, *said)
    kept = None if locked else cache.read("exported", key)
    if kept is None:
        command = ["export", "--locked" if locked else "--frozen", "--no-dev", "--no-emit-project",
                   "--no-editable", "--no-header", "--no-annotate", "--format",
                   "requirements-txt"]  # fmt: skip
        # A project may refuse the Python that builds, and not the one that it is built for.
        python = find_interpreter(platform.python)
        kept = _uv(command, where="uv.lock", cwd=root, python=python).encode()
        cache.write("exported", key, kept)
    return Requirements(text=kept.decode(), source="uv.lock", locked=True, root=root)


def _from_requirements(root: Path, file: str, platform: Platform, cache: Cache) -> Requirements:
    """Complete a requirements file, which may name only what is wanted at the top.

    One with hashes names everything, as pip has it, and is taken as it is.
    """
    content = "\n".join(_texts(root / file, _REQUIREMENTS))
    listed = tuple(_requirements_in(content))
    if "--hash" in content:
        return Requirements(
            text=content, source=file, locked=True, root=root, listed=listed, in_place=True
        )
    told = _texts(root / file, f"{_REQUIREMENTS}|-c|--constraint")
    key = digest("requirements", *told, str(root), *_chosen_by(platform, root))
    kept = cache.read("resolved", key)
    if kept is None:
        command = ["pip", "compile", file, *platform.options, "--no-header", "--no-annotate"]
        kept = _uv(command, where=file, platform=platform, cwd=root).encode()
        cache.write("resolved", key, kept)
    return Requirements(text=kept.decode(), source=file, locked=True, root=root, listed=listed)


_REQUIREMENTS = "-r|--requirement"


def _texts(file: Path, options: str, above: frozenset[Path] = frozenset()) -> Iterator[str]:
    """Yield the text of a requirements file, and of those that it names by one of `options`.

    Those `above`, which name it, are not read again.
    """
    text = file.read_text("utf-8")
    yield text
    for name in re.findall(rf"^\s*(?:{options})[ =]*(\S+)", text, re.MULTILINE):
        named = (file.parent / name).resolve()
        if named.is_file() and named not in {*above, file.resolve()}:
            yield from _texts(named, options, above | {file.resolve()})


def _requirements_in(content: str) -> Iterator[str]:
    """Yield the requirements of a requirements file, without its options, hashes and paths."""
    for line in content.splitlines():
        text = re.split(r"(?:^|\s)(?:#|--|\\$)", line, maxsplit=1)[0].strip()
        try:
            yield str(Requirement(text))
        except InvalidRequirement:
            continue


def resolve(
    dependencies: Sequence[str],
    platform: Platform,
    cache: Cache,
    *,
    where: str,
    root: Path | None = None,
) -> str:
    """Return `dependencies` and all they require, pinned for a platform; raises `RouteletError`."""
    if not dependencies:
        return ""
    key = digest("resolve", *sorted(dependencies), *_chosen_by(platform, root))
    kept = cache.read("resolved", key)
    if kept is not None:
        return kept.decode()
    command = ["pip", "compile", "-", *platform.options, "--no-header", "--no-annotate"]
    text = _uv(command, where=where, platform=platform, text="\n".join(dependencies), cwd=root)
    cache.write("resolved", key, text.encode())
    return text


def install(requirements: Requirements, platform: Platform, cache: Cache) -> Path:
    """Return a folder with these requirements installed as wheels for a platform.

    Raises `RouteletError` that names a distribution without a wheel that fits, or that was built
    into one for this machine alone.
    """
    text, root = requirements.text, requirements.root
    key = digest("install", text, *_chosen_by(platform, root), *_local_wheels(text, root))

    def fill(folder: Path) -> None:
        if not text.strip():
            return
        options = ["--target", str(folder), *platform.options, "--no-deps", "--requirements"]
        with tempfile.TemporaryDirectory() as temporary:
            source = Path(temporary, "requirements.txt")
            if root and requirements.in_place:
                source = root / requirements.source
            else:
                source.write_text(text)
            command = ["pip", "install", *options, str(source)]
            _uv(command, where=requirements.source, platform=platform, cwd=root)
        raise_all(list(_built_for_here(folder, platform, requirements.source)))

    return cache.folder_of("installed", key, fill)


_CHOOSING = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX",
             "UV_INDEX_URL", "UV_INDEX_STRATEGY", "UV_CONFIG_FILE", "UV_EXCLUDE_NEWER",
             "UV_CONSTRAINT", "UV_OVERRIDE", "UV_PRERELEASE", "UV_RESOLUTION",
             "UV_FORK_STRATEGY", "UV_TORCH_BACKEND")  # fmt: skip
"""Variables of uv that decide which versions there are: docs.astral.sh/uv/reference/environment."""


def _chosen_by(platform: Platform, root: Path | None) -> tuple[str, ...]:
    """Return what decides which wheels are chosen, beside what is asked for, on any machine."""
    machine = "" if platform.platform else HOST_ARCHITECTURE
    variables = (f"{name}={os.environ.get(name, '')}" for name in _CHOOSING)
    return (*platform.options, machine, *variables, *(_settings(root) if root else ()))


def _settings(root: Path) -> Iterator[str]:
    """Yield the settings of uv that a project has."""
    if (root / "uv.toml").is_file():
        yield (root / "uv.toml").read_text(encoding="utf-8")
    if (root / "pyproject.toml").is_file():
        document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        yield json.dumps(document.get("tool", {}).get("uv", {}), sort_keys=True, default=str)


def _built_for_here(folder: Path, platform: Platform, where: str) -> Iterator[RouteletError]:
    """Yield an error for each distribution that was built for the Linux of this machine.

    uv takes such a wheel for one that fits. Tags: packaging.python.org, platform compatibility.
    """
    names = {canonicalize_name(name) for name in platform.sdists if platform.platform}
    for wheel in folder.glob("*.dist-info/WHEEL"):
        name, version = wheel.parent.name.removesuffix(".dist-info").split("-")
        tags = re.findall(r"^Tag: *(\S+)", wheel.read_text(encoding="utf-8"), re.MULTILINE)
        if canonicalize_name(name) in names and any("-linux_" in tag for tag in tags):
            yield RouteletError(
                f"{name}=={version} was built for this machine ({tags[0]}), and not for {platform}",
                where=where,
                mend="build a manylinux wheel of it, such as with cibuildwheel, and require that",
            )


def _local_wheels(text: str, root: Path | None) -> Iterator[bytes]:
    """Yield the wheels that requirements name by path: only their content tells a new one."""
    for found in re.findall(r"[^\s\"'=]+\.whl", text) if root else ():
        if root and (root / found).is_file():
            yield (root / found).read_bytes()


def runtime_packages(python: str, cache: Cache | None = None) -> Path:
    """Return a folder with what AWS's runtime of this Python has, for this machine."""
    return provided_packages(RUNTIME_PACKAGES, python, cache)


def provided_packages(names: Sequence[str], python: str, cache: Cache | None = None) -> Path:
    """Return a folder with distributions that a host provides, and what they require.

    They are for this machine, and those that an index has: which the host has nobody says.
    """
    cache = cache or Cache(default_cache())
    platform, source = Platform(python=python), "what the host provides"
    text = resolve(names, platform, cache, where=source)
    return install(Requirements(text=text, source=source, locked=False), platform, cache)


def _uv(
    arguments: Sequence[str],
    *,
    where: str,
    platform: Platform | None = None,
    text: str | None = None,
    cwd: Path | None = None,
    python: Path | None = None,
) -> str:
    """Run uv and return what it prints; raises `RouteletError` with what it says."""
    command = [find_uv_bin(), *arguments, "--quiet", "--python", str(python or sys.executable)]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    if done.returncode == 0:
        return done.stdout
    raise _refused(done.stderr, where, platform)


_NO_WHEEL = re.compile(
    r"wheel `(?P<wheel>[\w.]+)-[^`]*` is not compatible|"
    r"(?P<name>[\w.-]+)(?P<version>==[^\s,]+)? has no (?:usable )?wheels"
    r"|[Pp]ackage `(?P<package>[\w.-]+)` can't be installed"
    r"|attempted to build `(?P<built>[\w.-]+)"
)
_NOT_FOUND = re.compile(r"Because (?P<name>[\w.-]+) was not found")


def _refused(said: str, where: str, platform: Platform | None) -> RouteletError:
    """Turn uv's words into ours, and keep them."""
    said = " ".join(said.split()).removeprefix("error: ")
    if "lockfile" in said and "needs to be updated" in said:
        return RouteletError(
            "uv.lock does not fit pyproject.toml any more", where=where, mend="run `uv lock`"
        )
    if platform and (found := _NO_WHEEL.search(said)):
        name = found["wheel"] or found["name"] or found["package"] or found["built"]
        return RouteletError(
            f"{name}{found['version'] or ''} has no wheel for {platform}",
            where=where,
            mend=(
                "choose a version that has one (it must not need a newer glibc), or another "
                f'runtime or architecture; allow-sdists = ["{name}"] builds it from source, where '
                f"that is pure Python; uv says: {said}"
            ),
        )
    if found := _NOT_FOUND.search(said):
        return RouteletError(
            f"{found['name']} is in no package index", where=where, mend=f"uv says: {said}"
        )
    return RouteletError(f"uv could not install the dependencies: {said}", where=where)
