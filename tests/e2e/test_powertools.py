"""`powertools = true`: the real aws-lambda-powertools in zips, under the real awslambdaric."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from routelet_bundler import Build, build
from routelet_bundler.emulator import Emulator
from routelet_bundler.errors import RouteletError

JSON = {"content-type": "application/json"}  # without a type the request counts as a form
POWERTOOLS = "aws-lambda-powertools>=3,<4"
TRACER = "aws-lambda-powertools[tracer]>=3,<4"

ORDERS = """
from aws_lambda_powertools import Logger

ours = Logger()

def GET(ctx):
    ctx.logger.info("asked")
    ours.info("asked too")
    ctx.metrics.add_metric("Orders", "Count", 2)
    return {"ok": True}

def PUT(ctx):
    ctx.logger.append_keys(customer="Ada")
    ctx.logger.info("kept")
    return {"ok": True}

def PATCH(ctx):
    ctx.metrics.add_metric("Orders", "Count", 1)
    ctx.metrics.add_metadata("basket", object())
    return {"ok": True}

async def POST(ctx):
    raise LookupError("no such order")
"""
TRACED = """
import asyncio

config = {
    "environment": {"POWERTOOLS_SERVICE_NAME": "till", "POWERTOOLS_METRICS_NAMESPACE": "Shop"}
}

def GET(ctx):
    @ctx.tracer.capture_method
    def counted():
        ctx.tracer.put_annotation("Counted", True)
        ctx.tracer.put_metadata("count", 3)
        return 3

    @ctx.tracer.capture_method
    async def waited():
        await asyncio.sleep(0)
        return 4

    ctx.logger.info("traced")
    ctx.metrics.add_metric("Traced", "Count", 1)
    return [counted(), asyncio.run(waited())]

def POST(ctx):
    raise LookupError("no such trace")
