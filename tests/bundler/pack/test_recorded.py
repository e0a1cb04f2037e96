"""Files of distributions are packed as their wheels have them, or not at all."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from routelet_bundler.errors import RouteletError
from routelet_bundler.pack.pieces import Piece
from routelet_bundler.pack.recorded import refuse_damaged

FILES = {"attr/__init__.py": "x = 1\n", "attr/data, more.txt": "data"}


def installed(folder: Path, name: str, files: Mapping[str, str]) -> Piece:
    """Install a distribution and return its piece."""
    info = f"{name}-1.0.dist-info"
    everything = {**files, f"{info}/METADATA": f"Name: {name}\n"}
    rows = []
    for archive, text in everything.items():
        path = folder / archive
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sha = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        rows.append(f'"{archive}",sha256={sha.decode().rstrip("=")},{len(text)}\n')
    (folder / info / "RECORD").write_text("".join([*rows, f"{info}/RECORD,,\n"]))
    found = tuple((archive, folder / archive) for archive in everything)
    return Piece(files=found, label=name, is_distribution=True)


def is_refused(piece: Piece) -> bool:
    try:
        refuse_damaged(piece)
    except RouteletError:
        return True
    return False


def test_files_as_their_wheel_has_them_are_packed_and_the_site_s_own_as_they_are(
    tmp_path: Path,
) -> None:
    piece = installed(tmp_path, "attrs", FILES)
    assert not is_refused(piece)
    (tmp_path / "attr/__init__.py").write_text("edited")
    assert is_refused(piece)
    own = Piece(files=(("attr/__init__.py", tmp_path / "attr/__init__.py"),), label="lib/m.py")
    assert not is_refused(own)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_somebody_edited_is_refused_by_name(tmp_path: Path, name: str) -> None:
    piece = installed(tmp_path, "attrs", FILES)
    (tmp_path / name).write_text("edited")
    with pytest.raises(RouteletError, match=f"attrs: {name} is not as its wheel has it") as caught:
        refuse_damaged(piece)
    assert caught.value.where == str(tmp_path / name)
    assert "uv cache clean attrs" in caught.value.mend


def test_a_file_that_two_own_is_as_one_of_them_has_it(tmp_path: Path) -> None:
    first = installed(tmp_path, "one", {"shared/__init__.py": "one", "shared/one.py": ""})
    installed(tmp_path, "two", {"shared/__init__.py": "two"})
    refuse_damaged(first)
    (tmp_path / "shared/__init__.py").write_text("three")
    with pytest.raises(RouteletError, match="shared/__init__"):
        refuse_damaged(first)
