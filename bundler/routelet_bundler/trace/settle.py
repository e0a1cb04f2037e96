"""What settles an import that cannot be analysed, and what is told of one that nothing does."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from packaging.utils import canonicalize_name

from routelet_bundler.errors import RouteletError
from routelet_bundler.file_globs import is_meant
from routelet_bundler.trace.ground import Ground
from routelet_bundler.trace.places import ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """What a pattern names: dotted modules, paths in a zip, normalised names."""

    modules: tuple[str, ...]
    files: tuple[str, ...]
    distributions: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether it names nothing."""
        return not (self.modules or self.files or self.distributions)


def included_by(ground: Ground, pattern: str) -> Included:
    """Return what a comment includes: `lib.plugins.*`, `data/*.json` or `my-driver`."""
    normal = canonicalize_name(pattern)
    return Included(
        modules=tuple(name for name in ground.modules.names() if fnmatchcase(name, pattern)),
        files=tuple(files_meant(ground, pattern)) if "/" in pattern or "." in pattern else (),
        distributions=(normal,) if normal in ground.index.distributions else (),
    )


def files_meant(ground: Ground, pattern: str) -> list[str]:
    """Return the files that a glob means, by their path in a zip or as people know them."""
    return [
        name
        for name in ground.sources.files
        if is_meant(pattern, name) or is_meant(pattern, ground.label(name))
    ]


def not_known(expression: str, where: str) -> RouteletError:
    """Return what is told of an import, template or collection without a known name."""
    return RouteletError(
        f"{expression} is only known when it runs",
        where=where,
        mend="name what it brings: include in the route's config, or a comment on this line, "
        "`# routelet: include lib.plugins.*`, or `# routelet: ignore` where it brings nothing",
    )


def nothing_included(pattern: str, where: str) -> RouteletError:
    """Return what is told of a comment that names nothing that is there."""
    return RouteletError(
        f"the comment includes {pattern}, which is no module, file or distribution",
        where=where,
        mend="correct the name, or take the comment away",
    )


def is_beside(ground: Ground, path: str) -> bool:
    """Tell whether a path is there in the site's folder, above its sources."""
    root = ground.sources.root
    return root is not None and ANY not in path and (root / path).exists()


def own_folder(where: str) -> str:
    """Return what is told of a file somewhere below the folder of its source."""
    return (
        f"{where}: reads a file beside itself whose name is only known when it runs; name what it "
        "reads with include, or with a comment on this line, `# routelet: include data/*.json`"
    )


def beside_src(path: str, where: str) -> str:
    """Return what is told of a path that is there for the build and not for a function."""
    return (
        f"{where}: {path} is in the site's folder and not in its sources; a function runs in the "
        "folder of its zip, which has the sources alone: move it there"
    )
