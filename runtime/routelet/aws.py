"""AWS Lambda: `create_exports` gives the handler that Lambda calls."""

import sys

from routelet.app import App
from routelet.events import http_api
from routelet.http import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_PAYLOAD_BYTES = 6_291_556
"""The largest result Lambda takes; a larger one ends the process.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


def create_exports(
    manifest: "Mapping[str, Any]",
    args: "Mapping[str, Any]",  # noqa: ARG001 - the contract of server entrypoints
) -> "Mapping[str, object]":
    """Return `{"handler": ...}` for the routes of `manifest`."""
    app = App(manifest)
    app.preload()

    def handler(event: "Mapping[str, Any]", context: object) -> "dict[str, Any]":  # noqa: ARG001
        response = app.respond(http_api.request_of(event))
        result = http_api.result_of(response, event)
        return result if _fits(result) else _too_large(event)

    return {"handler": handler}


def _fits(result: "dict[str, Any]") -> bool:
    """Tell whether `result` fits; only a body near the limit is encoded to see."""
    body = result["body"]
    if len(body) * 12 < MAX_PAYLOAD_BYTES - 65_536:  # \\ud83d\\ude00 is one character; and headers
        return True
    import json  # loaded by the runtime client already  # noqa: PLC0415

    # The runtime client escapes what is not ASCII, from Python 3.12 on no more.
    text = json.dumps(result, ensure_ascii=sys.version_info < (3, 12))
    return len(text.encode("utf-8", "surrogatepass")) <= MAX_PAYLOAD_BYTES


def _too_large(event: "Mapping[str, Any]") -> "dict[str, Any]":
    sys.stderr.write(
        f"response of {event['rawPath']} is over {MAX_PAYLOAD_BYTES} bytes, Lambda's limit\n"
    )
    return http_api.result_of(Response("Internal Server Error", 500), event)
