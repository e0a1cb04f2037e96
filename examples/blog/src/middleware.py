"""Security headers for what the functions answer.

Prerendered files are served by a CDN, which does not run this: give it the same headers.
"""

from collections.abc import Callable

from routelet import Context, Response

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "referrer-policy": "strict-origin-when-cross-origin",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}


def on_request(ctx: Context, next: Callable[[], Response]) -> Response:
    response = next()
    for name, value in SECURITY_HEADERS.items():
        response.headers.set(name, value)
    return response
