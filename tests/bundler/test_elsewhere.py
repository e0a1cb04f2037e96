"""Builds whose tasks run elsewhere leave what builds of one machine leave."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import ParamSpec, TypeVar

import pytest
from click.testing import CliRunner

from routelet_bundler import RouteletError, build
from routelet_bundler.cli import main
from routelet_bundler.elsewhere import Elsewhere, elsewhere_at
from routelet_bundler.model import HOST, Target
from routelet_bundler.pack.away import made
from routelet_bundler.prerender.away import rendered

PYPROJECT = (
    '[project]\nname = "site"\nversion = "1"\ndependencies = ["attrs", "markupsafe"]\n'
    '[tool.routelet]\noutput = "hybrid"\nadapter = "aws-lambda"\n'
)
SITE: Mapping[str, str] = {
    "src/lib/words.py": "from pathlib import Path\nword = 'one'\n",
    "src/layouts/base.jinja": "<p>{{ content }}</p>",
    "src/pages/index.md": "---\nlayout: layouts/base.jinja\n---\n# Home\n",
    "src/pages/about.jinja": "<p>about</p>",
    "src/pages/posts/[slug].py": (
        "from lib.words import word\n\n\ndef get_static_paths():\n"
        "    return [{'params': {'slug': f'p{n}'}, 'props': {'n': n}} for n in range(60)]\n\n\n"
        "def GET(ctx):\n    return f'<p>{word} {ctx.props[\"n\"]}'\n"
    ),
    **{
        f"src/pages/api/e{number}.py": (
            "import attrs\nimport markupsafe\nfrom lib.words import word\n\nprerender = False\n\n\n"
            f"def GET(ctx):\n    return {{'n': {number}}}\n"
        )
        for number in range(8)
    },
}
SLOW = """
import os, time
from pathlib import Path
from lib.words import word

def GET(ctx):
    try:
        Path('started').symlink_to(str(os.getppid()))
    except FileExistsError:
        return '<p>again'
    time.sleep(60)
"""
"""A page that tells which process renders it, and answers only where another did before."""


def tree(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def a_free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[int]]]:
    """Start a scheduler and two workers, each a process; return the URL and the workers."""
    port, run = a_free_port(), [sys.executable, "-W", "ignore", "-m"]
    url = f"tcp://127.0.0.1:{port}"
    scheduler = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port),
                 "--no-dashboard", "--no-show"]  # fmt: skip
    worker = ["distributed.cli.dask_worker", url, "--no-nanny", "--no-dashboard", "--nthreads",
              "1", "--local-directory", str(tmp_path / "dask")]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        processes = [
            subprocess.Popen([*run, *command], stdout=log, stderr=log, cwd=tmp_path)
            for command in (scheduler, worker, worker)
        ]
    try:
        yield url.replace("tcp", "dask"), [process.pid for process in processes[1:]]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def waiting_for_workers(url: str, count: int) -> None:
    from distributed import Client  # noqa: PLC0415

    with Client(url.replace("dask", "tcp"), timeout=60, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.fixture
def site(write_site: Callable[..., Path]) -> Path:
    return write_site(SITE, pyproject=PYPROJECT)


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    """Give processes that have nothing of this one."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


P = ParamSpec("P")
T = TypeVar("T")


