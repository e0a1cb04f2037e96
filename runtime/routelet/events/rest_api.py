"""API Gateway REST API, Lambda proxy integration (payload format 1.0).

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from routelet.events import member, reads_events
from routelet.events.bodies import body_of, encoded_body, one_cookie
from routelet.headers import Headers
from routelet.http import URL, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.http import Response


@reads_events
def request_of(event: "Mapping[str, Any]") -> Request:
    """Return the Request of `event`; raises `EventError`.

    The path arrives percent-encoded and without the stage, the query decoded; headers and query
    are read from the multi-value maps, which have all that the others have.
    """
    context = event.get("requestContext") or {}
    path, mapping = _without_mapping(event["path"], event, context)
    request = Request(
        URL(host=str(context.get("domainName") or "localhost"), path=path, query=_query(event)),
        method=event["httpMethod"],
        headers=headers_of(event),
        body=body_of(event),
        client_address=(context.get("identity") or {}).get("sourceIp"),
        raw_path=event["path"],
        root_path=mapping or _stage(event["path"], context),
        host_context=context,
    )
    if request.body and "content-length" not in request.headers:  # the gateway takes it off
        request.headers.append("content-length", str(len(request.body)))
    return request


def headers_of(event: "Mapping[str, Any]") -> Headers:
    """Return each value of each header; Cookie lines are joined with "; ": RFC 6265, 5.4."""
    multiple = event.get("multiValueHeaders")
    if not multiple:
        return Headers.received((event.get("headers") or {}).items())
    return Headers.received(
        (name, value) for name, values in multiple.items() for value in one_cookie(name, values)
    )


def _query(event: "Mapping[str, Any]") -> str:
    multiple = event.get("multiValueQueryStringParameters")
    single = event.get("queryStringParameters")
    if not multiple and not single:
        return ""
    from urllib.parse import urlencode  # 6 ms, only with a query  # noqa: PLC0415

    return urlencode(multiple or single or {}, doseq=True)


def _without_mapping(
    path: str, event: "Mapping[str, Any]", context: "Mapping[str, Any]"
) -> "tuple[str, str]":
    """Take the base path of a custom domain off: what `path` has before the resource's own.

    Only a fixed resource tells; of `/{proxy+}` the parameter is what remains.
    """
    resource = event.get("resource") or context.get("resourcePath") or ""
    if context.get("path") != path:
        return path, ""
    proxied = (event.get("pathParameters") or {}).get("proxy")
    if proxied is not None and resource.endswith("{proxy+}"):
        own = resource[: -len("{proxy+}")] + proxied
    elif "{" not in resource:
        own = resource
    else:
        return path, ""
    bare = path.rstrip("/") if not own.endswith("/") else path
    if own != "/" and bare.endswith(own) and len(bare) > len(own):
        mapping = bare[: len(bare) - len(own)]
        return path[len(mapping) :], mapping
    return path, ""


def _stage(path: str, context: "Mapping[str, Any]") -> str:
    stage = f"/{context.get('stage')}"
    return stage if (context.get("path") or "").startswith(f"{stage}/") and path else ""


def result_of(response: "Response", event: "Mapping[str, Any]") -> "dict[str, Any]":
    """Return the gateway's form of `response`; a key that it does not know would be a 502."""
    body, is_base64 = encoded_body(response, member(event, "httpMethod"))
    multiple: dict[str, list[str]] = {}
    for name, value in response.headers.raw():
        multiple.setdefault(name, []).append(value)
    return {
        "statusCode": response.status,
        "multiValueHeaders": multiple,
        "body": body,
        "isBase64Encoded": is_base64,
    }
