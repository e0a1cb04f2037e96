"""The site's environment: its dependencies installed for the target, and for this machine."""

import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from packaging.version import Version

from routelet_bundler.cache import Cache
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST, HOST_ARCHITECTURE, Project, Target
from routelet_bundler.trace.distributions import Index, index_of
from routelet_bundler.trace.install import Platform, Requirements, install, requirements_of

JINJA = "jinja2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Two installs of the same versions; one and the same where the target runs here.

    `host` is for `interpreter`, which prerenders and verifies.
    """

    requirements: Requirements
    index: Index
    host: Path
    host_index: Index
    interpreter: Path
    dependencies: tuple[str, ...]


def environment_of(
    project: Project,
    root: Path,
    target: Target,
    cache: Cache,
    *,
    locked: bool,
    needs_jinja: bool,
    sdists: tuple[str, ...] = (),
) -> Environment:
    """Install what the site at `root` requires.

    `needs_jinja` is for a site with templates: they are compiled for the jinja2 of this build.
    `sdists` are distributions that may be built from source.
    Raises `RouteletError`.
    """
    dependencies = project.dependencies
    if needs_jinja and not any(_names_jinja(line) for line in dependencies):
        dependencies = (*dependencies, f"{JINJA}=={version(JINJA)}")
    fits = target.platform if target.glibc else None
    platform = Platform(python=target.python, platform=fits, sdists=sdists)
    try:
        requirements = requirements_of(root, dependencies, platform, cache, locked=locked)
        index = index_of(folder := install(requirements, platform, cache))
    except RouteletError as error:
        raise _with_line(error, root) from None
    if needs_jinja:
        _check_jinja(index, requirements)
    interpreter = find_interpreter(target.python)
    if interpreter is None:
        # Nothing of the target runs here; pages are prerendered under the running Python.
        here = Platform(python=HOST, sdists=sdists)
        theirs = requirements_of(root, dependencies, here, cache, locked=locked)
        folder = install(theirs, here, cache)
    elif target.architecture != HOST_ARCHITECTURE:
        folder = install(requirements, Platform(python=target.python, sdists=sdists), cache)
    return Environment(
        requirements=requirements,
        index=index,
        host=folder,
        host_index=index_of(folder),
        interpreter=interpreter or Path(sys.executable),
        dependencies=(*dependencies, *requirements.listed),
    )


def _names_jinja(requirement: str) -> bool:
    return re.match(r"\s*jinja2\b", requirement, re.IGNORECASE) is not None


def _check_jinja(index: Index, requirements: Requirements) -> None:
    """Raise where pages would run under a jinja2 that their code was not compiled for."""
    found = index.distributions.get(JINJA)
    if found is None:
        raise RouteletError(
            "the site has templates, and its lock file has no jinja2",
            where=requirements.source,
            mend="add jinja2 to dependencies and lock again",
        )
    ours = Version(version(JINJA))
    theirs = Version(found.version)
    if theirs.release[:2] != ours.release[:2]:
        raise RouteletError(
            f"templates are compiled with jinja2 {ours}, and the site has {theirs}",
            where=requirements.source,
            mend=f"require jinja2=={ours.major}.{ours.minor}.*",
        )


def _with_line(error: RouteletError, root: Path) -> RouteletError:
    """Add the line that names the distribution, where the site's own file has one."""
    file = root / error.where
    named = re.match(r"([\w.-]+?)(?:==\S+)? (?:has no wheel|is in no package index)", error.what)
    if named and file.is_file():
        name = named[1]
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line, re.IGNORECASE):
                error.where = f"{error.where}:{number}"
                break
    return error
