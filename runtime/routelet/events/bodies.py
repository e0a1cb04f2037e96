"""What the event sources have in common: bodies as text or base64, and hosts with ports."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.http import Response

_TEXT_SUBTYPES = ("json", "xml", "javascript", "ecmascript", "x-www-form-urlencoded", "yaml")


def body_of(event: "Mapping[str, Any]") -> bytes:
    """Return the body's bytes, which text and base64 events carry in one key."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        from base64 import b64decode  # 2 ms, only for binary bodies  # noqa: PLC0415

        return b64decode(body)
    return str(body).encode()


def encoded_body(response: "Response", method: str) -> "tuple[str, bool]":
    """Return the body as text, or as base64 where it cannot be text.

    A response that has none gives an empty text: HEAD, 1xx, 204 and 304 (RFC 9110, 6.4.1).
    """
    if method == "HEAD" or response.status < 200 or response.status in {204, 304}:
        return "", False
    coded = "content-encoding" in response.headers
    if isinstance(response.body, str) and not coded:
        return response.body, False
    body = response.read()
    if not coded and _is_text(response.headers.get("content-type") or "text/plain"):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    from base64 import b64encode  # 2 ms, only for binary bodies  # noqa: PLC0415

    return b64encode(body).decode(), bool(body)


def _is_text(content_type: str) -> bool:
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return kind == "text" or subtype.endswith(_TEXT_SUBTYPES)


def host_and_port(authority: str | None) -> "tuple[str, int | None]":
    """Split a Host header: `[::1]:8080` is `::1` and 8080."""
    if not authority:
        return "localhost", None
    host, bracket, rest = authority.partition("]")
    if bracket:
        port = rest.removeprefix(":")
        host = host.removeprefix("[")
    else:
        host, _, port = authority.partition(":")
    return host or "localhost", int(port) if port.isdecimal() else None
