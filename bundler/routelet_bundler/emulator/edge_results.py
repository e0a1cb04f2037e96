"""What CloudFront takes of the result of a function of Lambda@Edge.

A result goes in, and a request or an answer comes out, or `RefusedResult` for what CloudFront
answers with 502. Nothing is sent or run here.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-restrictions.html
"""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from routelet_bundler.emulator.cloudfront import (
    BUCKET,
    EdgeRequest,
    EventType,
    Headers,
    Origin,
    is_disallowed,
)
from routelet_bundler.emulator.serving import HttpAnswer

MAX_RESPONSE_BYTES: Final = {"viewer-request": 40 * 1024, "origin-request": 1024 * 1024}
"""Of responses that a function makes, headers and body.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
"""
MAX_URL_BYTES: Final = 8_192
"""Of path and query; same page."""

_READ_ONLY: Final = {
    "viewer-request": frozenset({"content-length", "host", "transfer-encoding", "via"}),
    "origin-request": frozenset(
        {
            "accept-encoding", "content-length", "if-modified-since", "if-none-match", "if-range",
            "if-unmodified-since", "transfer-encoding", "via",
        }
    ),
}  # fmt: skip
_READ_ONLY_OF_ANSWERS: Final = frozenset({"content-length", "host", "transfer-encoding", "via"})
"""Those of viewer requests; the runtime leaves them out of responses (`routelet.events.edge`)."""
_BODILESS: Final = frozenset({204, 304})
_NOT_IN_HEADERS: Final = frozenset("\r\n\0")
_SSL: Final = ("TLSv1.2", "TLSv1.1", "TLSv1", "SSLv3")


class RefusedResult(ValueError):  # noqa: N818 - a result, and no error of ours
    """A function's result that CloudFront does not take: 502, LambdaValidationError."""


def read_result(
    result: object, event: Mapping[str, Any], body: bytes
) -> tuple[EdgeRequest, Origin] | HttpAnswer:
    """Return the request that goes on, with `body`, or the response that the function made.

    Raises `RefusedResult`.
    """
    record = event["Records"][0]["cf"]
    kind: EventType = record["config"]["eventType"]
    if not isinstance(result, dict):
        raise RefusedResult("it is no object")
    if "status" in result:
        return _answer_of(result, kind)
    sent = record["request"]
    for key in ("method", "clientIp"):
        if result.get(key, sent[key]) != sent[key]:
            raise RefusedResult(f"{key} cannot be changed")
    uri, query = result.get("uri"), result.get("querystring", "")
    if not isinstance(uri, str) or not uri.startswith("/") or not _is_url(uri, "?#"):
        raise RefusedResult(f"uri is no encoded path: {uri!r}")
    if not isinstance(query, str) or not _is_url(query, "#"):
        raise RefusedResult(f"querystring is no encoded query: {query!r}")
    if len(uri) + len(query) > MAX_URL_BYTES:
        raise RefusedResult(f"path and query are over {MAX_URL_BYTES} bytes")
    headers = _headers_of(result)
    _refuse_changes(sent["headers"], headers, kind)
    request = EdgeRequest(
        method=sent["method"],
        uri=uri,
        query=query,
        headers=headers,
        body=_replaced(result.get("body"), body),
        peer=sent["clientIp"],
    )
    return request, _origin_of(result, headers) if kind == "origin-request" else Origin()


def _is_url(text: str, never: str) -> bool:
    """Tell whether CloudFront takes it: UTF-8, encoded or not, but no spaces and controls."""
    return all("!" <= character != "\x7f" and character not in never for character in text)


def _replaced(body: object, before: bytes) -> bytes:
    match body:
        case {"action": "replace", "encoding": "text", "data": str(data)}:
            return data.encode()
        case {"action": "replace", "encoding": "base64", "data": str(data)}:
            return _decoded(data)
    return before


