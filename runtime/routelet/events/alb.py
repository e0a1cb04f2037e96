"""Application Load Balancer, with multi-value headers or without.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

import sys

from routelet.events import member, reads_events
from routelet.events.bodies import body_of, encoded_body, host_and_port, is_over
from routelet.events.rest_api import headers_of
from routelet.http import URL, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


MAX_RESPONSE_BYTES = 1_048_576
"""The largest JSON that a balancer takes of a function; a larger one is its 502."""


@reads_events
def request_of(event: "Mapping[str, Any]") -> Request:
    """Return the Request of `event`; path and query arrive percent-encoded; raises `EventError`.

    The balancer is told apart from no one: the Host header is the only host there is, and health
    checks have none. The client's address is what the balancer appended to X-Forwarded-For.
    """
    headers = headers_of(event)
    host, port = host_and_port(headers.get("host"))
    scheme = headers.get("x-forwarded-proto")
    forwarded = headers.get("x-forwarded-for") or ""
    return Request(
        URL(
            scheme=scheme if scheme in {"http", "https"} else "http",
            host=host,
            port=port,
            path=event["path"],
            query=_query(event),
        ),
        method=event["httpMethod"],
        headers=headers,
        body=body_of(event),
        client_address=forwarded.rpartition(",")[2].strip() or None,
        raw_path=event["path"],
        host_context=event["requestContext"],
    )


def _query(event: "Mapping[str, Any]") -> str:
    multiple = event.get("multiValueQueryStringParameters")
    if multiple:
        return "&".join(f"{name}={value}" for name, values in multiple.items() for value in values)
    single = event.get("queryStringParameters") or {}
    return "&".join(f"{name}={value}" for name, value in single.items())


def result_of(response: Response, event: "Mapping[str, Any]") -> "dict[str, Any]":
    """Return the balancer's form of `response`: single values where the event has them.

    Of several cookies a single-value answer can hold the last one only; that is logged.
    """
    result = _result(response, event)
    if is_over(MAX_RESPONSE_BYTES, result):
        sys.stderr.write(f"response over {MAX_RESPONSE_BYTES} bytes, the balancer's limit\n")
        return _result(Response("Internal Server Error", 500), event)
    return result


def _result(response: Response, event: "Mapping[str, Any]") -> "dict[str, Any]":
    from http import HTTPStatus  # 4 ms, only behind a load balancer  # noqa: PLC0415

    body, is_base64 = encoded_body(response, member(event, "httpMethod"))
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    result: dict[str, Any] = {
        "statusCode": response.status,
        "statusDescription": f"{response.status} {reason}",
        "body": body,
        "isBase64Encoded": is_base64,
    }
    if member(event, "multiValueHeaders") is not None:
        multiple: dict[str, list[str]] = {}
        for name, value in response.headers.raw():
            multiple.setdefault(name, []).append(value)
        result["multiValueHeaders"] = multiple
    else:
        if len(response.headers.get_set_cookie()) > 1:
            sys.stderr.write("only the last cookie is sent: turn multi-value headers on\n")
        result["headers"] = dict(response.headers.items())
    return result
