"""One process of a function under the real awslambdaric, with Lambda's environment.

Only the function's own files, the packages of Lambda's runtime and the standard library can be
imported in it. What it writes goes to `log`, what happens to it comes out of `next_event`.
"""

import os
import re
import selectors
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from typing import IO, Final, cast

from routelet_bundler.emulator.runtime_api import Invocation, Report, RuntimeApi
from routelet_bundler.errors import RouteletError

Log = Callable[[str], None]

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"

# site is left out by -S, and with it `exit` and `quit`, which handlers on Lambda do have.
_BOOT: Final = """\
import sys
task_root, packages, handler, watch, site, sources, descriptor = sys.argv[1:]
with open(watch) as file:
    names = {}
    exec(compile(file.read(), watch, "exec"), names)
watch = names["Watch"](task_root, site, sources, int(descriptor))
sys.addaudithook(watch)
sys.meta_path.append(watch)
sys.path[:0] = [task_root, packages]
sys.argv = [packages + "/bootstrap.py"]
import site
site.setquit()
from awslambdaric.__main__ import main
main(["awslambdaric", handler])
"""

_RECORDER: Final = Path(__file__).with_name("recorder.py")
_WATCH: Final = Path(__file__).with_name("watch.py")

_PIPE_BYTES: Final = 1_048_576
"""More than a pipe holds on Linux unless a process asks for more, so one read empties it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A function, unpacked, and what it runs with on this machine."""

    name: str
    handler: str
    runtime: str
    """Lambda's name of the Python, such as `python3.12`."""
    memory_mb: int
    timeout_s: float
    python: Path
    task_root: Path
    packages: Path
    """Folder with awslambdaric and boto3, as /var/runtime."""
    environment: Mapping[str, str] = field(default_factory=dict)
    record: Path | None = None
    """Where to write what it opens of its own files."""
    site: Path | None = None
    """The site that it was built from, whose files it does not have where it is deployed."""
    sources: Path | None = None
    """The folder of the site that its modules are from."""

    @property
    def arn(self) -> str:
        """The function's name as AWS has it."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended; a negative code is a signal's number."""

    code: int

    def __str__(self) -> str:
        """Say it as Lambda does."""
        if self.code == 0:
            return "Runtime exited without providing a reason"
        how = f"exit status {self.code}"
        if self.code < 0:
            how = f"signal: {(signal.strsignal(-self.code) or str(-self.code)).lower()}"
        return f"Runtime exited with error: {how}"


Event = Report | Exited


