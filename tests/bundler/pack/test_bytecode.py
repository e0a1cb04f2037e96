"""Bytecode as each Python of Lambda's that is on this machine takes it."""

import importlib.util
import io
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST
from routelet_bundler.pack.archive import archive, member
from routelet_bundler.pack.bytecode import can_compile
from routelet_bundler.pack.bytecode import compiled as compiled_by_file

PYTHONS = [one for one in ("3.10", "3.11", "3.12", "3.13") if can_compile(one)]
TARGET = "/var/task"
WORDS = ", ".join(f"'word{number}'" for number in range(60))
SET = f"def has(word):\n    return word in {{{WORDS}}}\n"
"""A set of constants: its order in memory depends on the seed of hashes."""

each_python = pytest.mark.parametrize("python", PYTHONS)


def written(folder: Path, files: Mapping[str, str | bytes]) -> list[tuple[str, Path]]:
    """Write sources and return them as (path in the zip, source)."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(name, folder / name) for name in files]


def compiled(
    files: Sequence[tuple[str, Path]], python: str, folder: str
) -> dict[str, tuple[str, bytes]]:
    """Return bytecode by the path in the zip alone."""
    return {name: pyc for (name, _), pyc in compiled_by_file(files, python, folder).items()}


def run(python: str, code: str) -> subprocess.CompletedProcess[str]:
    command = [str(find_interpreter(python)), "-I", "-S", "-B", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def unpacked(pycs: Mapping[str, tuple[str, bytes]], sources: Mapping[str, bytes], to: Path) -> Path:
    """Zip bytecode and sources, and unpack the zip as a host does."""
    files = {**sources, **dict(pycs.values())}
    data = archive(member(name, content) for name, content in files.items())
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        opened.extractall(to)
    return to


def test_the_running_python_is_among_those_tested() -> None:
    assert HOST in PYTHONS


@each_python
def test_a_pyc_is_where_its_python_looks_and_holds_an_unchecked_hash(
    python: str, tmp_path: Path
) -> None:
    pycs = compiled(written(tmp_path, {"lib/m.py": "x = 1\n"}), python, TARGET)
    path, data = pycs["lib/m.py"]
    told = run(
        python,
        "import importlib.util as u\n"
        "print(u.cache_from_source('lib/m.py'), u.MAGIC_NUMBER.hex())\n"
        "print(u.source_hash(b'x = 1\\n').hex())",
    ).stdout.split()
    assert path == told[0]
    assert data[:4].hex() == told[1]
    assert data[4:8] == b"\1\0\0\0"  # PEP 552: a hash, not to be checked
    assert data[8:16].hex() == told[2]


@each_python
def test_tracebacks_name_the_target_folder_and_not_where_it_was_built(
    python: str, tmp_path: Path
) -> None:
    text = "def f():\n    def g():\n        return 1 / 0\n    return g()\n"
    _, data = compiled(written(tmp_path, {"lib/m.py": text}), python, TARGET)["lib/m.py"]
    # An import from another folder would put that folder's name in: so it is run as it is.
    done = run(python, f"import marshal\nexec(marshal.loads({data[16:]!r}))\nf()")
    assert 'File "/var/task/lib/m.py", line 4, in f' in done.stderr
    assert 'File "/var/task/lib/m.py", line 3, in g' in done.stderr
    assert str(tmp_path).encode() not in data


@each_python
@pytest.mark.parametrize("name", ["m.py", "m/__init__.py"])
def test_the_pyc_is_what_runs_even_where_its_source_has_changed(
    python: str, name: str, tmp_path: Path
) -> None:
    pycs = compiled(written(tmp_path / "src", {name: "x = 'compiled'\n"}), python, TARGET)
    folder = unpacked(pycs, {name: b"x = 'source'\n"}, tmp_path / "task")
    done = run(python, f"import sys\nsys.path.insert(0, {str(folder)!r})\nimport m\nprint(m.x)")
    assert done.stdout == "compiled\n", done.stderr


@each_python
def test_equal_sources_give_equal_bytes_with_any_seed_of_hashes(
    python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for seed in ("0", "1", "random"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        made.append(compiled(written(tmp_path, {"m.py": SET}), python, TARGET))
    assert made[0] == made[1] == made[2]


@each_python
def test_equal_sources_give_equal_bytes_from_another_folder_and_among_others(
    python: str, tmp_path: Path
) -> None:
    # Of the library: hundreds of names and constants that files have in common.
    library = Path(importlib.util.__file__).parents[1]
    files = {
        name: (library / name).read_bytes() for name in ("ast.py", "json/decoder.py", "cmd.py")
    }
    files["latin.py"] = b"# coding: latin-1\nx = '\xe9'\n"  # loads a codec into the compiler
    together = compiled(written(tmp_path / "a", files), python, TARGET)
    elsewhere = compiled(written(tmp_path / "b/json/deeper", files)[::-1], python, TARGET)
    alone = [compiled([one], python, TARGET) for one in written(tmp_path / "c", files)]
    assert len(together) == len(files)
    assert elsewhere == together
    assert {name: made for one in alone for name, made in one.items()} == together


FAULTY: Mapping[str, bytes] = {
    "no Python": b"def f(:\n",
    "Python 2": b"print 'x'\n",
    "NUL": b"x = 1\0\n",
    "no such codec": b"# coding: klingon\nx = 1\n",
    "not UTF-8": b"x = '\xff'\n",
}


@each_python
def test_a_source_that_does_not_compile_gets_no_pyc_and_others_get_theirs(
    python: str, tmp_path: Path
) -> None:
    names = {f"faulty{number}.py": text for number, text in enumerate(FAULTY.values())}
    files = {"a.py": b"x = 1\n", **names, "z.py": b"x = 1\n", "empty.py": b""}
    assert compiled(written(tmp_path, files), python, TARGET).keys() == {"a.py", "z.py", "empty.py"}


@each_python
@pytest.mark.parametrize("text", ["x = 1" + "+1" * 20_000, "x = " + "-" * 20_000 + "1"], ids="+-")
def test_a_source_too_deep_for_the_compiler_gets_no_pyc(
    python: str, text: str, tmp_path: Path
) -> None:
    files = {"deep.py": text, "z.py": "x = 1\n"}
    assert compiled(written(tmp_path, files), python, TARGET).keys() == {"z.py"}


@each_python
def test_a_source_that_is_warned_of_compiles(python: str, tmp_path: Path) -> None:
    files = {"m.py": "x = 1 is 1\ny = '\\d'\n"}
    assert compiled(written(tmp_path, files), python, TARGET).keys() == {"m.py"}


def test_only_python_sources_are_compiled(tmp_path: Path) -> None:
    files = {"a.json": "{}", "b.pyi": "x: int\n", "c.py.txt": "x = 1\n"}
    assert compiled(written(tmp_path, files), HOST, TARGET) == {}


def test_a_python_that_is_not_here_compiles_nothing(tmp_path: Path) -> None:
    assert not can_compile("3.99")
    assert compiled(written(tmp_path, {"m.py": "x = 1\n"}), "3.99", TARGET) == {}
