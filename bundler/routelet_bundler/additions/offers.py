"""Offers: what a name stands for, an entry point that is there or a requirement that has some.

A requirement is looked at before anything is installed: its wheel is unpacked into a temporary
folder and its metadata read. What an index has is looked at as a wheel only, which runs nothing of
it; a path and a URL are built as their author has it.
"""

import tempfile
from dataclasses import dataclass
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distribution,
    distributions,
    entry_points,
)
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from routelet_bundler.adapters import GROUPS
from routelet_bundler.additions.uv_pip import uv_pip_install
from routelet_bundler.errors import WRONG_USE, RouteletError, did_you_mean

ARCHIVES = (".whl", ".tar.gz", ".zip")
"""How the files that pip installs end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A distribution, and which of its adapters and integrations a site gets."""

    distribution: str
    version: str
    adapters: tuple[str, ...] = ()
    integrations: tuple[str, ...] = ()
    install: str | None = None
    """What uv is given to install it; None where it is installed."""
    requirement: str | None = None
    """As a project names it; None where it is routelet itself, or nothing to be shared."""
    path: Path | None = None
    """The local project or archive to install."""

    @property
    def points(self) -> tuple[tuple[str, str], ...]:
        """The entry points: group and name of each."""
        return (
            *((GROUPS["adapter"], name) for name in self.adapters),
            *((GROUPS["integrations"], name) for name in self.integrations),
        )


def offer_of(name: str, root: Path) -> Offer:
    """Return what `name` stands for; uv looks for it with the settings of the site at `root`.

    That is an entry point of an installed distribution, an installed distribution, or else a
    requirement: a name with or without versions, a path, or a URL, as pip takes them.
    Raises `RouteletError` where there is no such thing, or nothing in it.
    """
    points = [point for group in GROUPS.values() for point in entry_points(group=group, name=name)]
    if points and (found := points[0].dist):
        return _offer(found, name, only=name)
    if _is_path(name):
        return _looked_at_path(name, root)
    try:
        wanted = Requirement(name)
    except InvalidRequirement:
        if "://" in name:
            return _looked_at(name, name, root, requirement=f"{{name}} @ {name}")
        raise RouteletError(
            f'"{name}" is no name, requirement, path or URL', status=WRONG_USE
        ) from None
    if str(wanted) == wanted.name:
        try:
            return _offer(distribution(wanted.name), name)
        except PackageNotFoundError:
            pass
    return _looked_at_requirement(wanted, name, root)


def _is_path(name: str) -> bool:
    """Tell a path from a name, as pip does: by a slash, a leading dot or an archive's suffix."""
    if "://" in name:
        return False
    return "/" in name or name.startswith((".", "~")) or name.endswith(ARCHIVES)


def _looked_at_path(name: str, root: Path) -> Offer:
    try:
        path = Path(name).expanduser().resolve(strict=True)
    except (OSError, RuntimeError):  # the latter for a user that there is not: ~nobody
        raise RouteletError(f"there is no {name}", status=WRONG_USE) from None
    return _looked_at(str(path), name, root, requirement="", path=path)


def _looked_at_requirement(wanted: Requirement, name: str, root: Path) -> Offer:
    if wanted.url is not None:
        return _looked_at(str(wanted), name, root, requirement=str(wanted))
    known = [point.name for group in GROUPS.values() for point in entry_points(group=group)]
    hint = did_you_mean(name, known)
    options = ("--only-binary", ":all:")
    return _looked_at(str(wanted), name, root, requirement=str(wanted), options=options, hint=hint)


def _looked_at(
    install: str,
    name: str,
    root: Path,
    *,
    requirement: str,
    path: Path | None = None,
    options: tuple[str, ...] = (),
    hint: str = "",
) -> Offer:
    with tempfile.TemporaryDirectory(prefix="routelet-add-") as folder:
        into = ("--target", folder, "--no-deps", *options)
        uv_pip_install((install,), root, *into, what=name, mend=hint)
        found = next(iter(distributions(path=[folder])), None)
        if found is None:
            raise RouteletError(f"{name} is not for this Python or system", status=WRONG_USE)
        return _offer(found, name, install=install, requirement=requirement, path=path)


def _offer(
    found: Distribution,
    asked: str,
    *,
    only: str | None = None,
    install: str | None = None,
    requirement: str = "",
    path: Path | None = None,
) -> Offer:
    """Return what a distribution offers, or `only` the entry points of that name."""
    name = found.name
    chosen = {
        key: tuple(
            point.name
            for point in found.entry_points.select(group=group)
            if only in {None, point.name}
        )
        for key, group in GROUPS.items()
    }
    if not any(chosen.values()):
        raise _nothing_in(name, asked, is_installed=install is None)
    if len(chosen["adapter"]) > 1:
        raise _several_in(name, chosen["adapter"], is_installed=install is None)
    return Offer(
        distribution=name,
        version=found.version,
        adapters=chosen["adapter"],
        integrations=chosen["integrations"],
        install=install,
        requirement=_requirement_of(found, requirement, is_installed=install is None),
        path=path,
    )


def _requirement_of(found: Distribution, wanted: str, *, is_installed: bool) -> str | None:
    """Return how a project names a distribution: as it was asked for, else from this version on."""
    if canonicalize_name(found.name) == "routelet":
        return None
    if is_installed:
        # packaging.python.org, "Recording the Direct URL Origin": the file says that it came from
        # a path or a URL, where `>=` would find something else.
        if found.read_text("direct_url.json") is not None:
            return None
        wanted = found.name
    if not wanted:
        return None
    requirement = Requirement(wanted.replace("{name}", found.name))
    if requirement.url is not None and _has_secret(requirement.url):
        return None  # a file that is committed is no place for it
    if requirement.url is None and not requirement.specifier:
        requirement.specifier = SpecifierSet(f">={Version(found.version).public}")
    return str(requirement)


def _has_secret(url: str) -> bool:
    """Tell whether a URL may have a secret.

    That is a password, a token, which hosts of git take as the user's name, or a query, where
    signed URLs have theirs.
    """
    parts = urlsplit(url)
    has_user = parts.username is not None and "http" in parts.scheme
    return parts.password is not None or has_user or bool(parts.query)


def _nothing_in(distribution: str, asked: str, *, is_installed: bool) -> RouteletError:
    where = "" if distribution == asked else f" ({asked})"
    state = "it was installed before" if is_installed else "nothing was installed or changed"
    return RouteletError(
        f"{distribution}{where} has no adapter and no integration",
        mend=f"looked for entry points in {' and '.join(GROUPS.values())}; {state}",
    )


def _several_in(
    distribution: str, adapters: tuple[str, ...], *, is_installed: bool
) -> RouteletError:
    first = "" if is_installed else f"install {distribution}, then "
    return RouteletError(
        f"{distribution} has several adapters: {' and '.join(adapters)}",
        mend=f"{first}add the one you want by its name: routelet add {adapters[0]}",
        status=WRONG_USE,
    )
