"""Redirects of the configuration: where they lead. The edge and servers of files have it."""

from urllib.parse import urlsplit, urlunsplit

from routelet.routing import MalformedPathError, url_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from routelet.routing import Route


def location_of(destination: str, params: "Mapping[str, str | None]", base: str) -> str:
    """Return the destination with its parameters, a path below `base`."""
    parts = urlsplit(destination)
    if parts.scheme and not parts.netloc:  # mailto: and the like
        return destination
    path = url_for(parts.path, params, "/" if parts.netloc else base)
    if parts.path.endswith("/") and not path.endswith("/"):
        path += "/"
    return urlunsplit(parts._replace(path=path))


def target_of(
    route: "Route", params: "Mapping[str, str | None]", method: str, base: str
) -> "tuple[int, str]":
    """Return status and location of a redirect; where nothing is said 301, or 308 for a body.

    Raises `MalformedPathError` for parameters that the destination's URL cannot have, such as the
    `../` that an encoded slash makes of a rest parameter.
    """
    destination, status = route.redirect or (base, None)
    try:
        location = location_of(destination, params, base)
    except ValueError as error:
        raise MalformedPathError(str(error)) from None
    return status or (301 if method == "GET" else 308), location
