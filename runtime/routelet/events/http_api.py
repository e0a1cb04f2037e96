"""API Gateway HTTP API, payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from routelet.http import URL, Headers, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.http import Response

_TEXT_SUBTYPES = ("json", "xml", "javascript", "ecmascript", "x-www-form-urlencoded", "yaml")


def request_of(event: "Mapping[str, Any]") -> Request:
    """Return the Request of `event`.

    The path arrives decoded, cookies in a list of their own, and the gateway's own facts (host
    and client address) are taken from `requestContext`: no header of a viewer chooses them.
    """
    context = event["requestContext"]
    http = context["http"]
    path, root_path = _without_stage(event["rawPath"], context.get("stage"))
    headers = Headers()
    for name, value in (event.get("headers") or {}).items():
        if name.lower() != "cookie":
            headers.append(name, value)
    if event.get("cookies"):
        headers.append("cookie", "; ".join(event["cookies"]))
    url = URL(
        host=context.get("domainName") or "localhost",
        path=path,
        path_is_decoded=True,
        query=event.get("rawQueryString") or "",
    )
    return Request(
        url,
        method=http["method"],
        headers=headers,
        body=body_of(event),
        client_address=http.get("sourceIp"),
        raw_path=event["rawPath"],
        root_path=root_path,
        host_context=context,
    )


def _without_stage(path: str, stage: str | None) -> "tuple[str, str]":
    """Take a named stage off the path, where it is there as a whole segment."""
    prefix = f"/{stage}"
    if stage and stage != "$default" and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :] or "/", prefix
    return path, ""


def body_of(event: "Mapping[str, Any]") -> bytes:
    """Return the body's bytes, which text and base64 events carry in one key."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        from base64 import b64decode  # 2 ms, only for binary bodies  # noqa: PLC0415

        return b64decode(body)
    return str(body).encode()


def result_of(response: "Response", event: "Mapping[str, Any]") -> "dict[str, Any]":
    """Return the gateway's form of `response`; repeated headers joined, cookies in a list."""
    has_no_body = event["requestContext"]["http"]["method"] == "HEAD" or is_bodiless(
        response.status
    )
    body, is_base64 = ("", False) if has_no_body else encoded_body(response)
    headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
    result: dict[str, Any] = {"statusCode": response.status, "headers": headers}
    if cookies := response.headers.get_set_cookie():
        result["cookies"] = cookies
    result["body"] = body
    result["isBase64Encoded"] = is_base64
    return result


def is_bodiless(status: int) -> bool:
    """Tell whether a status has no body: RFC 9110, 6.4.1."""
    return status < 200 or status in {204, 304}


def encoded_body(response: "Response") -> "tuple[str, bool]":
    """Return the body as text, or as base64 where it cannot be text."""
    coded = "content-encoding" in response.headers
    if isinstance(response.body, str) and not coded:
        return response.body, False
    body = response.read()
    if not coded and _is_text(response.headers.get("content-type") or "text/plain"):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    from base64 import b64encode  # 2 ms, only for binary bodies  # noqa: PLC0415

    return b64encode(body).decode(), bool(body)


def _is_text(content_type: str) -> bool:
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return kind == "text" or subtype.endswith(_TEXT_SUBTYPES)
