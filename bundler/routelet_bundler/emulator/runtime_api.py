"""The Lambda Runtime API of one execution environment.

A function's process asks `/next` for work and posts what came of it; `report` is told of each.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

from routelet_bundler.emulator.serving import HOST, HttpAnswer, HttpRequest, Server

MAX_RESPONSE_BYTES: Final = 6_291_556
"""6 MiB and 100 bytes: what Lambda says in the error of a larger response."""

_PREFIX: Final = "/2018-06-01/runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """Work for a function."""

    request_id: str
    payload: bytes
    deadline_ms: int
    """When the time-out is due, in milliseconds since 1970."""
    function_arn: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The process asked for work for the first time: its init is over."""


@dataclass(frozen=True, slots=True)
class InitFailed:
    """The handler could not be imported; `payload` is the runtime client's error."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The handler returned or raised. After a response that is too large the process ends."""

    payload: bytes
    failed: bool = False
    process_ends: bool = False


Report = Ready | InitFailed | Answered


class RuntimeApi:
    """Serves one process from now until `stop`."""

    def __init__(self, report: Callable[[Report], None]) -> None:
        self._report = report
        self._work: SimpleQueue[Invocation | None] = SimpleQueue()
        self._running: str | None = None
        self._is_ready = False
        self._server = Server(self._answer, max_body_bytes=MAX_RESPONSE_BYTES)
        self.address = f"{HOST}:{self._server.port}"
        """What AWS_LAMBDA_RUNTIME_API says."""
        self._server.start()

    def hand_over(self, invocation: Invocation) -> None:
        """Give the process work; it is to have none already."""
        self._work.put(invocation)

    def stop(self) -> None:
        """End the wait for work, and all connections."""
        self._work.put(None)
        self._server.stop()

    def _answer(self, request: HttpRequest) -> HttpAnswer | None:
        match request.method, request.target.removeprefix(_PREFIX).split("/")[1:]:
            case "GET", ["invocation", "next"]:
                return self._next()
            case "POST", ["invocation", request_id, ("response" | "error") as kind]:
                return self._answered(request, request_id, failed=kind == "error")
            case "POST", ["init", "error"]:
                return self._init_failed(request)
        return _error(404, "NotFound", f"{request.method} {request.target} is not served")

    def _next(self) -> HttpAnswer | None:
        if self._running is not None:
            return _error(403, "InvalidStateTransition", "an invocation is still running")
        if not self._is_ready:
            self._is_ready = True
            self._report(Ready())
        invocation = self._work.get()
        if invocation is None:
            self._work.put(None)  # for whoever else waits
            return None
        self._running = invocation.request_id
        headers = (
            # awslambdaric crashes without a type and hands raw bytes to the handler with any
            # other, even one that adds a charset.
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", invocation.function_arn),
            ("Lambda-Runtime-Trace-Id", invocation.trace_id),
        )
        return HttpAnswer(status=200, headers=headers, body=invocation.payload)

    def _answered(self, request: HttpRequest, request_id: str, *, failed: bool) -> HttpAnswer:
        if request_id != self._running:
            return _error(400, "InvalidRequestID", "Invalid request ID")
        self._running = None
        if request.body is None:
            self._report(Answered(_response_too_large(), failed=True, process_ends=True))
            return _error(
                413,
                "RequestEntityTooLarge",
                f"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).",
            )
        self._report(Answered(request.body, failed=failed))
        return _json(202, {"status": "OK"})

    def _init_failed(self, request: HttpRequest) -> HttpAnswer:
        if self._is_ready:
            return _error(403, "InvalidStateTransition", "init is over")
        self._is_ready = True
        self._report(InitFailed(request.body or b"{}"))
        return _json(202, {"status": "OK"})


def _response_too_large() -> bytes:
    """Return the error that an invoker of the function gets."""
    message = (
        f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    )
    return json.dumps(
        {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
    ).encode()


def _error(status: int, kind: str, message: str) -> HttpAnswer:
    return _json(status, {"errorMessage": message, "errorType": kind})


def _json(status: int, value: dict[str, str]) -> HttpAnswer:
    headers = (("Content-Type", "application/json"),)
    return HttpAnswer(status=status, headers=headers, body=json.dumps(value).encode())
