import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.safe_names import data_path, entry_path, function_name, safe_stems, unique

SAFE = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")

parts = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda part: part not in {".", ".."})
files = st.builds(
    lambda folders, stem, kind: "/".join([*folders, stem + kind]),
    st.lists(parts, max_size=3),
    parts,
    st.sampled_from([".py", ".jinja", ".md", ".html"]),
)


@pytest.mark.parametrize(
    ("file", "entry"),
    [
        ("blog/[slug].py", "pages/blog/entry__slug_.py"),
        ("about.jinja", "pages/entry_about.py"),
        ("data.json.py", "pages/entry_data_json.py"),
        ("index.html", "pages/entry_index.py"),
        ("[lang]/v1.0/a b.md", "pages/_lang_/v1_0/entry_a_b.py"),
        ("[...path].py", "pages/entry_____path_.py"),
        ("café-1.py", "pages/entry_caf_-1.py"),
    ],
)
def test_an_entry_is_named_after_its_page_by_the_rule_of_the_contract(
    file: str, entry: str
) -> None:
    assert entry_path(safe_stems([file])[file]) == entry


def test_two_pages_that_would_share_a_name_get_the_digest_of_their_path() -> None:
    stems = safe_stems(["a.b.py", "a-b.py", "a b.py", "c/a b.py"])
    assert stems == {
        "a.b.py": "a_b_eeb6d236",
        "a-b.py": "a-b",
        "a b.py": "a_b_5d4acf84",
        "c/a b.py": "c/a_b",
    }


def test_pages_of_two_kinds_with_one_name_share_it_too() -> None:
    stems = safe_stems(["about.jinja", "about.md", "about/index.py"])
    assert all(
        re.fullmatch("about_[0-9a-f]{8}", stems[f"about.{kind}"]) for kind in ("md", "jinja")
    )
    assert stems["about/index.py"] == "about/index"


def test_a_name_of_bytes_that_are_no_text_is_made_safe_as_well() -> None:
    stems = safe_stems(["\udcff.py", "\udcfe.py"])
    assert len(set(stems.values())) == 2
    assert all(SAFE.fullmatch(stem) for stem in stems.values())


@given(st.lists(files, max_size=8, unique=True))
def test_names_are_safe_and_no_two_pages_share_one(names: Sequence[str]) -> None:
    stems = safe_stems(names)
    assert list(stems) == list(names)
    assert all(SAFE.fullmatch(stem) for stem in stems.values())
    assert len(set(stems.values())) == len(names)


@given(st.lists(files, max_size=8, unique=True), st.randoms(use_true_random=False))
def test_a_name_does_not_depend_on_the_order_of_files(names: list[str], random: object) -> None:
    shuffled = names.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert safe_stems(shuffled) == safe_stems(names)


@given(st.lists(files, max_size=6, unique=True), files)
def test_a_page_keeps_its_name_when_one_of_another_name_comes(names: list[str], new: str) -> None:
    before, after = safe_stems(names), safe_stems(dict.fromkeys([*names, new]))
    shares = {name for name in names if safe_stems([name])[name] == safe_stems([new])[new]}
    assert {n: after[n] for n in names if n not in shares} == {
        n: before[n] for n in names if n not in shares
    }


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("data.json", "data.json"),
        ("[slug]/data.json", "_slug_/data.json"),
        ("a b/c.d/e f.txt", "a_b/c_d/e f.txt"),
    ],
)
def test_a_file_that_is_no_module_keeps_its_name_in_safe_folders(file: str, place: str) -> None:
    assert data_path(file) == place


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("pages/entry_about.py", "about"),
        ("pages/blog/entry__slug_.py", "blog__slug_"),
        ("pages/a/b/entry_index.py", "a_b_index"),
        ("pages/entry_entry_x.py", "entry_x"),
    ],
)
def test_a_function_is_named_after_its_entry(entry: str, name: str) -> None:
    assert function_name(entry) == name


def test_functions_that_would_share_a_name_get_the_digest_of_their_page() -> None:
    names = unique({"blog/[slug].py": "blog__slug_", "blog_[slug].py": "blog__slug_", "a.py": "a"})
    assert names["a.py"] == "a"
    assert len(set(names.values())) == 3
    assert all(re.fullmatch("blog__slug__[0-9a-f]{8}", names[f]) for f in names if f != "a.py")
