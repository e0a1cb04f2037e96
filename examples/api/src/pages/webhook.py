"""A signed webhook. GET shows the request that would be sent, POST sends it.

Only the environment says where to, never a caller: else anyone could have this function call
addresses that only it can reach.
"""

import hashlib
import hmac
import os
from typing import Any

import requests
from lib.problem import problem
from routelet import Context, Response

DOCUMENTATION_URL = "https://hooks.example.com/in"
TRIAL_SECRET = "only-for-trying-out"
TIMEOUT = (1.0, 1.5)  # seconds to connect, and between bytes
SAMPLE = {"event": "order.shipped", "reference": "A-1001"}


class Signature(requests.auth.AuthBase):
    """Adds the HMAC-SHA256 of the body, so that the receiver knows who sent it."""

    def __init__(self, secret: str) -> None:
        self.secret = secret.encode()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        digest = hmac.new(self.secret, body_of(request), hashlib.sha256).hexdigest()
        request.headers["x-signature"] = f"sha256={digest}"
        return request


def body_of(request: requests.PreparedRequest) -> bytes:
    body = request.body
    return body if isinstance(body, bytes) else str(body or "").encode()


def prepared(url: str, message: Any) -> requests.PreparedRequest:
    signature = Signature(os.environ.get("WEBHOOK_SECRET", TRIAL_SECRET))
    return requests.Request("POST", url, json=message, auth=signature).prepare()


def GET(ctx: Context) -> dict[str, Any]:
    request = prepared(DOCUMENTATION_URL, SAMPLE)
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": body_of(request).decode(),
    }


def POST(ctx: Context) -> dict[str, Any] | Response:
    url = os.environ.get("WEBHOOK_URL")
    if not url:
        return problem(503, "No receiver", detail="WEBHOOK_URL is not set")
    try:
        message = ctx.request.json()
    except ValueError as error:
        return problem(400, "The body is not JSON", detail=str(error))
    try:
        with requests.Session() as session:
            answer = session.send(prepared(url, message), timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        return problem(502, "The receiver cannot be reached", detail=type(error).__name__)
    return {"receiver_status": answer.status_code}
