"""The contact form. GET shows it, POST takes it. Nothing is sent anywhere."""

import json

from lib.contact import MAX_MESSAGE_LENGTH, Message, problems
from routelet import Context, Response

prerender = False


def GET(ctx: Context) -> Response:
    return form_page(ctx, Message(), {})


def POST(ctx: Context) -> Response:
    try:
        form = ctx.request.form()
    except ValueError as error:
        return Response(f"This is not a form: {error}", 415)
    message = Message(
        name=str(form.get("name") or "").strip(),
        email=str(form.get("email") or "").strip(),
        text=str(form.get("text") or "").strip(),
    )
    mistakes = problems(message)
    if mistakes:
        page = form_page(ctx, message, mistakes)
        page.status = 422
        return page
    # People cannot see this field; programs that fill in every field give themselves away.
    if not form.get("website"):
        take(message)
    return ctx.render("layouts/contact_thanks.jinja", message=message)


def take(message: Message) -> None:
    """Write one log line. Put your queue or mail service here.

    The line says that a message came, not what is in it: logs are kept long and read by many.
    """
    print(json.dumps({"event": "contact_message", "characters": len(message.text)}))


def form_page(ctx: Context, message: Message, mistakes: dict[str, str]) -> Response:
    return ctx.render(
        "layouts/contact.jinja", message=message, mistakes=mistakes, max_length=MAX_MESSAGE_LENGTH
    )
