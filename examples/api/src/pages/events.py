"""Write an event to the log, as one line of JSON that CloudWatch Logs Insights can query."""

from typing import Any

from aws_lambda_powertools import Logger
from lib.problem import problem
from routelet import Context, Response

logger = Logger(service="example-api")

MAX_NAME_LENGTH = 100  # characters


def GET(ctx: Context) -> dict[str, Any]:
    logger.info("event", extra={"event_name": "events.read", "route": ctx.route_pattern})
    return {"logged": "events.read"}


def POST(ctx: Context) -> Response:
    try:
        body = ctx.request.json()
    except ValueError as error:
        return problem(400, "The body is not JSON", detail=str(error))
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_LENGTH:
        detail = f"`name` must be a text of 1 to {MAX_NAME_LENGTH} characters"
        return problem(422, "No event name", detail=detail)
    logger.info("event", extra={"event_name": name, "route": ctx.route_pattern})
    return Response.json({"logged": name}, status=202)
