import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.cache import Cache, default_cache, digest
from routelet_bundler.cache.prune import prune

KEY = digest("key")


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.read("trace", KEY) is None
    cache.write("trace", KEY, b"one")
    cache.write("trace", KEY, b"two")
    assert cache.read("trace", KEY) == b"two"
    assert cache.read("pack", KEY) is None
    assert cache.read("trace", digest("other")) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [cache.place("trace", KEY)]


@pytest.mark.parametrize("damage", [b"", b"short", bytes(32) + b"one"])
def test_a_damaged_entry_is_none(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path)
    cache.write("trace", KEY, b"one")
    cache.place("trace", KEY).write_bytes(damage)
    assert cache.read("trace", KEY) is None


def test_a_write_that_fails_leaves_no_half_of_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.place("trace", KEY).mkdir(parents=True)
    before = files_in(tmp_path)
    with pytest.raises(IsADirectoryError):
        cache.write("trace", KEY, b"data")
    assert files_in(tmp_path) == before


def test_a_folder_is_filled_once(tmp_path: Path) -> None:
    cache, filled = Cache(tmp_path), []

    def fill(folder: Path) -> None:
        filled.append(folder)
        (folder / "a.txt").write_text("a")

    first = cache.folder_of("install", KEY, fill)
    assert first == cache.folder_of("install", KEY, fill)
    assert first.is_relative_to(cache.place("install", KEY))
    assert (first / "a.txt").read_text() == "a"
    assert len(filled) == 1
    assert [path.name for path in first.parents[1].iterdir()] == [KEY]


DAMAGE: Mapping[str, Callable[[Path], object]] = {
    "a file is gone": lambda folder: (folder / "lib/b.txt").unlink(),
    "a file is cut": lambda folder: (folder / "a.txt").write_text(""),
    "a file is newer": lambda folder: os.utime(folder / "a.txt", (9e8, 9e8)),
    "a file is more": lambda folder: (folder / "lib/c.txt").touch(),
    "all is gone": shutil.rmtree,
    "what tells its state is gone": lambda folder: (folder.parent / "state").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_is_filled_again(tmp_path: Path, damage: str) -> None:
    cache = Cache(tmp_path)

    def fill(folder: Path) -> None:
        (folder / "lib").mkdir()
        (folder / "a.txt").write_text("a")
        (folder / "lib/b.txt").write_text("b")

    first = cache.folder_of("install", KEY, fill)
    DAMAGE[damage](first)
    assert cache.folder_of("install", KEY, fill) == first
    assert files_in(first) == ["a.txt", "lib", "lib/b.txt"]
    assert (first / "a.txt").read_text() == "a"


def test_what_python_caches_is_no_damage(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    folder = cache.folder_of("install", KEY, lambda folder: (folder / "a.py").touch())
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/a.cpython-311.pyc").touch()
    cache.folder_of("install", KEY, lambda _: pytest.fail("filled again"))


@pytest.mark.parametrize("error", [OSError("full"), ValueError("no"), KeyboardInterrupt()])
def test_a_fill_that_fails_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    cache = Cache(tmp_path)

    def fill(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise error

    with pytest.raises(type(error)):
        cache.folder_of("install", KEY, fill)
    assert not cache.place("install", KEY).exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    folder = cache.folder_of("install", KEY, lambda folder: (folder / "a").touch())
    assert files_in(folder) == ["a"]


def test_builds_that_fill_at_once_share_one_whole_folder(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def build(number: int) -> list[str]:
        def fill(folder: Path) -> None:
            together.wait(timeout=10)
            for name in "abc":
                (folder / name).write_text(str(number))

        folder = Cache(tmp_path).folder_of("install", KEY, fill)
        return [(folder / name).read_text() for name in "abc"]

    with ThreadPoolExecutor(8) as builds:
        seen = list(builds.map(build, range(8)))
    assert len({tuple(one) for one in seen}) == 1
    assert len(set(seen[0])) == 1
    place = Cache(tmp_path).place("install", KEY)
    assert [path.name for path in place.parent.iterdir()] == [KEY]


def test_writes_at_once_leave_one_of_them_whole(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    data = [bytes([number]) * 10_000 for number in range(16)]
    with ThreadPoolExecutor(8) as builds:
        list(builds.map(lambda one: cache.write("trace", KEY, one), data))
    assert cache.read("trace", KEY) in data


def test_the_folder_is_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ROUTELET_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert default_cache() == tmp_path / ".cache/routelet"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/xdg")
    assert default_cache() == Path("/var/xdg/routelet")
    monkeypatch.setenv("ROUTELET_CACHE", "/var/own")
    assert default_cache() == Path("/var/own")


DAY_S = 24 * 60 * 60


def aged(path: Path, days: int) -> None:
    os.utime(path, (time.time() - days * DAY_S,) * 2)


def test_what_no_build_used_for_a_month_is_removed(tmp_path: Path) -> None:
    cache, unused = Cache(tmp_path), digest("unused")
    for key in (KEY, unused):
        cache.write("trace", key, b"data")
        cache.folder_of("install", key, lambda folder: (folder / "a").touch())
    older = tmp_path / "v1/trace/ab/abc"
    older.parent.mkdir(parents=True)
    older.write_bytes(b"data")
    own = tmp_path / "notes/of/some/one"
    own.parent.mkdir(parents=True)
    own.touch()
    places = [cache.place(kind, key) for kind in ("trace", "install") for key in (KEY, unused)]
    for path in (*places, older, own):
        aged(path, 31)
    assert cache.read("trace", KEY) == b"data"
    cache.folder_of("install", KEY, lambda _: pytest.fail("filled again"))
    prune(tmp_path, time.time())
    assert [path.exists() for path in (*places, older, own)] == [True, False] * 2 + [False, True]
    assert cache.read("trace", unused) is None


def test_what_is_unused_is_looked_for_once_a_day(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write("trace", KEY, b"data")
    prune(tmp_path, time.time())
    aged(cache.place("trace", KEY), 31)
    prune(tmp_path, time.time())
    assert cache.place("trace", KEY).exists()
    prune(tmp_path, time.time() + 2 * DAY_S)
    assert not cache.place("trace", KEY).exists()


parts = st.lists(st.one_of(st.text(), st.binary()), max_size=4)


@given(parts, parts)
def test_other_parts_have_another_digest(one: list[str | bytes], two: list[str | bytes]) -> None:
    same = [octets(part) for part in one] == [octets(part) for part in two]
    assert (digest(*one) == digest(*two)) is same


def octets(part: str | bytes) -> bytes:
    return part.encode() if isinstance(part, str) else part


@given(st.binary(min_size=1), st.binary(min_size=1))
def test_another_division_of_the_same_text_has_another_digest(one: bytes, two: bytes) -> None:
    assert digest(one, two) != digest(one + two)
