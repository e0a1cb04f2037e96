"""Files of a site by glob, as `include` and `exclude` name them, and those that no glob means."""

from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_LITTER = ("~", ".swp", ".swo", ".pyc", ".orig", ".rej")


def is_meant(pattern: str, archive: str) -> bool:
    """Tell whether a file is meant by a glob of include or exclude, below `src/` or with it."""
    pattern = pattern.removeprefix("./").removeprefix("src/")
    archive = archive.removeprefix("src/")
    if not PurePosixPath(pattern).parts:  # of src/ itself, which is no file
        return False
    return (
        pattern == archive or PurePosixPath(archive).match(pattern) or fnmatchcase(archive, pattern)
    )


def is_litter(path: str) -> bool:
    """Tell whether a file is one of VCS, editors, caches or secrets: a name for it brings it in."""
    parts = PurePosixPath(path).parts
    return any(part.startswith(".") for part in parts) or path.endswith(_LITTER)
