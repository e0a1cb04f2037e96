"""A build writes into a fresh folder beside `dist/`, which takes its place once all is done."""

import errno
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from routelet_bundler.errors import RouteletError


@contextmanager
def staged(out_dir: Path) -> Iterator[Path]:
    """Give a folder to write into; when the block succeeds it becomes `out_dir`.

    When it fails, or is interrupted, `out_dir` is as it was. A full disk is a `RouteletError`.
    """
    try:
        out_dir.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{out_dir.name}-building-"
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out_dir.parent))
    except OSError as error:
        raise _disk_error(error) from error
    try:
        yield folder
        folder.chmod(0o755)  # mkdtemp makes it private
        _swap(folder, out_dir)
    except OSError as error:
        raise _disk_error(error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _swap(folder: Path, out_dir: Path) -> None:
    if not out_dir.exists():
        folder.rename(out_dir)
        return
    old = folder.with_name(folder.name.replace("-building-", "-replaced-"))
    out_dir.rename(old)
    try:
        folder.rename(out_dir)
    except BaseException:
        old.rename(out_dir)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _disk_error(error: OSError) -> Exception:
    """Return what a person can mend of `error`, or `error` itself."""
    where = str(error.filename or "")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return RouteletError("the disk is full", where=where, mend="make room and build again")
    if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
        return RouteletError(
            f"cannot be written: {error.strerror}", where=where, mend="allow writing there"
        )
    return error


def write_texts(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    """Write text files by their path below `folder`, and return where they are."""
    written = {}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written[name] = path
    return written
