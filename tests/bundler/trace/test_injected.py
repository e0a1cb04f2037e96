"""Data files that injected modules name, of a site and of a package."""

from pathlib import Path

from tests.bundler.trace.conftest import write

from routelet_bundler.model import HOST, InjectedFile
from routelet_bundler.sources import Digests
from routelet_bundler.trace import Records
from routelet_bundler.trace.injected import with_data

SOURCE = """\
import os
from pathlib import Path
from runpy import run_path

def files(name):
    yield Path(__file__).parents[1] / "data"
    yield f"{os.path.dirname(__file__)}/same.txt"
    yield Path(__file__).parent / name
    yield Path(__file__).parent / f"{name}.txt"
    yield Path(__file__).parents[5] / "outside.txt"
    yield open("relative.txt")
    yield Path(__file__).parent / "missing.txt"
"""


def test_data_files_keep_their_places_from_the_module_in_a_package(tmp_path: Path) -> None:
    written = write(
        tmp_path,
        {
            "moon/pages/health.py": SOURCE,
            "moon/pages/same.txt": "",
            "moon/pages/relative.txt": "",
            "moon/pages/neighbour.py": "",
            "moon/data/one.csv": "",
            "moon/data/deep/two.csv": "",
            "moon/data/.env": "",
            "outside.txt": "",
        },
    )
    module = InjectedFile(
        archive="site_injected/moon_moon/pages/health.py",
        source=written["moon/pages/health.py"],
        label="moon:moon/pages/health.py",
    )
    found = with_data([module], Records(HOST), Digests())
    assert found[0] == module
    assert {one.archive: (one.source, one.label) for one in found[1:]} == {
        f"site_injected/moon_moon/{name}": (written[f"moon/{name}"], f"moon:moon/{name}")
        for name in ("data/one.csv", "data/deep/two.csv", "pages/same.txt")
    }
