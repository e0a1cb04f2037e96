import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.staging import lay_over, staged, write_texts

OLD = {"routelet.json": b"{}", "client/index.html": b"<p>old</p>", "pages/a.py": b"\0\xff"}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for name, data in OLD.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "dist"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 64 KB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("mounting a small disk takes root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir() if path != folder)


def test_what_is_written_takes_the_place_of_the_old(dist: Path) -> None:
    with staged(dist) as folder:
        (folder / "new.txt").write_text("new")
        assert content_of(dist) == OLD
        assert folder.parent == dist.parent
    assert content_of(dist) == {"new.txt": b"new"}
    assert beside(dist) == []


def test_a_first_build_makes_its_folder_for_all_to_read(tmp_path: Path) -> None:
    dist = tmp_path / "deep/er/dist"
    with staged(dist) as folder:
        (folder / "new.txt").write_text("new")
        assert not dist.exists()
    assert content_of(dist) == {"new.txt": b"new"}
    assert stat.S_IMODE(dist.stat().st_mode) == 0o755
    assert beside(dist) == []


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(2), ValueError("no"), RouteletError("what")]
)
def test_a_build_that_fails_leaves_the_old_as_it_was(dist: Path, error: BaseException) -> None:
    def build() -> None:
        with staged(dist) as folder:
            (folder / "new.txt").write_text("new")
            raise error

    with pytest.raises(type(error)) as raised:
        build()
    assert raised.value is error
    assert content_of(dist) == OLD
    assert beside(dist) == []


def test_a_first_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), staged(tmp_path / "dist"):
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_build_left_is_removed_by_the_next(dist: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from routelet_bundler.staging import staged\n"
        "with staged(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half.txt').write_text('half')\n"
        "    print(flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(dist)], stdout=subprocess.PIPE
    ) as build:
        assert build.stdout is not None
        build.stdout.readline()
        os.kill(build.pid, signal.SIGKILL)
    assert content_of(dist) == OLD
    assert len(beside(dist)) == 1
    with staged(dist) as folder:
        (folder / "new.txt").write_text("new")
    assert content_of(dist) == {"new.txt": b"new"}
    assert beside(dist) == []


def test_a_build_that_was_killed_amid_the_exchange_is_undone(dist: Path) -> None:
    dist.rename(dist.with_name(".dist-replaced-abc"))
    with pytest.raises(ValueError, match="stop"), staged(dist):
        raise ValueError("stop")
    assert content_of(dist) == OLD
    assert beside(dist) == []


def test_an_old_folder_that_could_not_be_removed_is_removed_later(dist: Path) -> None:
    shutil.copytree(dist, dist.with_name(".dist-replaced-abc"))
    with staged(dist) as folder:
        (folder / "new.txt").write_text("new")
    assert content_of(dist) == {"new.txt": b"new"}
    assert beside(dist) == []


def test_a_build_that_runs_is_left_alone_by_another(dist: Path) -> None:
    with staged(dist) as slow:
        (slow / "slow.txt").write_text("slow")
        with staged(dist) as fast:
            (fast / "fast.txt").write_text("fast")
        assert content_of(dist) == {"fast.txt": b"fast"}
        assert content_of(slow) == {"slow.txt": b"slow"}
    assert content_of(dist) == {"slow.txt": b"slow"}
    assert beside(dist) == []


def test_folders_of_other_builds_are_left_alone(dist: Path) -> None:
    (dist.parent / ".dist2-building-abc").mkdir()
    (dist.parent / ".[d]ist-building-abc").mkdir()
    with staged(dist):
        pass
    assert beside(dist) == [".[d]ist-building-abc", ".dist2-building-abc"]


def test_a_link_to_the_folder_stays_a_link(dist: Path) -> None:
    link = dist.with_name("link")
    link.symlink_to(dist)
    with staged(link) as folder:
        (folder / "new.txt").write_text("new")
    assert link.is_symlink()
    assert content_of(dist) == {"new.txt": b"new"}
    assert beside(dist) == ["link"]


@pytest.mark.parametrize("name", ["site", "site/pyproject.toml"])
def test_a_project_is_not_replaced_by_its_build(tmp_path: Path, name: str) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/pyproject.toml").write_text("")
    with (
        pytest.raises(RouteletError, match="is no build") as told,
        staged(tmp_path / name),
    ):
        pass
    assert (told.value.where, told.value.status) == (str(tmp_path / name), WRONG_USE)
    assert content_of(tmp_path) == {"site/pyproject.toml": b""}


def test_a_full_disk_is_told_and_leaves_the_old_as_it_was(small_disk: Path) -> None:
    dist = small_disk / "dist"
    with staged(dist) as folder:
        (folder / "routelet.json").write_text("old")
    with pytest.raises(RouteletError, match="the disk is full") as told, staged(dist) as folder:
        write_texts(folder, {"big.txt": "x" * 100_000})
    assert told.value.mend == "make room and build again"
    assert content_of(dist) == {"routelet.json": b"old"}
    assert beside(dist) == []


