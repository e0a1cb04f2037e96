"""Build times and zip sizes: the examples, and a generated site with 100 endpoints.

    .venv/bin/python benchmarks/build/sites.py

Clean is with an empty cache of routelet and a warm one of uv; repeated is right after. Each build
is a process of its own. CPU is that of the process and its children. Sizes are exact,
times are of the machine at hand.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUTELET = Path(sys.executable).with_name("routelet")
SETS: Sequence[Sequence[str]] = (
    (), ("requests",), ("pydantic",), ("jinja2",), ("yaml",), ("requests", "pydantic"),
    ("jinja2", "yaml"), ("markdown_it",), ("click", "rich"), ("attrs",),
)  # fmt: skip
DISTRIBUTIONS = {"yaml": "pyyaml", "markdown_it": "markdown-it-py"}


def generate(root: Path, count: int) -> None:
    """Write a site of `count` endpoints over ten sets of distributions and 20 shared modules."""
    wanted = sorted({DISTRIBUTIONS.get(name, name) for names in SETS for name in names})
    pages, lib = root / "src/pages/api", root / "src/lib"
    pages.mkdir(parents=True)
    lib.mkdir()
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "generated"\nversion = "1"\ndependencies = {json.dumps(wanted)}\n'
        '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
    )
    for number in range(20):
        (lib / f"m{number}.py").write_text(f"def f(x):\n    return x + {number}\n")
    for number in range(count):
        imports = "".join(f"import {name}\n" for name in SETS[number % len(SETS)])
        (pages / f"e{number}.py").write_text(
            f"{imports}from lib.m{number % 20} import f\n\n\n"
            f"def GET(ctx):\n    return {{'n': f({number})}}\n"
        )


def timed_build(root: Path, cache: Path, out: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of one build."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [ROUTELET, "build", "--root", root, "--out-dir", out],
        check=True, capture_output=True, env={**os.environ, "ROUTELET_CACHE": str(cache)},
    )  # fmt: skip
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report(name: str, root: Path, folder: Path) -> Path:
    """Print the times of a clean and a repeated build; return its dist."""
    out, cache = folder / f"dist-{name}", folder / f"cache-{name}"
    for kind in ("clean", "repeated"):
        wall, cpu = timed_build(root, cache, out)
        print(f"{name:<10} {kind:<9} {wall:6.2f} s wall  {cpu:6.2f} s CPU")
    return out


def print_sizes(dist: Path, single: Path) -> None:
    """Print zip sizes by function, beside that of one zip with everything."""
    for function in json.loads((dist / "routelet.json").read_text())["functions"]:
        print(f"  {function['zippedBytes']:>11,} B  {', '.join(function['routes'])}")
    (one,) = json.loads((single / "routelet.json").read_text())["functions"]
    print(f"  {one['zippedBytes']:>11,} B  all in one function")


def import_milliseconds(zip_path: Path, handler: str, runs: int = 15) -> float:
    """Return the least CPU time, in ms, that importing a handler from its zip adds to Python."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(zip_path, folder)
        code = f"import sys; sys.path.insert(0, {folder!r}); import time; t = time.process_time();"
        code += f"__import__({handler!r}); print((time.process_time() - t) * 1000)"
        command = [sys.executable, "-I", "-S", "-c", code]
        times = [float(subprocess.check_output(command)) for _ in range(runs)]
    return min(times)


def main() -> None:
    """Run everything once."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        report("blog", ROOT / "examples/blog", folder)
        api = report("api", ROOT / "examples/api", folder)
        single = folder / "single"
        shutil.copytree(ROOT / "examples/api", single, ignore=shutil.ignore_patterns("dist"))
        with (single / "pyproject.toml").open("a") as pyproject:
            pyproject.write("\nfunction-per-route = false\n")
        timed_build(single, folder / "cache-api", folder / "dist-single")
        print_sizes(api, folder / "dist-single")
        generate(folder / "generated", 100)
        report("generated", folder / "generated", folder)
        ms = import_milliseconds(api / "functions/status_json.zip", "pages.entry_status_json")
        print(f"importing /status.json from its unpacked zip: {ms:.1f} ms CPU (least of 15)")


if __name__ == "__main__":
    main()
