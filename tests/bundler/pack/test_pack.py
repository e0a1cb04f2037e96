"""Whole zips by Packer: equal bytes whatever is cached, limits, and imports from inside."""

import os
import random
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from routelet_bundler import build
from routelet_bundler.cache import Cache
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import (
    HOST,
    Distribution,
    Function,
    Limits,
    Reason,
    RouteConfig,
    Target,
    Traced,
    TracedFile,
    Zip,
)
from routelet_bundler.pack import Packer, lacks_bytecode
from routelet_bundler.sources import Digests
from routelet_bundler.staging import write_texts

PYTHONS = [one for one in ("3.10", "3.11", "3.12", "3.13") if find_interpreter(one)]
TARGET = Target(python=HOST, architecture="x86_64", glibc="2_17")
FILES = {
    "pages/a.py": "from lib.m import x\nimport dist\n\ndef GET(ctx):\n    return {'x': x}\n",
    "lib/m.py": "import json\nx = json.loads('[1, 2]')\n",
    "lib/data.json": "[1, 2]",
}
DIST = {"dist/__init__.py": "def f(o):\n    return o.loads, 'x', GET\n", "dist/x.bin": "\0" * 99}

Make = Callable[..., Function]


@pytest.fixture
def function(tmp_path: Path) -> Make:
    """Return a function that makes a Function of these files and distributions."""

    def placed(folder: str, files: Mapping[str, str | bytes]) -> tuple[tuple[str, Path], ...]:
        for name, text in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tuple((name, tmp_path / folder / name) for name in sorted(files))

    def make(
        files: Mapping[str, str | bytes],
        distributions: Mapping[str, Mapping[str, str | bytes]] | None = None,
        target: Target = TARGET,
        entry: str = "import pages.a\nhandler = print\n",
    ) -> Function:
        traced = [
            TracedFile(archive=name, source=path, label=f"src/{name}", reason=Reason(kind="import"))
            for name, path in placed("src", files)
        ]
        packed = [
            Distribution(
                name=name, version="1", files=placed("site-packages", owned), requires=(), key=name
            )
            for name, owned in (distributions or {}).items()
        ]
        why = Reason(kind="import", parent="pages/a.py", line=2)
        return Function(
            name="a",
            pages=(),
            entry="pages/entry_a.py",
            entry_on_disk="pages/entry_a.py",
            handler="pages/entry_a.handler",
            config=RouteConfig(),
            target=target,
            traced=Traced(files=tuple(traced), distributions=tuple((one, why) for one in packed)),
            entry_text=entry,
            modules=(),
        )

    return make


def packed(one: Function, cache: Path, out: Path, limits: Limits | None = None) -> Zip:
    packer = Packer(one.target, Cache(cache), Digests())
    write_texts(out, {one.entry_on_disk: one.entry_text})
    with ThreadPoolExecutor(2) as executor:
        packer.prepare([one], out, executor)
    return packer.pack(one, out / "functions/a.zip", limits or Limits())


def entries_of(cache: Path) -> dict[str, bytes]:
    """Return what is kept of files, in the database, and of distributions, each in a file."""
    with closing(sqlite3.connect(database_of(cache))) as database:
        small = dict(database.execute("SELECT name, data FROM entries"))
    files = [path for path in cache.glob("*/distributions/*/*") if path.is_file()]
    return {**small, **{str(path): path.read_bytes() for path in files}}


def database_of(cache: Path) -> Path:
    [file] = cache.glob("*/small.db")
    return file


def damage(cache: Path, name: str, data: bytes) -> None:
    if name.startswith("members/"):
        with closing(sqlite3.connect(database_of(cache), isolation_level=None)) as database:
            database.execute("UPDATE entries SET data = ? WHERE name = ?", (data, name))
    else:
        Path(name).write_bytes(data)


@pytest.mark.parametrize("python", PYTHONS)
def test_a_cold_a_warm_and_a_half_warm_cache_give_the_same_bytes(
    function: Make, tmp_path: Path, python: str
) -> None:
    target = replace(TARGET, python=python)
    whole = function(FILES, {"dist": DIST}, target)
    cold = packed(whole, tmp_path / "cold", tmp_path)
    packed(function({"lib/m.py": FILES["lib/m.py"]}, target=target), tmp_path / "half", tmp_path)
    assert packed(whole, tmp_path / "half", tmp_path) == cold
    assert packed(whole, tmp_path / "cold", tmp_path) == cold
    assert sum(name.endswith(".pyc") for name in zipfile.ZipFile(cold.path).namelist()) == 4


