"""CloudFront in front of a handmade site, whose edge function is plain Python in a zip."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from routelet_bundler.emulator import Emulator
from routelet_bundler.emulator.secrets_manager import SecretsManager, new_key

EDGE = """
import json, os, time

API = {"port": 443, "protocol": "https", "path": "", "sslProtocols": ["TLSv1.2"],
       "readTimeout": 30, "keepaliveTimeout": 5, "customHeaders": {}}

def handler(event, context):
    record = event["Records"][0]["cf"]
    request = record["request"]
    if record["config"]["eventType"] == "viewer-request":
        return viewer(event, request)
    if request["uri"].startswith("/api"):
        domain = request["origin"]["s3"]["customHeaders"]["x-routelet-api"][0]["value"]
        request["origin"] = {"custom": {**API, "domainName": domain}}
        if request["uri"] != "/api/bucket-host":
            request["headers"]["host"] = [{"key": "Host", "value": domain}]
    elif request["uri"] == "/elsewhere":
        request["origin"] = {"custom": {**API, "domainName": "evil.example"}}
        request["headers"]["host"] = [{"key": "Host", "value": "evil.example"}]
    return request

def viewer(event, request):
    match request["uri"]:
        case "/event": return {"status": "200", "body": json.dumps(event)}
        case "/environment": return {"status": "200", "body": json.dumps(dict(os.environ))}
        case "/error": raise ValueError("secret")
        case "/slow": time.sleep(60)
        case "/nothing": return None
        case "/refused":
            return {"status": "200", "headers": {"connection": [{"value": "close"}]}}
    request["headers"]["x-added"] = [{"key": "X-Added", "value": "yes"}]
    return request
