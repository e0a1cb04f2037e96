"""API Gateway's HTTP API, payload format 2.0: what AWS makes of a request and of a result.

The inverse of the runtime's `routelet.events.http_api`, written from recordings of AWS.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote

from routelet_bundler.emulator.sandbox import ACCOUNT
from routelet_bundler.emulator.serving import HttpAnswer, HttpRequest

MAX_BODY_BYTES: Final = 10_485_760
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""

_TEXT_TYPES: Final = frozenset({"application/json", "application/xml", "application/javascript"})
"""Beside text/*; all other bodies come in base64, urlencoded forms too."""

_HOP_BY_HOP: Final = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""RFC 9110, 7.6.1, and what came before it."""

Value = TypeVar("Value", dict[str, Any], list[Any], str)

_JSON: Final = (("content-type", "application/json"),)
_FORBIDDEN_IN_HEADERS: Final = frozenset("\r\n\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """What an event says about the API rather than about the request."""

    domain_name: str = "localhost"
    stage: str = "$default"
    api_id: str = "emulator"
    account_id: str = ACCOUNT
    authorizer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a request came, and the names it got."""

    time: datetime
    request_id: str
    trace_id: str


def raw_path_of(target: str) -> str:
    """Return the path of a request target as the gateway hands it on.

    It is decoded once, %2F too, and ends at a question mark that was encoded.
    """
    return unquote(target.partition("?")[0]).partition("?")[0]


def event_of(
    request: HttpRequest, arrival: Arrival, gateway: Gateway = Gateway()
) -> dict[str, Any]:
    """Return the event for a function; keys that would have no value are left out."""
    path = raw_path_of(request.target)
    if gateway.stage != "$default":
        path = f"/{gateway.stage}{path}"
    query = request.target.partition("?")[2]
    headers = _headers_of(request, arrival)
    cookies = [
        cookie.strip()
        for name, value in request.headers
        if name.lower() == "cookie"
        for cookie in value.split(";")
        if cookie.strip()
    ]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        **({"cookies": cookies} if cookies else {}),
        "headers": headers,
    }
    if parameters := parse_qsl(query, keep_blank_values=True, errors="replace"):
        event["queryStringParameters"] = _joined(parameters)
    event["requestContext"] = _context_of(request, arrival, gateway, path)
    body, is_base64 = _body_of(request.body or b"", headers.get("content-type", ""))
    if body:
        event["body"] = body
    event["isBase64Encoded"] = is_base64
    return event


def _headers_of(request: HttpRequest, arrival: Arrival) -> dict[str, str]:
    headers = _joined(
        (name.lower(), value)
        for name, value in request.headers
        if name.lower() not in _HOP_BY_HOP and name.lower() != "cookie"
    )
    forwarded_for = headers.get("x-forwarded-for")
    return {
        "x-amzn-trace-id": arrival.trace_id,
        **headers,
        "x-forwarded-for": f"{forwarded_for}, {request.peer}" if forwarded_for else request.peer,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a value for each name; of repeated names the values with a comma between."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _context_of(
    request: HttpRequest, arrival: Arrival, gateway: Gateway, path: str
) -> dict[str, Any]:
    agent = next((v for name, v in request.headers if name.lower() == "user-agent"), None)
    return {
        "accountId": gateway.account_id,
        "apiId": gateway.api_id,
        **({} if gateway.authorizer is None else {"authorizer": gateway.authorizer}),
        "domainName": gateway.domain_name,
        "domainPrefix": gateway.domain_name.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.peer,
            **({} if agent is None else {"userAgent": agent}),
        },
        "requestId": arrival.request_id,
        "routeKey": "$default",
        "stage": gateway.stage,
        "time": arrival.time.strftime("%d/%b/%Y:%H:%M:%S %z"),
        "timeEpoch": int(arrival.time.timestamp() * 1000),
    }


def _body_of(body: bytes, content_type: str) -> tuple[str, bool]:
    kind = content_type.partition(";")[0].strip().lower()
    if not body or kind.startswith("text/") or kind in _TEXT_TYPES:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass  # what AWS does with it is not known; this way nothing is lost
    return b64encode(body).decode(), True


def http_of(payload: bytes, *, function_error: bool = False) -> HttpAnswer:
    """Return what a client gets for a function's result, or for its error."""
    if function_error:
        return _answer_to_error(payload)
    try:
        result = json.loads(payload)
    except ValueError:
        return HttpAnswer(status=200, headers=_JSON, body=payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result.encode("utf-8", "replace") if isinstance(result, str) else payload
        return HttpAnswer(status=200, headers=_JSON, body=body)
    try:
        return _answer_of(result)
    except (TypeError, ValueError):
        return message(500, "Internal Server Error")


def message(status: int, text: str) -> HttpAnswer:
    """Return an answer of the gateway's own."""
    return HttpAnswer(status=status, headers=_JSON, body=json.dumps({"message": text}).encode())


def _answer_to_error(payload: bytes) -> HttpAnswer:
    try:
        error = json.loads(payload)
    except ValueError:
        error = {}
    match error:
        case {"errorType": "Sandbox.Timedout"}:
            return message(503, "Service Unavailable")
        case {"errorType": "Function.ResponseSizeTooLarge"}:
            return message(413, "Request Entity Too Large")
    return message(500, "Internal Server Error")


def _answer_of(result: Mapping[str, Any]) -> HttpAnswer:
    """Read the format's keys; raises TypeError or ValueError for what the gateway refuses."""
    status = result["statusCode"]
    if isinstance(status, bool) or not isinstance(status, int | str):
        raise TypeError(f"statusCode {status!r}")
    status = int(status)
    if not 200 <= status <= 599:
        raise ValueError(f"statusCode {status}")
    headers = [_header(name, value) for name, value in _value(result, "headers", {}).items()]
    headers += [_header("set-cookie", cookie) for cookie in _value(result, "cookies", [])]
    body = _body_bytes(result)
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    # The length is counted anew, and this server ends connections as it likes.
    dropped = _HOP_BY_HOP | {"content-length", "date"}
    kept = tuple((name, value) for name, value in headers if name.lower() not in dropped)
    return HttpAnswer(status=status, headers=kept, body=body)


def _header(name: str, value: object) -> tuple[str, str]:
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str | int | float):
        raise TypeError(f"header {name} is {value!r}")
    text = str(value)
    if not name or not _FORBIDDEN_IN_HEADERS.isdisjoint(name + text):
        raise ValueError(f"header {name!r} is empty or has a line break or NUL")
    text.encode()  # half of a surrogate pair cannot be sent
    return name, text


def _body_bytes(result: Mapping[str, Any]) -> bytes:
    body = _value(result, "body", "")
    if result.get("isBase64Encoded") is True:
        return b64decode(body, validate=True)
    return body.encode()


def _value(result: Mapping[str, Any], key: str, default: Value) -> Value:
    """Return a value of the default's type; null is the default."""
    value = result.get(key)
    if value is None:
        return default
    if not isinstance(value, type(default)):
        raise TypeError(f"{key} is {value!r}")
    return value
