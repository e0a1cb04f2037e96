"""AWS Lambda: `create_exports` gives the handler that Lambda calls."""

from importlib import import_module

from routelet.app import App
from routelet.events import EventError, member
from routelet.events.bodies import is_over
from routelet.http import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from routelet.http import Request

    Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]

SIGNING = "routelet.signing"
"""What checks that a request comes from the middleware at the edge."""
MAX_PAYLOAD_BYTES = 6_291_556
"""The largest result Lambda takes; a larger one ends the process.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

SOURCES = ("http-api", "function-url", "rest-api", "alb", "edge")
"""What stands before a function; each has a module below `routelet.events`."""
_REASONS = {400: "Bad Request", 413: "Content Too Large"}


def create_exports(
    manifest: "Mapping[str, Any]", args: "Mapping[str, Any]"
) -> "Mapping[str, object]":
    """Return `{"handler": ...}` for the routes of `manifest`."""
    return {"handler": handler_of(App(manifest), args)}


def handler_of(app: App, args: "Mapping[str, Any]") -> "Handler":
    """Return the handler that answers events with `app`.

    `args` may name what stands before the function, as `front`: its module is loaded while Lambda
    still counts the function as starting. Events of the other sources are understood too; one of
    no source is answered as `front` would be, with 400.
    """
    app.preload()
    answer = _answer_behind_middleware(app) if app.has_edge_middleware else app.respond
    front = args.get("front", "http-api")
    sources = {front: _module(front)}

    def handler(event: "Mapping[str, Any]", context: object) -> "dict[str, Any]":  # noqa: ARG001
        name = source_of(event) or front
        source = sources.get(name)
        if source is None:
            source = sources[name] = _module(name)
        try:
            response = answer(source.request_of(event))
        except EventError as error:
            app.log(str(error))
            response = Response(_REASONS[error.status], error.status)
        result: dict[str, Any] = source.result_of(response, event)
        if not is_over(MAX_PAYLOAD_BYTES, result):
            return result
        app.log(f"response over {MAX_PAYLOAD_BYTES} bytes, Lambda's limit")
        too_large: dict[str, Any] = source.result_of(Response("Internal Server Error", 500), event)
        return too_large

    return handler


def _answer_behind_middleware(app: App) -> "Callable[[Request], Response]":
    from os import environ  # loaded by the interpreter  # noqa: PLC0415
    from time import time  # built in, and for signatures only  # noqa: PLC0415

    # Named in a variable, because only functions behind middleware have the module.
    signing = import_module(SIGNING)
    answer: Callable[[Request], Response] = signing.answers_behind_middleware(
        app, environ.get(signing.KEY_VARIABLE), time
    )
    return answer


def source_of(event: "Any") -> str | None:
    """Return what sent `event`, one of `SOURCES`, or None for anything else."""
    context = member(event, "requestContext")
    if not isinstance(context, dict):
        return "edge" if member(event, "Records", 0, "cf") else None
    if "http" in context:
        is_url = ".lambda-url." in str(context.get("domainName"))
        return "function-url" if is_url else "http-api"
    if "elb" in context:
        return "alb"
    return "rest-api" if member(event, "httpMethod") else None


def _module(name: str) -> "Any":
    return import_module(f"routelet.events.{name.replace('-', '_')}")
