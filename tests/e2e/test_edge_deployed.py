"""The SAM template of a site with edge middleware, deployed to ministack, which makes the key.

It is an emulator of AWS's own calls: CloudFormation, Secrets Manager and Lambda are there, and
Lambda@Edge is not, so the edge function runs here, from its zip, with its deployed name.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from zipfile import ZipFile

import boto3
import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from routelet_bundler import Build, build

MINISTACK = "ministack==1.5.33"
"""In an environment of its own: it wants a botocore of its own."""
STACK = "shop"
UV = Path(sys.executable).with_name("uv")

FILES = {
    "pyproject.toml": """
[project]
name = "site"
version = "1"

[tool.routelet]
output = "server"
adapter = "aws-lambda"

[tool.routelet.adapters.aws-lambda]
edge-middleware = true
""",
    "src/middleware.py": """
def on_request(ctx, next):
    ctx.locals["user"] = "ada"
    return next()
""",
    "src/pages/index.py": "def GET(ctx): return {'user': ctx.locals['user'], 'url': str(ctx.url)}",
    "public/style.css": "p {}",
}

RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import entry
print(json.dumps(entry.handler(json.loads(sys.argv[2]), None)))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    root = tmp_path_factory.mktemp("site")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return build(root)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of ministack."""
    own = tmp_path_factory.mktemp("ministack")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
    }
    environment.pop("PYTHONPATH", None)
    tool = [str(UV), "tool", "run", "--python", sys.executable, "--from", MINISTACK]
    there = subprocess.run([*tool, "python", "-c", ""], capture_output=True, check=False)
    if there.returncode:
        pytest.skip(f"needs {MINISTACK}: {there.stderr.decode().strip()}")
    with (own / "log").open("w") as log:
        process = subprocess.Popen(
            [*tool, "ministack"], env=environment, cwd=own, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_ministack/health")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urlopen(url):
                return
        except URLError:
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.fixture(scope="module")
def clients(aws: str) -> Iterator[Any]:
    """Return a function from the name of a service to its client."""
    session = boto3.Session("emulator", "emulator", region_name="us-east-1")
    made = {}

    def client(name: str) -> Any:
        if name not in made:
            made[name] = session.client(name, endpoint_url=aws)
        return made[name]

    yield client
    for one in made.values():
        one.close()


@pytest.fixture(scope="module")
def stack(built: Build, clients: Any) -> dict[str, Any]:
    """Deploy the template as `sam deploy` does; return its resources by their logical names."""
    clients("s3").create_bucket(Bucket="artifacts")
    template = yaml_parse((built.out_dir / "template.yaml").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            key = resource["Properties"]["CodeUri"]
            clients("s3").upload_file(str(built.out_dir / key), "artifacts", key)
            resource["Properties"]["CodeUri"] = f"s3://artifacts/{key}"
    session = boto3.Session(region_name="us-east-1")
    whole = Translator({}, Parser(), boto_session=session).translate(template, {})
    clients("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(whole),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    clients("cloudformation").get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    made = clients("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made}


@pytest.mark.counterpart
def test_functions_get_the_key_that_deployment_made(clients: Any, stack: Any) -> None:
    key = clients("secretsmanager").get_secret_value(SecretId=f"{STACK}-middleware")["SecretString"]

    page = clients("lambda").get_function_configuration(FunctionName=stack["IndexFunction"])
    assert page["Environment"]["Variables"]["ROUTELET_LOCALS_KEY"] == key
    assert len(key) == 64
    described = clients("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    template = clients("cloudformation").get_template(StackName=STACK)["TemplateBody"]
    assert key not in json.dumps([described, template], default=str)


@pytest.mark.counterpart
def test_one_version_is_before_and_after_the_cache(clients: Any, stack: Any) -> None:
    found = clients("cloudfront").get_distribution(Id=stack["Site"])["Distribution"]

    config = found["DistributionConfig"]
    viewer, origin = config["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Items"]
    assert viewer["LambdaFunctionARN"] == origin["LambdaFunctionARN"]
    assert viewer["LambdaFunctionARN"].endswith(f":function:{STACK}-middleware:1")
    (header,) = config["Origins"]["Items"][0]["CustomHeaders"]["Items"]
    assert header == {
        "HeaderName": "x-routelet-api",
        "HeaderValue": f"{stack['Api']}.execute-api.us-east-1.amazonaws.com",
    }


@pytest.mark.counterpart
def test_what_the_edge_signs_with_the_deployed_key_a_deployed_function_takes(
    built: Build, aws: str, clients: Any, stack: Any, tmp_path: Path
) -> None:
    def answer(headers: dict[str, str]) -> dict[str, Any]:
        http = {"method": "GET", "path": "/", "sourceIp": "192.0.2.1"}
        context = {"domainName": "api.example", "stage": "$default", "http": http}
        event: dict[str, Any] = {"version": "2.0", "rawPath": "/", "rawQueryString": ""}
        event |= {"headers": headers, "requestContext": context, "isBase64Encoded": False}
        sent = clients("lambda").invoke(
            FunctionName=stack["IndexFunction"], Payload=json.dumps(event)
        )
        result: dict[str, Any] = json.loads(sent["Payload"].read())
        return result

    passed = at_edge(built, aws, tmp_path)
    (line,) = passed["headers"]["x-routelet-locals"]
    page = answer({"x-routelet-locals": line["value"]})

    assert json.loads(page["body"]) == {"user": "ada", "url": "https://shop.example/"}
    assert answer({})["statusCode"] == 403
    assert answer({"x-routelet-locals": f"{line['value']}A"})["statusCode"] == 403


def at_edge(built: Build, aws: str, folder: Path) -> dict[str, Any]:
    """Run the edge function as it is named where it is deployed."""
    with ZipFile(built.out_dir / "functions" / "middleware.zip") as archive:
        archive.extractall(folder)
    event = {
        "clientIp": "203.0.113.1",
        "method": "GET",
        "uri": "/",
        "querystring": "",
        "headers": {"host": [{"key": "Host", "value": "shop.example"}]},
    }
    config = {"eventType": "viewer-request"}
    record = json.dumps({"Records": [{"cf": {"config": config, "request": event}}]})
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN, folder, record],
        env={
            "AWS_LAMBDA_FUNCTION_NAME": f"us-east-1.{STACK}-middleware",
            "AWS_ACCESS_KEY_ID": "emulator",
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result
