"""CloudFront's events for Lambda@Edge: a request goes in, an event comes out.

What it takes of a function's result is in `edge_results`. Nothing is sent or run here.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html
"""

import string
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from urllib.parse import quote

from routelet_bundler.emulator.sandbox import REGION
from routelet_bundler.emulator.serving import HttpRequest

EventType = Literal["viewer-request", "origin-request"]
Headers = Mapping[str, list[dict[str, str]]]

BUCKET: Final = "files.s3.us-east-1.amazonaws.com"
DISTRIBUTION: Final = "emulator.cloudfront.net"
ADDRESS: Final = "192.0.2.1"
"""Whom origins see as their client."""

MAX_BODY_BYTES: Final = 40 * 1024
"""What a function of viewer requests sees of a body.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
"""
_DISALLOWED: Final = frozenset(
    {
        "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "trailer", "upgrade", "x-accel-buffering", "x-accel-charset",
        "x-accel-limit-rate", "x-accel-redirect", "x-amzn-auth", "x-amzn-cf-billing",
        "x-amzn-cf-id", "x-amzn-cf-xff", "x-amzn-errortype", "x-amzn-fle-profile",
        "x-amzn-header-count", "x-amzn-header-order", "x-amzn-lambda-integration-tag",
        "x-amzn-requestid", "x-cache", "x-forwarded-proto", "x-real-ip",
    }
)  # fmt: skip
_DISALLOWED_BEGINNINGS: Final = ("x-amz-cf-", "x-edge-")
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRequest:
    """A request on its way through CloudFront."""

    method: str
    uri: str
    """The path, encoded as it came."""
    query: str
    headers: Headers
    body: bytes
    peer: str

    @property
    def target(self) -> str:
        """Path and query."""
        return _ascii(f"{self.uri}?{self.query}" if self.query else self.uri)

    def to_origin(self, host: str) -> HttpRequest:
        """Return the request that an origin gets."""
        pairs = [
            (line.get("key") or name, line["value"])
            for name, lines in self.headers.items()
            for line in lines
            if name != "host"
        ]
        return HttpRequest(
            method=self.method,
            target=self.target,
            headers=(("Host", host), *pairs),
            body=self.body,
            peer=ADDRESS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request goes: the bucket, or a domain of the function's choice."""

    domain: str | None = None
    host: str = BUCKET
    """The Host header."""


def arrived(request: HttpRequest) -> EdgeRequest:
    """Return a viewer's request as CloudFront has it: the path as it came, // too, in ASCII."""
    uri, _, query = _ascii(request.target).partition("?")
    headers: dict[str, list[dict[str, str]]] = {}
    for name, value in request.headers:
        if not is_disallowed(name.lower()):
            headers.setdefault(name.lower(), []).append({"key": name, "value": value})
    return EdgeRequest(
        method=request.method,
        uri=uri,
        query=query,
        headers=headers,
        body=request.body or b"",
        peer=request.peer,
    )


def viewer_request(request: EdgeRequest, request_id: str) -> dict[str, Any]:
    """Return the event before the cache, with the beginning of the body (Include Body)."""
    body = {
        "inputTruncated": len(request.body) > MAX_BODY_BYTES,
        "action": "read-only",
        "encoding": "base64",
        "data": b64encode(request.body[:MAX_BODY_BYTES]).decode(),
    }
    return _event("viewer-request", request_id, {**_described(request), "body": body})


def origin_request(
    request: EdgeRequest, request_id: str, custom_headers: Mapping[str, str]
) -> dict[str, Any]:
    """Return the event after the cache: all headers of the viewer but Host go to the origin."""
    forwarded = [line["value"] for line in request.headers.get("x-forwarded-for", [])]
    added = {
        "host": _lines("Host", BUCKET),
        "x-forwarded-for": _lines("X-Forwarded-For", ", ".join([*forwarded, request.peer])),
        "via": _lines("Via", f"1.1 {DISTRIBUTION} (CloudFront)"),
    }
    origin = {
        "s3": {
            "authMethod": "none",
            "customHeaders": {name: _lines(name, value) for name, value in custom_headers.items()},
            "domainName": BUCKET,
            "path": "",
            "region": REGION,
        }
    }
    headers = {**request.headers, **added}
    described = _described(replace(request, headers=headers))
    return _event("origin-request", request_id, {**described, "origin": origin})


def _lines(name: str, value: str) -> list[dict[str, str]]:
    return [{"key": name, "value": value}]


def _described(request: EdgeRequest) -> dict[str, Any]:
    return {
        "clientIp": request.peer,
        "headers": {name: [dict(line) for line in it] for name, it in request.headers.items()},
        "method": request.method,
        "querystring": request.query,
        "uri": request.uri,
    }


def _event(kind: EventType, request_id: str, request: Mapping[str, Any]) -> dict[str, Any]:
    config = {
        "distributionDomainName": DISTRIBUTION,
        "distributionId": "EMULATOR",
        "eventType": kind,
        "requestId": request_id,
    }
    return {"Records": [{"cf": {"config": config, "request": request}}]}


def is_disallowed(name: str) -> bool:
    """Tell whether CloudFront keeps a header, in lower case, from functions, both ways."""
    return name in _DISALLOWED or name.startswith(_DISALLOWED_BEGINNINGS)


def _ascii(target: str) -> str:
    return quote(target, safe=string.punctuation)
