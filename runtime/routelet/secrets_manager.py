"""A secret of AWS Secrets Manager, asked for without boto3: that takes seconds to load at the edge.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import json
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 3
"""For all of it, names and TLS too: a function of viewer requests has 5 s for everything.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
"""
ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
"""Names another endpoint, as AWS's SDKs have it; Lambda@Edge has no such variable.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
"""
_SERVICE = "secretsmanager"
_TARGET = "secretsmanager.GetSecretValue"
_CONTENT_TYPE = "application/x-amz-json-1.1"


class SecretError(RuntimeError):
    """The secret cannot be read; never has what is in it."""


def secret_string(name: str, region: str, environment: "Mapping[str, str]") -> str:
    """Return the text of the secret `name` in `region`.

    `environment` has the credentials, as Lambda gives them. Raises `SecretError`.
    """
    from urllib.parse import urlsplit  # 6 ms, at the first request only  # noqa: PLC0415

    address = urlsplit(
        environment.get(ENDPOINT_VARIABLE) or f"https://{_SERVICE}.{region}.amazonaws.com"
    )
    body = json.dumps({"SecretId": name}).encode()
    headers = signed_headers(address.netloc, body, region, environment, time.gmtime())
    return _string_of(name, *_answer(address.scheme, address.netloc, body, headers))


def _answer(
    scheme: str, authority: str, body: bytes, headers: "Mapping[str, str]"
) -> "tuple[int, bytes]":
    from threading import Thread  # loaded by Lambda's runtime  # noqa: PLC0415

    told: list[tuple[int, bytes] | Exception] = []

    def ask() -> None:
        try:
            told.append(_asked(scheme, authority, body, headers))
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that asks
            told.append(error)

    # A socket's time-out is for one step, of which an answer may have any number.
    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    answer = told[0] if told else SecretError(f"no answer of {authority} in {TIMEOUT_S} s")
    if isinstance(answer, Exception):
        raise answer
    return answer


def _asked(
    scheme: str, authority: str, body: bytes, headers: "Mapping[str, str]"
) -> "tuple[int, bytes]":
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # 30 ms  # noqa: PLC0415

    kind = HTTPConnection if scheme == "http" else HTTPSConnection
    try:
        connection = kind(authority, timeout=TIMEOUT_S)
        try:
            connection.request("POST", "/", body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
    except (OSError, HTTPException) as error:
        raise SecretError(f"no answer of {authority}: {error!r}") from None


def _string_of(name: str, status: int, text: bytes) -> str:
    try:
        told = json.loads(text)
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    if status != 200:
        why = str(told.get("__type", "")).rpartition("#")[2]
        raise SecretError(f"the secret {name} cannot be read: status {status} {why}".rstrip())
    if not isinstance(told.get("SecretString"), str):
        raise SecretError(f"the secret {name} has no text")
    return str(told["SecretString"])


def signed_headers(
    host: str,
    body: bytes,
    region: str,
    environment: "Mapping[str, str]",
    now: "time.struct_time",
) -> "Mapping[str, str]":
    """Return the headers of a request for a secret, signed with AWS Signature Version 4.

    `now` is in UTC. Raises `SecretError` where `environment` has no credentials.
    """
    try:
        access_key, secret_key = (
            environment[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        )
    except KeyError as error:
        raise SecretError(f"there is no {error.args[0]} in the environment") from None
    moment = time.strftime("%Y%m%dT%H%M%SZ", now)
    scope = f"{moment[:8]}/{region}/{_SERVICE}/aws4_request"
    headers = {
        "content-type": _CONTENT_TYPE,
        "host": host,
        "x-amz-date": moment,
        "x-amz-target": _TARGET,
    }
    if token := environment.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return {
        **headers,
        "authorization": (
            f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, "
            f"Signature={signature}"
        ),
    }
