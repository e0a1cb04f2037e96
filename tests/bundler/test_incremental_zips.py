"""Zips of any build, whatever is cached here or shared, are those of a build without a cache."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from routelet_bundler import build

SITE: Mapping[str, str] = {
    "pyproject.toml": (
        '[project]\nname = "site"\nversion = "1"\n[tool.routelet]\noutput = "server"\n'
        'adapter = "aws-lambda"\n'
    ),
    "src/lib/words.py": "from lib.deep import deep\nword = 'one'\n",
    "src/lib/deep.py": "from pathlib import Path\ndeep = Path(__file__).with_name('data.txt')\n",
    "src/lib/data.txt": "data",
    "src/pages/a.py": "from lib.words import word\n\n\ndef GET(ctx):\n    return word\n",
    "src/pages/b.py": "from lib.deep import deep\n\n\ndef GET(ctx):\n    return {}\n",
    "src/pages/c.jinja": "<p>c</p>",
    "src/pages/d.md": "# d\n",
}
ADDED = ("src/middleware.py", "src/pages/e.py", "src/pages/lib/f.py", "src/pages/404.py")
HANDLER = "def on_request(ctx, next):\n    return next()\n\n\ndef GET(ctx):\n    return {}\n"
MACHINES = ("one", "two")


class Builds(RuleBasedStateMachine):
    """A site is edited and built on two machines, whose caches and builds are meddled with."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="routelet-zips-"))
        self.root = self.folder / "site"
        for name, text in SITE.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        self.machine = MACHINES[0]
        self.is_built = False

    @rule(name=st.sampled_from(sorted({*SITE, *ADDED})), number=st.integers(0, 2))
    def edit(self, name: str, number: int) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = SITE.get(name, HANDLER)
        file.write_text(f"{text}# {number}\n" if number else text)
        self.is_built = False

    @rule(name=st.sampled_from(ADDED))
    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        self.is_built = False

    @rule(machine=st.sampled_from(MACHINES), has_dist=st.booleans(), is_empty=st.booleans())
    def go_to(self, machine: str, *, has_dist: bool, is_empty: bool) -> None:
        self.machine = machine
        if not has_dist:
            shutil.rmtree(self.root / "dist", ignore_errors=True)
        if is_empty:
            shutil.rmtree(self.folder / machine, ignore_errors=True)
        self.is_built = False

    @rule(
        below=st.sampled_from([*MACHINES, "shared", "site/dist/functions", "site/dist/pages"]),
        number=st.integers(0, 10**6),
        data=st.sampled_from([b"", b"damaged", None]),
    )
    def meddle(self, below: str, number: int, data: bytes | None) -> None:
        files = [path for path in sorted((self.folder / below).rglob("*")) if path.is_file()]
        if files:
            file = files[number % len(files)]
            content = file.read_bytes()
            at = number % max(1, len(content))
            flipped = (
                content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] if content else b""
            )
            file.unlink()  # what is installed is one with the files of uv's cache
            file.write_bytes(flipped if data is None else data)
            self.is_built = False

    @invariant()
    def zips_are_those_of_a_build_without_a_cache(self) -> None:
        if not self.is_built:
            ours = {
                "ROUTELET_CACHE": str(self.folder / self.machine),
                "ROUTELET_SHARED_CACHE": str(self.folder / "shared"),
            }
            with patch.dict(os.environ, ours):
                build(self.root)
            empty = self.folder / "empty"
            clean = build(self.root, self.folder / "clean", cache_folder=empty).out_dir
            assert zips(self.root / "dist") == zips(clean)
            shutil.rmtree(clean)
            shutil.rmtree(empty)
            self.is_built = True

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


def zips(out_dir: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out_dir / "functions").iterdir()}


Builds.TestCase.settings = settings(max_examples=2, stateful_step_count=5, deadline=None)
TestBuilds = Builds.TestCase