def test_a_zip_is_what_it_says_it_is(function: Make, tmp_path: Path) -> None:
    made = packed(function(FILES, {"dist": DIST}), tmp_path / "cache", tmp_path)
    with zipfile.ZipFile(made.path) as opened:
        assert opened.testzip() is None
        infos = [info for info in opened.infolist() if not info.is_dir()]
        read = {name: opened.read(name).decode() for name in {**FILES, **DIST}}
    assert read == {**FILES, **DIST}
    assert made.files == len(infos)
    assert made.unzipped_bytes == sum(info.file_size for info in infos)
    assert made.zipped_bytes == made.path.stat().st_size
    of_dist = [info.file_size for info in infos if info.filename.startswith("dist/")]
    assert made.distribution_bytes == {"dist": sum(of_dist)}


DAMAGE: Mapping[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut": lambda data: data[: len(data) // 2],
    "a flipped bit": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "overwritten": lambda data: random.Random(3).randbytes(len(data)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_cache_entry_is_made_anew_with_the_same_bytes(
    function: Make, tmp_path: Path, kind: str
) -> None:
    one = function(FILES, {"dist": DIST})
    first = packed(one, tmp_path / "cache", tmp_path)
    entries = entries_of(tmp_path / "cache")
    assert len(entries) == 5  # three files, the entry, the distribution
    for name, data in entries.items():
        damage(tmp_path / "cache", name, DAMAGE[kind](data))
    assert packed(one, tmp_path / "cache", tmp_path) == first
    assert entries_of(tmp_path / "cache") == entries


def test_without_bytecode_a_zip_has_sources_only_whatever_is_cached(
    function: Make, tmp_path: Path
) -> None:
    names = []
    for bytecode in (True, False, True):
        one = function(FILES, {"dist": DIST}, replace(TARGET, bytecode=bytecode))
        made = packed(one, tmp_path / "cache", tmp_path)
        names.append({name for name in zipfile.ZipFile(made.path).namelist() if ".pyc" in name})
    assert names[0] == names[2] != set()
    assert names[1] == set()


def test_bytecode_false_in_the_configuration_leaves_no_pyc(
    write_site: Callable[..., Path],
) -> None:
    root = write_site(
        {"src/pages/a.py": "import lib.m\ndef GET(ctx):\n    return 'x'\n", "src/lib/m.py": ""},
        pyproject='[project]\nname = "site"\nversion = "1"\n'
        '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
        "adapters.aws-lambda.bytecode = false\n",
    )
    built = build(root)
    with zipfile.ZipFile(root / "dist/functions/a.zip") as opened:
        assert not [name for name in opened.namelist() if ".pyc" in name or "__pycache__" in name]
    assert built.functions[0].verdict.verified
    assert not [warning for warning in built.warnings if "sources only" in warning]


def test_a_python_that_is_not_here_is_packed_without_bytecode(
    function: Make, tmp_path: Path
) -> None:
    target = replace(TARGET, python="3.99")
    assert lacks_bytecode(target)
    assert not lacks_bytecode(replace(target, bytecode=False))
    made = packed(function(FILES, target=target), tmp_path / "cache", tmp_path)
    assert not [name for name in zipfile.ZipFile(made.path).namelist() if ".pyc" in name]


@pytest.mark.parametrize(
    ("kind", "limits"),
    [("zipped", Limits(zipped_bytes=5000)), ("unzipped", Limits(unzipped_bytes=5000))],
)
def test_over_a_limit_the_ten_largest_parts_are_named_and_nothing_is_written(
    function: Make, tmp_path: Path, kind: str, limits: Limits
) -> None:
    noise = {f"lib/n{size:02}.bin": random.Random(size).randbytes(size * 100) for size in range(12)}
    one = function(noise, {"dist": {"dist/x.bin": "x" * 5000, "dist/y.bin": "y" * 5000}})
    limits = replace(limits, source="https://example.org/limits")
    with pytest.raises(RouteletError) as raised:
        packed(one, tmp_path / "cache", tmp_path, limits)
    error = raised.value
    assert error.what.startswith("the function a is too large: ")
    assert f"bytes {kind}, the limit is 5,000" in error.what
    assert "https://example.org/limits" in error.what
    listed = [line.split()[:2] for line in error.mend.splitlines()[1:]]
    sizes = [["10,000", "dist"]]
    sizes += [[f"{size * 100:,}", f"src/lib/n{size:02}.bin"] for size in range(11, 2, -1)]
    assert listed == sizes
    assert error.mend.splitlines()[1].endswith(" dist  (pages/a.py:2)")
    assert not (tmp_path / "functions").exists()


def test_a_zip_of_exactly_the_limit_is_taken(function: Make, tmp_path: Path) -> None:
    made = packed(function(FILES), tmp_path / "cache", tmp_path)
    limits = Limits(zipped_bytes=made.zipped_bytes, unzipped_bytes=made.unzipped_bytes)
    assert packed(function(FILES), tmp_path / "cache", tmp_path, limits) == made


@pytest.mark.parametrize("python", PYTHONS)
def test_namespace_packages_import_from_inside_the_zip(
    function: Make, tmp_path: Path, python: str
) -> None:
    one = function(
        {"lib/deep/m.py": "x = 'm'\n", "lib/data/d.json": "{}", "whole/__init__.py": ""},
        {"ns-a": {"ns/a/__init__.py": ""}, "ns-b": {"ns/b.py": "x = 'b'\n"}},
        replace(TARGET, python=python),
    )
    made = packed(one, tmp_path / "cache", tmp_path)
    names = zipfile.ZipFile(made.path).namelist()
    assert {name for name in names if name.endswith("/")} == {"lib/", "lib/deep/", "ns/", "pages/"}
    code = (
        f"import sys\nsys.path.insert(0, {str(made.path)!r})\n"
        "import lib.deep.m, ns.a, ns.b, whole\n"
        "assert type(lib.__path__).__name__ == '_NamespacePath'\n"
        "print(lib.deep.m.__file__, lib.deep.m.x + ns.b.x)\n"
    )
    command = [str(find_interpreter(python)), "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"{made.path}/lib/deep/m.py mb\n", done.stderr


def test_a_file_that_two_distributions_own_is_packed_once(function: Make, tmp_path: Path) -> None:
    init = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
    one = function(
        {},
        {
            "ns-a": {"ns/__init__.py": init, "ns/a.py": ""},
            "ns-b": {"ns/__init__.py": init, "ns/b.py": ""},
        },
    )
    made = packed(one, tmp_path / "cache", tmp_path)
    assert {"ns/__init__.py", "ns/a.py", "ns/b.py"} < set(zipfile.ZipFile(made.path).namelist())


def test_a_file_and_a_distribution_of_one_name_are_both_packed(
    function: Make, tmp_path: Path
) -> None:
    one = function({"idna": "data"}, {"idna": {"idna_/__init__.py": ""}})
    made = packed(one, tmp_path / "cache", tmp_path)
    assert {"idna", "idna_/__init__.py"} < set(zipfile.ZipFile(made.path).namelist())
    assert made.distribution_bytes["idna"] < made.unzipped_bytes


def test_strip_takes_symbols_from_distributions_alone_and_never_from_their_libs(
    function: Make, tmp_path: Path
) -> None:
    [real] = Path(yaml.__file__).parent.glob("_yaml*.so")
    content = real.read_bytes()
    sizes = []
    for strip in (False, True):
        one = function(
            {"lib/own.so": content},
            {"dist": {"dist/m.so": content, "dist.libs/libm.so.1": content}},
            replace(TARGET, strip=strip),
        )
        made = packed(one, tmp_path / "cache", tmp_path)
        with zipfile.ZipFile(made.path) as opened:
            infos = {info.filename: info.file_size for info in opened.infolist()}
        names = ("lib/own.so", "dist.libs/libm.so.1", "dist/m.so")
        sizes.append([infos[name] for name in names])
    whole = len(content)
    assert sizes[0] == [whole, whole, whole]
    assert sizes[1][:2] == [whole, whole]
    assert sizes[1][2] < whole / 4


def test_a_faulty_name_of_a_distribution_names_the_distribution(
    function: Make, tmp_path: Path
) -> None:
    one = function({}, {"dist": {"dist/a\u202eyp.exe": "x"}})
    with pytest.raises(RouteletError, match="do not print") as raised:
        packed(one, tmp_path / "cache", tmp_path)
    assert raised.value.where == "dist"
    assert 'exclude = ["dist"]' in raised.value.mend


def test_a_data_file_whose_name_is_no_text_is_told_with_its_place(
    write_site: Callable[..., Path],
) -> None:
    page = "from pathlib import Path\nD = list((Path(__file__).parent / 'd').iterdir())\n"
    root = write_site(
        {"src/lib/m.py": page, "src/pages/a.py": "import lib.m\ndef GET(ctx):\n    return 'x'\n"},
        pyproject='[project]\nname = "site"\nversion = "1"\n'
        '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n',
    )
    (root / "src/lib/d").mkdir()
    (root / "src/lib/d" / os.fsdecode(b"x\xff.txt")).write_text("x")
    with pytest.raises(RouteletError, match="is no UTF-8") as raised:
        build(root)
    assert raised.value.where == r"src/lib/d/x\udcff.txt"
    assert not (root / "dist").exists()
