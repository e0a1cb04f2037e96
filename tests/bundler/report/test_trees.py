"""Trees of folders: sizes add up at every level, and stay few."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.report.shipped import Size
from routelet_bundler.report.trees import tree_of

parts = st.lists(st.sampled_from(["a", "b", "c", "dd"]), min_size=1, max_size=4)
paths = parts.map(lambda one: "/".join([*one[:-1], f"{one[-1]}.py"]))
sizes = st.builds(Size, zipped=st.integers(1, 10_000), unzipped=st.integers(1, 99_999))


def size(count: int) -> Size:
    return Size(zipped=count, unzipped=2 * count)


def count_of(tree: list[Any]) -> int:
    return 1 + sum(map(count_of, tree[3] if len(tree) > 3 else []))


@given(st.dictionaries(paths, sizes, min_size=1))
def test_a_folder_is_as_large_as_what_is_in_it(files: dict[str, Size]) -> None:
    def check(tree: list[Any]) -> None:
        if len(tree) > 3:
            assert [sum(one[by] for one in tree[3]) for by in (1, 2)] == tree[1:3]
            for one in tree[3]:
                check(one)

    tree = tree_of("top", files)
    check(tree)
    assert tree[1] == sum(one.zipped for one in files.values())
    assert tree[2] == sum(one.unzipped for one in files.values())


def test_folders_that_hold_one_folder_alone_are_told_in_one_name() -> None:
    tree = tree_of("numpy", {"a/b/x.py": size(3), "a/b/c/y.py": size(5)})
    assert tree == ["numpy/a/b", 8, 16, [["c", 5, 10, [["y.py", 5, 10]]], ["x.py", 3, 6]]]


def test_what_is_too_small_to_be_seen_is_put_together() -> None:
    files = {"large.py": size(9000), **{f"s{number}.py": size(1) for number in range(50)}}
    assert tree_of("top", files)[3] == [["large.py", 9000, 18_000], ["50 more", 50, 100]]


def test_a_tree_of_many_files_has_few_nodes() -> None:
    files = {
        f"p{one}/q{two}/m{three}.py": size(100)
        for one in range(10) for two in range(20) for three in range(50)
    }  # fmt: skip
    assert count_of(tree_of("large", files)) < 500
