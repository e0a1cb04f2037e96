from pathlib import Path

import pytest

from routelet_bundler.model import Distribution, Reason, Rewrite, Traced, TracedFile
from routelet_bundler.split.together import have_different_files, relies_and_packs, union_of


def file(name: str, kind: str = "import", parent: str = "") -> TracedFile:
    reason = Reason(kind=kind, parent=parent)  # type: ignore[arg-type]
    return TracedFile(archive=name, source=Path(name), label=name, reason=reason)


def distribution(name: str, key: str = "") -> tuple[Distribution, Reason]:
    one = Distribution(name=name, version="1", files=(), requires=(), key=key or name)
    return one, Reason(kind="import")


def test_a_union_has_all_of_each_once_and_sorted() -> None:
    first = Traced(
        files=(file("b.py", parent="1"), file("x.py")),
        distributions=(distribution("q"),),
        assets=("z.css",),
        warnings=("same",),
    )
    second = Traced(
        files=(file("a.py"), file("b.py", parent="2")),
        distributions=(distribution("p"), distribution("q")),
        assets=("a.css", "z.css"),
        warnings=("same", "other"),
        rewrites=(Rewrite(examples=("/a",), where="a.py:1"),),
    )
    both = union_of([first, second])
    assert [one.archive for one in both.files] == ["a.py", "b.py", "x.py"]
    assert both.files[1].reason.parent == "1"
    assert [one.name for one, _ in both.distributions] == ["p", "q"]
    assert (both.assets, both.warnings) == (("a.css", "z.css"), ("same", "other"))
    assert both.rewrites == second.rewrites


@pytest.mark.parametrize("kind", ["data", "include"])
def test_a_file_that_one_page_reads_is_read_in_the_union(kind: str) -> None:
    imported = Traced(files=(file("a.py"),), distributions=())
    read = Traced(files=(file("a.py", kind),), distributions=())
    for traces in ([imported, read], [read, imported]):
        assert [one.reason.kind for one in union_of(traces).files] == [kind]


def test_what_is_left_to_the_host_and_packed_by_another_is_seen() -> None:
    sdk = ("boto3", "urllib3")
    relies = Traced(files=(), distributions=(distribution("x"),), provided=sdk)
    packs = Traced(files=(), distributions=(distribution("urllib3"),))
    assert not relies_and_packs(relies)
    assert not relies_and_packs(packs)
    assert relies_and_packs(union_of([packs, relies]))


def test_a_distribution_of_which_two_pages_have_different_files_is_seen() -> None:
    german = Traced(files=(), distributions=(distribution("babel", "de"), distribution("x")))
    french = Traced(files=(), distributions=(distribution("babel", "fr"),))
    assert have_different_files([german, french])
    assert not have_different_files([german, german])
    assert not have_different_files([french, Traced(files=(), distributions=())])
