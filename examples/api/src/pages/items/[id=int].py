"""One item by its number. /items/teapot is no match, since the file name asks for an int."""

from dataclasses import asdict
from typing import Any

from lib.catalogue import ITEMS
from lib.problem import problem
from routelet import Context, Response


def GET(ctx: Context, id: int) -> dict[str, Any] | Response:
    if id not in ITEMS:
        return problem(404, "No such item", number=id)
    return asdict(ITEMS[id])
