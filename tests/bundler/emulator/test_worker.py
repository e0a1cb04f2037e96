"""Functions in processes of their own, under the real awslambdaric."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.emulator.sandbox import FunctionSpec, environment_of
from routelet_bundler.emulator.worker import MAX_EVENT_BYTES, InvocationResult, Worker
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST

OTHER = next((m for m in ("3.13", "3.12", "3.10") if m != HOST and find_interpreter(m)), None)

ECHO = """
import os
calls = []
def handler(event, context):
    calls.append(event)
    return {"event": event, "calls": len(calls), "pid": os.getpid()}
"""


class Running:
    """A worker and its log."""

    def __init__(self, spec: FunctionSpec, *, init_limit_s: float) -> None:
        self.log: list[str] = []
        self.worker = Worker(spec, self.log.append, init_limit_s=init_limit_s)

    def __call__(self, event: object = None) -> Any:
        result = self.result(event)
        assert not result.function_error, result.payload
        return json.loads(result.payload)

    def error(self, event: object = None) -> dict[str, Any]:
        result = self.result(event)
        assert result.function_error
        error: dict[str, Any] = json.loads(result.payload)
        return error

    def result(self, event: object = None) -> InvocationResult:
        return self.worker.invoke(json.dumps(event).encode())


@pytest.fixture
def run(make_spec: Callable[..., FunctionSpec]) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(source: str, init_limit_s: float = 10, **changes: Any) -> Running:
        running = Running(make_spec(source, **changes), init_limit_s=init_limit_s)
        started.append(running)
        return running

    yield start
    for running in started:
        running.worker.close()


Run = Callable[..., Running]


def test_a_process_is_kept_warm(run: Run) -> None:
    it = run(ECHO)
    first, second = it.result({"n": 1}), it.result({"n": 2})
    assert first.init_ms is not None
    assert second.init_ms is None
    one, two = json.loads(first.payload), json.loads(second.payload)
    assert (one["calls"], two["calls"]) == (1, 2)
    assert one["pid"] == two["pid"]
    assert two["event"] == {"n": 2}


def test_the_log_has_lambdas_lines_around_the_functions_own(run: Run) -> None:
    it = run("print('init')\ndef handler(event, context): print('one'); print('two', end='')")
    it()
    it()
    lines = [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", line) for line in it.log]
    cold, warm = lines[5], lines[10]
    assert lines == [
        "init", "START RequestId: ID Version: $LATEST", "one", "two", "END RequestId: ID", cold,
        "START RequestId: ID Version: $LATEST", "one", "two", "END RequestId: ID", warm,
    ]  # fmt: skip
    report = (
        r"REPORT RequestId: ID\tDuration: [\d.]+ ms\tBilled Duration: (\d+) ms"
        r"\tMemory Size: 128 MB\tMax Memory Used: (\d+) MB"
    )
    init = re.fullmatch(report + r"\tInit Duration: ([\d.]+) ms", cold)
    assert init
    assert int(init[1]) > float(init[3])
    assert 5 < int(init[2]) < 100
    assert re.fullmatch(report, warm)


def test_a_function_sees_lambdas_environment_and_nothing_of_this_machine(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    source = """
import os, sys
def handler(event, context):
    return {"env": dict(os.environ), "path": sys.path, "cwd": os.getcwd(), "exit": callable(exit),
            "context": [context.function_name, context.memory_limit_in_mb,
                        context.invoked_function_arn, context.get_remaining_time_in_millis()]}
"""
    changes = {"environment": {"TABLE": "posts", "TZ": "Europe/Berlin", "AWS_REGION": "no"}}
    it = run(source, timeout_s=3, **changes)
    seen = it()
    environment = seen["env"]
    assert "HOME" not in environment
    assert "PYTHONSAFEPATH" not in environment
    assert environment["LAMBDA_TASK_ROOT"] == environment["PWD"] == seen["cwd"] == str(tmp_path)
    assert environment["AWS_EXECUTION_ENV"] == f"AWS_Lambda_python{HOST}"
    assert environment["_HANDLER"] == "entry.handler"
    assert (environment["TABLE"], environment["TZ"]) == ("posts", "Europe/Berlin")
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert seen["path"][0] == str(tmp_path)
    assert not [folder for folder in seen["path"][2:] if "site-packages" in folder]
    assert seen["exit"] is True
    *facts, remaining_ms = seen["context"]
    assert facts == ["it", "128", "arn:aws:lambda:us-east-1:000000000000:function:it"]
    assert 2_000 < remaining_ms <= 3_000


def test_only_newer_runtimes_set_the_locale_of_characters(
    make_spec: Callable[..., FunctionSpec],
) -> None:
    new, old = make_spec("", runtime="python3.12"), make_spec("", runtime="python3.11")
    assert environment_of(new, "127.0.0.1:1")["LC_CTYPE"] == "C.UTF-8"
    assert "LC_CTYPE" not in environment_of(old, "127.0.0.1:1")


def test_packages_of_the_runtime_are_there_and_those_of_the_build_are_not(run: Run) -> None:
    source = """
import importlib.util
def handler(event, context):
    return [importlib.util.find_spec(name) is not None for name in event]