"""


GREETING = "def GET(ctx): ctx.logger.info('hello')"
PAGES = {"orders.py": ORDERS, "traced.py": TRACED, "grüße.py": GREETING}


def site(
    folder: Path, pages: Mapping[str, str], dependencies: list[str], options: str = ""
) -> Path:
    """Write a site, with Powertools on unless `options` say otherwise."""
    (folder / "src/pages").mkdir(parents=True)
    for name, text in pages.items():
        (folder / "src/pages" / name).write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "site"\nversion = "1"\ndependencies = {dependencies}'
        '\n[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
        "[tool.routelet.adapters.aws-lambda]\n"
        f"{options or 'powertools = true'}\n"
    )
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return build(site(tmp_path_factory.mktemp("shop"), PAGES, [POWERTOOLS]))


class Logged:
    """An emulator of new processes, and what they log as JSON."""

    def __init__(self, emulator: Emulator, log: list[str]) -> None:
        self.emulator = emulator
        self.log = log

    def entries(self, function: str) -> list[dict[str, Any]]:
        """Return the lines of JSON since the last time."""
        start = f"{function}: {{"
        lines = [line for line in self.log if line.startswith(start)]
        self.log.clear()
        return [json.loads(line.removeprefix(f"{function}: ")) for line in lines]

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        result = self.emulator.invoke(function, event)
        assert not result.function_error, result.payload
        answer: dict[str, Any] = json.loads(result.payload)
        return answer


@pytest.fixture
def logged(shop: Build) -> Iterator[Logged]:
    log: list[str] = []
    with Emulator(shop.out_dir, log=log.append) as emulator:
        yield Logged(emulator, log)


def http_event(path: str, method: str = "GET", **context: str) -> dict[str, Any]:
    return {
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": JSON,
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
                           "requestId": "Gate123=", "domainName": "shop.example",
                           "stage": "$default", **context},
        "isBase64Encoded": False,
    }  # fmt: skip


TRACE = "Root=1-5e1b4151-5ac6c58f5a3c8b2d4c5d6e7f"
V1 = {"httpMethod": "GET", "path": "/orders", "body": None, "isBase64Encoded": False}
BALANCER = {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/a/b"}}
SOURCES = {
    "http-api": (http_event("/orders"), "Gate123="),
    "function-url": (
        http_event("/orders", domainName="a.lambda-url.us-east-1.on.aws", requestId="url-7"),
        "url-7",
    ),
    "rest-api": (
        {**V1, "headers": {"X-Amzn-Trace-Id": TRACE}, "multiValueHeaders": {},
         "requestContext": {"requestId": "rest-7", "httpMethod": "GET", "stage": "live",
                            "path": "/live/orders", "identity": {"sourceIp": "192.0.2.1"}}},
        "rest-7",
    ),
    "alb": (
        {**V1, "headers": {"x-amzn-trace-id": TRACE, "x-forwarded-for": "192.0.2.1"},
         "requestContext": BALANCER},
        TRACE,
    ),
    "alb with lists of values": (
        {**V1, "multiValueHeaders": {"x-amzn-trace-id": [TRACE], "x-forwarded-for": ["192.0.2.1"]},
         "requestContext": BALANCER},
        TRACE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_a_log_line_has_what_the_event_source_calls_the_request(
    logged: Logged, source: str
) -> None:
    event, name = SOURCES[source]
    assert logged.invoke("orders", event)["statusCode"] == 200
    entries = [one for one in logged.entries("orders") if one.get("message") == "asked"]
    assert [one["correlation_id"] for one in entries] == [name]


def test_a_log_line_says_which_route_and_function_and_whether_it_is_cold(logged: Logged) -> None:
    assert [logged.emulator.get("/orders").status for _ in range(2)] == [200, 200]
    entries = [one for one in logged.entries("orders") if one.get("message") == "asked"]
    assert [one["cold_start"] for one in entries] == [True, False]
    assert {(one["service"], one["function_name"], one["level"]) for one in entries} == {
        ("/orders", "orders", "INFO")
    }
    assert len({one["function_request_id"] for one in entries}) == 2


def test_a_logger_of_the_page_is_the_same_and_has_the_correlation_id(logged: Logged) -> None:
    logged.invoke("orders", http_event("/orders"))
    entries = [one for one in logged.entries("orders") if "message" in one]
    assert [one["message"] for one in entries] == ["asked", "asked too"]
    assert {one["correlation_id"] for one in entries} == {"Gate123="}


def test_keys_of_one_request_are_not_logged_for_the_next(logged: Logged) -> None:
    logged.invoke("orders", http_event("/orders", "PUT"))
    assert logged.entries("orders")[0]["customer"] == "Ada"
    unnamed = http_event("/orders")
    del unnamed["requestContext"]["requestId"]
    logged.invoke("orders", unnamed)
    entry = logged.entries("orders")[0]
    assert not {"customer", "correlation_id"} & set(entry)


def test_metrics_are_written_after_each_request_and_the_cold_start_once(logged: Logged) -> None:
    def metrics() -> list[tuple[str, str, list[str], list[float]]]:
        return [
            (told["Namespace"], one["service"], told["Dimensions"][0], one[metric["Name"]])
            for one in logged.entries("orders")
            if "_aws" in one
            for told in one["_aws"]["CloudWatchMetrics"]
            for metric in told["Metrics"]
        ]

    logged.emulator.get("/orders")
    assert metrics() == [
        ("routelet", "/orders", ["service"], [2.0]),
        ("routelet", "/orders", ["function_name", "service"], [1.0]),
    ]
    logged.emulator.get("/orders")
    assert metrics() == [("routelet", "/orders", ["service"], [2.0])]


def test_a_request_without_metrics_writes_nothing_of_them(logged: Logged) -> None:
    logged.emulator.request("PUT", "/orders", headers=JSON)
    logged.log.clear()
    assert logged.emulator.request("PUT", "/orders", headers=JSON).status == 200
    ours = [line for line in logged.log if not line.startswith(("orders: START", "orders: END",
                                                                "orders: REPORT"))]  # fmt: skip
    assert len(ours) == 1
    assert '"message":"kept"' in ours[0]


def test_metrics_that_cannot_be_written_are_logged_and_harm_no_request(logged: Logged) -> None:
    assert logged.emulator.request("PATCH", "/orders", headers=JSON).status == 200
    failed = [one for one in logged.entries("orders") if one.get("level") == "ERROR"]
    assert [one["exception_name"] for one in failed] == ["TypeError"]
    assert logged.emulator.get("/orders").status == 200
    entries = logged.entries("orders")
    assert [one["Orders"] for one in entries if "Orders" in one] == [[2.0]]
    assert not [one for one in entries if one.get("level") == "ERROR"]


def test_a_page_that_raises_is_logged_once_with_traceback_and_correlation_id(
    logged: Logged,
) -> None:
    answer = logged.invoke("orders", http_event("/orders", "POST"))
    assert (answer["statusCode"], answer["body"]) == (500, "Internal Server Error")
    assert sum("no such order" in line for line in logged.log) == 1
    (entry,) = [one for one in logged.entries("orders") if one.get("level") == "ERROR"]
    assert entry["message"] == "LookupError: no such order"
    assert (entry["correlation_id"], entry["exception_name"]) == ("Gate123=", "LookupError")
    assert "pages/orders.py" in entry["exception"]
    assert 'raise LookupError("no such order")' in entry["exception"]


def test_a_broken_event_is_answered_and_logged_as_a_warning(logged: Logged) -> None:
    answer = logged.invoke("orders", {"requestContext": {"http": {}, "requestId": "x"}})
    assert answer["statusCode"] == 400
    (entry,) = [one for one in logged.entries("orders") if one.get("level") == "WARNING"]
    assert "a broken event" in entry["message"]
    assert entry["correlation_id"] == "x"


def test_names_of_the_environment_win(logged: Logged) -> None:
    assert logged.emulator.get("/traced").status == 200
    entries = logged.entries("traced")
    assert {one["service"] for one in entries} == {"till"}
    spaces = {one["_aws"]["CloudWatchMetrics"][0]["Namespace"] for one in entries if "_aws" in one}
    assert spaces == {"Shop"}


def test_a_route_that_cloudwatch_would_refuse_gives_way_to_the_functions_name(
    logged: Logged, shop: Build
) -> None:
    (name,) = (one.name for one in shop.functions if "/grüße" in one.routes)
    assert logged.emulator.get("/grüße").status == 204
    assert {one["service"] for one in logged.entries(name)} == {name}


def test_without_its_extra_the_tracer_takes_everything_and_sends_nothing(
    logged: Logged, shop: Build
) -> None:
    assert logged.emulator.get("/traced").json() == [3, 4]
    assert logged.emulator.post("/traced", json={}).status == 500
    assert not any(name.startswith("aws_xray_sdk/") for name in names_in(shop, "traced"))


def names_in(made: Build, function: str) -> list[str]:
    with ZipFile(made.out_dir / "functions" / f"{function}.zip") as archive:
        return archive.namelist()


def test_a_function_of_several_routes_is_called_by_its_own_name(tmp_path: Path) -> None:
    pages = {"orders.py": ORDERS, "hello.py": GREETING}
    options = "powertools = true\nfunction-per-route = false"
    made = build(site(tmp_path, pages, [POWERTOOLS], options))
    log: list[str] = []
    with Emulator(made.out_dir, log=log.append) as emulator:
        assert emulator.get("/orders").status == 200
        assert emulator.post("/orders", json={}).status == 500
    entries = [json.loads(line.removeprefix("site: ")) for line in log if "site: {" in line]
    assert {one["service"] for one in entries} == {"site"}


def test_off_there_is_nothing_of_it_in_any_zip_and_ctx_says_so(tmp_path: Path) -> None:
    pages = {"hello.py": GREETING, "plain.py": "def GET(ctx): return {}"}
    made = build(site(tmp_path, pages, [POWERTOOLS], "powertools = false"))
    names = [*names_in(made, "hello"), *names_in(made, "plain")]
    assert not [name for name in names if "powertools" in name or "xray" in name]
    assert "routelet/aws.pyc" in names
    log: list[str] = []
    with Emulator(made.out_dir, log=log.append) as emulator:
        assert (emulator.get("/plain").status, emulator.get("/hello").status) == (200, 500)
    assert "ctx.logger is off: it is there with `powertools = true`" in "\n".join(log)


def test_on_without_the_dependency_the_build_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(RouteletError, match='"powertools" is on') as told:
        build(site(tmp_path, {"hello.py": GREETING}, []))
    assert 'add "aws-lambda-powertools[tracer]" to dependencies' in told.value.mend
    assert told.value.where == "pyproject.toml [tool.routelet.adapters.aws-lambda]"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an unpacked function with the extra `tracer`."""
    folder = tmp_path_factory.mktemp("traced")
    made = build(site(folder, {"traced.py": TRACED}, [TRACER]))
    with ZipFile(made.out_dir / "functions/traced.zip") as archive:
        archive.extractall(folder / "task")
    return folder / "task"


