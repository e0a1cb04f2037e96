"""AWS Lambda with Logger, Tracer and Metrics of aws-lambda-powertools: `powertools = true`.

A server entrypoint beside `routelet.aws`, whose handler it wraps. No other module loads it, so a
function has aws-lambda-powertools only where this is on.
"""

import os
import traceback
import warnings
from contextlib import nullcontext
from dataclasses import dataclass

from routelet.app import App
from routelet.aws import handler_of
from routelet.events import member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from routelet.aws import Handler

NAMESPACE = "routelet"
"""The namespace of metrics where POWERTOOLS_METRICS_NAMESPACE says none; EMF needs one."""

try:
    import aws_lambda_powertools as _library
except ImportError as error:
    raise ImportError("powertools = true needs aws-lambda-powertools in dependencies") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Powertools:
    """What pages have as `ctx.logger`, `ctx.tracer` and `ctx.metrics`."""

    logger: "Any"
    tracer: "Any"
    metrics: "Any"

    def log(self, what: "str | BaseException") -> None:
        """Log a warning, or an error with its traceback; the trace has the error as well."""
        if isinstance(what, str):
            self.logger.warning(what)
            return
        message = "".join(traceback.format_exception_only(what)).strip()
        self.logger.error(message, exc_info=what)
        if subsegment := self.tracer.provider.current_subsegment():
            subsegment.add_exception(what, traceback.extract_tb(what.__traceback__))

    def flush_metrics(self) -> None:
        """Write the metrics of a request; those that cannot be written are dropped and logged."""
        if not self.metrics.metric_set:
            return
        try:
            self.metrics.flush_metrics()
        except Exception as error:  # noqa: BLE001 - the answer of the page is there, and goes out
            self.metrics.clear_metrics()
            self.log(error)


def create_exports(
    manifest: "Mapping[str, Any]", args: "Mapping[str, Any]"
) -> "Mapping[str, object]":
    """Return `{"handler": ...}` as `routelet.aws` does, within Logger, Tracer and Metrics.

    The environment says their names, to these and to those that a page makes itself; what it does
    not say is set here: the service is the function's only route, or else the function.
    """
    routes = manifest["routes"]
    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", NAMESPACE)
    only_route = routes[0]["route"] if len(routes) == 1 else ""
    # CloudWatch takes dimensions in ASCII only:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
    service = only_route if only_route.isascii() else ""
    os.environ.setdefault("POWERTOOLS_SERVICE_NAME", service or function_name)
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", NAMESPACE)
    tools = Powertools(logger=_library.Logger(), tracer=_tracer(), metrics=_library.Metrics())
    app = App(manifest)
    app.log = tools.log
    app.powertools = tools
    # An event has the signed locals; where they are, no variable has it logged.
    log_event = False if app.has_edge_middleware else None
    return {"handler": _wrapped(handler_of(app, args), tools, log_event=log_event)}


def _wrapped(answer: "Handler", tools: Powertools, *, log_event: bool | None) -> "Handler":
    def handler(event: "Mapping[str, Any]", context: object) -> "dict[str, Any]":
        tools.logger.set_correlation_id(correlation_id_of(event))
        result = answer(event, context)
        tools.flush_metrics()
        return result

    # Flushed above; what is left to log_metrics is the cold start, and a warning of nothing else.
    warnings.filterwarnings("ignore", "No application metrics to publish")
    # A response has the visitor's own data and up to 6 MB; a trace takes 64 KB.
    traced = tools.tracer.capture_lambda_handler(handler, capture_response=False)
    measured = tools.metrics.log_metrics(traced, capture_cold_start_metric=True)
    wrapped: Handler = tools.logger.inject_lambda_context(
        measured, log_event=log_event, clear_state=True
    )
    return wrapped


def correlation_id_of(event: "Mapping[str, Any]") -> "Any":
    """Return what the event source names the request by, or None for an event that has no name.

    API Gateway and function URLs number their requests; a load balancer has X-Amzn-Trace-Id, in
    lower case; CloudFront has an id of its own.
    """
    return (
        member(event, "requestContext", "requestId")
        or member(event, "headers", "x-amzn-trace-id")
        or member(event, "multiValueHeaders", "x-amzn-trace-id", 0)
        or member(event, "Records", 0, "cf", "config", "requestId")
    )


def _tracer() -> "Any":
    """Return a Tracer; without the extra `tracer` one that takes everything and sends nothing."""
    try:
        return _library.Tracer(auto_patch=False)
    except ImportError:
        return _library.Tracer(auto_patch=False, disabled=False, provider=_Untraced())


class _Untraced:
    """A tracing provider, and its only segment, that do nothing."""

    def in_subsegment(self, name: str | None = None, **_: object) -> "AbstractContextManager[Any]":  # noqa: ARG002
        return nullcontext(self)

    in_subsegment_async = in_subsegment

    def current_subsegment(self) -> "_Untraced":
        return self

    def _nothing(self, *_: object, **__: object) -> None:
        pass

    put_annotation = put_metadata = add_exception = patch = patch_all = _nothing
