"""The examples, built and answering under the real awslambdaric, split and in one function."""

import base64
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import jsonschema
import pytest

from routelet_bundler import Build, build
from routelet_bundler.emulator import Emulator

EXAMPLES = Path(__file__).parents[2] / "examples"
JSON = {"content-type": "application/json"}  # without a type the request counts as a form
RUNTIME_SDK = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six"}
OPTIONS = {"split": "", "single": "function-per-route = false", "auto": 'split = "auto"'}


def built(example: str, folder: Path, *, options: str = "") -> Build:
    root = folder / example
    shutil.copytree(EXAMPLES / example, root, ignore=shutil.ignore_patterns("dist"))
    with (root / "pyproject.toml").open("a") as pyproject:
        pyproject.write(f"\n{options}\n")
    return build(root)


@pytest.fixture(scope="module", params=OPTIONS)
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    return built("api", tmp_path_factory.mktemp("api"), options=OPTIONS[request.param])


@pytest.fixture(scope="module")
def api_emulator(api: Build) -> Iterator[Emulator]:
    with Emulator(api.out_dir) as emulator:
        yield emulator


@pytest.fixture(scope="module", params=OPTIONS)
def blog(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    return built("blog", tmp_path_factory.mktemp("blog"), options=OPTIONS[request.param])


@pytest.fixture(scope="module")
def blog_emulator(blog: Build) -> Iterator[Emulator]:
    with Emulator(blog.out_dir) as emulator:
        yield emulator


def distributions(made: Build) -> Mapping[str, set[str]]:
    return {
        one.name: {distribution.name for distribution, _ in one.function.traced.distributions}
        for one in made.functions
    }


def test_every_zip_of_the_api_is_verified(api: Build) -> None:
    assert {one.verdict.verified for one in api.functions} == {True}
    assert len(api.entry_points) == 10


def test_each_function_of_the_api_has_its_own_distributions(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found = distributions(built("api", tmp_path_factory.mktemp("api")))
    assert found["status_json"] == found["convert"] == found["items__id_int_"] == set()
    assert found["summary"] == {"numpy"}
    assert found["receipts__id_"] == {"jinja2", "markupsafe"}
    assert found["yaml_json"] == {"pyyaml"}
    assert "requests" in found["webhook"]
    assert "pydantic-core" in found["orders"]
    assert found["uploads_____path_"] & RUNTIME_SDK == set()
    assert found["events"] >= {"aws-lambda-powertools", "jmespath"}


@pytest.mark.parametrize(
    "path",
    ["/status.json", "/items/42", "/convert", "/webhook", "/orders", "/receipts/A-1001",
     "/summary", "/uploads/photos/cat.jpg", "/yaml.json", "/events"],
)  # fmt: skip
def test_every_endpoint_of_the_api_answers(api_emulator: Emulator, path: str) -> None:
    assert api_emulator.get(path).status == 200


def test_the_api_takes_bodies_and_refuses_faulty_ones(api_emulator: Emulator) -> None:
    good = api_emulator.post("/summary", json={"numbers": [1, 2, 3, 4]})
    assert (good.status, good.json()["mean"]) == (200, 2.5)
    assert api_emulator.post("/orders", json={"lines": "none"}).status == 422


def test_a_typed_parameter_refuses_what_does_not_parse(api_emulator: Emulator) -> None:
    assert api_emulator.get("/items/forty-two").status == 404


def test_a_method_without_a_handler_is_405_where_the_site_says_so(api_emulator: Emulator) -> None:
    response = api_emulator.request("DELETE", "/status.json", headers=JSON)
    assert response.status == 405
    assert "GET" in (response.headers.get("allow") or "")


def test_head_has_the_headers_of_get_and_no_body(api_emulator: Emulator) -> None:
    response = api_emulator.request("HEAD", "/status.json")
    assert (response.status, response.body) == (200, b"")
    assert response.headers.get("content-type") == "application/json"


@pytest.mark.parametrize(
    ("path", "text"),
    [("/", "<h1"), ("/about/", "<h1"), ("/blog/", "<h1"), ("/blog/cold-start-parts/", "<h1"),
     ("/rss.xml", "<rss"), ("/sitemap.xml", "<urlset"), ("/search?q=python", "<h1"),
     ("/contact", "<form"), ("/style.css", "color-scheme"), ("/robots.txt", "User-agent")],
)  # fmt: skip
def test_every_page_of_the_blog_answers(blog_emulator: Emulator, path: str, text: str) -> None:
    response = blog_emulator.get(path)
    assert response.status == 200
    assert text in response.text


def test_an_unknown_url_gets_the_404_page_of_the_blog(blog_emulator: Emulator) -> None:
    response = blog_emulator.get("/nothing-here")
    assert response.status == 404
    assert "<h1" in response.text


def test_a_method_that_a_function_lacks_gets_the_404_page_too(blog_emulator: Emulator) -> None:
    response = blog_emulator.request("DELETE", "/contact", headers=JSON)
    assert response.status == 404
    assert "<h1" in response.text


def test_the_search_endpoint_finds_posts(blog_emulator: Emulator) -> None:
    response = blog_emulator.get("/api/search.json?q=bytecode")
    assert response.headers.get("content-type") == "application/json"
    assert "what-bytecode-does" in json.dumps(response.json())


def test_the_contact_form_takes_a_post_and_marks_mistakes(blog_emulator: Emulator) -> None:
    form = {"name": "Ada", "email": "ada@example.com", "text": "A message that says something."}
    assert blog_emulator.post("/contact", form=form).status == 200
    assert blog_emulator.post("/contact", form={**form, "email": "no"}).status == 422


def test_a_form_from_another_site_is_refused(blog_emulator: Emulator) -> None:
    response = blog_emulator.post(
        "/contact", form={"name": "x"}, headers={"origin": "https://evil.example"}
    )
    assert response.status == 403


def test_middleware_sets_headers_on_pages_of_functions(blog_emulator: Emulator) -> None:
    assert blog_emulator.get("/search").headers.get("x-content-type-options") == "nosniff"


def test_a_function_answers_an_invocation_of_its_own(blog: Build) -> None:
    event = {
        "version": "2.0",
        "rawPath": "/api/search.json",
        "rawQueryString": "q=zip",
        "headers": {},
        "isBase64Encoded": False,
        "requestContext": {
            "http": {"method": "GET", "path": "/api/search.json", "sourceIp": "192.0.2.1"},
            "domainName": "example.com",
            "stage": "$default",
        },
    }
    name = next(one.name for one in blog.functions if "/api/search.json" in one.routes)
    with Emulator(blog.out_dir) as emulator:
        result = emulator.invoke(name, event)
    answer = json.loads(result.payload)
    assert (result.function_error, answer["statusCode"]) == (False, 200)
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
    assert json.loads(body)


@pytest.mark.parametrize("example", ["api", "blog"])
def test_the_manifest_fits_its_published_schema(
    example: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = built(example, tmp_path_factory.mktemp(example))
    manifest = json.loads((made.out_dir / "routelet.json").read_text())
    schema = json.loads((EXAMPLES.parent / "docs/routelet.schema.json").read_text())
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(manifest)) == []
    assert manifest["entryPoints"] == dict(made.entry_points)
