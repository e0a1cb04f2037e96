"""Lanes: processes in the site's own environment, each of which renders one page at a time."""

import json
import os
import pickle
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from routelet_bundler.errors import RouteletError

_MAX_SAID = 2_000
_WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Running lanes, and what the first of the processes said of the routes' URLs."""

    answer: Mapping[str, Any]
    _sockets: Sequence[socket.socket]
    _log: IO[bytes]

    @property
    def count(self) -> int:
        """How many lanes may be asked at the same time."""
        return min(len(self._sockets), int(self.answer.get("lanes", 1)))

    def said(self) -> str:
        """Return what pages printed so far, for people; nothing where they did not."""
        self._log.seek(0)
        text = self._log.read().decode(errors="replace").rstrip()[-_MAX_SAID:]
        return f"\nwhat pages printed:\n{text}" if text else ""

    def ask(self, lane: int, tasks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Have a lane render pages, and return its answer; raises `RouteletError` if it ends."""
        connection = self._sockets[lane]
        try:
            connection.sendall(pickle.dumps(list(tasks)))
            return _line(connection.makefile("rb"))
        except (BrokenPipeError, ConnectionResetError, EOFError):
            first, last = tasks[0]["url"], tasks[-1]["url"]
            raise _stopped(self._log, f" between {first} and {last}") from None


@contextmanager
def lanes(interpreter: Path, job: Mapping[str, Any], count: int, *, cwd: Path) -> Iterator[Lanes]:
    """Give `count` lanes that work on `job`; `worker.py` says what that holds.

    Hashes are the same each time, so that what a page makes of a set is too.
    """
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "HOME": str(Path.home()),
        "PYTHONHASHSEED": "0",
    }
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile())
        pairs = [socket.socketpair() for _ in range(count)]
        for pair in pairs:
            for end in pair:
                stack.callback(end.close)
        theirs = [end.fileno() for _, end in pairs]
        process = subprocess.Popen(
            [str(interpreter), "-s", "-S", "-B", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=theirs,
            env=environment,
            cwd=cwd,
        )
        stack.callback(_end, process, [ours for ours, _ in pairs])
        for _, end in pairs:
            end.close()
        assert process.stdin and process.stdout  # noqa: S101, PT018 - both are pipes
        try:
            pickle.dump({**job, "lanes": theirs}, process.stdin)
            process.stdin.close()
            answer = _line(process.stdout)
        except (BrokenPipeError, EOFError):
            process.wait()
            raise _stopped(log) from None
        yield Lanes(answer=answer, _sockets=[ours for ours, _ in pairs], _log=log)


def _end(process: "subprocess.Popen[bytes]", sockets: Sequence[socket.socket]) -> None:
    """Let the lanes come to their end, which they do when nothing can be asked any more."""
    for connection in sockets:
        connection.close()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    process.wait()


def _line(file: IO[bytes]) -> Mapping[str, Any]:
    line = file.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    answer: Mapping[str, Any] = json.loads(line)
    return answer


def _stopped(log: IO[bytes], where: str = "") -> RouteletError:
    log.seek(0)
    said = log.read().decode(errors="replace").strip() or "its process ended without a word"
    return RouteletError(f"prerendering stopped{where}: {said}")
