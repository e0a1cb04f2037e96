"""Lambda@Edge, viewer request: the function answers in CloudFront's place.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-restrictions.html
"""

import sys

from routelet.events import EventError, member, reads_events
from routelet.events.bodies import encoded_body, host_and_port, one_cookie
from routelet.headers import Headers
from routelet.http import URL, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_RESPONSE_BYTES = 40 * 1024
"""The largest viewer response, headers included; a larger one is a 502 of CloudFront."""

CUT = "the body is over the 40 KB that CloudFront passes on"
_DISALLOWED = frozenset(
    (
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "trailer", "transfer-encoding", "upgrade", "via",
        "x-accel-buffering", "x-accel-charset", "x-accel-limit-rate", "x-accel-redirect",
        "x-cache", "x-forwarded-proto", "x-real-ip",
    )
)  # fmt: skip
"""Headers that make CloudFront answer 502: disallowed ones, and those that are read-only here."""
_DISALLOWED_BEGINNINGS = ("x-amz-cf-", "x-amzn-", "x-edge-")


@reads_events
def request_of(event: "Mapping[str, Any]") -> Request:
    """Return the Request of `event`; uri and query arrive percent-encoded.

    Raises `EventError`, with status 413 for a body over 40 KB: CloudFront cuts its end off.
    """
    request = read(event, Request)
    if is_body_cut(event):
        raise EventError(CUT, 413)
    return request


def is_body_cut(event: "Mapping[str, Any]") -> bool:
    """Tell whether CloudFront cut off the end of the body."""
    return bool(member(event, "Records", 0, "cf", "request", "body", "inputTruncated"))


def url_of(request: "Mapping[str, Any]") -> URL:
    """Return the URL of CloudFront's own form of a request, which says nothing of its scheme."""
    host = member(request, "headers", "host", 0, "value")
    host, port = host_and_port(host)
    return URL(host=host, port=port, path=request["uri"], query=request.get("querystring") or "")


def read(event: "Mapping[str, Any]", kind: type[Request]) -> Request:
    """Return the Request of `event`, an instance of `kind`."""
    request = event["Records"][0]["cf"]["request"]
    address = request.get("clientIp")
    headers = Headers.received(
        (name, value)
        for name, lines in request.get("headers", {}).items()
        for value in one_cookie(name, [line["value"] for line in lines])
    )
    return kind(
        url_of(request),
        method=request["method"],
        headers=headers,
        body=_body(request.get("body")),
        client_address=address if isinstance(address, str) else None,
        raw_path=request["uri"],
        host_context=event["Records"][0]["cf"]["config"],
    )


def _body(body: "Mapping[str, Any] | None") -> bytes:
    if not body or not body.get("data"):
        return b""
    if body.get("encoding") == "base64":
        from binascii import a2b_base64  # only for requests with a body  # noqa: PLC0415

        return a2b_base64(body["data"])
    return str(body["data"]).encode()


def result_of(response: Response, event: "Mapping[str, Any]") -> "dict[str, Any]":
    """Return the generated response that CloudFront takes, without headers it would refuse."""
    method = member(event, "Records", 0, "cf", "request", "method")
    result = _result(response, method)
    if _size(result) > MAX_RESPONSE_BYTES:
        sys.stderr.write(f"response over {MAX_RESPONSE_BYTES} bytes, CloudFront's limit\n")
        return _result(Response("Internal Server Error", 500), method)
    return result


def _result(response: Response, method: str) -> "dict[str, Any]":
    headers: dict[str, list[dict[str, str]]] = {}
    for name, value in response.headers.raw():
        if name not in _DISALLOWED and not name.startswith(_DISALLOWED_BEGINNINGS):
            headers.setdefault(name, []).append({"key": name.title(), "value": value})
    result: dict[str, Any] = {"status": str(max(response.status, 200)), "headers": headers}
    body, is_base64 = encoded_body(response, method)
    if body:
        result["body"] = body
        result["bodyEncoding"] = "base64" if is_base64 else "text"
    return result


def _size(result: "Mapping[str, Any]") -> int:
    lines = (line for values in result["headers"].values() for line in values)
    head = sum(len(line["key"]) + len(line["value"].encode()) + 4 for line in lines)
    return head + len(result.get("body", "").encode())
