"""Zips as three readers see them: the standard library's, zipp's, and Info-ZIP's `unzip`."""

import hashlib
import io
import os
import random
import re
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize
from zlib import crc32

import deflate
import pytest
import zipp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.pack.archive import DEFLATED, STORED, archive, folder, member

PARTS = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="/\\"), min_size=1, max_size=6
).filter(lambda part: part not in {".", ".."})
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
CONTENTS = st.binary(max_size=40) | st.binary(max_size=20).map(lambda block: block * 200)


def is_no_folder_of(name: str, others: Iterable[str]) -> bool:
    return not any(other.startswith(f"{name}/") for other in others)


def is_told_apart(names: Iterable[str]) -> bool:
    """Tell whether no two names are one where neither case nor Unicode's forms count."""
    every = {name[:end] for name in names for end in range(1, len(name) + 1)
             if end == len(name) or name[end] == "/"}  # fmt: skip
    folded = {normalize("NFC", normalize("NFC", one).casefold()) for one in every}
    return len(folded) == len(every)


FILES = st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=8).filter(
    lambda files: all(is_no_folder_of(name, files) for name in files) and is_told_apart(files)
)


def zip_of(files: dict[str, bytes]) -> bytes:
    return archive(member(name, content) for name, content in files.items())


def opened(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


@settings(max_examples=100)
@given(files=FILES)
def test_any_safe_names_and_contents_come_back(files: dict[str, bytes]) -> None:
    with opened(zip_of(files)) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == files


@settings(max_examples=50)
@given(files=FILES, seed=st.integers(0, 2**32))
def test_the_order_of_members_does_not_matter(files: dict[str, bytes], seed: int) -> None:
    names = sorted(files)
    shuffled = random.Random(seed).sample(names, len(names))
    data = zip_of({name: files[name] for name in names})
    assert zip_of({name: files[name] for name in shuffled}) == data
    with opened(data) as read:
        assert read.namelist() == names


@settings(max_examples=50)
@given(files=FILES, data=st.data())
def test_a_name_that_is_there_twice_is_refused(
    files: dict[str, bytes], data: st.DataObject
) -> None:
    twice = data.draw(st.sampled_from(sorted(files)))
    members = [member(name, content) for name, content in files.items()]
    with pytest.raises(RouteletError, match="twice") as raised:
        archive([*members, member(twice, b"another")])
    assert raised.value.what.startswith(twice)
    assert raised.value.mend


UNSAFE = {
    "absolute": "/etc/passwd",
    "the folder above": "..",
    "above": "../a.py",
    "above in the middle": "lib/../../a.py",
    "within": "lib/../a.py",
    "here": "./a.py",
    "here in the middle": "lib/./a.py",
    "an empty part": "lib//a.py",
    "empty": "",
    "only a slash": "/",
    "two slashes at the end": "lib//",
    "a backslash": "lib\\a.py",
    "NUL": "a\0.py",
    "a line break": "a\n.py",
    "an escape sequence": "a\x1b[2J.py",
    "right to left": "a\u202eyp.exe",
    "half of a pair": "a\ud800.py",
    "bytes that are no UTF-8": os.fsdecode(b"a\xff.py"),
    "longer than a file system takes": "ö" * 128,
}


@pytest.mark.parametrize("kind", UNSAFE)
def test_an_unsafe_name_is_refused(kind: str) -> None:
    with pytest.raises(RouteletError) as raised:
        archive([member("a.py", b""), member(UNSAFE[kind], b"")])
    assert repr(UNSAFE[kind]) in raised.value.what
    str(raised.value).encode()  # can be printed


CLASHES = {
    "case": ("lib/a.py", "lib/A.py"),
    "case of a folder": ("lib/a.py", "Lib/b.py"),
    "case of letters beyond ASCII": ("größe", "GRÖSSE"),
    "one letter or two": ("caf\u00e9.txt", "cafe\u0301.txt"),
    "a file and a folder": ("lib", "LIB/a.py"),
}


@pytest.mark.parametrize("kind", CLASHES)
def test_names_that_are_one_where_case_is_not_told_apart_are_refused(kind: str) -> None:
    with pytest.raises(RouteletError, match="case is not told apart") as raised:
        archive(member(name, b"") for name in CLASHES[kind])
    assert raised.value.mend


def differs_by_case(name: str) -> bool:
    return name.swapcase() != name and name.swapcase().casefold() == name.casefold()


@settings(max_examples=50)
@given(name=NAMES.filter(differs_by_case))
def test_any_two_names_of_different_case_are_refused(name: str) -> None:
    with pytest.raises(RouteletError):
        archive([member(name, b""), member(name.swapcase(), b"")])


VERSION_OF_VMS = re.compile(r";\d*(/|$)")
"""What Info-ZIP's unzip takes off a name, since VMS has versions of files there."""


@pytest.mark.skipif(shutil.which("unzip") is None, reason="there is no unzip")
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES.filter(lambda files: not any(map(VERSION_OF_VMS.search, files))))
def test_every_reader_unpacks_any_zip_to_the_same_bytes(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    path, into = tmp_path / "a.zip", tmp_path / "out"
    path.write_bytes(zip_of(files))
    shutil.rmtree(into, ignore_errors=True)
    tested = subprocess.run(["unzip", "-tq", path], capture_output=True, text=True, check=False)
    assert (tested.returncode, tested.stderr) == (0, "")
    command = ["unzip", "-q", str(path), "-d", str(into)]
    subprocess.run(command, check=True, env={"LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL)
    assert {one.relative_to(into).as_posix() for one in into.rglob("*") if one.is_file()} == {
        *files
    }
    root = zipp.Path(path)
    for name, content in files.items():
        assert (into / name).read_bytes() == content == root.joinpath(name).read_bytes()


@settings(max_examples=50)
@given(parts=st.lists(PARTS, max_size=3), bad=st.sampled_from(["..", ".", ""]), data=st.data())
def test_a_part_that_leads_elsewhere_is_refused_wherever_it_is(
    parts: list[str], bad: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(parts)))
    name = "/".join([*parts[:place], bad, *parts[place:], "a.py"])
    with pytest.raises(RouteletError):
        archive([member(name, b"")])


def test_times_modes_and_versions_are_fixed_and_nothing_is_extra() -> None:
    data = archive([member("a.py", b"x = 1\n"), folder("lib"), member("lib/ö.txt", b"")])
    with opened(data) as read:
        a, lib, other = read.infolist()
        assert read.comment == b""
    for info in (a, lib, other):
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert (info.create_system, info.create_version, info.extract_version) == (3, 20, 20)
        assert (info.extra, info.comment, info.internal_attr, info.volume) == (b"", b"", 0, 0)
        assert info.flag_bits == 0x800  # names are UTF-8, sizes stand before the data
    assert [info.external_attr >> 16 for info in (a, lib, other)] == [
        stat.S_IFREG | 0o644, stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644,
    ]  # fmt: skip


def test_what_deflate_makes_no_smaller_is_stored() -> None:
    noise = random.Random(1).randbytes(5000)
    files = {"empty": b"", "noise": noise, "short": b"ab", "text": b"routelet " * 500}
    with opened(zip_of(files)) as read:
        infos = {info.filename: info for info in read.infolist()}
    methods = {name: info.compress_type for name, info in infos.items()}
    assert methods == {"empty": STORED, "noise": STORED, "short": STORED, "text": DEFLATED}
    assert all(info.compress_size <= len(files[name]) for name, info in infos.items())


@settings(max_examples=50)
@given(content=CONTENTS)
def test_a_member_is_never_larger_than_its_file(content: bytes) -> None:
    made = member("a", content)
    assert len(made.data) <= len(content) == made.size
    assert made.crc == crc32(content)


def test_folders_are_folders_to_every_reader(tmp_path: Path) -> None:
    data = archive([folder("lib"), folder("lib/deep"), member("lib/deep/m.py", b"x = 1\n")])
    with opened(data) as read:
        assert [info.is_dir() for info in read.infolist()] == [True, True, False]
        read.extractall(tmp_path)
    assert (tmp_path / "lib/deep/m.py").read_bytes() == b"x = 1\n"
    lib = zipp.Path(opened(data), "lib/")
    assert [(one.name, one.is_dir()) for one in lib.iterdir()] == [("deep", True)]


def test_zipp_reads_a_zip_without_folders_as_a_tree() -> None:
    root = zipp.Path(opened(zip_of({"pages/a.py": b"A", "pages/x/b.py": b"B", "c.py": b"C"})))
    assert sorted(one.name for one in root.iterdir()) == ["c.py", "pages"]
    assert (root / "pages" / "x" / "b.py").read_text(encoding="utf-8") == "B"


@pytest.mark.skipif(shutil.which("unzip") is None, reason="there is no unzip")
def test_unzip_finds_no_fault_and_gives_the_same_files(tmp_path: Path) -> None:
    files = {
        "pages/[id].py": b"x = 1\n" * 100,
        "lib/größe.txt": b"",
        "noise.bin": random.Random(2).randbytes(3000),
    }
    path = tmp_path / "a.zip"
    members = [member(name, content) for name, content in files.items()]
    path.write_bytes(archive([*members, folder("pages"), folder("lib")]))
    tested = subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=False)
    assert tested.returncode == 0
    assert "No errors detected" in tested.stdout
    assert tested.stderr == ""
    into = tmp_path / "out"
    environment = {"LC_ALL": "C.UTF-8"}
    subprocess.run(["unzip", "-q", path, "-d", into], check=True, env=environment)
    for name, content in files.items():
        assert (into / name).read_bytes() == content
        assert stat.S_IMODE((into / name).stat().st_mode) == 0o644


def test_no_members_make_an_empty_zip() -> None:
    data = archive([])
    assert len(data) == 22  # the end record alone: APPNOTE 4.3.16
    with opened(data) as read:
        assert read.namelist() == []


def test_more_files_than_a_zip_can_count_are_told() -> None:
    empty = member("a", b"")
    members = [type(empty)(name=f"{number}", method=STORED, crc=0, size=0, data=b"")
               for number in range(65_536)]  # fmt: skip
    with pytest.raises(RouteletError, match="65,53"):
        archive(members)


def test_the_root_is_no_name() -> None:
    with pytest.raises(RouteletError):
        archive([member(".", b"")])


@pytest.mark.parametrize("other", ["lib/", "lib/m.py"])
def test_a_file_that_is_a_folder_as_well_is_refused(other: str) -> None:
    with pytest.raises(RouteletError):
        archive([member("lib", b""), member(other, b"")])


SAMPLE = "".join(f"{n * n} {n % 7 * 'ab'}\n" for n in range(20_000)).encode()
DIGEST_OF_SAMPLE = "a2c9c0a2aed7b0ea0016c2887b196d852bc75ab60548f68a780e1ad31bb3a936"


def test_the_bytes_of_a_zip_are_those_of_every_other_machine() -> None:
    """Another compressor makes other bytes of the same content: then the changelog says so."""
    assert hashlib.sha256(zip_of({"sample.txt": SAMPLE})).hexdigest() == DIGEST_OF_SAMPLE


@pytest.mark.parametrize("python", ["3.12", "3.13"])
def test_another_python_compresses_to_the_same_bytes(python: str) -> None:
    interpreter = find_interpreter(python)
    if interpreter is None:
        pytest.skip(f"there is no Python {python}")
    folder_of_wheel = str(Path(deflate.__file__).parents[1])
    code = (
        f"import sys; sys.path.append({folder_of_wheel!r}); from deflate import deflate_compress; "
        "sys.stdout.buffer.write(deflate_compress(sys.stdin.buffer.read(), 6))"
    )
    done = subprocess.run(
        [interpreter, "-I", "-S", "-c", code], input=SAMPLE, capture_output=True, check=True
    )
    assert done.stdout == member("sample.txt", SAMPLE).data
