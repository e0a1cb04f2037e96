"""What bytecode adds to zips in bytes, and takes away in CPU time when a function is imported.

A function of each kind is built with and without. Its entry module is imported from the unpacked
zip by Python alone (`-I -S -B`), without writing bytecode, as on Lambda, where that folder is
read-only. boto3 lies beside it, compiled, as in Lambda's runtime.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cost import cost_of
from sites import KINDS, PROVIDED, Pins, pinned, write_routelet
from tools import ROUTELET
from uv import find_uv_bin

RUNS = 10
HEAD = """\
| function imports | zip bytes, sources only | with bytecode | unzipped, sources only \
| with bytecode | import CPU ms, sources only | with bytecode |
| :--- | ---: | ---: | ---: | ---: | ---: | ---: |"""
_IMPORT = """\
import sys, time
sys.path[:0] = sys.argv[2:]
start = time.process_time()
__import__(sys.argv[1])
print((time.process_time() - start) * 1000)
"""


def rows() -> Iterator[str]:
    """Yield the rows of the table; times are the least of ten."""
    yield HEAD
    with tempfile.TemporaryDirectory(prefix="bytecode-") as temporary:
        folder = Path(temporary)
        provided = folder / "provided"
        options = ("--quiet", "--compile-bytecode", "--python", sys.executable)
        install = (find_uv_bin(), "pip", "install", *options, "--target", provided, PROVIDED)
        subprocess.run(install, check=True)
        pins = pinned(folder / "pins")
        sources, compiled = (_built(folder / name, pins, name) for name in ("false", "true"))
        for number, kind in enumerate(KINDS):
            both = [
                _measured(root / "dist", number, folder / "unzipped", provided)
                for root in (sources, compiled)
            ]
            cells = " | ".join(" | ".join(pair) for pair in zip(*both, strict=True))
            yield f"| {kind or 'nothing'} | {cells} |"


def _built(root: Path, pins: Pins, bytecode: str) -> Path:
    write_routelet(root, len(KINDS), pins, f"bytecode = {bytecode}\n")
    cost_of(ROUTELET, root, {"ROUTELET_CACHE": str(root / ".cache")})
    return root


def _measured(dist: Path, number: int, unzipped: Path, provided: Path) -> tuple[str, str, str]:
    """Return zipped and unzipped bytes and import ms of the function of a route."""
    functions = json.loads((dist / "routelet.json").read_text())["functions"]
    function = next(one for one in functions if one["routes"] == [f"/f{number}"])
    shutil.rmtree(unzipped, ignore_errors=True)
    shutil.unpack_archive(dist / "functions" / f"{function['name']}.zip", unzipped)
    module = function["handler"].rpartition(".")[0].replace("/", ".")
    return (
        f"{function['zippedBytes']:,}",
        f"{function['unzippedBytes']:,}",
        f"{import_ms(module, unzipped, provided):.1f}",
    )


def import_ms(module: str, *path: Path) -> float:
    """Return the least CPU time, in ms, that importing a module adds to Python alone."""
    command = [sys.executable, "-I", "-S", "-B", "-c", _IMPORT, module, *map(str, path)]
    return min(float(subprocess.check_output(command)) for _ in range(RUNS))
