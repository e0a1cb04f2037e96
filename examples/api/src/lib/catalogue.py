"""The things this API knows. A real one would ask a database here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    number: int
    name: str
    grams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    reference: str
    customer: str
    lines: tuple[tuple[Item, int], ...]
    """Each item with its quantity."""

    @property
    def grams(self) -> int:
        return sum(item.grams * quantity for item, quantity in self.lines)


KETTLE = Item(number=7, name="Kettle", grams=1180)
TEAPOT = Item(number=42, name="Teapot", grams=640)
STRAINER = Item(number=43, name="Tea strainer", grams=35)

ITEMS = {item.number: item for item in (KETTLE, TEAPOT, STRAINER)}
ORDERS = {
    order.reference: order
    for order in (
        Order(reference="A-1001", customer="Ada", lines=((TEAPOT, 1), (STRAINER, 2))),
        Order(reference="A-1002", customer="Grace", lines=((KETTLE, 1),)),
    )
}
