"""AWS Lambda: `create_exports` gives the handler that Lambda calls."""

import sys
from importlib import import_module

from routelet.app import App
from routelet.http import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_PAYLOAD_BYTES = 6_291_556
"""The largest result Lambda takes; a larger one ends the process.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


SOURCES = {
    "http-api": "http_api",
    "function-url": "function_url",
    "rest-api": "rest_api",
    "alb": "alb",
    "edge": "edge",
}
"""Module below `routelet.events` by the name of what stands before a function."""


def create_exports(
    manifest: "Mapping[str, Any]", args: "Mapping[str, Any]"
) -> "Mapping[str, object]":
    """Return `{"handler": ...}` for the routes of `manifest`.

    `args` may name what stands before the function, as `front`; its module is then loaded while
    Lambda still counts the function as starting. Events of another source are understood too.
    """
    app = App(manifest)
    app.preload()
    sources = {}
    if "front" in args:
        sources[args["front"]] = _module(args["front"])

    def handler(event: "Mapping[str, Any]", context: object) -> "dict[str, Any]":  # noqa: ARG001
        name = source_of(event)
        source = sources.get(name)
        if source is None:
            source = sources[name] = _module(name)
        response = app.respond(source.request_of(event))
        result: dict[str, Any] = source.result_of(response, event)
        if _fits(result):
            return result
        sys.stderr.write(f"response over {MAX_PAYLOAD_BYTES} bytes, Lambda's limit\n")
        too_large: dict[str, Any] = source.result_of(Response("Internal Server Error", 500), event)
        return too_large

    return {"handler": handler}


def source_of(event: "Mapping[str, Any]") -> str:
    """Return what sent `event`, one of `SOURCES`; raises `ValueError` for anything else."""
    context = event.get("requestContext")
    if context is None:
        if "Records" in event:
            return "edge"
    elif "http" in context:
        return "function-url" if ".lambda-url." in context.get("domainName", "") else "http-api"
    elif "elb" in context:
        return "alb"
    elif "httpMethod" in event:
        return "rest-api"
    raise ValueError("an event of no source that routelet knows")


def _module(name: str) -> "Any":
    return import_module(f"routelet.events.{SOURCES[name]}")


def _fits(result: "dict[str, Any]") -> bool:
    """Tell whether `result` fits; only a body near the limit is encoded to see."""
    body = result.get("body", "")
    if len(body) * 12 < MAX_PAYLOAD_BYTES - 65_536:  # \\ud83d\\ude00 is one character; and headers
        return True
    import json  # loaded by the runtime client already  # noqa: PLC0415

    # The runtime client escapes what is not ASCII, from Python 3.12 on no more.
    text = json.dumps(result, ensure_ascii=sys.version_info < (3, 12))
    return len(text.encode("utf-8", "surrogatepass")) <= MAX_PAYLOAD_BYTES
