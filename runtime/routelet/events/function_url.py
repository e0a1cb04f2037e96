"""Lambda function URLs: payload format 2.0 as API Gateway has it, but for the path and cookies.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from routelet.events import http_api, reads_events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.http import Request


@reads_events
def request_of(event: "Mapping[str, Any]") -> "Request":
    """Return the Request of `event`, whose path arrives percent-encoded; raises `EventError`."""
    return http_api.read(event, path_is_decoded=False)


result_of = http_api.result_of
