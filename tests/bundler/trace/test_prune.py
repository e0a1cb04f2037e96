"""Which files of distributions are left out: never by the name of a folder alone."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from routelet_bundler.model import HOST
from routelet_bundler.trace.distributions import index_of
from routelet_bundler.trace.edges import Edges
from routelet_bundler.trace.prune import Prune
from routelet_bundler.trace.reach import ThirdParty

Installed = Any
Kept = Callable[..., set[str]]


@pytest.fixture
def kept(installed: Installed) -> Kept:
    """Return a function that gives the files that are left of the distribution `p`."""

    def files_of(
        files: Mapping[str, str] | None = None,
        *outside: str,
        others: Mapping[str, Mapping[str, str]] | None = None,
    ) -> set[str]:
        installed.add("p", {"p/__init__.py": "", **(files or {})})
        for name, theirs in (others or {}).items():
            installed.add(name, theirs)
        third_party = ThirdParty(index_of(installed.folder), Edges(HOST, None))
        found = Prune(third_party, outside).of(third_party.index.distributions["p"])
        return {name for name, _ in found.files if name != "p/__init__.py"} - {
            "p-1.0.dist-info/METADATA"
        }

    return files_of


@pytest.mark.parametrize("folder", ["test", "tests", "docs", "examples", "benchmarks", "Tests"])
def test_a_folder_that_nothing_reaches_goes_with_its_data(kept: Kept, folder: str) -> None:
    files = {f"p/{folder}/__init__.py": "", f"p/{folder}/data/x.csv": "", "p/a.py": ""}
    assert kept(files) == {"p/a.py"}


@pytest.mark.parametrize(
    "source",
    [
        "import p.tests",
        "from . import tests",
        "def f():\n    from p.tests.util import x\n",
        "try:\n    import p.tests.util\nexcept ImportError:\n    pass\n",
        "x = 'p.tests.util:Class'",
        "import_module('p.tests.util')",
    ],
)
def test_one_that_a_module_reaches_stays_whole(kept: Kept, source: str) -> None:
    spare = {"p/tests/__init__.py": "", "p/tests/util.py": "", "p/tests/x.csv": ""}
    assert kept({**spare, "p/a.py": source}) == {*spare, "p/a.py"}


@pytest.mark.parametrize(
    "source",
    [
        "path.join(dirname(__file__), 'tests', 'x.csv')",
        "files('p') / 'tests/x.csv'",
        "open('/'.join([root, 'tests', 'x.csv']))",
    ],
)
def test_of_one_that_a_path_names_the_data_stay(kept: Kept, source: str) -> None:
    files = {"p/tests/__init__.py": "", "p/tests/x.csv": "", "p/q/tests/y.csv": ""}
    assert kept({**files, "p/a.py": source}) == {"p/a.py", "p/tests/x.csv"}


def test_what_pytest_loads_goes_where_nothing_else_does(kept: Kept) -> None:
    files = {"p/conftest.py": "import p.tests", "p/tests/__init__.py": "", "p/a.py": ""}
    assert kept(files) == {"p/a.py"}
    files["p/a.py"] = "from p.conftest import x"
    assert kept(files) == files.keys()


def test_a_wildcard_does_not_mean_tests(kept: Kept) -> None:
    files = {"p/tests/__init__.py": "", "p/a.py": "import_module(f'p.{name}')"}
    assert kept(files) == {"p/a.py"}


def test_what_a_kept_folder_reaches_stays_too(kept: Kept) -> None:
    files = {
        "p/test/__init__.py": "from p.docs import x",
        "p/docs/__init__.py": "",
        "p/examples/__init__.py": "import p.test",
        "p/a.py": "import p.test",
    }
    assert kept(files) == files.keys() - {"p/examples/__init__.py"}


def test_another_distribution_counts(kept: Kept) -> None:
    files = {"p/tests/__init__.py": ""}
    assert kept(files, others={"q": {"q.py": "import p.tests"}}) == files.keys()


def test_local_code_counts(kept: Kept) -> None:
    files = {"p/tests/__init__.py": "", "p/tests/util.py": ""}
    assert kept(files, "p.tests.util") == files.keys()
    assert kept(files, "p.other") == set()


def test_an_entry_point_counts(kept: Kept) -> None:
    files = {
        "p/tests/__init__.py": "",
        "p-1.0.dist-info/entry_points.txt": "[group]\nname = p.tests:plugin\n",
    }
    assert kept(files) == files.keys()


@pytest.mark.parametrize(
    "name", ["a.pyi", "a.c", "a.HPP", "a.pyx", "a.pxd", "a.f90", "liba.a", "a.cmake", "py.typed"]
)
def test_what_compilers_and_type_checkers_read_goes(kept: Kept, name: str) -> None:
    assert kept({f"p/{name}": "", "p/a.cfg": ""}) == {"p/a.cfg"}


def test_a_stub_that_is_read_at_run_time_stays(kept: Kept) -> None:
    attach = "import lazy_loader\n__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)\n"
    files = {"p/x/__init__.py": attach, "p/x/__init__.pyi": "", "p/y.pyi": ""}
    assert kept(files) == {"p/x/__init__.py", "p/x/__init__.pyi"}


def test_of_dist_info_what_is_read_at_run_time_stays(kept: Kept) -> None:
    info = "p-1.0.dist-info"
    stays = {f"{info}/{name}" for name in ("top_level.txt", "LICENSE", "licenses/LICENSE.txt")}
    goes = {f"{info}/{name}" for name in ("WHEEL", "sboms/x.json", "zip-safe")}
    assert kept(dict.fromkeys(stays | goes, "")) == stays


def test_the_key_changes_with_what_goes(installed: Installed) -> None:
    installed.add("p", {"p/__init__.py": "", "p/tests/__init__.py": ""})
    installed.add("q", {"q.py": ""})
    third_party = ThirdParty(index_of(installed.folder), Edges(HOST, None))
    p, q = third_party.index.distributions["p"], third_party.index.distributions["q"]
    prune = Prune(third_party, ())
    assert prune.of(p).key != p.key
    assert prune.of(prune.of(p)) == prune.of(p)
    assert prune.of(q) == q
    assert Prune(third_party, ["p.tests"]).of(p) == p