class Noting(Executor):
    """Hands on what is submitted, and notes which functions those are."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.seen: set[str] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        self.seen.add(getattr(fn, "func", fn).__name__)
        return self._executor.submit(fn, *args, **kwargs)


def test_a_build_by_other_processes_leaves_the_same(
    site: Path, tmp_path: Path, processes: Executor
) -> None:
    noting = Noting(processes)
    here = build(site, tmp_path / "here")
    away = build(
        site,
        tmp_path / "away",
        cache_folder=tmp_path / "cache-away",
        elsewhere=Elsewhere(executor=noting, slots=2),
    )
    assert noting.seen == {"sources_of_batch", "made", "rendered"}
    assert tree(tmp_path / "away") == same_with_paths(tree(tmp_path / "here"), "here", "away")
    assert len(here.functions) == len(away.functions) == 8


def same_with_paths(files: dict[str, bytes], one: str, other: str) -> dict[str, bytes]:
    """Return files with the folder of a build in routelet.json replaced by that of another."""
    files["routelet.json"] = files["routelet.json"].replace(
        f"/{one}/".encode(), f"/{other}/".encode()
    )
    return files


@pytest.mark.counterpart
def test_a_cluster_of_which_a_worker_is_killed_on_the_way_leaves_the_same(
    site: Path, tmp_path: Path, cluster: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, workers = cluster
    (site / "src/pages/slow.py").write_text(SLOW)
    waiting_for_workers(url, 2)
    killed: list[int] = []

    def kill_one() -> None:
        while not (site / "started").is_symlink():
            time.sleep(0.02)
        lane = int((site / "started").readlink().name)
        [worker] = [one for one in workers if is_below(lane, one)]
        os.kill(worker, signal.SIGKILL)
        killed.append(worker)

    killer = Thread(target=kill_one, daemon=True)
    killer.start()
    monkeypatch.setenv("ROUTELET_CACHE", str(tmp_path / "cache-away"))
    command = ["build", "--root", str(site), "--out-dir", str(tmp_path / "away"), "--executor", url]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    killer.join()
    assert len(killed) == 1
    assert (tmp_path / "away/client/slow/index.html").read_bytes() == b"<p>again"
    build(site, tmp_path / "here")
    assert tree(tmp_path / "away") == same_with_paths(tree(tmp_path / "here"), "here", "away")


def is_below(process: int, other: int) -> bool:
    """Tell whether a process is a descendant of another, or it."""
    while process > 1 and process != other:
        status = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2]
        process = int(status.split()[1])
    return process == other


def test_a_page_that_fails_elsewhere_is_told_as_it_is_here(
    site: Path, tmp_path: Path, processes: Executor
) -> None:
    (site / "src/pages/posts/[slug].py").write_text(
        "def get_static_paths():\n    return [{'params': {'slug': 'a'}}]\n\n\n"
        "def GET(ctx):\n    print('hello')\n    return {}['nothing']\n"
    )
    told = []
    for elsewhere in (None, Elsewhere(executor=processes, slots=2)):
        with pytest.raises(RouteletError, match="KeyError: 'nothing'") as caught:
            build(site, tmp_path / "out", elsewhere=elsewhere)
        told.append((caught.value.what, caught.value.where, caught.value.mend))
    assert told[0] == told[1]


def test_a_source_that_is_faulty_is_told_as_it_is_here(
    site: Path, tmp_path: Path, processes: Executor
) -> None:
    (site / "src/lib/words.py").write_text("word = (\n")
    (site / "src/lib/other.py").write_bytes(b"\xff")
    told = []
    for elsewhere in (None, Elsewhere(executor=processes, slots=2)):
        with pytest.raises(RouteletError, match="was never closed") as caught:
            build(site, tmp_path / "out", elsewhere=elsewhere)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_a_machine_that_would_make_other_bytes_refuses() -> None:
    target = Target(python=HOST, architecture="x86_64", glibc="2_17")
    with pytest.raises(RouteletError, match=f"Python {HOST}"):
        made([], target, ("deflate by another", f"{HOST}.0"))
    assert made([], replace(target, bytecode=False), members_made_with()) == []


def members_made_with() -> tuple[str, str]:
    from routelet_bundler.pack.archive import COMPRESSOR  # noqa: PLC0415

    return COMPRESSOR, ""


def test_a_machine_that_lacks_a_folder_of_the_site_says_which(tmp_path: Path) -> None:
    with pytest.raises(RouteletError, match=r"lacks .*elsewhere, which pages") as caught:
        rendered(Path(sys.executable), {"path": ["/", tmp_path / "elsewhere"]}, [], tmp_path)
    assert "same paths" in caught.value.mend


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:1", "dask://", "127.0.0.1:8786"])
def test_another_kind_of_executor_is_refused(site: Path, url: str) -> None:
    result = CliRunner().invoke(main, ["build", "--root", str(site), "--executor", url])
    assert result.exit_code == 2
    assert "dask://HOST:PORT" in result.output


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routelet_bundler.elsewhere._PATIENCE_S", 0.2)
    port = a_free_port()
    with (
        pytest.raises(RouteletError, match="no scheduler of Dask answers"),
        elsewhere_at(f"dask://127.0.0.1:{port}"),
    ):
        pytest.fail("it answered")
