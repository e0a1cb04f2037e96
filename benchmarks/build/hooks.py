"""What hooks add to a build: the machinery alone, and integrations that have to see everything."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sites import write_endpoints

COUNT, RUNS = 1_000, 5
HEAD = """\
| 1,000 endpoints | build | hooks ms | wall s | hooks % |
| :--- | :--- | ---: | ---: | ---: |"""
INTEGRATIONS = """\
from routelet_bundler.adapter import Adapter, Integration


class Plain(Integration):
    name = "plain"

    def config_done(self, payload):
        payload.set_adapter(
            Adapter(
                "plain", "routelet.aws", exports=("handler",), split="route",
                supported_features={"server_output": "stable"},
            )
        )


class Idle(Integration):
    name = "idle"


class Every(Integration):
    name = "every"


for hook in ("config_setup", "config_done", "build_start", "build_setup", "build_ssr",
             "build_generated", "build_done"):
    setattr(Every, hook, lambda self, payload: None)

Idle1, Idle2, Idle3 = (type("Idle", (Idle,), {"name": f"idle{n}"}) for n in range(3))
Every1, Every2, Every3 = (type("Every", (Every,), {"name": f"every{n}"}) for n in range(3))
"""
SITES = {
    "no integration": "[]",
    "three without hooks": '["ours:Idle1", "ours:Idle2", "ours:Idle3"]',
    "three with every hook": '["ours:Every1", "ours:Every2", "ours:Every3"]',
}


def rows(folder: Path) -> Iterator[str]:
    """Yield the rows of the table: the least of some runs."""
    yield HEAD
    for title, integrations in SITES.items():
        root = folder / f"hooks-{len(integrations)}"
        shutil.rmtree(root, ignore_errors=True)
        write_endpoints(root, COUNT)
        (root / "ours.py").write_text(INTEGRATIONS)
        (root / "pyproject.toml").write_text(
            '[project]\nname = "site"\nversion = "1"\n[tool.routelet]\noutput = "server"\n'
            f'adapter = "ours:Plain"\nintegrations = {integrations}\n'
        )
        for kind, left in (("clean", ("dist", ".cache")), ("no-op", ())):
            runs = [_times(root, left) for _ in range(RUNS)]
            spent, wall = min(one for one, _ in runs), min(one for _, one in runs)
            yield f"| {title} | {kind} | {spent * 1e3:.1f} | {wall:.2f} | {spent / wall:.2%} |"


def _times(root: Path, left: tuple[str, ...]) -> tuple[float, float]:
    for name in left:
        shutil.rmtree(root / name, ignore_errors=True)
    script = Path(__file__).with_name("hook_times.py")
    done = subprocess.run(
        [sys.executable, script, root],
        env={**os.environ, "ROUTELET_CACHE": str(root / ".cache")},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    spent, wall = json.loads(done.stdout)
    return spent, wall
