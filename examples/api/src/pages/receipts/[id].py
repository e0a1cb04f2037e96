"""The text of a receipt e-mail: /receipts/A-1001. The template is a text in this module."""

from jinja2 import Environment, StrictUndefined
from lib.catalogue import ORDERS
from lib.problem import problem
from routelet import Context, Response

# Plain text needs no HTML escapes; a template for HTML would need autoescape=True.
PLAIN = Environment(
    autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
RECEIPT = PLAIN.from_string("""\
Subject: Your order {{ order.reference }}

Hello {{ order.customer }},

thank you for your order:

{% for item, quantity in order.lines %}
  {{ "%3d" | format(quantity) }} x {{ item.name }}
{% endfor %}

It weighs {{ "%.2f" | format(order.grams / 1000) }} kg and is on its way.
""")


def GET(ctx: Context, id: str) -> Response:
    order = ORDERS.get(id.upper())
    if order is None:
        return problem(404, "No such order", reference=id)
    return Response(RECEIPT.render(order=order))
