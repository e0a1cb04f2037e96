"""What the contact form asks for, and what is wrong with an answer."""

import re
from dataclasses import dataclass

MAX_NAME_LENGTH = 80  # characters
MAX_EMAIL_LENGTH = 254  # characters, RFC 5321 section 4.5.3.1 less the angle brackets
MIN_MESSAGE_LENGTH, MAX_MESSAGE_LENGTH = 10, 4000  # characters
# Only the shape: whether an address works is known when a message arrives there.
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    name: str = ""
    email: str = ""
    text: str = ""


def problems(message: Message) -> dict[str, str]:
    """Return what to mend, by field name; empty when the message may be taken."""
    found = {}
    if not message.name:
        found["name"] = "Please tell me your name."
    elif len(message.name) > MAX_NAME_LENGTH:
        found["name"] = f"Please keep the name under {MAX_NAME_LENGTH} characters."
    if len(message.email) > MAX_EMAIL_LENGTH or not EMAIL.fullmatch(message.email):
        found["email"] = "Please give an address such as ada@example.org."
    if not MIN_MESSAGE_LENGTH <= len(message.text) <= MAX_MESSAGE_LENGTH:
        limits = f"between {MIN_MESSAGE_LENGTH} and {MAX_MESSAGE_LENGTH}"
        found["text"] = f"Please write {limits} characters."
    return found