def environment_of(function: FunctionSpec, runtime_api: str) -> dict[str, str]:
    """Return all the environment variables of a process; nothing of this machine's own.

    HOME is missing on Lambda too.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    root, packages = str(function.task_root), str(function.packages)
    log_stream = "2000/01/01/[$LATEST]00000000000000000000000000000000"
    overridable = {
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": f"{packages}/lib:{root}:{root}/lib",
        "PATH": f"{function.python.parent}:/usr/local/bin:/usr/bin:/bin",
        "PWD": root,
        "PYTHONPATH": packages,
        "SHLVL": "0",
        "TZ": ":UTC",
    }
    if function.runtime not in {"python3.10", "python3.11"}:
        overridable["LC_CTYPE"] = "C.UTF-8"
    reserved = {
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "AWS_SESSION_TOKEN": "emulator",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "LAMBDA_TASK_ROOT": root,
        "LAMBDA_RUNTIME_DIR": packages,
        "_HANDLER": function.handler,
    }
    return {**overridable, **function.environment, **reserved}


def _boot(function: FunctionSpec) -> str:
    if function.record is None:
        return _BOOT
    begin = f"begin({str(function.record)!r}, {str(function.task_root)!r})\n"
    return _RECORDER.read_text("utf-8") + begin + _BOOT


class Sandbox:
    """A process, from when this is made until `kill` or its own end."""

    def __init__(self, function: FunctionSpec, log: Log) -> None:
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._lock = threading.Lock()
        self._ending = threading.Lock()
        self._is_over = False
        self._peak_memory_mb = 0
        self._api = RuntimeApi(self._events.put)
        self._looked_for = TemporaryFile()  # noqa: SIM115 - closed by kill
        self._read_bytes = 0
        try:
            self._process = subprocess.Popen(
                [
                    str(function.python),
                    "-I",
                    "-S",
                    "-c",
                    _boot(function),
                    *self._arguments(function),
                ],
                env=environment_of(function, self._api.address),
                cwd=function.task_root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=[self._looked_for.fileno()],
                start_new_session=True,  # a process group, so that its children end with it
            )
        except OSError as error:
            self._api.stop()
            self._looked_for.close()
            raise RouteletError(
                f"the process does not start: {error}", where=f"function {function.name}"
            ) from error
        self._output = _Output(cast("IO[bytes]", self._process.stdout), log)
        self._watch = threading.Thread(target=self._wait, daemon=True)
        self._watch.start()

    def _arguments(self, function: FunctionSpec) -> list[str]:
        root, packages = str(function.task_root), str(function.packages)
        folders = (str(one.resolve()) if one else "" for one in (function.site, function.sources))
        descriptor = str(self._looked_for.fileno())
        return [root, packages, function.handler, str(_WATCH), *folders, descriptor]

    def missing(self) -> list[tuple[str, str]]:
        """Return what was looked for in vain since the last time: how, and a path or module."""
        if self._looked_for.closed:
            return []
        size = os.fstat(self._looked_for.fileno()).st_size - self._read_bytes
        text = os.pread(self._looked_for.fileno(), size, self._read_bytes).decode()
        whole = text[: text.rfind("\n") + 1]
        self._read_bytes += len(whole.encode())
        return [(line.partition("\t")[0], line.partition("\t")[2]) for line in whole.splitlines()]

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        with self._lock:  # not poll(), which would free the id before the group is killed
            return self._process.returncode is None and not self._has_ended(os.WNOHANG)

    def hand_over(self, invocation: Invocation) -> None:
        """Give the process work."""
        self._api.hand_over(invocation)

    def next_event(self, timeout_s: float) -> Event | None:
        """Wait for what the process does next; None when it does nothing in time."""
        try:
            return self._events.get(timeout=max(timeout_s, 0))
        except Empty:
            return None

    def flush_log(self) -> None:
        """Log all that the process wrote so far."""
        self._output.flush()

    def peak_memory_mb(self) -> int:
        """Return the most memory that the process had, or what was last seen of a dead one."""
        with suppress(OSError):
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
            if found := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
                self._peak_memory_mb = -(-int(found[1]) // 1024)
        return self._peak_memory_mb

    def kill(self) -> None:
        """End the process and its children at once, as Lambda does, and all that serves them."""
        self._kill_group()
        with self._ending:
            if not self._is_over:
                self._watch.join()
                self._output.join()
                self._api.stop()
                self._looked_for.close()
                self._is_over = True

    def _kill_group(self) -> None:
        with self._lock:
            if self._process.returncode is None:  # its id is its own until it was waited for
                os.killpg(self._process.pid, signal.SIGKILL)

    def _wait(self) -> None:
        self._has_ended()
        self._kill_group()  # children that outlive it
        with self._lock:
            code = self._process.wait()
        self._events.put(Exited(code))

    def _has_ended(self, options: int = 0) -> bool:
        """Wait for the process, or look with WNOHANG; leave its id taken in both cases."""
        options |= os.WEXITED | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, options) is not None


class _Output:
    """Logs what a process writes, line by line."""

    def __init__(self, pipe: IO[bytes], log: Log) -> None:
        self._pipe = pipe
        self._log = log
        self._rest = b""
        self._lock = threading.Lock()
        os.set_blocking(pipe.fileno(), False)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def flush(self) -> None:
        """Log all that is in the pipe now, a line without an end too."""
        with self._lock:
            self._read()
            self._log_line(self._rest)
            self._rest = b""

    def join(self) -> None:
        """Wait until all is logged; not for a process that left the group and holds the pipe."""
        self._thread.join(timeout=1)
        self.flush()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            is_open = True
            while is_open:
                selector.select()
                with self._lock:
                    is_open = self._read()
        with self._lock:
            self._pipe.close()

    def _read(self) -> bool:
        """Log the lines that are there; return whether more can come."""
        if self._pipe.closed:
            return False
        try:
            piece = os.read(self._pipe.fileno(), _PIPE_BYTES)
        except BlockingIOError:  # the other thread was here first
            return True
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._log_line(line)
        return piece != b""

    def _log_line(self, line: bytes) -> None:
        if line:
            # awslambdaric ends the lines of an error with CR, so that it stays one log event.
            self._log(line.decode("utf-8", "replace").replace("\r", "\n"))
