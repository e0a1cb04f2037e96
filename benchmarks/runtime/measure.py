"""Measure one stack in this process and print JSON; `run.py` starts it.

    python measure.py STACK PATH...      (PATHs are put on sys.path)

What is measured: CPU ms of importing the stack, and the median of warm calls in microseconds.
"""

import base64
import importlib
import json
import statistics
import sys
import time
from pathlib import Path

CALLS = {"get": 4_000, "post_json": 600, "post_base64": 600}


class Context:
    """What handlers read of Lambda's context."""

    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    aws_request_id = "00000000-0000-0000-0000-000000000000"


def events(kind):
    """Return the three events, for an HTTP API or (`rest`) a REST API."""
    text = json.dumps(["x" * 90] * 1_087)  # 100 KB
    binary = base64.b64encode(bytes(75_000)).decode()  # 100 KB of base64
    make = rest_event if kind == "rest" else http_event
    return {
        "get": make("GET", None, False, "application/json"),
        "post_json": make("POST", text, False, "application/json"),
        "post_base64": make("POST", binary, True, "application/octet-stream"),
    }


HEADERS = {
    "accept": "*/*", "accept-encoding": "gzip, deflate, br",
    "host": "abc.execute-api.us-east-1.amazonaws.com",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "origin": "https://abc.execute-api.us-east-1.amazonaws.com",
    "x-amzn-trace-id": "Root=1-5e1b4151-5ac6c58f5a3c8b2d4c5d6e7f", "x-forwarded-for": "192.0.2.1",
    "x-forwarded-port": "443", "x-forwarded-proto": "https",
}  # fmt: skip


def http_event(method, body, is_base64, content_type):
    """Return a payload 2.0 event."""
    event = {
        "version": "2.0", "routeKey": "$default", "rawPath": "/hello/world", "rawQueryString": "",
        "headers": {**HEADERS, "content-type": content_type},
        "requestContext": {
            "accountId": "123456789012", "apiId": "abc", "domainPrefix": "abc",
            "domainName": "abc.execute-api.us-east-1.amazonaws.com",
            "http": {"method": method, "path": "/hello/world", "protocol": "HTTP/1.1",
                     "sourceIp": "192.0.2.1", "userAgent": HEADERS["user-agent"]},
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
            "time": "10/Mar/2026:05:16:23 +0000", "timeEpoch": 1583817383220,
        },
        "isBase64Encoded": is_base64,
    }  # fmt: skip
    if body is not None:
        event["body"] = body
    return event


def rest_event(method, body, is_base64, content_type):
    """Return a payload 1.0 event."""
    headers = {**HEADERS, "content-type": content_type}
    return {
        "resource": "/hello/{name}", "path": "/hello/world", "httpMethod": method,
        "headers": headers, "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None, "multiValueQueryStringParameters": None,
        "pathParameters": {"name": "world"}, "stageVariables": None,
        "requestContext": {"resourcePath": "/hello/{name}", "httpMethod": method, "stage": "api",
                           "path": "/api/hello/world", "identity": {"sourceIp": "192.0.2.1"}},
        "body": body, "isBase64Encoded": is_base64,
    }  # fmt: skip


def median_us(handler, event, calls):
    """Return the median of `calls` calls, in microseconds."""
    context, clock, times = Context(), time.perf_counter_ns, []
    for _ in range(calls // 10):
        handler(event, context)
    for _ in range(calls):
        start = clock()
        handler(event, context)
        times.append(clock() - start)
    return statistics.median(times) / 1_000


def main(stack, *paths):
    """Print what was measured."""
    sys.path[:0] = [*paths, str(Path(__file__).parent / "stacks")]
    start = time.process_time()
    module = importlib.import_module(stack)
    cpu_ms = (time.process_time() - start) * 1_000
    result = {"import_ms": cpu_ms, "modules": len(sys.modules)}
    if "--import-only" not in sys.argv:
        for name, event in events(getattr(module, "EVENT", "http")).items():
            answer = module.handler(event, Context())
            assert answer["statusCode"] == 200, (stack, name, answer)
            result[name] = median_us(module.handler, event, CALLS[name])
    print(json.dumps(result))


main(*(argument for argument in sys.argv[1:] if not argument.startswith("--")))
