"""Statistics of numbers: /summary?x=3&x=1&x=4, or POST {"numbers": [3, 1, 4]}"""

from typing import Any

import numpy as np
from lib.problem import problem
from numpy.typing import NDArray
from routelet import Context, Response

# More memory is also a larger share of a CPU, which makes numpy's own import quicker.
config = {"memory": 1024, "timeout": 20}

MAX_NUMBERS = 100_000
SAMPLE = ["3", "1", "4", "1", "5", "9", "2", "6"]


def GET(ctx: Context) -> dict[str, Any] | Response:
    return answer(ctx.request.url.search_params.get_all("x") or SAMPLE)


def POST(ctx: Context) -> dict[str, Any] | Response:
    try:
        body = ctx.request.json()
    except ValueError as error:
        return problem(400, "The body is not JSON", detail=str(error))
    numbers = body.get("numbers") if isinstance(body, dict) else None
    if not isinstance(numbers, list):
        return problem(422, "No numbers", detail='the body is not like {"numbers": [1, 2]}')
    return answer(numbers)


def answer(given: list[Any]) -> dict[str, Any] | Response:
    if not 1 <= len(given) <= MAX_NUMBERS:
        return problem(422, "Wrong count of numbers", detail=f"give 1 to {MAX_NUMBERS} of them")
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        return problem(422, "Not all are numbers", detail=str(error))
    if values.ndim != 1 or not np.isfinite(values).all():
        return problem(422, "Not all are numbers", detail="each must be a finite number")
    return summary(values)


def summary(values: NDArray[np.float64]) -> dict[str, Any]:
    low, quarter, median, three_quarters, high = np.percentile(values, [0, 25, 50, 75, 100])
    return {
        "count": int(values.size),
        "mean": float(values.mean()),
        "standard_deviation": float(values.std()),
        "minimum": float(low),
        "quartiles": [float(quarter), float(median), float(three_quarters)],
        "maximum": float(high),
    }