def _decoded(data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError as error:
        raise RefusedResult("body is no base64") from error


def _headers_of(result: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    headers = result.get("headers", {})
    if not isinstance(headers, dict):
        raise RefusedResult("headers is no object")
    for name, lines in headers.items():
        if name != name.lower() or not isinstance(lines, list):
            raise RefusedResult(f"header {name!r} is not in lower case, or no list")
        for line in lines:
            if not isinstance(line, dict) or not isinstance(line.get("value"), str):
                raise RefusedResult(f"header {name!r} has a value that is no text")
            if str(line.get("key", name)).lower() != name:
                raise RefusedResult(f"header {name!r} has the key {line['key']!r}")
            if not _NOT_IN_HEADERS.isdisjoint(line["value"]):
                raise RefusedResult(f"header {name!r} has a line break or NUL")
    return headers


def _refuse_changes(before: Headers, after: Headers, kind: EventType) -> None:
    for name in after:
        if is_disallowed(name):
            raise RefusedResult(f"header {name!r} cannot be added")
    for name in _READ_ONLY[kind]:
        if [it["value"] for it in before.get(name, [])] != [
            it["value"] for it in after.get(name, [])
        ]:
            raise RefusedResult(f"header {name!r} is read-only for {kind}")


def _origin_of(result: Mapping[str, Any], headers: Headers) -> Origin:
    match result.get("origin"):
        case {"s3": {"domainName": str(domain)}, **others} if not others and domain == BUCKET:
            origin = Origin()
        case {"custom": dict(custom), **others} if not others:
            origin = Origin(domain=_domain_of(custom))
        case other:
            raise RefusedResult(f"origin is neither the bucket nor a custom one: {other!r}")
    lines = headers.get("host") or [{"value": origin.domain or BUCKET}]
    return replace(origin, host=lines[0]["value"])


def _domain_of(custom: Mapping[str, Any]) -> str:
    """Return the domain of a custom origin, all of whose settings are to be there."""
    domain, port, path = custom.get("domainName"), custom.get("port"), custom.get("path")
    protocols = custom.get("sslProtocols")
    rules = {
        "domainName": isinstance(domain, str) and domain and ":" not in domain,
        "port": isinstance(port, int) and (port in {80, 443} or 1024 <= port <= 65_535),
        "protocol": custom.get("protocol") in ("http", "https"),
        "path": isinstance(path, str) and (not path or path.startswith("/")),
        "sslProtocols": isinstance(protocols, list)
        and protocols
        and all(one in _SSL for one in protocols),
        "readTimeout": custom.get("readTimeout") in range(1, 121),
        "keepaliveTimeout": custom.get("keepaliveTimeout") in range(1, 121),
        "customHeaders": isinstance(custom.get("customHeaders"), dict),
    }
    if wrong := [name for name, holds in rules.items() if not holds]:
        raise RefusedResult(f"the custom origin has no right {', '.join(wrong)}")
    return str(domain)


def _answer_of(result: Mapping[str, Any], kind: EventType) -> HttpAnswer:
    status = result["status"]
    if not str(status).isdecimal() or not 200 <= int(status) <= 599:
        raise RefusedResult(f"status is {status!r}")
    headers = _headers_of(result)
    for name in headers:
        if is_disallowed(name) or name in _READ_ONLY_OF_ANSWERS:
            raise RefusedResult(f"a response cannot have the header {name!r}")
    body = _body_of(result)
    if body and int(status) in _BODILESS:
        raise RefusedResult(f"a response of status {status} has no body")
    pairs = [
        (line.get("key") or name, line["value"])
        for name, lines in headers.items()
        for line in lines
    ]
    size = sum(len(name) + len(value.encode()) + 4 for name, value in pairs)
    size += len(str(result.get("body", "")).encode())
    if size > MAX_RESPONSE_BYTES[kind]:
        raise RefusedResult(f"a response of {size} bytes is over {MAX_RESPONSE_BYTES[kind]}")
    pairs.append(("X-Cache", "LambdaGeneratedResponse from cloudfront"))
    return HttpAnswer(status=int(status), headers=tuple(pairs), body=body)


def _body_of(result: Mapping[str, Any]) -> bytes:
    body, encoding = result.get("body", ""), result.get("bodyEncoding", "text")
    if not isinstance(body, str):
        raise RefusedResult("body is no text")
    match encoding:
        case "text":
            return body.encode()
        case "base64":
            return _decoded(body)
    raise RefusedResult(f"bodyEncoding is {encoding!r}")


def error_answer(status: int) -> HttpAnswer:
    """Return CloudFront's own page, in fewer words."""
    text = HTTPStatus(status).phrase
    page = f"<h1>{status} ERROR</h1><h2>The request could not be satisfied.</h2>{text}.\n"
    headers = (("Content-Type", "text/html"), ("X-Cache", "Error from cloudfront"))
    return HttpAnswer(status=status, headers=headers, body=page.encode())
