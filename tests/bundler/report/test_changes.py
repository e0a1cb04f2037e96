"""What changed since the last build that was another, over whole builds of one site."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from routelet_bundler import build
from routelet_bundler.cache import Cache, digest
from routelet_bundler.report.changes import Change, changes_of, load, summary_of
from routelet_bundler.report.shipped import read_shipped

Site = Callable[..., Path]

PYPROJECT = (
    '[project]\nname = "site"\nversion = "1"\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
)
GET = "def GET(ctx):\n    return 'x'\n"
FILES = {"src/pages/a.py": "import lib.m\n" + GET, "src/pages/b.py": GET, "src/lib/m.py": "X = 1\n"}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def changes(root: Path, cache: Path) -> Mapping[str, Change]:
    earlier = load(Cache(cache), root / "dist")
    return changes_of(read_shipped(root / "dist"), earlier) if earlier is not None else {}


def test_a_first_build_has_nothing_to_be_compared_with(write_site: Site, cache: Path) -> None:
    root = write_site(FILES, pyproject=PYPROJECT)
    build(root, cache_folder=cache)
    assert changes(root, cache) == {}


def test_a_changed_file_is_told_of_the_functions_that_have_it(
    write_site: Site, cache: Path
) -> None:
    root = write_site(FILES, pyproject=PYPROJECT)
    build(root, cache_folder=cache)
    write_site({"src/lib/m.py": "X = 1\nY = 'longer'\n"}, pyproject=PYPROJECT)
    build(root, cache_folder=cache)
    found = changes(root, cache)
    assert (found["a"].kind, found["b"].kind) == ("changed", "same")
    (file,) = found["a"].files
    assert file.name == "lib/m.py"
    assert 0 < file.before < file.after


def test_a_build_that_changes_nothing_leaves_what_is_known(write_site: Site, cache: Path) -> None:
    root = write_site(FILES, pyproject=PYPROJECT)
    build(root, cache_folder=cache)
    write_site({"src/lib/m.py": "X = 2\n"}, pyproject=PYPROJECT)
    build(root, cache_folder=cache)
    before = changes(root, cache)
    build(root, cache_folder=cache)
    assert changes(root, cache) == before
    assert before["a"].kind == "changed"


def test_functions_and_files_that_are_new_or_gone_are_told(write_site: Site, cache: Path) -> None:
    root = write_site(FILES, pyproject=PYPROJECT)
    build(root, cache_folder=cache)
    size = (root / "dist/functions/b.zip").stat().st_size
    (root / "src/pages/b.py").unlink()
    edited = {"src/pages/a.py": "import lib.n\n" + GET, "src/lib/n.py": "", "src/pages/c.py": GET}
    write_site(edited, pyproject=PYPROJECT)
    build(root, cache_folder=cache)
    found = changes(root, cache)
    assert {name: one.kind for name, one in found.items()} == {
        "a": "changed", "b": "removed", "c": "new",
    }  # fmt: skip
    assert found["b"].before.zipped == size
    files = {one.name: (bool(one.before), bool(one.after)) for one in found["a"].files}
    assert files["lib/m.py"] == (True, False)
    assert files["lib/n.py"] == (False, True)
    assert files["pages/a.py"] == (True, True)


def test_a_failed_build_leaves_what_is_known(write_site: Site, cache: Path) -> None:
    root = write_site(FILES, pyproject=PYPROJECT)
    build(root, cache_folder=cache)
    write_site({"src/lib/m.py": "import nothing_like_this\n"}, pyproject=PYPROJECT)
    with pytest.raises(Exception, match="nothing_like_this"):
        build(root, cache_folder=cache)
    assert changes(root, cache) == {}


@pytest.mark.parametrize("text", ["", "{}", '{"functions": [{"name": "a"}]}', "[1]"])
def test_a_damaged_build_is_none_to_compare_with(
    write_site: Site, tmp_path: Path, text: str
) -> None:
    built = build(write_site(FILES, pyproject=PYPROJECT))
    (tmp_path / "old").mkdir()
    (tmp_path / "old/routelet.json").write_text(text)
    for folder in ("old", "nowhere"):
        assert summary_of(tmp_path / folder, built.out_dir, built.functions) is None


def test_a_damaged_summary_counts_as_none(cache: Path, tmp_path: Path) -> None:
    kept = Cache(cache)
    kept.write("earlier", digest(str(tmp_path)), b'{"a": 1}')
    assert load(kept, tmp_path) is None
