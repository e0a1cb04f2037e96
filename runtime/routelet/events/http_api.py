"""API Gateway HTTP API, payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from routelet.events import member, reads_events
from routelet.events.bodies import body_of, encoded_body
from routelet.headers import Headers
from routelet.http import URL, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.http import Response


@reads_events
def request_of(event: "Mapping[str, Any]") -> Request:
    """Return the Request of `event`, whose path arrives decoded; raises `EventError`."""
    return read(event, path_is_decoded=True)


def read(event: "Mapping[str, Any]", *, path_is_decoded: bool) -> Request:
    """Return the Request of an event of payload format 2.0.

    Cookies arrive in a list of their own, and the gateway's own facts (host and client address)
    are taken from `requestContext`: no header of a viewer chooses them.
    """
    context = event["requestContext"]
    http = context["http"]
    path, root_path = _without_stage(event["rawPath"], context.get("stage"))
    cookies = event.get("cookies")
    headers = Headers.received((event.get("headers") or {}).items())
    if cookies:
        headers.set("cookie", "; ".join(cookies))
    url = URL(
        host=str(context.get("domainName") or "localhost"),
        path=path,
        path_is_decoded=path_is_decoded,
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


def result_of(response: "Response", event: "Mapping[str, Any]") -> "dict[str, Any]":
    """Return the gateway's form of `response`; repeated headers joined, cookies in a list."""
    body, is_base64 = encoded_body(response, member(event, "requestContext", "http", "method"))
    result: dict[str, Any] = {
        "statusCode": response.status,
        "headers": response.headers.joined(),
        "body": body,
        "isBase64Encoded": is_base64,
    }
    if cookies := response.headers.get_set_cookie():
        result["cookies"] = cookies
    return result
