"""The examples behind the asgi adapter answer as they do behind the emulated HTTP API."""

import json
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from routelet_bundler import build
from routelet_bundler.emulator import Emulator

EXAMPLES = Path(__file__).parents[2] / "examples"
ADAPTER = "routelet_bundler.adapters.asgi:asgi"
FORM = {"content-type": "application/x-www-form-urlencoded", "x-form": "yes"}
JSON = {"content-type": "application/json"}
LETTER = urlencode({"name": "Ada", "email": "ada@example.com", "text": "A message of some words."})
ORDER = json.dumps({"customer": "Ada", "lines": [{"sku": "A-1", "quantity": 2}]})

BLOG = [
    *(("GET", path, {}, "") for path in (
        "/", "/about", "/about/", "/blog", "/blog/", "/blog/cold-start-parts/",
        "/blog/cold-start-parts", "/rss.xml", "/sitemap.xml", "/style.css", "/robots.txt",
        "/favicon.svg", "/search", "/search?q=python", "/search?q=%C3%A9+%3Cb%3E", "/contact",
        "/api/search.json?q=bytecode", "/api/search.json", "/index.html", "/blog/index.html",
        "/nothing-here", "/blog/nothing-here", "/blog/nothing/here/", "/%62log/", "/%2e%2e/x",
        "/%zz", "/%ff", "/404", "/404.html", "/style.css/",
        "/STYLE.CSS", "//search", "/search/", "/search/?q=a&q=b",
    )),
    *(("HEAD", path, {}, "") for path in ("/", "/search", "/nothing", "/style.css")),
    ("OPTIONS", "/search", {}, ""),
    ("POST", "/", JSON, "{}"),
    ("DELETE", "/contact", JSON, ""),
    ("POST", "/contact", FORM, LETTER),
    ("POST", "/contact", FORM, LETTER.replace("ada%40", "")),
    ("POST", "/contact", {**FORM, "origin": "https://evil.example"}, LETTER),
    ("POST", "/contact", {"content-type": "text/plain"}, LETTER),
]  # fmt: skip
API = [
    *(("GET", path, {}, "") for path in (
        "/status.json", "/items/42", "/items/forty-two", "/items/-1", "/convert",
        "/convert?value=3&from=km&to=mi", "/webhook", "/orders", "/receipts/A-1001",
        "/receipts/none", "/summary", "/uploads/photos/cat.jpg", "/uploads/a%20b/%C3%A9",
        "/uploads/", "/yaml.json", "/events", "/", "/nothing",
    )),
    ("HEAD", "/status.json", {}, ""),
    ("DELETE", "/status.json", JSON, ""),
    ("OPTIONS", "/items/42", {}, ""),
    ("POST", "/summary", JSON, '{"numbers": [1, 2, 3, 4]}'),
    ("POST", "/summary", JSON, "no json"),
    ("POST", "/orders", JSON, ORDER),
    ("POST", "/orders", JSON, '{"lines": "none"}'),
]  # fmt: skip

OF_THE_PLACE = ("/status.json", "/uploads/")
"""What answers with facts of the machine, and links that are signed for some minutes."""
AWS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "eu-west-1"}
OF_THE_HOST = {"connection", "content-length", "date", "apigw-requestid", "transfer-encoding"}
"""What each server says of its own."""
OF_FILES = {"accept-ranges", "cache-control", "etag", "last-modified"}
"""What only the server of files says."""


def built(example: str, folder: Path, adapter: str) -> Path:
    root = folder / example
    shutil.copytree(EXAMPLES / example, root, ignore=shutil.ignore_patterns("dist"))
    config = (root / "pyproject.toml").read_text()
    config = config.replace('adapter = "aws-lambda"', f'adapter = "{adapter}"')
    config = config.replace("dependencies = [", 'dependencies = [\n  "uvicorn",')
    (root / "pyproject.toml").write_text(config)
    return build(root).out_dir


@contextmanager
def served(dist: Path, folder: Path) -> Iterator[int]:
    """Run the unpacked zip with its files under uvicorn, alone; give its port."""
    with zipfile.ZipFile(dist / "functions/site.zip") as packed:
        packed.extractall(folder)
    shutil.copytree(dist / "client", folder / "client")
    shutil.copy(dist / "routelet.json", folder)
    command = [sys.executable, "-S", "-E", "entry.py"]
    log = folder / "log"
    with (
        log.open("w") as into,
        subprocess.Popen(command, cwd=folder, env={"PORT": "0", **AWS}, stderr=into) as process,
    ):
        while not (found := re.search(r"running on http://127.0.0.1:(\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
        try:
            yield int(found[1])
        finally:
            process.send_signal(signal.SIGTERM)


def answer(
    port: int, method: str, target: str, headers: Mapping[str, str], body: str
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    given = {name: value for name, value in headers.items() if name != "x-form"}
    if "x-form" in headers and "origin" not in headers:
        given["origin"] = f"http://127.0.0.1:{port}"
    connection.request(method, target, body.encode() or None, given)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    told = {name.lower(): value for name, value in response.getheaders()}
    return response.status, told, content


@pytest.fixture(scope="module", params=["blog", "api"])
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int, int]]:
    """Return an example, the port of its emulator and that of its server."""
    name = request.param
    lambda_ = built(name, tmp_path_factory.mktemp("lambda"), "aws-lambda")
    asgi = built(name, tmp_path_factory.mktemp("asgi"), ADAPTER)
    with Emulator(lambda_) as emulator, served(asgi, tmp_path_factory.mktemp("app")) as port:
        yield name, int(emulator.url.rpartition(":")[2]), port


Told = tuple[int, dict[str, str], bytes]


def test_the_examples_answer_as_they_do_behind_the_emulator(both: tuple[str, int, int]) -> None:
    name, emulated, served_at = both
    differing = {}
    for method, target, headers, body in BLOG if name == "blog" else API:
        theirs = answer(emulated, method, target, headers, body)
        own = answer(served_at, method, target, headers, body)
        if target.startswith(OF_THE_PLACE) and theirs[0] == own[0]:
            continue
        if (one := difference(theirs, own)) is not None:
            differing[f"{method} {target}"] = one
    assert differing == {}


def difference(theirs: Told, own: Told) -> tuple[object, object] | None:
    status, headers, content = theirs
    own_status, own_headers, own_content = own
    if status != own_status:
        return status, own_status
    if content.startswith(b'{"message": '):
        return None  # said by API Gateway itself
    same = {name: value for name, value in headers.items() if name not in OF_THE_HOST}
    added = OF_THE_HOST | OF_FILES - same.keys()
    kept = {name: value for name, value in own_headers.items() if name not in added}
    if kept != same:
        return same, kept
    return None if content == own_content else (content, own_content)
