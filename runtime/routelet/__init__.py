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


def __getattr__(name: str) -> object:
    if name == "Cookies":  # pages rarely name the class, and it need not be loaded for them
        from routelet.cookies import Cookies  # noqa: PLC0415

        return Cookies
    if name == "sequence":  # only middleware has it
        from routelet.middleware import sequence  # noqa: PLC0415

        return sequence
    raise AttributeError(f"module 'routelet' has no attribute {name!r}")