"""
    names = ["boto3", "awslambdaric", "json", "pytest", "routelet", "routelet_bundler"]
    assert run(source)(names) == [True, True, True, False, False, False]


def test_an_exception_is_an_error_and_the_process_lives_on(run: Run) -> None:
    it = run("def handler(event, context):\n  if event: raise ValueError('no ' + event)")
    error = it.error("way")
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no way")
    assert any("[ERROR] ValueError: no way" in line for line in it.log)
    assert it.result().init_ms is None


def test_an_argument_that_json_cannot_say_is_an_error(run: Run) -> None:
    error = run("def handler(event, context): return {1}").error()
    assert error["errorType"] == "Runtime.MarshalError"


def test_a_timeout_kills_the_process_and_the_next_request_starts_another(run: Run) -> None:
    source = """
import os, subprocess, time
def handler(event, context):
    if event == "sleep":
        child = subprocess.Popen(["sleep", "60"])
        print("child", child.pid)
        time.sleep(60)
    return os.getpid()
"""
    it = run(source, timeout_s=1)
    before = it()
    result = it.result("sleep")
    assert 1_000 <= result.duration_ms < 1_500
    error = json.loads(result.payload)
    assert error["errorType"] == "Sandbox.Timedout"
    assert re.fullmatch(
        r"RequestId: \S{36} Error: Task timed out after 1.00 seconds", error["errorMessage"]
    )
    assert re.fullmatch(r"\S+Z \S{36} Task timed out after 1.00 seconds", it.log[-3])
    assert it.log[-1].endswith("\tStatus: timeout")
    child = next(int(line.split()[1]) for line in it.log if line.startswith("child"))
    assert not _runs(child)
    assert it() != before


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("sys.exit()", "Runtime exited without providing a reason"),
        ("sys.exit(7)", "Runtime exited with error: exit status 7"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_an_end_of_the_process_is_an_error_and_the_next_request_starts_another(
    run: Run, code: str, says: str
) -> None:
    it = run(f"import os, sys\ndef handler(event, context):\n  if event: {code}\n  return 'ok'")
    error = it.error("now")
    assert error["errorType"] == "Runtime.ExitError"
    assert re.fullmatch(rf"RequestId: \S{{36}} Error: {says}", error["errorMessage"])
    assert it.log[-1].endswith("\tStatus: error\tError Type: Runtime.ExitError")
    again = it.result()
    assert (again.payload, again.init_ms is None) == (b'"ok"', False)


def test_a_process_that_died_while_idle_is_replaced(run: Run) -> None:
    it = run(ECHO)
    pid = it()["pid"]
    os.kill(pid, 9)
    while _runs(pid):
        time.sleep(0.01)
    assert it()["pid"] != pid


@pytest.mark.parametrize(
    ("source", "kind", "says"),
    [
        ("import nowhere", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'entry'"),
        ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'entry'"),
        ("1 / 0", "ZeroDivisionError", "division by zero"),
    ],
)
def test_a_failed_init_is_the_first_requests_error(
    run: Run, source: str, kind: str, says: str
) -> None:
    it = run(source)
    for _ in range(2):
        error = it.error()
        assert error["errorType"] == kind
        assert says in error["errorMessage"]
    assert it.log[-1].endswith(f"\tStatus: error\tError Type: {kind}")


def test_an_end_during_init_is_an_error(run: Run) -> None:
    error = run("import sys; sys.exit(3)").error()
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("exit status 3")


def test_an_init_over_its_limit_is_done_again_within_the_time_of_the_request(run: Run) -> None:
    source = "import time\ntime.sleep(0.6)\ndef handler(event, context): return 'late'"
    it = run(source, init_limit_s=0.3)
    result = it.result()
    assert result.payload == b'"late"'
    assert result.duration_ms > 500
    assert it.log[0].endswith("\tPhase: init\tStatus: timeout")


def test_a_response_over_6_MiB_is_an_error_and_ends_the_process(run: Run) -> None:
    it = run("import os\ndef handler(event, context): return 'x' * event or os.getpid()")
    pid = it(0)
    error = it.error(6_291_556)
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert len(it(6_291_554)) == 6_291_554
    assert it(0) != pid


def test_an_event_over_6_MiB_is_refused_before_the_function_runs(run: Run) -> None:
    it = run(ECHO)
    with pytest.raises(RouteletError, match="over Lambda's 6291456"):
        it.result("x" * MAX_EVENT_BYTES)
    assert it.log == []


def test_requests_of_one_function_wait_for_each_other(run: Run) -> None:
    it = run("import time\ndef handler(event, context):\n  print('in')\n  time.sleep(0.1)")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(it.result, range(3)))
    kinds = [line.split()[0] for line in it.log]
    assert kinds == ["START", "in", "END", "REPORT"] * 3


def test_a_close_ends_the_process_and_the_request_in_it(run: Run) -> None:
    it = run(
        "import os, time\ndef handler(event, context):\n  print(os.getpid())\n  time.sleep(60)"
    )
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(it.error)
        while "START" not in " ".join(it.log) or not it.log[-1].isdecimal():
            time.sleep(0.01)
        it.worker.close()
        assert pending.result()["errorType"] == "Runtime.ExitError"
    assert not _runs(int(it.log[1]))
    with pytest.raises(RouteletError, match="has ended"):
        it.result()


@pytest.mark.skipif(OTHER is None, reason="only one Python that Lambda has is here")
def test_a_function_of_another_python_runs_in_that_one(run: Run) -> None:
    it = run("import sys\ndef handler(e, c): return [*sys.version_info[:2], 'é', e]", python=OTHER)
    assert [it(n) for n in range(3)] == [
        [*map(int, str(OTHER).split(".")), "é", n] for n in range(3)
    ]


def _runs(pid: int) -> bool:
    """Tell whether a process is there and not only waits to be collected."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