@pytest.mark.parametrize("name", ["precious/thesis.txt", "precious/pyproject.toml"])
def test_a_folder_that_no_build_left_is_not_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / name).write_text("x")
    with pytest.raises(RouteletError, match="would be replaced"), staged(tmp_path / "precious"):
        pass
    assert content_of(tmp_path) == {name: b"x"}


def test_an_empty_folder_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    with staged(tmp_path / "dist") as folder:
        (folder / "routelet.json").write_text("{}")
    assert content_of(tmp_path) == {"dist/routelet.json": b"{}"}


def test_a_folder_that_cannot_be_exchanged_is_told(small_disk: Path) -> None:
    (small_disk / "routelet.json").write_text("old")
    with pytest.raises(RouteletError, match="cannot be written"), staged(small_disk) as folder:
        (folder / "new.txt").write_text("new")
    assert content_of(small_disk) == {"routelet.json": b"old"}
    assert beside(small_disk) == []


BEFORE = {
    "routelet.json": b"{}",
    "client/same.html": b"same",
    "client/page/index.html": b"old",
    "client/gone/deep/index.html": b"gone",
    "client/becomes": b"a file",
    "client/folder/index.html": b"a folder",
}
CHANGES = {
    "client/page/index.html": b"new",
    "client/added/index.html": b"added",
    "client/becomes/index.html": b"a folder",
    "client/folder": b"a file",
}
AFTER = {"routelet.json": b"[]", "client/same.html": b"same", **CHANGES}
REMOVED = ("gone/deep/index.html", "becomes", "folder/index.html")


@pytest.fixture
def laid_over(tmp_path: Path) -> Path:
    """Give a `dist/` to lay over, of other files than that of most tests."""
    for name, data in BEFORE.items():
        (tmp_path / "dist" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dist" / name).write_bytes(data)
    return tmp_path / "dist"


def build_over(out: Path) -> None:
    with staged(out) as folder:
        for name, data in {"routelet.json": b"[]", **CHANGES}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        lay_over(folder, out, {"client": REMOVED, "functions": ["gone.zip"]})


def test_a_client_is_laid_over_that_of_the_last_build(laid_over: Path) -> None:
    inode = (laid_over / "client/same.html").stat().st_ino
    build_over(laid_over)
    assert content_of(laid_over) == AFTER
    assert (laid_over / "client/same.html").stat().st_ino == inode
    assert not (laid_over / "client/gone").exists()
    assert beside(laid_over) == []


@pytest.mark.parametrize("killed_at", range(1, 14))
def test_a_build_killed_while_it_lays_its_client_over_is_undone_or_ended(
    laid_over: Path, killed_at: int
) -> None:
    child = os.fork()
    if child == 0:
        _end_at_the_nth_rename(killed_at)
        build_over(laid_over)
        os._exit(0)
    os.waitpid(child, 0)
    with pytest.raises(ZeroDivisionError), staged(laid_over):
        raise ZeroDivisionError
    assert content_of(laid_over) in (BEFORE, AFTER)
    assert beside(laid_over) == []


def _end_at_the_nth_rename(number: int) -> None:
    """Have this process end, as a kill would have it, before the nth time that it moves a file."""
    moves = iter(range(1, 1000))

    def watch(event: str, _: object) -> None:
        if event == "os.rename" and next(moves) == number:
            os._exit(1)

    sys.addaudithook(watch)


def test_a_build_that_another_one_replaced_is_not_laid_over(laid_over: Path) -> None:
    def meanwhile() -> None:
        with staged(laid_over) as folder:
            (folder / "client").mkdir()
            lay_over(folder, laid_over, {"client": ()})
            (laid_over / "routelet.json").unlink()
            (laid_over / "routelet.json").write_text("another")

    with pytest.raises(RouteletError, match="replaced by another"):
        meanwhile()
    assert content_of(laid_over) == {**BEFORE, "routelet.json": b"another"}


def test_a_build_that_was_removed_meanwhile_is_not_laid_over(laid_over: Path) -> None:
    def meanwhile() -> None:
        with staged(laid_over) as folder:
            (folder / "client").mkdir()
            lay_over(folder, laid_over, {"client": ()})
            shutil.rmtree(laid_over)

    with pytest.raises(RouteletError, match="replaced by another"):
        meanwhile()


def test_texts_are_written_below_a_folder(tmp_path: Path) -> None:
    written = write_texts(tmp_path, {"a.txt": "é\n", "b/c/d.txt": ""})
    assert written == {"a.txt": tmp_path / "a.txt", "b/c/d.txt": tmp_path / "b/c/d.txt"}
    assert content_of(tmp_path) == {"a.txt": "é\n".encode(), "b/c/d.txt": b""}


def test_a_name_that_is_too_long_is_told(dist: Path) -> None:
    mistake = pytest.raises(RouteletError, match="longer name than the disk takes")
    with mistake as told, staged(dist) as folder:
        write_texts(folder, {f"pages/entry_{'a' * 250}.py": ""})
    assert told.value.mend == "shorten the route"
    assert (dist / "routelet.json").exists()