ASK = """
import json, sys
sys.path[:0] = sys.argv[1:2]

class Context:
    function_name, memory_limit_in_mb, aws_request_id = "traced", 512, "7"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:traced"

from pages.entry_traced import handler
answers = [handler(event, Context()) for event in json.loads(sys.argv[2])]
sys.stderr.write(json.dumps([answer["statusCode"] for answer in answers]))
"""


def traces_of(task: Path, *events: Mapping[str, Any], **environment: str) -> list[dict[str, Any]]:
    """Return what the function sends to the daemon of X-Ray for events that are sampled."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.setblocking(False)
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", ASK, str(task), json.dumps(events)],
            env={
                "AWS_LAMBDA_FUNCTION_NAME": "traced",
                "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
                "LAMBDA_TASK_ROOT": str(task),
                "PATH": os.environ["PATH"],
                "_X_AMZN_TRACE_ID": f"{TRACE};Parent=53995c3f42cd8ad8;Sampled=1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr.endswith("[200, 500]"), done.stderr
        sent = []
        while True:
            try:
                sent.append(daemon.recv(65_536))
            except BlockingIOError:
                return [json.loads(datagram.partition(b"\n")[2]) for datagram in sent]


def test_with_its_extra_the_tracer_sends_each_request_and_its_error(traced: Path) -> None:
    sent = traces_of(traced, http_event("/traced"), http_event("/traced", "POST"))
    first, second = (one for one in sent if one["name"] == "## handler")
    assert first["trace_id"] == "1-5e1b4151-5ac6c58f5a3c8b2d4c5d6e7f"
    assert first["annotations"] == {"ColdStart": True, "Service": "/traced"}
    assert "fault" not in first
    assert "metadata" not in first
    assert second["annotations"] == {"ColdStart": False, "Service": "/traced"}
    assert second["fault"] is True
    assert second["cause"]["exceptions"][0]["message"] == "no such trace"
    counted = next(one for one in sent if one["name"].endswith("counted"))
    assert counted["annotations"] == {"Counted": True}
    assert counted["metadata"]["/traced"]["count"] == 3


def test_with_tracing_disabled_nothing_is_sent(traced: Path) -> None:
    events = http_event("/traced"), http_event("/traced", "POST")
    assert traces_of(traced, *events, POWERTOOLS_TRACE_DISABLED="true") == []


def test_behind_edge_middleware_the_signed_locals_are_in_no_log(tmp_path: Path) -> None:
    page = (
        "config = {'environment': {'POWERTOOLS_LOGGER_LOG_EVENT': 'true'}}\n"
        "def GET(ctx): return {}\n"
    )
    root = site(
        tmp_path / "site",
        {"orders.py": page},
        [POWERTOOLS],
        "powertools = true\nedge-middleware = true",
    )
    (root / "src/middleware.py").write_text("def on_request(ctx, next): return next()\n")
    built = build(root)
    log: list[str] = []
    event = http_event("/orders")
    event["headers"] = {**JSON, "x-routelet-locals": "v1.1.PAYLOAD.SIGNATURE"}
    with Emulator(built.out_dir, log=log.append) as emulator:
        running = Logged(emulator, log)
        assert running.invoke("orders", event)["statusCode"] == 403
    assert not [line for line in log if "PAYLOAD" in line or "SIGNATURE" in line]
    [told] = [one for one in running.entries("orders") if one.get("level") == "WARNING"]
    assert "refused" in told["message"]
    assert told["correlation_id"] == "Gate123="
