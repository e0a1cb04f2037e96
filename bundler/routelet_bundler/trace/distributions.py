"""Installed distributions: which one owns a module, and what each of them requires.

A module's owner is found by RECORD, so namespace packages need no special care; what is required
is read from METADATA with its markers evaluated for the target, never for this machine.
"""

import csv
import email.parser
import re
from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from routelet_bundler.cache import digest
from routelet_bundler.model import Distribution, Target

_NOT_SHIPPED = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"}
"""Written by the installer into dist-info: some differ from machine to machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The distributions of an installed folder, by normalised name and by module."""

    distributions: Mapping[str, Distribution]
    owners: Mapping[str, str]
    """Normalised name by dotted module."""

    def owner_of(self, module: str) -> Distribution | None:
        """Return the distribution that has `module`, or the nearest package above it."""
        parts = module.split(".")
        for end in range(len(parts), 0, -1):
            name = self.owners.get(".".join(parts[:end]))
            if name is not None:
                return self.distributions[name]
        return None

    def is_namespace(self, package: str) -> bool:
        """Tell whether modules are below `package` here, and itself is in no distribution."""
        below = f"{package}."
        return package not in self.owners and any(name.startswith(below) for name in self.owners)


def index_of(folder: Path) -> Index:
    """Return the index of a folder that `install` filled."""
    distributions: dict[str, Distribution] = {}
    owners: dict[str, str] = {}
    records = {info: record_of(info) for info in sorted(folder.glob("*.dist-info"))}
    times = Counter(row[0] for rows in records.values() for row in rows)
    for info, record in records.items():
        shared = [row[0] for row in record if times[row[0]] > 1]
        distribution = _read(folder, info, record, shared)
        distributions[distribution.name] = distribution
        for archive, _ in distribution.files:
            if module := module_of(archive):
                owners.setdefault(module, distribution.name)
    return Index(distributions=distributions, owners=owners)


def record_of(info: Path) -> list[list[str]]:
    """Return path, hash and size of each shipped file, without what the installer wrote."""
    lines = (info / "RECORD").read_text("utf-8").splitlines()
    return sorted(row for row in csv.reader(lines) if row and _is_shipped(row[0]))


def _read(
    folder: Path, info: Path, record: Sequence[Sequence[str]], shared: Iterable[str]
) -> Distribution:
    """Read a distribution; of files that others own too, the one installed last is here."""
    metadata = email.parser.HeaderParser().parsestr((info / "METADATA").read_text("utf-8"))
    places = [(row[0], folder / row[0]) for row in record]
    contents = [(folder / name).read_bytes() for name in shared if (folder / name).is_file()]
    return Distribution(
        name=canonicalize_name(metadata["Name"]),
        version=metadata["Version"],
        files=tuple((name, place) for name, place in places if place.is_file()),
        requires=tuple(metadata.get_all("Requires-Dist") or ()),
        key=digest("distribution", *map(",".join, record), *contents),
    )


def _is_shipped(name: str) -> bool:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[0] == "bin":
        return False  # scripts, which a function does not start
    if path.parts[0].endswith(".dist-info") and path.name in _NOT_SHIPPED:
        return False
    return "__pycache__" not in path.parts and path.suffix != ".pyc"


def module_of(archive: str) -> str | None:
    """Return the module that a file of a distribution is, or None for what is no module."""
    if not archive.endswith((".py", ".so")):
        return None
    path = PurePosixPath(archive)
    if path.parts[0].endswith((".libs", ".data")):
        return None
    stem = path.stem if path.suffix == ".py" else path.name.partition(".")[0]
    if "." in stem:  # `tool.conf.py` is no module of any name
        return None
    parts = path.parts[:-1] if stem == "__init__" else (*path.parts[:-1], stem)
    return ".".join(parts)


def target_environment(target: Target) -> dict[str, str | Set[str]]:
    """Return what markers are evaluated with: PEP 508, for the target."""
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[target.architecture]
    return {
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "implementation_version": f"{target.python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": machine,
        "platform_release": "",
        "platform_version": "",
    }


_EXTRA = re.compile(r"""extra == ["']([^"']+)["']""")
_FOR_DEVELOPERS = re.compile(
    r"all-?dev.*|bench.*|build|ci|dev.*|docs?|documentation|examples?|lint.*|maint.*|mypy|pre-commit"
    r"|qa|release|style|tests?|testing|tox|typ(?:es|ing)",
    re.IGNORECASE,
)
"""Extras that those ask for who work on a distribution, not with it."""


class Closures:
    """What distributions require, for one target and one project.

    `direct` are the project's own requirements: their extras are asked for wherever they come up.
    """

    def __init__(self, index: Index, target: Target, direct: Sequence[str]) -> None:
        self._index = index
        self._environment = target_environment(target)
        self._requirements = {
            name: tuple(map(Requirement, distribution.requires))
            for name, distribution in index.distributions.items()
        }
        self._listed: dict[str, Collection[frozenset[str]]] = {}
        self._extras: dict[str, set[str]] = {}
        for requirement in map(Requirement, direct):
            if self._applies(requirement, ()):
                name = canonicalize_name(requirement.name)
                self._extras.setdefault(name, set()).update(requirement.extras)
        self.direct = frozenset(self._extras)

    def of(self, roots: Iterable[str], without: Container[str] = ()) -> dict[str, str]:
        """Return the names that `roots` require, themselves included, each with what needs it.

        A root is needed by "". What only a name of `without` requires is left out with it.
        """
        found: dict[str, str] = {}
        pending = [(name, "", frozenset[str]()) for name in sorted(roots)]
        seen: set[tuple[str, frozenset[str]]] = set()
        while pending:
            name, parent, extras = pending.pop(0)
            extras |= self._extras.get(name, set())
            missing = name not in self._index.distributions
            if missing or name in without or (name, extras) in seen:
                continue
            seen.add((name, extras))
            found.setdefault(name, parent)
            for requirement in self._requirements[name]:
                if self._applies(requirement, extras):
                    needed = canonicalize_name(requirement.name)
                    pending.append((needed, name, frozenset(requirement.extras)))
        return found

    def required_by(self, name: str) -> tuple[str, ...]:
        """Return the installed distributions that `name` requires, with the project's extras."""
        extras = self._extras.get(name, ())
        wanted = (
            canonicalize_name(requirement.name)
            for requirement in self._requirements[name]
            if self._applies(requirement, extras)
        )
        return tuple(dict.fromkeys(one for one in wanted if one in self._requirements))

    def extras_of(self, name: str) -> frozenset[str]:
        """Return what the distribution `name` lists in extras that are for its users."""
        return frozenset().union(*self.members_of_extras(name))

    def members_of_extras(self, name: str) -> Collection[frozenset[str]]:
        """Return what each extra for users of the distribution `name` lists."""
        if name not in self._listed:
            found: dict[str, set[str]] = {}
            for requirement in self._requirements.get(name, ()):
                for extra in _EXTRA.findall(str(requirement.marker or "")):
                    if not _FOR_DEVELOPERS.fullmatch(extra):
                        found.setdefault(extra, set()).add(canonicalize_name(requirement.name))
            self._listed[name] = tuple(map(frozenset, found.values()))
        return self._listed[name]

    def _applies(self, requirement: Requirement, extras: Iterable[str]) -> bool:
        if requirement.marker is None:
            return True
        return any(
            requirement.marker.evaluate(self._environment | {"extra": extra})
            for extra in ("", *sorted(extras))
        )
