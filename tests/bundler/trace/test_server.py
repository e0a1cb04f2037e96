"""Server entrypoints: what they bring along from beside `src/`, and what goes before it."""

import os
import sys
from collections.abc import Callable, Collection, Mapping
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest
from tests.bundler.trace.conftest import Installed, write

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import RouteConfig, Target
from routelet_bundler.trace import Records, Sources, Tracer
from routelet_bundler.trace.distributions import index_of
from routelet_bundler.trace.server import ServerFiles, server_files

Bring = Callable[..., ServerFiles]


@pytest.fixture
def bring(tmp_path: Path, installed: Installed, target: Target) -> Bring:
    """Return a function that writes a site and tells what server entrypoints of it bring along."""

    def brought(
        files: Mapping[str, str], *modules: str, without: Collection[str] = ()
    ) -> ServerFiles:
        root = tmp_path / "site"
        write(root, files)
        return server_files(
            modules or ("server",),
            sources_of(root, files, installed),
            target,
            Records(target.python),
            without=[root / name for name in ("src", *without)],
        )

    return brought


def sources_of(root: Path, files: Mapping[str, str], installed: Installed) -> Sources:
    own = [name.removeprefix("src/") for name in files if name.startswith("src/")]
    return Sources(
        files={name: root / "src" / name for name in own},
        labels={name: f"src/{name}" for name in own},
        templates={},
        index=index_of(installed.folder),
        dependencies=(),
        root=root,
    )


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Return what this Python imports from, beside all else."""
    found = Installed(tmp_path / "environment")
    monkeypatch.setattr(sys, "path", [str(found.folder), *sys.path])
    return found


def test_siblings_in_the_site_come_along_as_far_as_they_are_reached(bring: Bring) -> None:
    found = bring(
        {
            "server.py": "import shared\nfrom kit import table\n",
            "shared.py": "from kit.deep import x\n",
            "kit/table.py": "",
            "kit/unused.py": "",
            "kit/deep/__init__.py": "from . import more\nx = 1\n",
            "kit/deep/more.py": "",
            "setup.py": "",
            "tests/test_server.py": "import server\n",
        }
    )
    assert found.files.keys() == {
        "server.py", "shared.py", "kit/table.py", "kit/deep/__init__.py", "kit/deep/more.py",
    }  # fmt: skip
    assert found.siblings == found.files.keys() - {"server.py"}
    assert found.warnings == ()


@pytest.mark.parametrize("inits", [(), ("acme/flyby/__init__.py",), ("acme/__init__.py",)])
def test_an_entrypoint_may_be_in_packages_with_and_without_an_init(
    bring: Bring, inits: tuple[str, ...]
) -> None:
    files = dict.fromkeys(inits, "") | {
        "acme/flyby/server.py": "from . import near\nimport acme.far\n",
        "acme/flyby/near.py": "",
        "acme/far.py": "",
        "acme/other.py": "",
    }
    found = bring(files, "acme.flyby.server")
    assert found.files.keys() == files.keys() - {"acme/other.py"}


def test_data_files_beside_it_come_along_when_they_are_named(bring: Bring) -> None:
    found = bring(
        {
            "server.py": (
                "from importlib.resources import files\nfrom pathlib import Path\nimport kit\n"
                "A = (Path(__file__).parent / 't.txt').read_text()\n"
                "B = files('kit').joinpath('b.txt').read_text()\n"
                "C = list((Path(__file__).parent / 'tables').iterdir())\n"
                "D = open('relative.json')\n"
            ),
            "kit/__init__.py": "",
            "kit/b.txt": "",
            "t.txt": "",
            "relative.json": "",
            "tables/one.csv": "",
            "tables/.env": "",
            "secret.txt": "",
        }
    )
    assert found.files.keys() == {
        "server.py", "t.txt", "relative.json", "kit/__init__.py", "kit/b.txt", "tables/one.csv",
    }  # fmt: skip


def test_a_name_that_is_not_known_brings_nothing_of_the_sites_folder(bring: Bring) -> None:
    server = (
        "from pathlib import Path\ndef f(x): return (Path(__file__).parent / f'{x}.json').open()\n"
    )
    found = bring({"server.py": server, "package.json": "", "secrets/key.json": ""})
    assert found.files.keys() == {"server.py"}


def test_what_is_no_part_of_a_site_is_not_looked_at(bring: Bring) -> None:
    found = bring(
        {
            "server.py": "import shared\nimport pages\nimport made\nimport packed\n",
            "dist/made.py": "",
            ".venv/shared.py": "",
            "env/pyvenv.cfg": "",
            "env/shared.py": "",
            "node_modules/packed.py": "",
            "src/pages/a.py": "",
        },
        "server",
        "dist.made",
        "node_modules.packed",
        without=["dist"],
    )
    assert found.files.keys() == {"server.py"}


READS = "from pathlib import Path\nA = list((Path(__file__).parent / 'tables').iterdir())\n"


def test_an_earlier_build_in_any_folder_is_not_looked_at(bring: Bring) -> None:
    found = bring({"server.py": READS, "tables/routelet.json": "{}", "tables/client/a.txt": ""})
    assert found.files.keys() == {"server.py"}


def test_a_pipe_and_a_link_to_nowhere_are_not_looked_at(bring: Bring, tmp_path: Path) -> None:
    tables = tmp_path / "site/tables"
    write(tables, {"one.csv": ""})
    os.mkfifo(tables / "pipe")
    (tables / "broken").symlink_to("nowhere")
    (tables / "own").symlink_to("one.csv")
    found = bring({"server.py": READS})
    assert found.files.keys() == {"server.py", "tables/one.csv", "tables/own"}


def test_a_link_that_leads_out_of_the_site_is_an_error(bring: Bring, tmp_path: Path) -> None:
    write(tmp_path, {"secret.txt": "", "site/tables/one.csv": ""})
    (tmp_path / "site/tables/two.csv").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(RouteletError, match="outside of the site") as told:
        bring({"server.py": READS})
    assert told.value.where == "tables/two.csv"


def test_the_package_of_an_entrypoint_may_be_a_linked_folder(bring: Bring, tmp_path: Path) -> None:
    write(tmp_path / "linked", {"server.py": "from . import near\n", "near.py": ""})
    (tmp_path / "site").mkdir()
    (tmp_path / "site/adapter").symlink_to(tmp_path / "linked")
    assert bring({}, "adapter.server").files.keys() == {"adapter/server.py", "adapter/near.py"}


def test_the_sources_go_before_the_sites_folder_and_that_is_told(bring: Bring) -> None:
    found = bring(
        {
            "server.py": "from lib import tools\nimport lib.z\n",
            "lib/z.py": "",
            "lib/tools.py": "",
            "src/lib/z.py": "",
        }
    )
    assert found.files.keys() == {"server.py", "lib/tools.py"}  # two folders, one namespace
    assert found.warnings == (
        "server.py:2: imports lib.z of src/lib/z.py, which goes before lib/z.py",
    )


def test_an_entrypoint_that_the_sources_have_as_well_is_told(bring: Bring) -> None:
    found = bring({"server.py": "import shared\n", "shared.py": "", "src/server.py": ""})
    assert found.files == {}
    assert found.warnings == (
        "the server entrypoint: imports server of src/server.py, which goes before server.py",
    )


@pytest.mark.parametrize(
    ("more", "before"),
    [
        ({"src/lib/__init__.py": ""}, "src/lib/__init__.py"),
        ({"src/lib/z.py": "", "lib/__init__.py": ""}, "the folder lib/ of the sources"),
    ],
)
def test_a_module_that_a_package_of_the_sources_hides_is_an_error(
    bring: Bring, more: dict[str, str], before: str
) -> None:
    with pytest.raises(RouteletError) as raised:
        bring({"server.py": "import lib.tools\n", "lib/tools.py": "", **more})
    error = [raised.value, *raised.value.others][-1]
    assert error.what == f"imports lib.tools, but {before} has lib, and goes before lib/tools.py"
    assert (error.where, error.mend) == ("server.py:1", "rename one of the two")


def test_dependencies_and_python_go_before_the_sites_folder(
    bring: Bring, installed: Installed
) -> None:
    installed.add("pyyaml", {"yaml/__init__.py": ""})
    found = bring(
        {
            "server.py": "import secrets\nfrom yaml import safe_load\n",
            "secrets.py": "",
            "yaml.py": "safe_load = 1\n",
        }
    )
    assert found.files.keys() == {"server.py"}
    assert found.warnings == (
        "server.py:1: imports secrets of Python, which goes before secrets.py",
        "server.py:2: imports yaml of the distribution pyyaml, which goes before yaml.py",
    )


def test_a_data_file_whose_place_the_sources_have_is_an_error(bring: Bring) -> None:
    server = "from pathlib import Path\nT = (Path(__file__).parent / 't.txt').read_text()\n"
    with pytest.raises(RouteletError) as raised:
        bring({"server.py": server, "t.txt": "root", "src/t.txt": "src"})
    assert raised.value.what == "reads t.txt, and src/t.txt has its place in a zip"
    assert raised.value.where == "server.py:2"


def test_of_an_installed_one_its_distribution_comes_and_no_other(
    bring: Bring, environment: Installed
) -> None:
    environment.add(
        "flyby",
        {
            "acme/flyby/server.py": (
                "import flyby_shared\nimport acme.other\nfrom pathlib import Path\n"
                "T = (Path(__file__).parent / 't.txt').read_text()\n"
            ),
            "acme/flyby/t.txt": "",
            "acme/flyby/hooks.py": "import routelet_bundler\n",
            "flyby_shared.py": "",
        },
    )
    environment.add("other", {"acme/other.py": ""})
    found = bring({"flyby_shared.py": "", "acme/other.py": ""}, "acme.flyby.server")
    assert found.files == {
        name: environment.folder / name
        for name in ("acme/flyby/server.py", "acme/flyby/t.txt", "flyby_shared.py")
    }


def test_one_that_is_installed_for_its_developers_has_its_top_level_name(
    bring: Bring, environment: Installed
) -> None:
    write(
        environment.folder,
        {"flyby/server.py": "from . import near\n", "flyby/near.py": "", "unrelated.py": ""},
    )
    found = bring({}, "flyby.server")
    assert found.files.keys() == {"flyby/server.py", "flyby/near.py"}
    assert found.siblings == frozenset()


def test_one_that_only_a_finder_of_its_own_knows_is_found(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "checkout", {"flyby/__init__.py": "1 / 0\n", "flyby/server.py": ""})

    class Finder:  # as setuptools installs one
        @staticmethod
        def find_spec(name: str, *_: object) -> ModuleSpec | None:
            place = tmp_path / "checkout" / name / "__init__.py"
            return spec_from_file_location(name, place) if place.exists() else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert bring({}, "flyby.server").files.keys() == {"flyby/__init__.py", "flyby/server.py"}


@pytest.mark.parametrize("by_finder", [True, False])
def test_a_module_that_is_no_package_has_those_beside_it_where_it_is_developed(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, by_finder: bool
) -> None:
    checkout = tmp_path / "checkout"
    write(
        checkout, {"moon_server.py": "import moon_shared\n", "moon_shared.py": "", "setup.py": ""}
    )

    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> ModuleSpec | None:
            place = checkout / f"{name}.py"
            return spec_from_file_location(name, place) if place.exists() else None

    if by_finder:
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    else:  # by a .pth file
        monkeypatch.setattr(sys, "path", [*sys.path, str(checkout)])
    found = bring({}, "moon_server")
    assert found.files.keys() == {"moon_server.py", "moon_shared.py"}


def test_the_sites_folder_goes_before_what_is_installed(
    bring: Bring, environment: Installed, tmp_path: Path
) -> None:
    environment.add("server", {"server.py": "", "near.py": ""})
    assert bring({"server.py": "import near\n"}).files == {
        "server.py": tmp_path / "site/server.py",
    }


def test_a_module_that_is_nowhere_and_one_of_the_sources_bring_nothing(bring: Bring) -> None:
    assert bring({"src/lib/server.py": "import x\n", "x.py": ""}, "nowhere.x", "lib.server") == (
        ServerFiles()
    )


def test_two_entrypoints_bring_what_either_of_them_reaches(bring: Bring) -> None:
    found = bring(
        {
            "server.py": "import shared\n",
            "gate.py": "import shared\nimport more\n",
            "shared.py": "",
            "more.py": "",
        },
        "server",
        "gate",
    )
    assert found.files.keys() == {"server.py", "gate.py", "shared.py", "more.py"}
    assert found.siblings == {"shared.py", "more.py"}


def test_a_page_finds_no_sibling_of_a_server_entrypoint(
    bring: Bring, tmp_path: Path, installed: Installed, target: Target
) -> None:
    files = {
        "server.py": "import shared\nfrom lib import names\n",
        "shared.py": "",
        "src/lib/names.py": "",
        "src/pages/a.py": "import shared\n",
        "src/pages/b.py": "import server\n",
    }
    found = bring(files)
    own = sources_of(tmp_path / "site", files, installed)
    tracer = Tracer(
        Sources(
            files={**found.files, **own.files},
            labels=own.labels,
            templates={},
            index=own.index,
            dependencies=(),
            server=frozenset(found.files),
            siblings=found.siblings,
        ),
        target,
    )
    traced = tracer.trace(("server", "pages.b"), RouteConfig())
    assert {one.archive for one in traced.files} == {
        "server.py", "shared.py", "lib/names.py", "pages/b.py",
    }  # fmt: skip
    with pytest.raises(RouteletError, match="imports shared, which no dependency provides"):
        tracer.trace(("server", "pages.a"), RouteConfig())
