"""Where a clean build's time goes, and what verifying a function costs the first time.

The latter twice: as the build's own stage, and as the difference of whole builds that make all zips
again, one that has to verify them and one that remembers that it did.
"""

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from cost import cost_of
from sites import pinned, write_endpoints, write_routelet
from tools import ROUTELET

HERE = Path(__file__).parent
STAGES_HEAD = """\
| site | stage | wall s | CPU s | CPU s of children |
| :--- | :--- | ---: | ---: | ---: |"""
HEAD = """\
| site | verifying, CPU ms a function: the stage | the difference of builds | builds, CPU s |
| :--- | ---: | ---: | ---: |"""
Write = Callable[[Path, int], None]


def rows(functions: Sequence[int], endpoints: Sequence[int]) -> Iterator[str]:
    """Yield the rows of both tables."""
    stages, verifying = [STAGES_HEAD], [HEAD]
    with tempfile.TemporaryDirectory(prefix="verification-") as temporary:
        pins = pinned(Path(temporary, "pins"))
        with_pins = partial(write_routelet, pins=pins)
        for what, counts in (("functions", functions), ("endpoints", endpoints)):
            write: Write = with_pins if what == "functions" else write_endpoints
            for count in counts:
                root = Path(temporary, f"{what}-{count}")
                write(root, count)
                spans, cost = measured(root, count)
                stages += [f"| {count} {what} | {span}" for span in spans]
                verifying.append(f"| {count} {what} | {cost}")
                shutil.rmtree(root)
    yield from (*stages, "", *verifying)


def measured(root: Path, count: int) -> tuple[list[str], str]:
    """Build a site in every way that is needed here; return the ends of rows."""
    environment = {"ROUTELET_CACHE": str(root / ".cache"), "PYTHONDONTWRITEBYTECODE": ""}
    spans = _stages(root, environment)
    stage_s = sum(cpu for stage, _, *both in spans if stage == "verify" for cpu in both)
    costs: Mapping[bool, list[float]] = {True: [], False: []}
    for again in (True, False) * 3:
        shutil.rmtree(root / "dist")
        if again:
            _forget_verdicts(root / ".cache")
        costs[again].append(cost_of(ROUTELET, root, environment).cpu_s)
    verifying, verified = (statistics.median(costs[again]) for again in (True, False))
    told = [
        f"{stage} | {wall:.2f} | {own:.2f} | {children:.2f} |"
        for stage, wall, own, children in spans
    ]
    return told, (
        f"{stage_s / count * 1000:.1f} | {(verifying - verified) / count * 1000:.1f} "
        f"| {verifying:.2f}, {verified:.2f} |"
    )


def _forget_verdicts(cache: Path) -> None:
    (path,) = cache.glob("v*/small.db")
    with closing(sqlite3.connect(path)) as database, database:
        if not database.execute("DELETE FROM entries WHERE name LIKE 'verified/%'").rowcount:
            raise SystemExit(f"no verdicts are in {path}")


def _stages(root: Path, environment: Mapping[str, str]) -> list[tuple[str, float, float, float]]:
    """Return what `stages.py` says of the first build; the one before it warms uv's cache."""
    cost_of(ROUTELET, root, environment)
    for name in (".cache", "dist"):
        shutil.rmtree(root / name)
    command = [sys.executable, str(HERE / "stages.py"), str(root)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env={**os.environ, **environment}
    )
    spans: list[tuple[str, float, float, float]] = json.loads(done.stdout)
    return spans
