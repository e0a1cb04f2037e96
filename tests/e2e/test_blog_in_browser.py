"""The blog in a real browser: files and functions render, and the style sheet applies."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from routelet_bundler import build
from routelet_bundler.emulator import Emulator

BLOG = Path(__file__).parents[2] / "examples" / "blog"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--force-color-profile=srgb",
)  # fmt: skip

pytestmark = [
    pytest.mark.counterpart,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    root = tmp_path_factory.mktemp("browser") / "blog"
    shutil.copytree(BLOG, root, ignore=shutil.ignore_patterns("dist"))
    with Emulator(build(root).out_dir) as emulator:
        yield emulator


def chromium(folder: Path, *arguments: str) -> str:
    command = ["chromium", *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=90)
    return done.stdout


def test_a_page_is_laid_out_with_its_style_sheet(blog: Emulator, tmp_path: Path) -> None:
    picture = tmp_path / "home.png"
    chromium(tmp_path, "--window-size=900,700", f"--screenshot={picture}", f"{blog.url}/")
    assert picture.read_bytes()[:4] == b"\x89PNG"
    # A page of one colour, or of bare text, compresses to a fraction of this.
    assert picture.stat().st_size > 30_000


def test_the_search_page_of_a_function_shows_its_results(blog: Emulator, tmp_path: Path) -> None:
    dom = chromium(tmp_path, "--dump-dom", f"{blog.url}/search?q=bytecode")
    assert "/blog/what-bytecode-does" in dom
