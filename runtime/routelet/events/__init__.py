"""One module for each event source, with the same two functions in each.

`request_of(event)` gives the Request, or raises `EventError`. `result_of(response, event)` gives
what the source wants back, and takes any event.
"""

from functools import wraps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from routelet.http import Request


class EventError(ValueError):
    """An event that is broken, or of no source that routelet knows.

    It is answered with `status`: 400, or 413 where the host cut the body off.
    """

    def __init__(self, what: str, status: int = 400) -> None:
        super().__init__(what)
        self.status = status


def reads_events(
    request_of: "Callable[..., Request]",
) -> "Callable[..., Request]":
    """Let `request_of` raise nothing but `EventError`, whatever is missing or of another type."""

    @wraps(request_of)
    def guarded(event: "Mapping[str, Any]") -> "Request":
        try:
            return request_of(event)
        except EventError:
            raise
        except Exception as error:
            raise EventError(f"a broken event: {type(error).__name__}: {error}") from error

    return guarded


def member(value: "Any", *keys: "str | int") -> "Any":
    """Return what is in `value` at `keys`, one in the other, or None where that is broken."""
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value
