"""How an emulator begins and ends, and what it says when it cannot begin."""

import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.emulator import Emulator
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import HOST_ARCHITECTURE

WHERE = "import os\ndef handler(event, context): return [os.getpid(), os.getcwd()]"
FOREIGN = "arm64" if HOST_ARCHITECTURE == "x86_64" else "x86_64"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _leave_with_an_error(emulator: Emulator, seen: list[Any]) -> None:
    with emulator:
        seen += emulator.get("/").json()
        assert _exists(seen[0])
        assert (Path(seen[1]) / "entry.py").is_file()
        raise KeyError


def test_all_processes_and_files_are_gone_afterwards(dist: Any) -> None:
    dist.function("where", WHERE)
    dist.route("/", "where")
    threads = threading.active_count()
    emulator = Emulator(dist.write())
    seen: list[Any] = []
    with pytest.raises(KeyError):
        _leave_with_an_error(emulator, seen)
    pid, folder = seen
    assert not _exists(pid)
    assert not Path(folder).exists()
    with pytest.raises(ConnectionRefusedError):
        emulator.get("/")
    with pytest.raises(RouteletError, match="not running"):
        emulator.invoke("where", {})
    for thread in threading.enumerate():
        if thread.daemon:
            thread.join(timeout=5)
    assert threading.active_count() == threads


def test_a_function_starts_with_its_first_request(dist: Any) -> None:
    dist.function("where", WHERE)
    dist.function("broken", "1 / 0")
    dist.route("/", "where")
    dist.route("/broken", "broken")
    log: list[str] = []
    with Emulator(dist.write(), log=log.append) as emulator:
        assert log == []
        emulator.get("/")
        emulator.get("/")
        assert emulator.get("/broken").status == 500
    assert sum("Init Duration" in line for line in log if line.startswith("where: REPORT")) == 1
    assert any(line.startswith("broken: [ERROR] ZeroDivisionError") for line in log)


def test_the_log_goes_to_stderr_unless_told_otherwise(
    dist: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    dist.function("where", WHERE)
    with Emulator(dist.write()) as emulator:
        emulator.invoke("where", {})
    assert "where: START RequestId: " in capsys.readouterr().err


def test_an_environment_of_the_function_is_set(dist: Any) -> None:
    source = "import os\ndef handler(event, context): return os.environ['TABLE']"
    dist.function("it", source, environment={"TABLE": "posts"})
    with Emulator(dist.write()) as emulator:
        assert emulator.invoke("it", {}).payload == b'"posts"'


def test_files_keep_their_modes(dist: Any) -> None:
    dist.function("it", "import os\ndef handler(e, c): return oct(os.stat('entry.py').st_mode)")
    with Emulator(dist.write()) as emulator:
        assert emulator.invoke("it", {}).payload == b'"0o100600"'  # what writestr gives


def test_an_unknown_function_is_an_error_with_the_nearest_name(dist: Any) -> None:
    dist.function("search", WHERE)
    with Emulator(dist.write()) as emulator, pytest.raises(RouteletError) as caught:
        emulator.invoke("serach", {})
    assert caught.value.mend == 'did you mean "search"?'


def test_a_folder_without_a_build_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RouteletError) as caught, Emulator(tmp_path):
        pass
    assert caught.value.where == str(tmp_path / "routelet.json")
    assert "routelet build" in caught.value.mend


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"architecture": FOREIGN}, f"it is built for {FOREIGN} and this machine is"),
        ({"runtime": "python3.99"}, "it is built for python3.99 and there is no Python 3.99 here"),
        ({"zip": "functions/lost.zip"}, "its zip is missing"),
    ],
)
def test_a_function_that_cannot_run_here_is_an_error(
    dist: Any, changes: dict[str, Any], what: str
) -> None:
    dist.function("fine", WHERE)
    dist.function("not_here", WHERE, **changes)
    dist.function("nor_this", WHERE, **changes)
    with pytest.raises(RouteletError) as caught, Emulator(dist.write()):
        pass
    assert what in caught.value.what
    assert len(caught.value.others) == 1


def test_a_port_that_is_taken_is_an_error(dist: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(RouteletError, match=f"port {port} cannot be had"),
            Emulator(dist.write(), port=port),
        ):
            pass


def test_a_port_can_be_chosen_again_at_once(make_dist: Callable[..., Any]) -> None:
    dist = make_dist()
    dist.file("a.txt", "a")
    with Emulator(dist.write()) as first:
        port = int(first.url.rpartition(":")[2])
        assert first.get("/a.txt").text == "a"
    with Emulator(dist.path, port=port) as second:
        assert second.get("/a.txt").text == "a"


def test_a_request_that_runs_at_the_end_is_dropped_with_its_process(dist: Any) -> None:
    source = "import os, time\ndef handler(e, c):\n  print(os.getpid())\n  time.sleep(60)"
    dist.function("slow", source, timeout=60)
    dist.route("/slow", "slow")
    log: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        with Emulator(dist.write(), log=log.append) as emulator:
            pending = pool.submit(emulator.get, "/slow")
            while not log or not log[-1].removeprefix("slow: ").isdecimal():
                time.sleep(0.01)
            pid = int(log[-1].removeprefix("slow: "))
        assert isinstance(pending.exception(), ConnectionError)
    assert not _exists(pid)
