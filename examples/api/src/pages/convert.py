"""Convert a value: /convert?value=5&from=mi&to=km"""

import math
from typing import Any

from lib.problem import problem
from lib.units import convert, kinds
from routelet import Context, Response


def GET(ctx: Context) -> dict[str, Any] | Response:
    query = ctx.request.url.search_params
    source, target = query.get("from") or "km", query.get("to") or "mi"
    try:
        value = float(query.get("value") or "1")
        result = convert(value, source, target)
    except ValueError as error:
        units = {kind: list(factors) for kind, factors in kinds().items()}
        return problem(422, "Cannot convert", detail=str(error), units=units)
    if not math.isfinite(result):
        return problem(422, "Cannot convert", detail="the value is not a finite number")
    return {"value": value, "from": source, "to": target, "result": result}
