"""A build writes into a fresh folder beside `dist/`, which takes its place once all is done."""

import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from routelet_bundler.errors import WRONG_USE, RouteletError


@contextmanager
def staged(out_dir: Path) -> Iterator[Path]:
    """Give a folder to write into; when the block succeeds it becomes `out_dir`.

    When it fails, or is interrupted, `out_dir` is as it was. A full disk is a `RouteletError`.
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
            shutil.rmtree(folder, ignore_errors=True)


def _refuse_a_project(out_dir: Path) -> None:
    """Raise `RouteletError` for a folder that is no build, and would be lost."""
    if out_dir.is_file() or (out_dir / "pyproject.toml").exists():
        raise RouteletError(
            "is no folder for a build: a build replaces it whole",
            where=str(out_dir),
            mend="choose another out-dir",
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
        if out_dir.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(out_dir)
    for folder in out_dir.parent.glob(f".{glob.escape(out_dir.name)}-building-*"):
        with suppress(OSError), _locked(folder):  # another build that runs holds its own
            shutil.rmtree(folder, ignore_errors=True)


def _swap(folder: Path, out_dir: Path) -> None:
    old = folder.with_name(folder.name.replace("-building-", "-replaced-"))
    try:
        if out_dir.exists():
            out_dir.rename(old)
        folder.rename(out_dir)
    except BaseException:
        if old.exists() and not out_dir.exists():
            old.rename(out_dir)
        raise
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
        if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM, errno.EBUSY}:
            raise RouteletError(
                f"cannot be written: {error.strerror}", where=where, mend="allow writing there"
            ) from error
        raise


def write_texts(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    """Write text files by their path below `folder`, and return where they are."""
    written = {}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written[name] = path
    return written


def files_below(folder: Path) -> list[str]:
    """Return the path of every file below `folder`, sorted, with `/` between its parts."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
