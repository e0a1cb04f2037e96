"""What a page imports: `from routelet import Context, Response`. Standard library only."""

from routelet.context import Context
from routelet.headers import Headers
from routelet.http import URL, Request, Response, SearchParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from routelet.cookies import Cookies
    from routelet.middleware import sequence

__all__ = [
    "URL",
    "Context",
    "Cookies",
    "Headers",
    "Request",
    "Response",
    "SearchParams",
    "sequence",
]


LATE = {"Cookies": "routelet.cookies", "sequence": "routelet.middleware"}
"""Modules of names that few pages import. A function has those that its own modules name."""


def __getattr__(name: str) -> object:
    if name in LATE:
        from importlib import import_module  # loaded by the interpreter  # noqa: PLC0415

        return getattr(import_module(LATE[name]), name)
    raise AttributeError(f"module 'routelet' has no attribute {name!r}")
