"""Take an order. GET tells what one looks like, as JSON Schema; POST checks one."""

from typing import Annotated, Any

from lib.catalogue import ITEMS
from lib.problem import problem
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from routelet import Context, Response


def known_item(number: int) -> int:
    if number not in ITEMS:
        raise ValueError("there is no item of this number")
    return number


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    item: Annotated[int, AfterValidator(known_item)]
    quantity: Annotated[int, Field(ge=1, le=100)] = 1


class NewOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
    lines: Annotated[list[Line], Field(min_length=1, max_length=50)]
    note: Annotated[str, Field(max_length=500)] = ""


def GET(ctx: Context) -> dict[str, Any]:
    return NewOrder.model_json_schema()


def POST(ctx: Context) -> Response:
    try:
        order = NewOrder.model_validate_json(ctx.request.body)
    except ValidationError as error:
        # Without include_context, which may hold exceptions, and input, which is the caller's own.
        mistakes = error.errors(include_url=False, include_context=False, include_input=False)
        return problem(422, "The order has mistakes", errors=mistakes)
    grams = sum(ITEMS[line.item].grams * line.quantity for line in order.lines)
    accepted = {"accepted": True, "grams": grams, "order": order.model_dump()}
    return Response.json(accepted, status=201)
