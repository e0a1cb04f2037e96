"""A secret asked for without boto3: the signature is checked with botocore's own signer."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from routelet import secrets_manager
from routelet.edge import KEY_AGE_S, Key, _key_of_this_function
from routelet.secrets_manager import (
    ENDPOINT_VARIABLE,
    SecretError,
    secret_string,
    signed_headers,
)
from routelet.signing import MIN_KEY_CHARACTERS

MOMENT = datetime(2026, 11, 21, 23, 59, 58, tzinfo=UTC)
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


def of_botocore(body: bytes, headers: dict[str, str], credentials: Credentials) -> str:
    """Return the Authorization that botocore gives a request with these headers."""
    request = AWSRequest("POST", f"https://{headers['host']}/", headers=headers, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer: Any = botocore.auth.SigV4Auth(credentials, "secretsmanager", "us-east-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    scope = signer.scope(request)
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


@given(TEXT, TEXT, st.none() | TEXT, st.binary())
def test_the_signature_is_that_of_botocore(
    access_key: str, secret_key: str, token: str | None, body: bytes
) -> None:
    environment = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key}
    if token is not None:
        environment["AWS_SESSION_TOKEN"] = token
    host = "secretsmanager.us-east-1.amazonaws.com"
    headers = dict(signed_headers(host, body, "us-east-1", environment, MOMENT.timetuple()))
    ours = headers.pop("authorization")
    assert headers["x-amz-date"] == "20261121T235958Z"
    assert headers.get("x-amz-security-token") == token
    assert ours == of_botocore(body, headers, Credentials(access_key, secret_key))


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_missing_credentials_are_told(name: str) -> None:
    environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    del environment[name]
    with pytest.raises(SecretError, match=name):
        signed_headers("h", b"", "us-east-1", environment, time.gmtime())


class Service(ThreadingHTTPServer):
    """Answers GetSecretValue, of those who sign with its credentials."""

    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI")
    secrets: dict[str, dict[str, Any]]


class Answers(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        names = ("content-type", "host", "x-amz-date", "x-amz-target")
        headers = {name: self.headers[name] for name in names}
        expected = of_botocore(body, headers, self.server.credentials)
        name = json.loads(body)["SecretId"]
        if self.headers["authorization"] != expected:
            self.answer(403, {"__type": "com.amazon#InvalidSignatureException"})
        elif self.headers["x-amz-target"] != "secretsmanager.GetSecretValue":
            self.answer(400, {"__type": "UnknownOperationException"})
        elif name not in self.server.secrets:
            self.answer(400, {"__type": "ns#ResourceNotFoundException", "Message": "not there"})
        else:
            self.answer(200, {"Name": name, **self.server.secrets[name]})

    def answer(self, status: int, told: Any) -> None:
        text = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), Answers) as server:
        server.secrets = {"site-middleware": {"SecretString": "the key"}}
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def environment(service: Service) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": service.credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": service.credentials.secret_key,
        ENDPOINT_VARIABLE: f"http://127.0.0.1:{service.server_port}",
    }


def test_a_secret_is_read(environment: dict[str, str]) -> None:
    assert secret_string("site-middleware", "us-east-1", environment) == "the key"


def test_a_wrong_credential_is_told_without_its_value(environment: dict[str, str]) -> None:
    with pytest.raises(SecretError, match="status 403 InvalidSignatureException") as caught:
        secret_string(
            "site-middleware", "us-east-1", {**environment, "AWS_SECRET_ACCESS_KEY": "hunter2"}
        )
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_not_there_is_told_with_its_name(environment: dict[str, str]) -> None:
    with pytest.raises(SecretError, match="secret other cannot be read: status 400 ResourceNotFo"):
        secret_string("other", "us-east-1", environment)


def test_a_secret_of_bytes_has_no_text(service: Service, environment: dict[str, str]) -> None:
    service.secrets["site-middleware"] = {"SecretBinary": "AAAA"}
    with pytest.raises(SecretError, match="has no text"):
        secret_string("site-middleware", "us-east-1", environment)


def test_an_endpoint_that_is_not_there_is_told(environment: dict[str, str]) -> None:
    gone = {**environment, ENDPOINT_VARIABLE: "http://127.0.0.1:1"}
    with pytest.raises(SecretError, match=r"no answer of 127\.0\.0\.1:1"):
        secret_string("site-middleware", "us-east-1", gone)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b'{"SecretString": 1}'])
def test_any_other_answer_is_an_error(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, status: int, text: bytes
) -> None:
    monkeypatch.setattr(Answers, "do_POST", lambda self: self.answer(status, text))
    with pytest.raises(SecretError):
        secret_string("site-middleware", "us-east-1", environment)


def test_an_answer_that_is_no_http_is_an_error(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "do_POST", lambda self: self.wfile.write(b"nonsense\r\n\r\n"))
    with pytest.raises(SecretError, match="no answer"):
        secret_string("site-middleware", "us-east-1", environment)


def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over = Event()
    text = b'{"SecretString": "the key"}'
    head = f"HTTP/1.0 200 OK\r\ncontent-length: {len(text)}\r\n\r\n"

    def drip(self: Answers) -> None:
        for byte in head.encode() + text:
            if is_over.wait(0.1):  # no step is slow; all of them take 7 s
                return
            self.wfile.write(bytes([byte]))

    monkeypatch.setattr(Answers, "do_POST", drip)
    monkeypatch.setattr(secrets_manager, "TIMEOUT_S", 0.5)
    try:
        with pytest.raises(SecretError, match=r"no answer of 127\.0\.0\.1:\d+ in 0\.5 s"):
            secret_string("site-middleware", "us-east-1", environment)
    finally:
        is_over.set()


@pytest.fixture
def at_the_edge(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "us-east-1.site-middleware")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


@pytest.mark.usefixtures("at_the_edge")
def test_the_edge_asks_for_the_secret_of_its_own_name(service: Service) -> None:
    service.secrets = {"site-middleware": {"SecretString": "k" * MIN_KEY_CHARACTERS}}
    assert _key_of_this_function() == "k" * MIN_KEY_CHARACTERS


@pytest.mark.usefixtures("at_the_edge")
def test_a_short_secret_does_not_replace_the_key_that_is_there(service: Service) -> None:
    now = 0.0
    key = Key(_key_of_this_function, lambda: now)
    service.secrets = {"site-middleware": {"SecretString": "k" * MIN_KEY_CHARACTERS}}
    key.get(print)
    service.secrets = {"site-middleware": {"SecretString": "k" * (MIN_KEY_CHARACTERS - 1)}}
    now = KEY_AGE_S
    logged: list[str] = []
    assert key.get(logged.append) == "k" * MIN_KEY_CHARACTERS
    assert "site-middleware has fewer than 32 characters" in logged[0]


@pytest.mark.usefixtures("at_the_edge")
def test_a_short_secret_alone_is_refused() -> None:
    with pytest.raises(SecretError, match="site-middleware has fewer than 32 characters"):
        Key(_key_of_this_function, lambda: 0.0).get(print)
