"""One function: its process is started by the first request, kept warm, and replaced when it died.

An invocation goes in, a result comes out, with Lambda's rules for time-outs, ends of processes and
failed inits, and Lambda's log lines. Requests wait for each other: one process, one at a time.
"""

import json
import math
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from routelet_bundler.emulator.runtime_api import Answered, InitFailed, Invocation, Ready
from routelet_bundler.emulator.sandbox import Event, Exited, FunctionSpec, Log, Sandbox
from routelet_bundler.errors import RouteletError

MAX_EVENT_BYTES: Final = 6_291_456
"""The largest event of a synchronous invocation.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

INIT_LIMIT_S: Final = 10.0
"""After it Lambda starts init again, within the first invocation and its time-out.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationResult:
    """What an invoker gets: the function's JSON, or Lambda's for an error."""

    payload: bytes
    function_error: bool
    duration_ms: float
    init_ms: float | None
    """How long the process took until it asked for work; None where it was warm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    payload: bytes
    failed: bool = False
    status: str = ""
    """How the report says that the process is lost; empty where it lives on."""


class Worker:
    """Runs a function from the first `invoke` until `close`.

    `lacks` is told what it looks for and its zip has not: how, and a path or a module.
    """

    def __init__(
        self,
        function: FunctionSpec,
        log: Log,
        *,
        init_limit_s: float = INIT_LIMIT_S,
        lacks: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._function = function
        self._log = log
        self._lacks = lacks
        self._init_limit_s = init_limit_s
        self._sandbox: Sandbox | None = None
        self._is_closed = False
        self._turn = threading.Lock()
        self._starting = threading.Lock()

    def invoke(self, payload: bytes, *, trace_id: str | None = None) -> InvocationResult:
        """Run the function with the JSON of an event; wait for those that came before."""
        if len(payload) > MAX_EVENT_BYTES:
            raise RouteletError(
                f"an event of {len(payload)} bytes is over Lambda's {MAX_EVENT_BYTES}",
                where=f"function {self._function.name}",
                mend="send less, or hand large data over in S3",
            )
        with self._turn:
            return self._invoke(payload, trace_id or new_trace_id(time.time()))

    def close(self) -> None:
        """End the process; an invocation that runs in it ends with an error."""
        with self._starting:
            self._is_closed = True
        if self._sandbox is not None:
            self._sandbox.kill()

    def _invoke(self, payload: bytes, trace_id: str) -> InvocationResult:
        sandbox, init_ms, event = self._initialised()
        invocation = Invocation(
            request_id=str(uuid4()),
            payload=payload,
            deadline_ms=int((time.time() + self._function.timeout_s) * 1000),
            function_arn=self._function.arn,
            trace_id=trace_id,
        )
        self._log(f"START RequestId: {invocation.request_id} Version: $LATEST")
        begun = time.monotonic()
        if event is None or isinstance(event, Ready):
            event = self._run(sandbox, invocation, begun + self._function.timeout_s)
        duration_ms = (time.monotonic() - begun) * 1000
        outcome = _outcome_of(event, invocation.request_id, self._function.timeout_s)
        result = InvocationResult(
            payload=outcome.payload,
            function_error=outcome.failed,
            duration_ms=duration_ms,
            init_ms=init_ms,
        )
        peak_memory_mb = sandbox.peak_memory_mb()
        for missing in sandbox.missing():
            self._lacks(*missing)
        if outcome.status:
            sandbox.kill()
        sandbox.flush_log()
        if event is None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            message = _timeout_message(self._function.timeout_s)
            self._log(f"{now} {invocation.request_id} {message}")
        self._log(f"END RequestId: {invocation.request_id}")
        memory = (self._function.memory_mb, peak_memory_mb)
        self._log(_report_line(invocation.request_id, result, memory, outcome.status))
        return result

    def _initialised(self) -> tuple[Sandbox, float | None, Event | None]:
        """Return the process, how long its init took, and what that ended with.

        A warm one has no init time. None for the event: init goes on within the invocation.
        """
        if self._sandbox is not None and self._sandbox.is_alive:
            return self._sandbox, None, Ready()
        begun = time.monotonic()
        sandbox = self._start()
        event = sandbox.next_event(self._init_limit_s)
        init_ms = (time.monotonic() - begun) * 1000
        sandbox.flush_log()
        sandbox.peak_memory_mb()  # should the process end in this invocation, it is known
        if event is not None:
            return sandbox, init_ms, event
        self._log(f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: init\tStatus: timeout")
        return self._start(), None, None

    def _start(self) -> Sandbox:
        with self._starting:
            if self._is_closed:
                raise RouteletError("the emulator has ended", where=self._function.name)
            if self._sandbox is not None:
                self._sandbox.kill()
            self._sandbox = Sandbox(self._function, self._log)
            return self._sandbox

    def _run(self, sandbox: Sandbox, invocation: Invocation, until: float) -> Event | None:
        """Return what came of the invocation by the monotonic time `until`, or None."""
        sandbox.hand_over(invocation)
        event: Event | None = Ready()
        while isinstance(event, Ready):
            event = sandbox.next_event(until - time.monotonic())
        return event


def new_trace_id(now_s: float) -> str:
    """Return a trace header of a request that X-Ray does not sample; `now_s` is since 1970."""
    return f"Root=1-{int(now_s):08x}-{secrets.token_hex(12)}"


def _outcome_of(event: Event | None, request_id: str, timeout_s: float) -> _Outcome:
    match event:
        case Answered(payload, failed, process_ends):
            status = _error_status(payload) if process_ends else ""
            return _Outcome(payload=payload, failed=failed, status=status)
        case InitFailed(payload):
            return _Outcome(payload=payload, failed=True, status=_error_status(payload))
        case Exited():
            payload = _error(request_id, "Runtime.ExitError", str(event))
            return _Outcome(payload=payload, failed=True, status=_error_status(payload))
    payload = _error(request_id, "Sandbox.Timedout", _timeout_message(timeout_s))
    return _Outcome(payload=payload, failed=True, status="timeout")


def _timeout_message(timeout_s: float) -> str:
    return f"Task timed out after {timeout_s:.2f} seconds"


def _error(request_id: str, kind: str, message: str) -> bytes:
    text = f"RequestId: {request_id} Error: {message}"
    return json.dumps({"errorType": kind, "errorMessage": text}).encode()


def _error_status(payload: bytes) -> str:
    return f"error\tError Type: {json.loads(payload).get('errorType', 'Runtime.Unknown')}"


def _report_line(
    request_id: str, result: InvocationResult, memory: tuple[int, int], status: str
) -> str:
    """Return Lambda's REPORT line; init is billed since August 2025."""
    init_ms = result.init_ms
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {result.duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(result.duration_ms + (init_ms or 0))} ms",
        f"Memory Size: {memory[0]} MB",
        f"Max Memory Used: {memory[1]} MB",
        *([] if init_ms is None else [f"Init Duration: {init_ms:.2f} ms"]),
        *([f"Status: {status}"] if status else []),
    ]
    return "\t".join(fields)
