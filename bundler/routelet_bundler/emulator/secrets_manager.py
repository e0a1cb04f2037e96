"""Secrets Manager with one secret: where an edge function asks for its key.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

import json
import secrets
import string
from typing import Final

from routelet_bundler.emulator.sandbox import ACCOUNT, REGION
from routelet_bundler.emulator.serving import HOST, HttpAnswer, HttpRequest, Server

_CHARACTERS: Final = string.ascii_letters + string.digits
_LENGTH: Final = 64


def new_key() -> str:
    """Return a key as the templates have one made."""
    return "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH))


class SecretsManager:
    """Serves the secret `name` from now until `stop`."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value
        self._server = Server(self._answer, max_body_bytes=65_536)
        self.url = f"http://{HOST}:{self._server.port}"
        self._server.start()

    def stop(self) -> None:
        """Take no more requests."""
        self._server.stop()

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        headers = {name.lower(): value for name, value in request.headers}
        if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return _error("MissingAuthenticationTokenException", "the request is not signed")
        if headers.get("x-amz-target") != "secretsmanager.GetSecretValue":
            return _error("UnknownOperationException", "there is GetSecretValue only")
        try:
            asked = json.loads(request.body or b"")["SecretId"]
        except (ValueError, KeyError, TypeError):
            return _error("ValidationException", "there is no SecretId")
        if asked != self._name:
            text = "Secrets Manager can't find the specified secret."
            return _error("ResourceNotFoundException", text)
        found = {
            "ARN": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{self._name}-000000",
            "Name": self._name,
            "SecretString": self._value,
            "VersionId": "00000000-0000-0000-0000-000000000000",
            "VersionStages": ["AWSCURRENT"],
        }
        return _json(200, found)


def _error(kind: str, message: str) -> HttpAnswer:
    return _json(400, {"__type": kind, "Message": message})


def _json(status: int, value: object) -> HttpAnswer:
    headers = (("Content-Type", "application/x-amz-json-1.1"),)
    return HttpAnswer(status=status, headers=headers, body=json.dumps(value).encode())
