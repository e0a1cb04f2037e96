"""The middleware of a site before its functions, whatever the host, where no page has answered."""

from routelet.app import App
from routelet.events import EventError
from routelet.headers import Headers
from routelet.http import Request, Response
from routelet.signing import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from routelet.app import Result
    from routelet.context import Context
    from routelet.signing import Change


class EdgeApp(App):
    """The middleware of a site, with all of its routes and none of their pages."""

    def _page(self, ctx: "Context") -> Response:
        if ctx.request.url.malformed:
            raise ValueError(f"a rewrite to a malformed path: {ctx.request.url.path!r}")
        if ctx.request.host_context is None:  # a Request of the middleware's own
            raise ValueError(
                "a rewrite to another Request: what goes on from here is the viewer's, with its "
                "own method and body; rewrite to a path"
            )
        return Unanswered(ctx.request, plain(ctx.locals))

    def _failed(self, ctx: "Context", error: BaseException) -> "Result":
        failed = super()._failed(ctx, error)
        if isinstance(error, EventError):  # a body is read that the host has cut
            return Response("Content Too Large", 413)
        return failed

    def _finished(self, request: Request, response: Response, add_cookie_header: bool) -> Response:
        if not isinstance(response, Unanswered):
            return super()._finished(request, response, add_cookie_header)
        if request._cookies is not None:
            for header in request._cookies.set_cookie_headers():
                response.headers.append("set-cookie", header)
        return response


class Unanswered(Response):
    """What `next()` gives at the edge: the page has not answered yet.

    Headers that are set on it travel to the function, which sets them on its response. It has no
    body and no status: reading or changing them raises `RuntimeError`.
    """

    __slots__ = ("_changes", "locals", "request")

    def __init__(self, request: "Request", locals: "dict[str, object]") -> None:
        self.request = request
        self.locals = locals
        self._changes = HeaderChanges()

    @property
    def headers(self) -> "HeaderChanges":  # type: ignore[override]
        """The headers that the response is to have."""
        return self._changes

    @property
    def body(self) -> "NoReturn":
        """Raises `RuntimeError`."""
        _not_yet("body")

    @body.setter
    def body(self, value: object) -> "NoReturn":  # noqa: ARG002
        _not_yet("body")

    @property
    def status(self) -> "NoReturn":
        """Raises `RuntimeError`."""
        _not_yet("status")

    @status.setter
    def status(self, value: object) -> "NoReturn":  # noqa: ARG002
        _not_yet("status")

    def whole(self) -> "Unanswered":
        """Return this: there is no body to read."""
        return self

    def __repr__(self) -> str:
        return f"Unanswered({self.request!r})"


class HeaderChanges(Headers):
    """Changes of headers that are not there yet, in order; reading them raises `RuntimeError`."""

    __slots__ = ("changes",)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Change] = []

    def append(self, name: str, value: str) -> None:
        """Have a value added beside those that the response has."""
        super().append(name, value)  # raises for what is no header
        self.changes.append(("append", *self._pairs.pop()))

    def set(self, name: str, value: str) -> None:
        """Have the values that the response has replaced."""
        Headers.append(self, name, value)
        self.changes.append(("set", *self._pairs.pop()))

    def delete(self, name: str) -> None:
        """Have the values that the response has removed."""
        self.changes.append(("delete", name.lower(), ""))

    def get_all(self, name: str) -> "NoReturn":
        """Raise `RuntimeError`."""
        _not_yet(f"header {name!r}")

    def raw(self) -> "NoReturn":
        """Raise `RuntimeError`."""
        _not_yet("headers")

    joined = items = raw

    def __iter__(self) -> "NoReturn":
        _not_yet("headers")

    def __len__(self) -> "NoReturn":  # noqa: PLE0303 - never any
        _not_yet("headers")

    def __repr__(self) -> str:
        return f"HeaderChanges({self.changes!r})"


def _not_yet(what: str) -> "NoReturn":
    raise RuntimeError(
        f"the {what} of a response that is not there yet: the middleware runs at the edge, before "
        "the page answers; it can set headers and cookies, or return a Response of its own"
    )
