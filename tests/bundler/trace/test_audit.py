"""What stays of distributions by code and by recorded runs, and where they stay whole."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import RouteConfig, Target, Traced
from routelet_bundler.trace import Sources, Tracer
from routelet_bundler.trace.audit import RECORDING, read_recording
from routelet_bundler.trace.distributions import index_of
from routelet_bundler.trace.ground import Recording

BIG: Mapping[str, str] = {
    "big/__init__.py": "from big import used\n",
    "big/used.py": (
        "import os\nfrom pathlib import Path\n"
        "HERE = Path(__file__).parent\n"
        "def late():\n    from big.late import x\n    return HERE / 'exact.txt'\n"
        "def some(name):\n    return (HERE / 'folder' / name).read_text()\n"
    ),
    "big/late.py": "from . import deeper\nx = 1\n",
    "big/deeper.py": "",
    "big/unused.py": "import other.unused\n",
    "big/exact.txt": "",
    "big/folder/a.txt": "",
    "big/folder/b.txt": "",
    "big/ext/__init__.py": "",
    "big/ext/fast.cpython-311-x86_64-linux-gnu.so": "",
    "big/ext/slow.abi3.so": "",
    "big/ext/beside.py": "",
    "big.libs/libz.so.1": "",
    "big/libplain.so": "",
}


class Site:
    """A site whose `main` is given, beside the distribution `big`."""

    def __init__(self, tmp_path: Path, installed: Any, target: Target) -> None:
        self._src = tmp_path / "src"
        self._src.mkdir()
        self._target = replace(target, is_audited=True)
        self.installed = installed
        installed.add("big", BIG)

    def traced(
        self,
        main: str,
        recorded: Iterable[str] | None,
        versions: Mapping[str, str] | None = None,
        config: RouteConfig | None = None,
    ) -> Traced:
        (self._src / "main.py").write_text(main)
        recording = None
        if recorded is not None:
            known = versions or {"big": "1.0", "other": "1.0"}
            recording = Recording(files=frozenset(recorded), versions=known)
        sources = Sources(
            files={"main.py": self._src / "main.py"},
            labels={"main.py": "src/main.py"},
            templates={},
            index=index_of(self.installed.folder),
            dependencies=(),
            recording=recording,
        )
        return Tracer(sources, self._target).trace(["main"], config or RouteConfig())

    def files(self, *args: Any, name: str = "big", **options: Any) -> set[str]:
        [found] = [
            one for one, _ in self.traced(*args, **options).distributions if one.name == name
        ]
        return {path for path, _ in found.files if ".dist-info" not in path}


@pytest.fixture
def site(tmp_path: Path, installed: Any, target: Target) -> Site:
    return Site(tmp_path, installed, target)


INIT = ["big/__init__.py"]
REACHED = {"big/__init__.py", "big/used.py", "big/late.py", "big/deeper.py", "big/exact.txt"}
ALWAYS = {"big.libs/libz.so.1", "big/libplain.so"}


def test_what_code_leads_to_stays_though_no_run_came_there(site: Site) -> None:
    assert site.files("import big\n", INIT) == REACHED | ALWAYS


def test_what_runs_opened_stays_though_no_code_leads_to_it(site: Site) -> None:
    recorded = [*INIT, "big/folder/a.txt", "big/unused.py"]
    assert site.files("import big\n", recorded) == REACHED | ALWAYS | {
        "big/folder/a.txt",
        "big/unused.py",
    }


def test_metadata_stays(site: Site) -> None:
    [(big, _)] = site.traced("import big\n", INIT).distributions
    assert "big-1.0.dist-info/METADATA" in dict(big.files)


def test_beside_a_shared_object_that_is_reached_all_modules_stay(site: Site) -> None:
    beside = {name for name in BIG if name.startswith("big/ext/")}
    assert site.files("import big.ext.fast\n", INIT) == REACHED | ALWAYS | beside


@pytest.mark.parametrize("recorded", [None, [], ["other/__init__.py"]])
def test_a_distribution_of_which_no_run_opened_anything_stays_whole(
    site: Site, recorded: list[str] | None
) -> None:
    assert site.files("import big\n", recorded) == set(BIG)


def test_without_a_recording_all_is_whole_and_it_is_said_how_to_make_one(site: Site) -> None:
    [warning] = site.traced("import big\n", None).warnings
    assert "routelet emulate --record" in warning


def test_another_version_than_the_recorded_one_stays_whole_and_is_told(site: Site) -> None:
    versions = {"big": "0.9"}
    assert site.files("import big\n", INIT, versions) == set(BIG)
    [warning] = site.traced("import big\n", INIT, versions).warnings
    assert warning.startswith(f"{RECORDING} has big 0.9, and 1.0 is packed")


@pytest.mark.parametrize(
    "source",
    ["from importlib import import_module\ndef f(x):\n    return import_module(x)\n", "def (:\n"],
)
def test_where_reading_does_not_tell_a_distribution_stays_whole_and_all_of_it_may_run(
    site: Site, source: str
) -> None:
    site.installed.add(
        "other", {"other/__init__.py": source, "other/unused.py": "import big.unused\n"}
    )
    files = site.files("import other, big\n", [*INIT, "other/__init__.py"], name="other")
    assert files == {"other/__init__.py", "other/unused.py"}
    recorded = [*INIT, "other/__init__.py"]
    assert "big/unused.py" in site.files("import other, big\n", recorded)


def test_a_distribution_that_include_names_stays_whole(site: Site) -> None:
    config = RouteConfig(include=("big",))
    assert site.files("import json\n", INIT, config=config) == set(BIG)


def test_a_recording_that_is_none_is_told_with_its_name(tmp_path: Path) -> None:
    assert read_recording(tmp_path) is None
    for text in ("[", "[]", "{}", '{"schemaVersion": 2, "files": [], "distributions": {}}'):
        (tmp_path / RECORDING).write_text(text)
        with pytest.raises(RouteletError, match="is no recording") as raised:
            read_recording(tmp_path)
        assert raised.value.where == RECORDING
    good = {"schemaVersion": 1, "files": ["a.py"], "distributions": {"a": "1"}}
    (tmp_path / RECORDING).write_text(json.dumps(good))
    assert read_recording(tmp_path) == Recording(files=frozenset({"a.py"}), versions={"a": "1"})
