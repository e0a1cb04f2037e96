import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.errors import RouteletError
from routelet_bundler.render import cdk_files, front_code, gateway_of
from routelet_bundler.render.cdk import TAKEN
from routelet_bundler.render.names import logical_ids

Manifest = dict[str, Any]
SiteOf = Callable[..., Manifest]
WithEdge = Callable[[Manifest], Manifest]
Templates = dict[str, dict[str, Any]]  # of each stack, as no AWS account has seen it
Synth = Callable[..., Templates]

ROOT = Path(__file__).resolve().parents[3]
CDK = ROOT / "node_modules" / ".bin" / "cdk"
RUFF = Path(sys.executable).with_name("ruff")
MISSING = [
    name
    for name, found in {
        "node": shutil.which("node"),
        "aws-cdk (npm ci)": CDK.exists(),
        "aws-cdk-lib (dependency group infra)": find_spec("aws_cdk"),
    }.items()
    if not found
]
# Names of pages whose ids would be those of the parts of a site.
PARTS = [re.sub(r"(?<=.)[A-Z]", r"_\g<0>", name).lower() for name in sorted(TAKEN)]
MORE = """
import sys
from pathlib import Path
try:
    RouteletSite(Stack(App(), "Elsewhere", env={{"region": "eu-west-1"}}), "Site")
except Exception as error:
    Path("refused").write_text(str(error))
sys.path.insert(0, "{parts}")
del sys.modules["routelet_site"]
import routelet_site
routelet_site.RouteletSite(Stack(app, "Parts"), "Site")
"""
FEED = {"path": "feed", "route": "/feed", "contentType": "application/rss+xml"}
needs_cdk = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The templates of a blog and of a site of PARTS, and why the blog has no other region."""

    template: dict[str, Any]
    parts: dict[str, Any]
    refused: str


@pytest.fixture
def dist(blog: Manifest, tmp_path: Path) -> Path:
    blog["prerendered"].append(FEED)
    return written(blog, tmp_path / "dist")


@pytest.fixture
def edge_dist(blog: Manifest, with_edge: WithEdge, tmp_path: Path) -> Path:
    return written(with_edge(blog), tmp_path / "dist")


def written(blog: Manifest, dist: Path) -> Path:
    """Write what a build and `routelet template cdk` leave."""
    (dist / "cdk").mkdir(parents=True)
    (dist / "functions").mkdir()
    (dist / "routelet.json").write_text(json.dumps(blog), encoding="utf-8")
    edge = blog.get("edgeFunction")
    for function in (*blog["functions"], *([edge] if edge else [])):
        with zipfile.ZipFile(dist / function["zip"], "w") as archive:
            archive.writestr("entry.py", f"# {function['name']}\n")
    for page in blog["prerendered"]:
        file = dist / "client" / page["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("<!doctype html>")
    for name, text in cdk_files(blog).items():
        (dist / "cdk" / name).write_text(text, encoding="utf-8")
    return dist


@pytest.fixture(scope="module")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """Return what runs `cdk synth`; all runs share a home, where the CDK unpacks itself once."""
    home = tmp_path_factory.mktemp("home")
    venv = Path(sys.executable).parent
    environment = {
        "PATH": f"{venv}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20,22",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }

    def run(app: Path, out: Path, *options: str, region: str = "eu-central-1") -> Templates:
        quiet = ["--quiet", "--no-notices", "--no-version-reporting"]
        done = subprocess.run(
            [CDK, "synth", *quiet, "-o", out, *options],
            cwd=app,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        stacks = sorted(out.glob("*.template.json"))
        assert lint(stacks, region) == []
        return {
            stack.name.removesuffix(".template.json"): json.loads(stack.read_text())
            for stack in stacks
        }

    return run


def lint(templates: Iterable[Path], region: str) -> list[str]:
    from cfnlint.api import ManualArgs, lint_by_config  # noqa: PLC0415 - takes seconds

    # W3005: the CDK itself writes the DependsOn that a GetAtt implies already.
    asked = ManualArgs(
        templates=[str(one) for one in templates], ignore_checks=["W3005"], regions=[region]
    )
    return [str(found) for found in lint_by_config(asked)]


@pytest.fixture(scope="module")
def edge(
    with_edge: WithEdge, site_of: SiteOf, synth: Synth, tmp_path_factory: pytest.TempPathFactory
) -> Edge:
    """Return what one app makes of sites with edge middleware: to start one takes seconds."""
    out = tmp_path_factory.mktemp("edge")
    blog = json.loads((Path(__file__).parent / "manifests/blog.json").read_text("utf-8"))
    dist = written(with_edge(blog), out / "dist")
    groups = {f"/{name}": name for name in PARTS}
    parts = with_edge(site_of(*(f"{name}.py" for name in PARTS), groups=groups))
    app = dist / "cdk" / "app.py"
    text, end = app.read_text().split("app.synth()")
    more = MORE.format(parts=written(parts, out / "parts") / "cdk")
    app.write_text(f"{text}{more}app.synth(){end}")
    templates = synth(dist / "cdk", out / "out", region="us-east-1")
    return Edge(
        template=templates["RouteletSite"],
        parts=templates["Parts"],
        refused=(dist / "cdk/refused").read_text(),
    )


def of_type(template: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    for resource in template["Resources"].values():
        if resource["Type"] == kind:
            yield resource["Properties"]


@pytest.mark.parametrize("site", ["dist", "edge_dist"])
def test_the_app_is_python_that_reads_well(request: pytest.FixtureRequest, site: str) -> None:
    dist: Path = request.getfixturevalue(site)
    files = sorted((dist / "cdk").glob("*.py"))
    assert files
    for file in files:
        py_compile.compile(str(file), cfile=str(dist / "compiled"), doraise=True)
    ruff = [
        str(RUFF),
        "check",
        "--isolated",
        "--line-length=100",
        "--select=B,D100,D101,D103,E,F,I,N,UP,W",
        ".",
    ]
    assert subprocess.run(ruff, cwd=dist / "cdk", check=False).returncode == 0
    style = [str(RUFF), "format", "--isolated", "--line-length=100", "--check", "."]
    assert subprocess.run(style, cwd=dist / "cdk", check=False).returncode == 0


def test_the_routes_are_those_of_the_gateway_and_the_front_is_the_same(blog: Manifest) -> None:
    files = cdk_files(blog)
    routes = json.loads(files["routes.json"])

    assert [(it["key"], it["function"]) for it in routes["routes"]] == [
        (key.key, key.function) for key in gateway_of(blog).keys
    ]
    assert routes["ids"]["api_search_json"] == "ApiSearchJson"
    assert files["front.js"] == front_code(blog)


def test_a_route_keeps_its_id_when_others_come_and_go(site_of: SiteOf) -> None:
    def ids(*pages: str) -> dict[str, str]:
        routes = json.loads(cdk_files(site_of(*pages))["routes.json"])["routes"]
        return {route["key"]: route["id"] for route in routes}

    assert ids("b.py")["ANY /b"] == ids("a.py", "b.py", "c.py")["ANY /b"]
    assert len(set(ids("a.py", "b.py", "c.py").values())) == 3


def test_a_site_without_files_has_no_front(site_of: SiteOf) -> None:
    assert "front.js" not in cdk_files(site_of("a.py"))


def test_a_policy_template_of_sam_is_refused_by_name(blog: Manifest) -> None:
    blog["functions"][0]["policies"] = [{"S3ReadPolicy": {"BucketName": "b"}}]

    with pytest.raises(RouteletError) as caught:
        cdk_files(blog)

    assert "S3ReadPolicy" in caught.value.what
    assert "api_search_json" in caught.value.where
    assert caught.value.mend


@needs_cdk
@pytest.mark.counterpart
def test_cdk_synth_makes_the_site(blog: Manifest, dist: Path, synth: Synth) -> None:
    template = synth(dist / "cdk", dist.parent / "out")["RouteletSite"]

    handlers = {function["handler"] for function in blog["functions"]}
    functions = {it["Handler"]: it for it in of_type(template, "AWS::Lambda::Function")}
    assert handlers <= functions.keys()
    comments = functions["pages/blog/_slug_/entry_comments.handler"]
    assert comments["Environment"]["Variables"] == blog["functions"][1]["environment"]
    assert comments["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert comments["Architectures"] == ["arm64"]
    assert {it["RouteKey"] for it in of_type(template, "AWS::ApiGatewayV2::Route")} == {
        key.key for key in gateway_of(blog).keys
    }
    assert len(list(of_type(template, "AWS::ApiGatewayV2::Integration"))) == 4
    assert len(list(of_type(template, "AWS::Lambda::Permission"))) == 4
    (distribution,) = of_type(template, "AWS::CloudFront::Distribution")
    assert [it["Id"] for it in distribution["DistributionConfig"]["Origins"]] == ["files", "api"]


def test_a_site_without_edge_middleware_has_nothing_of_it(blog: Manifest) -> None:
    files = cdk_files(blog)

    assert "routelet_edge.py" not in files
    assert not any("edge_version" in text or "secret" in text for text in files.values())


@needs_cdk
@pytest.mark.counterpart
def test_cdk_synth_makes_the_edge_function_and_its_key(blog: Manifest, edge: Edge) -> None:
    functions = {it["Handler"]: it for it in of_type(edge.template, "AWS::Lambda::Function")}
    middleware = functions["entry.handler"]
    assert middleware["FunctionName"] == "RouteletSite-middleware"
    assert (middleware["MemorySize"], middleware["Timeout"]) == (128, 5)
    assert middleware["Architectures"] == ["x86_64"]
    assert not {"Environment", "Layers", "VpcConfig"} & middleware.keys()
    (secret,) = of_type(edge.template, "AWS::SecretsManager::Secret")
    assert secret["Name"] == "RouteletSite-middleware"
    assert secret["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    for function in blog["functions"]:
        key = functions[function["handler"]]["Environment"]["Variables"]["ROUTELET_LOCALS_KEY"]
        start, reference, end = key["Fn::Join"][1]
        assert start + end == "{{resolve:secretsmanager::SecretString:::}}"
        assert edge.template["Resources"][reference["Ref"]]["Type"] == "AWS::SecretsManager::Secret"


@needs_cdk
@pytest.mark.counterpart
def test_cdk_synth_puts_one_version_before_and_after_the_cache(
    edge: Edge,
) -> None:
    assert not list(of_type(edge.template, "AWS::CloudFront::Function"))
    (distribution,) = of_type(edge.template, "AWS::CloudFront::Distribution")
    behaviour = distribution["DistributionConfig"]["DefaultCacheBehavior"]
    viewer, origin = behaviour["LambdaFunctionAssociations"]
    assert [viewer["EventType"], origin["EventType"]] == ["viewer-request", "origin-request"]
    assert viewer["LambdaFunctionARN"] == origin["LambdaFunctionARN"]
    assert viewer["IncludeBody"] is True
    version = edge.template["Resources"][viewer["LambdaFunctionARN"]["Ref"]]
    assert (version["Type"], version["DeletionPolicy"]) == ("AWS::Lambda::Version", "Retain")
    (files,) = distribution["DistributionConfig"]["Origins"]
    assert files["OriginCustomHeaders"][0]["HeaderName"] == "x-routelet-api"
    (rule,) = (it for name, it in edge.template["Rules"].items() if name != "CheckBootstrapVersion")
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    outputs = json.dumps(edge.template["Outputs"])
    assert "resolve" not in outputs
    assert "LocalsKey" not in outputs


@needs_cdk
@pytest.mark.counterpart
def test_pages_may_be_named_as_parts_of_the_site_and_there_may_be_no_file(edge: Edge) -> None:
    assert set(logical_ids(PARTS).values()) == TAKEN
    handlers = {it["Handler"] for it in of_type(edge.parts, "AWS::Lambda::Function")}
    assert handlers == {f"pages/entry_{name}.handler" for name in PARTS} | {"entry.handler"}
    assert list(of_type(edge.parts, "AWS::CloudFront::Distribution"))


@needs_cdk
@pytest.mark.counterpart
def test_pages_may_be_named_as_parts_of_a_function(
    site_of: SiteOf, synth: Synth, tmp_path: Path
) -> None:
    names = ["foo", *(f"foo_{part}" for part in ("integration", "live", "log_group"))]
    site = site_of(*(f"{n}.py" for n in names), groups={f"/{n}": n for n in names})
    for function in site["functions"]:
        function["snapStart"] = True
    dist = written(site, tmp_path / "dist")

    template = synth(dist / "cdk", tmp_path / "out")["RouteletSite"]

    handlers = {it["Handler"] for it in of_type(template, "AWS::Lambda::Function")}
    assert handlers >= {f"pages/entry_{name}.handler" for name in names}
    assert len(list(of_type(template, "AWS::Lambda::Alias"))) == len(names)


def test_a_function_has_its_plain_id_where_no_part_of_another_has_it(site_of: SiteOf) -> None:
    def ids(*names: str, snap_start: bool = False) -> dict[str, str]:
        site = site_of(*(f"{n}.py" for n in names), groups={f"/{n}": n for n in names})
        site["functions"][0]["snapStart"] = snap_start
        return dict(json.loads(cdk_files(site)["routes.json"])["ids"])

    assert ids("foo_log_group") == {"foo_log_group": "FooLogGroup"}
    assert ids("files", "files_log_group")["files_log_group"] == "FilesLogGroup"
    assert ids("foo", "foo_live") == {"foo": "Foo", "foo_live": "FooLive"}
    assert ids("foo", "foo_live", snap_start=True)["foo"] == "Foo"
    assert re.fullmatch("FooLive[0-9a-f]{8}", ids("foo", "foo_live", snap_start=True)["foo_live"])


def test_no_part_of_the_site_has_the_id_of_a_function(site_of: SiteOf, with_edge: WithEdge) -> None:
    site = site_of("a.py", prerendered=["index.html"])
    texts = [*cdk_files(site).values(), *cdk_files(with_edge(site)).values()]

    own = {one for it in texts for one in re.findall(r'\(\s*(?:self|scope),\s*"(\w+)"', it)}

    assert own == TAKEN


def test_a_function_has_its_plain_id_where_nothing_else_has_it(site_of: SiteOf) -> None:
    site = site_of("a.py", "b.py", groups={"/a": "file", "/b": "files"})

    ids = json.loads(cdk_files(site)["routes.json"])["ids"]

    assert ids["file"] == "File"
    assert re.fullmatch("Files[0-9a-f]{8}", ids["files"])


@needs_cdk
@pytest.mark.counterpart
def test_a_stack_of_another_region_is_refused(edge: Edge) -> None:
    assert "goes to us-east-1, not to eu-west-1" in edge.refused


@needs_cdk
@pytest.mark.counterpart
def test_infra_deploys_a_built_site_and_what_ci_needs(dist: Path, synth: Synth) -> None:
    stacks = synth(
        ROOT / "infra", dist.parent / "out", "-c", f"dist={dist}", "-c", "repository=me/site"
    )

    assert set(stacks) == {"RouteletBlog", "RouteletDelivery"}
    (bucket,) = of_type(stacks["RouteletDelivery"], "AWS::S3::Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["LifecycleConfiguration"]["Rules"]
    (policy,) = of_type(stacks["RouteletDelivery"], "AWS::S3::BucketPolicy")
    assert policy["PolicyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert policy["PolicyDocument"]["Statement"][0]["Condition"] == {
        "Bool": {"aws:SecureTransport": "false"}
    }
    (role,) = of_type(stacks["RouteletDelivery"], "AWS::IAM::Role")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:me/site:environment:production",
    }
    (distribution,) = of_type(stacks["RouteletBlog"], "AWS::CloudFront::Distribution")
    errors = distribution["DistributionConfig"]["CustomErrorResponses"]
    assert errors[0]["ResponsePagePath"] == "/404.html"
