"""YAML in, JSON out: POST a YAML document. GET converts a sample."""

import json
from datetime import date

import yaml
from lib.problem import problem
from routelet import Context, Response

MAX_LENGTH = 64_000  # bytes
MAX_DEPTH = 50
SAMPLE = b"""\
site: example
released: 2026-11-21
routes: [status, items, convert]
"""


def GET(ctx: Context) -> Response:
    return converted(SAMPLE)


def POST(ctx: Context) -> Response:
    return converted(ctx.request.body)


def converted(source: bytes) -> Response:
    if len(source) > MAX_LENGTH:
        return problem(413, "The document is too long", limit_bytes=MAX_LENGTH)
    try:
        check(source)
        text = json.dumps(yaml.safe_load(source), default=text_of, allow_nan=False)
    except (yaml.YAMLError, TypeError, ValueError) as error:
        return problem(422, "The document cannot be converted", detail=str(error))
    return Response(text, headers={"content-type": "application/json"})


def check(source: bytes) -> None:
    """Raise `ValueError` for a small document that would be large work.

    A few lines of aliases to aliases can stand for gigabytes of JSON; deep nesting is slow to read.
    """
    depth = 0
    for event in yaml.parse(source, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases are not taken")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels are not taken")


def text_of(value: object) -> str:
    """Write what YAML knows and JSON does not: dates."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"JSON has no {type(value).__name__}")
