"""Small entries are in one database, which threads, processes and damage do no harm."""

import multiprocessing
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from routelet_bundler.cache import small
from routelet_bundler.cache.small import SmallEntries


def test_what_is_written_is_read_by_another_build(tmp_path: Path) -> None:
    first = SmallEntries(tmp_path / "v1/small.db")
    assert first.read("a") is None
    first.write("a", b"one")
    first.write("a", b"two")
    assert first.read("a") == SmallEntries(tmp_path / "v1/small.db").read("a") == b"two"


@pytest.mark.parametrize("damage", [b"", b"no database", random.Random(1).randbytes(20_000)])
def test_a_damaged_database_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    SmallEntries(tmp_path / "small.db").write("a", b"one")
    (tmp_path / "small.db").write_bytes(damage)
    entries = SmallEntries(tmp_path / "small.db")
    assert entries.read("a") is None
    entries.write("a", b"two")
    assert entries.read("a") == b"two"


def test_a_damaged_page_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "small.db"
    entries = SmallEntries(path)
    for number in range(2_000):
        entries.write(str(number), b"x" * 100)
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 2 :] = random.Random(2).randbytes(len(damaged) - 4096 * 2)
    path.unlink()
    path.write_bytes(damaged)
    again = SmallEntries(path)
    assert {again.read(str(number)) for number in range(2_000)} <= {None, b"x" * 100}
    again.write("new", b"y")
    again.write("new", b"y")  # the first may have found the damage
    assert again.read("new") == b"y"


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "v1").write_text("a file")
    entries = SmallEntries(tmp_path / "v1/small.db")
    with pytest.raises(OSError, match="v1"):
        entries.write("a", b"one")


def test_threads_share_a_database(tmp_path: Path) -> None:
    entries = SmallEntries(tmp_path / "small.db")
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda n: entries.write(str(n), b"%d" % n), range(200)))
        read = list(executor.map(lambda n: entries.read(str(n)), range(200)))
    assert read == [b"%d" % n for n in range(200)]


def _write(path: Path, first: int) -> None:
    entries = SmallEntries(path)
    for number in range(first, first + 50):
        entries.write(str(number), b"%d" % number)


def test_builds_share_a_database(tmp_path: Path) -> None:
    path = tmp_path / "small.db"
    context = multiprocessing.get_context("spawn")
    builds = [context.Process(target=_write, args=(path, 50 * n)) for n in range(3)]
    for build in builds:
        build.start()
    for build in builds:
        build.join()
    entries = SmallEntries(path)
    assert [entries.read(str(n)) for n in range(150)] == [b"%d" % n for n in range(150)]


def test_what_is_read_is_in_use_and_what_is_not_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries, now = SmallEntries(tmp_path / "small.db"), 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    entries.write("read", b"1")
    entries.write("unread", b"1")
    now += 20 * small.DAY_S
    assert entries.read("read") == b"1"
    now += 20 * small.DAY_S
    entries.forget(30)
    assert (entries.read("read"), entries.read("unread")) == (b"1", None)
