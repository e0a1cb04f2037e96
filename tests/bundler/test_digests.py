"""Digests of files are kept with what tells that a file was left as it was."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from routelet_bundler.cache import Cache
from routelet_bundler.sources import Digests

HOUR_NS = 3600 * 10**9


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "src/a.py"
    path.parent.mkdir()
    path.write_bytes(b"one")
    return path


def kept(file: Path, *, after_ns: int = HOUR_NS) -> Cache:
    """Return a cache that has what a build found that began `after_ns` from now."""
    root = file.parents[1]
    cache, digests = Cache(root / "cache"), Digests()
    assert digests.of(file) == sha(b"one")
    digests.keep(root, root / "src", cache, time.time_ns() + after_ns)
    return cache


def test_a_file_that_was_left_as_it_was_is_not_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = Digests.kept(file.parents[1], kept(file))
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} is read"))
    assert digests.of(file) == sha(b"one")


def test_another_content_of_equal_size_and_time_is_seen(file: Path) -> None:
    cache, before = kept(file), file.stat()
    time.sleep(0.02)  # a tick of the file system's clock
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert Digests.kept(file.parents[1], cache).of(file) == sha(b"two")


def test_of_a_file_that_changed_just_before_a_build_nothing_is_kept(file: Path) -> None:
    cache = kept(file, after_ns=0)
    digests = Digests.kept(file.parents[1], cache)
    file.write_bytes(b"two")
    assert digests.of(file) == sha(b"two")
    assert list(cache.folder.glob("digests/*/*")) == []


def test_files_outside_of_the_sources_are_not_kept(file: Path) -> None:
    root = file.parents[1]
    cache, digests = Cache(root / "cache"), Digests()
    other = root / "generated.py"
    other.write_bytes(b"x")
    digests.of(other)
    digests.keep(root, root / "src", cache, time.time_ns() + HOUR_NS)
    assert list(cache.folder.glob("digests/*/*")) == []


def test_a_damaged_entry_is_as_none(file: Path) -> None:
    cache = kept(file)
    [entry] = cache.folder.glob("digests/*/*")
    entry.write_bytes(b"damaged")
    assert Digests.kept(file.parents[1], cache).of(file) == sha(b"one")
