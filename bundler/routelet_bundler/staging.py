"""A build writes into a fresh folder beside `dist/`, which takes its place once all is done.

Files that did not change are not written again: their folder, such as `client/`, moves from the
last build to the new one while they change places, and what is new is laid over it. 10,000 files
are expensive to make and to remove.
"""

import errno
import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from routelet_bundler.errors import WRONG_USE, RouteletError


@contextmanager
def staged(out_dir: Path) -> Iterator[Path]:
    """Give a folder to write into; when the block succeeds it becomes `out_dir`.

    When it fails, or is interrupted, `out_dir` is as it was, or whole and new where that happens
    while the two change places. A full disk is a `RouteletError`.
    """
    out_dir = out_dir.resolve()
    _refuse_a_project(out_dir)
    with _told_as_mistakes():
        out_dir.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(out_dir)
        folder = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-building-", dir=out_dir.parent))
        try:
            with _locked(folder):
                yield folder
                folder.chmod(0o755)  # mkdtemp makes it private
                _swap(folder, out_dir)
        finally:
            if out_dir.exists() or not _replaced(folder).exists():  # else the next build goes on
                shutil.rmtree(folder, ignore_errors=True)


def _replaced(folder: Path) -> Path:
    """Return where the old build is while `folder` takes its place."""
    return folder.with_name("-replaced-".join(folder.name.rsplit("-building-", 1)))


def _refuse_a_project(out_dir: Path) -> None:
    """Raise `RouteletError` for a folder that is no build, and would be lost."""
    is_build = (out_dir / "routelet.json").exists() and not (out_dir / "pyproject.toml").exists()
    if out_dir.is_file() or (out_dir.is_dir() and any(out_dir.iterdir()) and not is_build):
        raise RouteletError(
            "is no build, which has a routelet.json, and would be replaced whole",
            where=str(out_dir),
            mend="choose another out-dir, or remove the folder",
            status=WRONG_USE,
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold `folder`: the lock ends with this process, however that ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _clear_leftovers(out_dir: Path) -> None:
    """Remove what killed builds left beside `out_dir`, and put back what one took away."""
    for old in out_dir.parent.glob(f".{glob.escape(out_dir.name)}-replaced-*"):
        folder = old.with_name("-building-".join(old.name.rsplit("-replaced-", 1)))
        with suppress(BlockingIOError), _locked(folder) if folder.exists() else nullcontext():
            if out_dir.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                _recover(old, folder, out_dir)
    (out_dir / _CHANGES).unlink(missing_ok=True)
    for folder in out_dir.parent.glob(f".{glob.escape(out_dir.name)}-building-*"):
        with suppress(OSError), _locked(folder):  # another build that runs holds its own
            shutil.rmtree(folder, ignore_errors=True)


def _swap(folder: Path, out_dir: Path) -> None:
    old = _replaced(folder)
    _refuse_another(folder, out_dir)
    try:
        if out_dir.exists():
            out_dir.rename(old)
        _finish(old, folder, out_dir)
    except BaseException:
        if old.exists() and not out_dir.exists():
            _recover(old, folder, out_dir)
        raise
    shutil.rmtree(old, ignore_errors=True)


_CHANGES = ".changes.json"
"""Says which folders of a build lie over those of the last one; gone when it is in its place."""


def lay_over(folder: Path, out_dir: Path, removed: Mapping[str, Iterable[str]]) -> None:
    """Have folders below `folder` lie over those of `out_dir` once it is swapped.

    `removed` are, by the name of such a folder, which is there already, paths below it that are no
    more. Without any there is nothing to do.
    """
    if not removed:
        return
    told = {
        "removed": {name: sorted(paths) for name, paths in removed.items()},
        "build": _build_of(out_dir),
    }
    (folder / _CHANGES).write_text(json.dumps(told))


def _build_of(out_dir: Path) -> list[int]:
    """Return what tells the build in `out_dir` from any other."""
    told = (out_dir / "routelet.json").stat()
    return [told.st_ino, told.st_mtime_ns]


def _refuse_another(folder: Path, out_dir: Path) -> None:
    """Raise `RouteletError` where another build took the place of the one to lie over."""
    changes = folder / _CHANGES
    if not changes.exists():
        return
    with suppress(FileNotFoundError):  # it was removed, or is being replaced
        if json.loads(changes.read_text())["build"] == _build_of(out_dir):
            return
    raise RouteletError(
        "was replaced by another build meanwhile", where=str(out_dir), mend="build again"
    )


def _finish(old: Path, folder: Path, out_dir: Path) -> None:
    """Lay what is new over what moves from the old build, and put all into its place."""
    for name, removed in _removed(folder).items():
        _take_over(old / name, folder / name, removed)
    folder.rename(out_dir)
    (out_dir / _CHANGES).unlink(missing_ok=True)


def _removed(folder: Path) -> Mapping[str, list[str]]:
    changes = folder / _CHANGES
    found: Mapping[str, list[str]] = {}
    if changes.exists():
        found = json.loads(changes.read_text())["removed"]
    return found


def _take_over(old: Path, folder: Path, removed: Iterable[str]) -> None:
    """Move a folder of the old build and lay the new one over it; goes on where it was killed."""
    overlay = folder.with_name(f".{folder.name}")
    if old.exists():
        if folder.exists():
            folder.rename(overlay)
        overlay.mkdir(exist_ok=True)
        old.rename(folder)
    if not overlay.exists():
        return
    for name in removed:
        _remove(folder, name)
    for name in files_below(overlay):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (overlay / name).replace(target)
    shutil.rmtree(overlay)


def _remove(top: Path, name: str) -> None:
    """Remove a file below `top`, and the folders that it leaves empty."""
    with suppress(IsADirectoryError, NotADirectoryError):  # what is new took its place already
        (top / name).unlink(missing_ok=True)
    for folder in (top / name).parents:
        if folder == top or not _is_empty(folder):
            break
        folder.rmdir()


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _recover(old: Path, folder: Path, out_dir: Path) -> None:
    """Put back what a swap took away; end the swap where a folder was moved already."""
    if all((old / name).exists() for name in _removed(folder)):
        old.rename(out_dir)
        return
    _finish(old, folder, out_dir)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _told_as_mistakes() -> Iterator[None]:
    """Raise a `RouteletError` for what a person can mend of the disk."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or "")
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise RouteletError(
                "the disk is full", where=where, mend="make room and build again"
            ) from error
        if error.errno == errno.ENAMETOOLONG:
            raise RouteletError(
                "is a longer name than the disk takes", where=where, mend="shorten the route"
            ) from error
        if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM, errno.EBUSY, errno.ENOTDIR}:
            raise RouteletError(
                f"cannot be written: {error.strerror}", where=where, mend="allow writing there"
            ) from error
        raise


def write_texts(folder: Path, texts: Mapping[str, str | bytes]) -> dict[str, Path]:
    """Write files by their path below `folder`, and return where they are."""
    written = {}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        written[name] = path
    return written


def files_below(folder: Path) -> list[str]:
    """Return the path of every file below `folder`, sorted, with `/` between its parts."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
