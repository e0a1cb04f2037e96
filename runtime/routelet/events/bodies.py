"""What events have in common: bodies as text or base64, headers by name, hosts with ports."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.http import Response

_TEXT_SUBTYPES = ("json", "xml", "javascript", "ecmascript", "x-www-form-urlencoded", "yaml")


def body_of(event: "Mapping[str, Any]") -> "str | bytes":
    """Return the body, text or what base64 holds: events carry both in one key."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        from binascii import a2b_base64  # base64 costs 2 ms more  # noqa: PLC0415

        return a2b_base64(body)
    return str(body)


def encoded_body(response: "Response", method: str | None) -> "tuple[str, bool]":
    """Return the body as text, or as base64 where it cannot be text.

    A response that has none gives an empty text: HEAD, 1xx, 204 and 304 (RFC 9110, 6.4.1).
    """
    if method == "HEAD" or response.status < 200 or response.status in {204, 304}:
        return "", False
    coded = "content-encoding" in response.headers
    if isinstance(response.body, str) and not coded:
        text = response.body
        if not text.isascii():  # half of a surrogate pair has no UTF-8
            text = text.encode("utf-8", "replace").decode()
        return text, False
    body = response.read()
    if not coded and _is_text(response.headers.get("content-type") or "text/plain"):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    from binascii import b2a_base64  # only for binary bodies  # noqa: PLC0415

    return b2a_base64(body, newline=False).decode(), bool(body)


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


def one_cookie(name: str, values: "list[str]") -> "list[str]":
    """Return the values of a header, those of Cookie as the one line they were: RFC 6265, 5.4."""
    return ["; ".join(values)] if name.lower() == "cookie" else values


def is_over(limit: int, result: "Mapping[str, Any]") -> bool:
    """Tell whether a result is over `limit` bytes of JSON; only one that may be is encoded."""
    if len(result.get("body", "")) * 12 < limit - 65_536:  # \\ud83d\\ude00 is a character; headers
        return False
    import json  # loaded by the runtime client already  # noqa: PLC0415

    # The runtime client escapes what is not ASCII, from Python 3.12 on no more.
    text = json.dumps(result, ensure_ascii=sys.version_info < (3, 12))
    return len(text.encode("utf-8", "surrogatepass")) > limit
