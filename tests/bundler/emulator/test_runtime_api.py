"""The Runtime API, spoken to as a process does; awslambdaric itself is in test_worker."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from queue import SimpleQueue

import pytest

from routelet_bundler.emulator.runtime_api import (
    MAX_RESPONSE_BYTES,
    Answered,
    InitFailed,
    Invocation,
    Ready,
    Report,
    RuntimeApi,
)

WORK = Invocation(
    request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    payload=b'{"a": 1}',
    deadline_ms=1_542_409_706_888,
    function_arn="arn:aws:lambda:us-east-1:000000000000:function:it",
    trace_id="Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
)


class Process:
    """Calls the API on one connection that stays open."""

    def __init__(self) -> None:
        self.reports: SimpleQueue[Report] = SimpleQueue()
        self.api = RuntimeApi(self.reports.put)
        self.connection = HTTPConnection(self.api.address)
        self.headers: dict[str, str] = {}

    def call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, object]:
        self.connection.request(method, f"/2018-06-01/runtime/{path}", body)
        response = self.connection.getresponse()
        self.headers = dict(response.getheaders())
        return response.status, json.loads(response.read())

    def report(self) -> Report:
        return self.reports.get(timeout=5)


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    yield process
    process.connection.close()
    process.api.stop()


def test_next_gives_the_event_and_says_when_and_what_it_is(process: Process) -> None:
    process.api.hand_over(WORK)
    assert process.call("GET", "invocation/next") == (200, {"a": 1})
    del process.headers["date"]
    assert process.headers == {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": WORK.request_id,
        "Lambda-Runtime-Deadline-Ms": "1542409706888",
        "Lambda-Runtime-Invoked-Function-Arn": WORK.function_arn,
        "Lambda-Runtime-Trace-Id": WORK.trace_id,
        "content-length": "8",
    }
    assert process.report() == Ready()


@pytest.mark.parametrize(("kind", "failed"), [("response", False), ("error", True)])
def test_what_is_posted_is_reported(process: Process, kind: str, failed: bool) -> None:
    process.api.hand_over(WORK)
    process.call("GET", "invocation/next")
    path = f"invocation/{WORK.request_id}/{kind}"
    assert process.call("POST", path, b"[1]") == (202, {"status": "OK"})
    assert process.report() == Ready()
    assert process.report() == Answered(b"[1]", failed=failed)
    status, error = process.call("POST", path, b"again")
    assert (status, error) == (
        400, {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"},
    )  # fmt: skip


def test_a_response_may_have_6_MiB_and_100_bytes_and_no_more(process: Process) -> None:
    path = f"invocation/{WORK.request_id}/response"
    for size, status in ((MAX_RESPONSE_BYTES, 202), (MAX_RESPONSE_BYTES + 1, 413)):
        process.api.hand_over(WORK)
        process.call("GET", "invocation/next")
        assert process.call("POST", path, b"x" * size)[0] == status
    assert process.report() == Ready()
    whole, cut = process.report(), process.report()
    assert isinstance(whole, Answered)
    assert isinstance(cut, Answered)
    assert (len(whole.payload), whole.failed, whole.process_ends) == (6_291_556, False, False)
    assert (cut.failed, cut.process_ends) == (True, True)
    assert json.loads(cut.payload)["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_failed_init_is_reported_once_and_only_during_init(process: Process) -> None:
    assert process.call("POST", "init/error", b'{"errorType": "X"}') == (202, {"status": "OK"})
    assert process.report() == InitFailed(b'{"errorType": "X"}')
    assert process.call("POST", "init/error", b"{}")[0] == 403


def test_next_is_refused_while_an_invocation_runs(process: Process) -> None:
    process.api.hand_over(WORK)
    process.call("GET", "invocation/next")
    assert process.call("GET", "invocation/next")[0] == 403


def test_other_calls_are_not_found(process: Process) -> None:
    assert process.call("GET", "restore/next")[0] == 404
    assert process.call("PUT", "invocation/next", b"")[0] == 404


def test_stopping_ends_a_wait_for_work() -> None:
    process = Process()
    process.connection.request("GET", "/2018-06-01/runtime/invocation/next")
    assert process.report() == Ready()
    process.api.stop()
    with pytest.raises(ConnectionError):
        process.connection.getresponse()
    process.connection.close()