"""
ECHO = """
import json, os
def handler(event, context):
    body = json.dumps({**event, "key": os.environ.get("ROUTELET_LOCALS_KEY")})
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
"""


@pytest.fixture(scope="module")
def log() -> list[str]:
    return []


@pytest.fixture(scope="module")
def site(make_dist: Callable[..., Any], log: list[str]) -> Iterator[Emulator]:
    dist = make_dist()
    dist.edge(EDGE, timeout=1)
    dist.function("echo", ECHO, environment={"TABLE": "t"})
    dist.route("/api/[...path]", "echo")
    dist.route("/moved", type="redirect", redirect={"destination": "/x", "status": None})
    dist.file("style.css", "p {}")
    dist.file("a b.txt", "spaced")
    dist.file("docs/index.html", "docs")
    dist.file("404.html", "nothing here")
    (dist.path / "secret.txt").write_text("secret")
    with Emulator(dist.write(), log=log.append) as emulator:
        yield emulator


def test_the_edge_function_sees_the_viewer_as_cloudfront_shows_it(site: Emulator) -> None:
    event = site.post("/event?a=%20", body=b"{}", headers={"X-One": "1"}).json()

    request = event["Records"][0]["cf"]["request"]
    assert (request["method"], request["uri"], request["querystring"]) == (
        "POST",
        "/event",
        "a=%20",
    )
    assert request["clientIp"] == "127.0.0.1"
    assert request["headers"]["host"][0]["value"] == site.url.removeprefix("http://")
    assert request["headers"]["x-one"] == [{"key": "x-one", "value": "1"}]
    assert request["body"]["data"] == "e30="


def test_it_has_lambdas_environment_and_the_place_of_its_secret_alone(site: Emulator) -> None:
    environment = site.get("/environment").json()

    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "us-east-1.middleware"
    own = {name for name in environment if not name.startswith(("AWS_LAMBDA", "LAMBDA", "_"))}
    lambdas = {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION",
        "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS", "LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PWD",
        "PYTHONPATH", "SHLVL", "TZ",
    }  # fmt: skip
    assert own - lambdas == {"AWS_ENDPOINT_URL_SECRETS_MANAGER"}


def test_a_file_is_what_the_bucket_has_under_just_this_name(site: Emulator) -> None:
    assert site.get("/style.css").text == "p {}"
    assert site.get("/a%20b.txt").text == "spaced"
    assert site.get("/docs/index.html").text == "docs"
    for path in (
        "/docs", "/docs/", "//style.css", "/../secret.txt", "/%2e%2e/secret.txt", "/style.css/",
        "/docs//index.html", "/docs/../style.css", "/./style.css",
    ):  # fmt: skip
        response = site.get(path)
        assert (response.status, response.text) == (404, "nothing here")


def test_a_function_gets_what_went_on_from_cloudfront(site: Emulator) -> None:
    event = site.post("/api//a%2Fb?x=1", body="text", headers={"Content-Type": "text/plain"}).json()

    assert event["rawPath"] == "/api//a/b"
    assert (event["rawQueryString"], event["body"]) == ("x=1", "text")
    assert event["headers"]["x-added"] == "yes"
    assert event["headers"]["host"] == event["requestContext"]["domainName"]
    assert event["requestContext"]["domainName"].startswith("emulator.execute-api.us-east-1.")
    assert event["requestContext"]["http"]["sourceIp"] == "192.0.2.1"
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1, 192.0.2.1"


def test_a_large_body_reaches_the_function_whole(site: Emulator) -> None:
    body = "x" * 100_000
    event = site.post("/api", body=body, headers={"Content-Type": "text/plain"}).json()

    assert event["body"] == body


def test_cookies_reach_a_function_one_by_one(site: Emulator) -> None:
    assert site.get("/api", headers={"Cookie": "a=1; b=2"}).json()["cookies"] == ["a=1", "b=2"]


def test_the_origin_of_a_form_of_the_site_itself_is_https(site: Emulator) -> None:
    event = site.post("/api", form={"a": "1"}).json()

    assert event["headers"]["origin"] == site.url.replace("http://", "https://")
    for origin in ("https://evil.example", f"{site.url}0", "null"):
        event = site.post("/api", form={"a": "1"}, headers={"Origin": origin}).json()
        assert event["headers"]["origin"] == origin


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("/nothing", 502, "LambdaValidationError: it is no object"),
        ("/refused", 502, "LambdaValidationError: a response cannot have the header 'connection'"),
        ("/error", 503, "LambdaExecutionError"),
        ("/slow", 503, "LambdaExecutionError"),
        ("/api/bucket-host", 502, "with Host files.s3.us-east-1.amazonaws.com"),
        ("/elsewhere", 502, "no origin here is evil.example"),
    ],
)
def test_faults_of_the_edge_function_are_cloudfronts_answers(
    site: Emulator, log: list[str], path: str, status: int, why: str
) -> None:
    response = site.get(path)

    assert response.status == status
    assert "The request could not be satisfied" in response.text
    assert "secret" not in response.text
    assert any(why in line for line in log)


def test_what_the_api_has_no_function_for_is_its_404(site: Emulator) -> None:
    response = site.get("/apiary")

    assert (response.status, response.json()) == (404, {"message": "Not Found"})


def test_a_get_request_with_a_body_is_refused(site: Emulator) -> None:
    assert site.request("GET", "/api", body="x").status == 403


def test_a_url_that_is_too_long_reaches_no_function(site: Emulator) -> None:
    assert site.get("/event?" + "a" * 8_186).status == 413
    assert site.get("/event?" + "a" * 8_185).status == 200


def test_the_bucket_answers_reads_alone(site: Emulator) -> None:
    assert site.request("HEAD", "/style.css").headers["content-length"] == "4"
    assert site.post("/style.css", json={}).status == 405


def test_functions_share_a_key_with_the_edge_that_is_new_each_time(
    make_dist: Callable[..., Any],
) -> None:
    dist = make_dist()
    dist.edge(
        "import boto3\ndef handler(event, context):\n"
        "  client = boto3.client('secretsmanager')\n"
        "  return client.get_secret_value(SecretId='middleware')['SecretString']"
    )
    dist.function("echo", ECHO)
    dist.function("other", ECHO, environment={"ROUTELET_LOCALS_KEY": "its own"})
    dist.write()
    keys = []
    for _ in range(2):
        log: list[str] = []
        with Emulator(dist.path, log=log.append) as emulator:
            given = json.loads(emulator.invoke("middleware", {}).payload)
            for name in ("echo", "other"):
                answer = json.loads(emulator.invoke(name, {}).payload)
                assert json.loads(answer["body"])["key"] == given
        assert not any(given in line for line in log)
        keys.append(given)
    assert keys[0] != keys[1]
    assert all(len(key) == 64 and key.isalnum() for key in keys)


@pytest.fixture
def secret() -> Iterator[tuple[Any, str]]:
    value = new_key()
    server = SecretsManager("it", value)
    client = boto3.client(
        "secretsmanager",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client, value
    client.close()
    server.stop()


def test_boto3_reads_the_secret(secret: Any) -> None:
    client, value = secret
    found = client.get_secret_value(SecretId="it")

    assert (found["Name"], found["SecretString"]) == ("it", value)


def test_there_is_no_other_secret_and_nothing_to_do_but_read(secret: Any) -> None:
    client, _ = secret
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_secret_value(SecretId="other")
    with pytest.raises(ClientError, match="UnknownOperationException"):
        client.list_secrets()
