"""The site's environment: its dependencies installed for the target, and for this machine."""

import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from packaging.version import Version

from routelet_bundler.cache import Cache
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import HOST, HOST_ARCHITECTURE, find_interpreter
from routelet_bundler.model import Project, Target
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
) -> Environment:
    """Install what the site at `root` requires.

    `needs_jinja` is for a site with templates: they are compiled for the jinja2 of this build.
    Raises `RouteletError`.
    """
    dependencies = project.dependencies
    if needs_jinja and not any(_names_jinja(line) for line in dependencies):
        dependencies = (*dependencies, f"{JINJA}=={version(JINJA)}")
    platform = Platform(python=target.python, platform=target.platform if target.glibc else None)
    requirements = requirements_of(root, dependencies, platform, cache, locked=locked)
    index = index_of(folder := install(requirements, platform, cache))
    if needs_jinja:
        _check_jinja(index, requirements)
    interpreter = find_interpreter(target.python)
    if target.architecture != HOST_ARCHITECTURE or interpreter is None:
        here = Platform(python=target.python if interpreter else HOST)
        folder = install(requirements, here, cache)
    return Environment(
        requirements=requirements,
        index=index,
        host=folder,
        host_index=index_of(folder),
        interpreter=interpreter or Path(sys.executable),
        dependencies=dependencies,
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
