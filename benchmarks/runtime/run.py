"""What a request costs: routelet beside what Python teams use on Lambda, in one go.

    .venv/bin/python benchmarks/runtime/run.py

The others are installed by uv into a temporary environment. Each measurement is a process of its
own; of three processes the one with the lowest median counts, of an import the least CPU of 15.
Ratios are to the bare function of the same run: compare ratios, not machines.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from uv import find_uv_bin

HERE = Path(__file__).parent
RUNTIME = HERE.parents[1] / "runtime"
STACKS = {
    "bare": "bare function",
    "routelet_stack": "routelet",
    "chalice_rest": "Chalice (REST event)",
    "powertools": "Powertools HttpResolver",
    "mangum_starlette": "Mangum + Starlette",
    "mangum_fastapi": "Mangum + FastAPI",
    "apig_wsgi_flask": "apig-wsgi + Flask",
}
OTHERS = (
    "aws-lambda-powertools",
    "mangum",
    "starlette",
    "fastapi",
    "apig-wsgi",
    "flask",
    "chalice",
)
COLUMNS = {"import_ms": "import CPU ms", "get": "GET us", "post_json": "POST JSON us",
           "post_base64": "POST base64 us"}  # fmt: skip


def measured(python: Path, stack: str, *, runs: int, only_import: bool) -> list[dict[str, float]]:
    """Return what each of `runs` processes printed."""
    paths = [str(runtime_beside(python))] if stack == "routelet_stack" else []
    command = [python, HERE / "measure.py", stack, *paths]
    command += ["--import-only"] if only_import else []
    return [json.loads(subprocess.check_output(command)) for _ in range(runs)]


def runtime_beside(python: Path) -> Path:
    """Return where the runtime is, with bytecode as in a zip."""
    return python.parents[1] / "runtime"


def row(python: Path, stack: str) -> dict[str, float]:
    """Return the best of several processes for each column."""
    imports = measured(python, stack, runs=15, only_import=True)
    calls = measured(python, stack, runs=3, only_import=False)
    best = {name: min(run[name] for run in calls) for name in ("get", "post_json", "post_base64")}
    return {"import_ms": min(run["import_ms"] for run in imports), **best}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [find_uv_bin(), "venv", "--quiet", "--python", sys.executable, folder], check=True
        )
        python = Path(folder, "bin/python")
        install = [
            find_uv_bin(),
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            python,
        ]
        subprocess.run([*install, *OTHERS], check=True)
        ours = shutil.copytree(RUNTIME, runtime_beside(python))
        subprocess.run([python, "-m", "compileall", "-q", ours], check=True)
        rows = {stack: row(python, stack) for stack in STACKS}
    print(f"{'':<26}" + "".join(f"{title:>24}" for title in COLUMNS.values()))
    for stack, title in STACKS.items():
        cells = (
            f"{rows[stack][name]:9.1f} ({rows[stack][name] / rows['bare'][name]:5.1f} x)"
            for name in COLUMNS
        )
        print(f"{title:<26}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
