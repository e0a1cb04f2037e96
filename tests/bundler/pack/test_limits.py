"""The message of a zip that is too large: parts as people know them, each with the way to it."""

from pathlib import Path

import pytest

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import (
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
from routelet_bundler.pack.limits import check_limits

LIMITS = Limits(zipped_bytes=10, source="https://example.org")
TARGET = Target(python="3.11", architecture="x86_64", glibc="2_17")


def file(archive: str, parent: str = "", line: int = 0) -> TracedFile:
    reason = Reason(kind="import", parent=parent, line=line) if parent else Reason(kind="entry")
    return TracedFile(archive=archive, source=Path(), label=f"src/{archive}", reason=reason)


def distribution(name: str, parent: str, line: int = 0) -> tuple[Distribution, Reason]:
    made = Distribution(name=name, version="1", files=(), requires=(), key=name)
    return made, Reason(kind="import" if line else "requires", parent=parent, line=line)


def function(
    *files: TracedFile, distributions: tuple[tuple[Distribution, Reason], ...] = ()
) -> Function:
    return Function(
        name="a", pages=(), entry="pages/entry_a.py", entry_on_disk="", handler="",
        config=RouteConfig(), target=TARGET, entry_text="", modules=(),
        traced=Traced(files=files, distributions=distributions),
    )  # fmt: skip


def refused(one: Function, sizes: dict[str, int]) -> list[str]:
    packed = Zip(path=Path(), sha256="", zipped_bytes=11, unzipped_bytes=99, files=1)
    with pytest.raises(RouteletError) as raised:
        check_limits(one, packed, LIMITS, sizes)
    return [" ".join(line.split()) for line in raised.value.mend.splitlines()[1:]]


def test_the_way_to_a_part_goes_over_files_and_distributions() -> None:
    one = function(
        file("pages/a.py"),
        file("lib/m.py", "pages/a.py", 3),
        distributions=(distribution("requests", "lib/m.py", 7), distribution("idna", "requests")),
    )
    sizes = {"distribution:idna": 5, "idna": 3, "pages/a.py": 2, "pages/entry_a.py": 1}
    assert refused(one, sizes) == [
        "5 idna (src/pages/a.py:3 -> src/lib/m.py:7 -> requests)",
        "3 idna",
        "2 src/pages/a.py",
        "1 pages/entry_a.py",
    ]


def test_the_runtime_is_one_part_and_a_ring_of_imports_ends() -> None:
    one = function(file("lib/x.py", "lib/y.py", 1), file("lib/y.py", "lib/x.py", 2))
    sizes = {"routelet/app.py": 4, "routelet/http.py": 3, "lib/x.py": 2}
    assert refused(one, sizes) == ["7 routelet/", "2 src/lib/x.py (src/lib/y.py:1)"]


def test_a_zip_below_its_limits_is_no_error() -> None:
    packed = Zip(path=Path(), sha256="", zipped_bytes=10, unzipped_bytes=99, files=1)
    check_limits(function(), packed, LIMITS, {})  # raises nothing
