"""Redirects of the configuration: where they lead."""

from urllib.parse import urlsplit, urlunsplit

from routelet.routing import url_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def location_of(destination: str, params: "Mapping[str, str | None]", base: str) -> str:
    """Return the destination with its parameters, a path below `base`."""
    parts = urlsplit(destination)
    if parts.scheme and not parts.netloc:  # mailto: and the like
        return destination
    path = url_for(parts.path, params, "/" if parts.netloc else base)
    if parts.path.endswith("/") and not path.endswith("/"):
        path += "/"
    return urlunsplit(parts._replace(path=path))
