import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from routelet_bundler.render import gateway_of, sam_template, template_warnings
from routelet_bundler.render.names import logical_ids
from routelet_bundler.render.templates import render_template, template_text
from routelet_bundler.render.warnings import sam_resources

Manifest = dict[str, Any]
SiteOf = Callable[..., Manifest]
WithEdge = Callable[[Manifest], Manifest]

TEMPLATES = ("sam/template.yaml.jinja", "cloudfront/front.js.jinja")
# A key of YAML has 1,024 characters at most, and one of these may be written with ten.
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=100)


def expanded(source: str) -> dict[str, Any]:
    """Expand a template as CloudFormation does; code has to be in S3 by then."""
    template = yaml_parse(source)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/code.zip"
    session = boto3.Session(region_name="eu-central-1")
    result: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(template, {})
    return result


def as_json(template: dict[str, Any]) -> str:
    """Without surrogate pairs, which cfn-lint, reading JSON as YAML, does not know."""
    return json.dumps(template, ensure_ascii=False)


def lint(folder: Path, source: str, region: str = "eu-central-1") -> list[str]:
    """Return all that cfn-lint finds in a template, and in what SAM makes of it."""
    from cfnlint.api import ManualArgs, lint_by_config  # noqa: PLC0415 - takes seconds

    files = {"template.yaml": source, "expanded.json": as_json(expanded(source))}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    templates = [str(folder / name) for name in files]
    asked = ManualArgs(templates=templates, include_checks=["I"], regions=[region])
    return [str(one) for one in lint_by_config(asked)]


def functions_of(source: str) -> dict[str, dict[str, Any]]:
    resources = yaml_parse(source)["Resources"]
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def test_each_zip_is_a_function_with_its_settings(blog: Manifest) -> None:
    functions = functions_of(sam_template(blog))

    assert list(functions) == [
        "ApiSearchJsonFunction",
        "BlogSlugCommentsFunction",
        "ContactFunction",
        "DocsFunction",
    ]
    assert functions["ContactFunction"] == {
        "CodeUri": "functions/contact.zip",
        "Handler": "pages/entry_contact.handler",
        "Runtime": "python3.13",
        "Architectures": ["x86_64"],
        "MemorySize": 512,
        "Timeout": 10,
        "LoggingConfig": {"LogGroup": {"Ref": "ContactLogGroup"}},
        "Events": {
            "Route1": {
                "Type": "HttpApi",
                "Properties": {"ApiId": {"Ref": "Api"}, "Path": "/contact", "Method": "ANY"},
            }
        },
    }


def test_optional_settings_are_there_when_given(blog: Manifest) -> None:
    comments = functions_of(sam_template(blog))["BlogSlugCommentsFunction"]

    assert comments["Environment"]["Variables"] == blog["functions"][1]["environment"]
    assert comments["EphemeralStorage"] == {"Size": 512}
    assert comments["ReservedConcurrentExecutions"] == 5
    assert comments["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert comments["AutoPublishAlias"] == "live"
    assert comments["Policies"] == [
        "AmazonDynamoDBReadOnlyAccess",
        {"Version": "2012-10-17", "Statement": [blog["functions"][1]["policies"][1]]},
    ]


def test_each_function_has_a_log_group_that_forgets(blog: Manifest) -> None:
    resources = yaml_parse(sam_template(blog))["Resources"]

    groups = [it for it in resources.values() if it["Type"] == "AWS::Logs::LogGroup"]
    assert [it["Properties"] for it in groups] == [{"RetentionInDays": 30}] * 4


def test_a_rest_route_at_the_root_is_the_default(site_of: SiteOf) -> None:
    (function,) = functions_of(sam_template(site_of("[...path].py"))).values()

    assert function["Events"]["Route1"]["Properties"] == {"ApiId": {"Ref": "Api"}}


def test_every_route_key_is_in_the_expanded_template(blog: Manifest) -> None:
    paths = expanded(sam_template(blog))["Resources"]["Api"]["Properties"]["Body"]["paths"]

    assert set(paths) == {key.path for key in gateway_of(blog).keys}


def test_a_site_without_files_has_no_bucket_and_no_cloudfront(site_of: SiteOf) -> None:
    template = yaml_parse(sam_template(site_of("a.py")))

    assert set(template["Resources"]) == {"F0Function", "F0LogGroup", "Api"}
    assert set(template["Outputs"]) == {"ApiUrl"}
    assert "Parameters" not in template


def test_files_of_public_alone_bring_cloudfront(site_of: SiteOf) -> None:
    resources = yaml_parse(sam_template(site_of("a.py"), files=["style.css"]))["Resources"]

    assert resources["Site"]["Type"] == "AWS::CloudFront::Distribution"


def test_every_target_origin_exists(blog: Manifest) -> None:
    resources = yaml_parse(sam_template(blog))["Resources"]
    config = resources["Site"]["Properties"]["DistributionConfig"]
    code = resources["Front"]["Properties"]["FunctionCode"]["Fn::Sub"]

    origins = {origin["Id"] for origin in config["Origins"]}
    assert config["DefaultCacheBehavior"]["TargetOriginId"] in origins
    assert set(re.findall(r"selectRequestOriginById\('(\w+)'\)", code)) <= origins


@pytest.mark.counterpart
@pytest.mark.parametrize("with_files", [True, False])
def test_cfn_lint_finds_nothing_in_source_and_expanded_template(
    blog: Manifest, tmp_path: Path, with_files: bool
) -> None:
    source = sam_template(blog, files=None if with_files else [])

    assert lint(tmp_path, source) == []


@pytest.mark.counterpart
def test_cfn_lint_finds_nothing_in_functions_of_several_routes(
    site_of: SiteOf, tmp_path: Path
) -> None:
    groups = {"/api/a": "api", "/api/[id]": "api"}
    site = site_of("api/a.py", "api/[id].py", "b.py", groups=groups)
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::a/*"}
    site["functions"][0]["policies"] = ["AmazonDynamoDBReadOnlyAccess", statement]
    source = sam_template(site)

    assert lint(tmp_path, source) == []
    resources = expanded(source)["Resources"]
    granted = [it for it in resources.values() if it["Type"] == "AWS::Lambda::Permission"]
    by_function = Counter(it["Properties"]["FunctionName"]["Ref"] for it in granted)
    assert by_function == {"ApiFunction": 2, "F2Function": 1}


@pytest.mark.counterpart
def test_cfn_lint_does_find_a_fault(blog: Manifest, tmp_path: Path) -> None:
    blog["functions"][0]["timeout"] = 901

    assert any("901" in one for one in lint(tmp_path, sam_template(blog)))


@given(name=NAMES, value=NAMES, file=NAMES)
def test_no_value_breaks_the_template(site_of: SiteOf, name: str, value: str, file: str) -> None:
    site = site_of("a.py", groups={"/a": name}, prerendered=[f"a/{file}", file])
    site["functions"][0].update(handler=value, environment={"X": value, name: value})

    (function,) = functions_of(sam_template(site)).values()

    assert function["CodeUri"] == f"functions/{name}.zip"
    assert function["Handler"] == value
    assert function["Environment"]["Variables"] == {"X": value, name: value}


def test_a_value_that_looks_like_a_reference_stays_text(site_of: SiteOf) -> None:
    site = site_of("a.py", prerendered=["${Api}/{{x}}.html"])

    code = yaml_parse(sam_template(site))["Resources"]["Front"]["Properties"]["FunctionCode"]

    assert set(re.findall(r"\$\{.*?\}", code["Fn::Sub"])) == {
        "${Api}",
        "${AWS::Region}",
        "${AWS::URLSuffix}",
    }
    assert code["Fn::Sub"].count("${Api}") == 1


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_value_goes_through_a_filter(name: str) -> None:
    expressions = re.findall(r"\{\{(.*?)\}\}", template_text(name))

    assert expressions
    for expression in expressions:
        filtered = expression.rstrip().endswith(("| yaml", "| javascript"))
        assert filtered or expression.strip() == "front | trim | indent(8)"


@pytest.mark.parametrize("name", TEMPLATES)
def test_an_unknown_variable_fails(name: str) -> None:
    with pytest.raises(UndefinedError):
        render_template(name)


def test_equal_manifests_give_equal_text(blog: Manifest) -> None:
    shuffled = {**blog, "functions": [dict(reversed(it.items())) for it in blog["functions"]]}

    assert sam_template(blog) == sam_template(shuffled)


def test_the_resources_that_count_against_the_limit_are_counted(blog: Manifest) -> None:
    expected = len(expanded(sam_template(blog))["Resources"])

    assert sam_resources(blog, keys=len(gateway_of(blog).keys), has_front=True) == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timeout": 31}, "may run 31 s"),
        ({"snapStart": True, "runtime": "python3.11"}, "Python 3.12"),
        ({"snapStart": True, "ephemeralStorage": 1024}, "512 MB"),
    ],
)
def test_what_does_not_go_together_is_told(
    blog: Manifest, change: dict[str, Any], words: str
) -> None:
    blog["functions"][0].update(change)

    (warning,) = template_warnings(blog)

    assert words in warning
    assert "function api_search_json" in warning


def test_a_good_site_has_no_warnings(blog: Manifest) -> None:
    assert template_warnings(blog) == ()


def test_more_resources_than_a_stack_has_are_told(site_of: SiteOf) -> None:
    site = site_of(*(f"p{number}.py" for number in range(125)))

    assert any("502 resources" in warning for warning in template_warnings(site))


def test_ids_are_alphanumeric_and_read_like_the_name() -> None:
    assert logical_ids(["api_search_json", "blog__slug_", "_404"]) == {
        "api_search_json": "ApiSearchJson",
        "blog__slug_": "BlogSlug",
        "_404": "404",
    }


@given(names=st.lists(st.text(st.characters(codec="utf-8")), unique=True))
def test_ids_are_unique_whatever_the_names(names: list[str]) -> None:
    ids = logical_ids(names)

    assert len(set(ids.values())) == len(names)
    assert all(re.fullmatch("[A-Za-z0-9]+", it) for it in ids.values())
    assert ids == logical_ids(names[::-1])


def test_edge_middleware_is_one_version_for_both_events(
    blog: Manifest, with_edge: WithEdge
) -> None:
    resources = yaml_parse(sam_template(with_edge(blog)))["Resources"]

    behaviour = resources["Site"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"]
    version = {"Ref": "MiddlewareFunction.Version"}
    assert behaviour["LambdaFunctionAssociations"] == [
        {"EventType": "viewer-request", "LambdaFunctionARN": version, "IncludeBody": True},
        {"EventType": "origin-request", "LambdaFunctionARN": version},
    ]
    assert "FunctionAssociations" not in behaviour
    assert "Front" not in resources
    function = resources["MiddlewareFunction"]["Properties"]
    assert function["Architectures"] == ["x86_64"]
    assert (function["MemorySize"], function["Timeout"]) == (128, 5)
    assert not {"Environment", "Layers", "VpcConfig", "LoggingConfig", "Events"} & function.keys()


def test_the_bucket_is_the_only_origin_and_says_where_the_api_is(
    blog: Manifest, with_edge: WithEdge
) -> None:
    site = yaml_parse(sam_template(with_edge(blog)))["Resources"]["Site"]["Properties"]

    (files,) = site["DistributionConfig"]["Origins"]
    assert files["Id"] == site["DistributionConfig"]["DefaultCacheBehavior"]["TargetOriginId"]
    (header,) = files["OriginCustomHeaders"]
    assert header["HeaderName"] == "x-routelet-api"
    assert header["HeaderValue"] == {
        "Fn::Sub": "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    }


def test_the_key_is_made_by_deployment_and_is_in_no_text(
    blog: Manifest, with_edge: WithEdge
) -> None:
    source = sam_template(with_edge(blog))
    template = yaml_parse(source)
    resources = template["Resources"]

    reference = {"Fn::Sub": "{{resolve:secretsmanager:${LocalsKey}}}"}
    for id_, function in functions_of(source).items():
        variables = function.get("Environment", {}).get("Variables", {})
        assert variables.get("ROUTELET_LOCALS_KEY") == (
            None if id_ == "MiddlewareFunction" else reference
        )
    secret = resources["LocalsKey"]["Properties"]
    assert secret["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert "SecretString" not in secret
    assert secret["Name"] == resources["MiddlewareFunction"]["Properties"]["FunctionName"]
    assert "LocalsKey" not in json.dumps(template["Outputs"])
    assert sam_template(with_edge(blog)) == source


def test_the_edge_may_read_its_secret_and_nothing_else(blog: Manifest, with_edge: WithEdge) -> None:
    resources = expanded(sam_template(with_edge(blog)))["Resources"]

    role = resources["MiddlewareFunctionRole"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}
    (policy,) = role["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": {"Ref": "LocalsKey"},
        }
    ]
    readers = [
        name for name, it in resources.items() if "secretsmanager:GetSecretValue" in json.dumps(it)
    ]
    assert readers == ["MiddlewareFunctionRole"]


def test_a_stack_with_edge_middleware_is_of_us_east_1(blog: Manifest, with_edge: WithEdge) -> None:
    (rule,) = yaml_parse(sam_template(with_edge(blog)))["Rules"].values()

    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    assert "us-east-1" in assertion["AssertDescription"]


def test_edge_middleware_brings_cloudfront_without_any_file(
    site_of: SiteOf, with_edge: WithEdge
) -> None:
    resources = yaml_parse(sam_template(with_edge(site_of("a.py"))))["Resources"]

    assert resources["Site"]["Type"] == "AWS::CloudFront::Distribution"


def test_files_that_front_js_has_no_room_for_are_served_by_an_edge_function(
    site_of: SiteOf, with_edge: WithEdge
) -> None:
    files = [f"{'x' * 40}-{number}" for number in range(300)]
    site = site_of("[...path].py", prerendered=files)

    assert template_warnings(site)
    assert template_warnings(with_edge(site)) == ()
    assert "files_left_out" not in sam_template(with_edge(site))


@pytest.mark.counterpart
@pytest.mark.parametrize("with_files", [True, False])
def test_cfn_lint_finds_nothing_in_templates_with_an_edge_function(
    blog: Manifest, with_edge: WithEdge, tmp_path: Path, with_files: bool
) -> None:
    source = sam_template(with_edge(blog), files=None if with_files else [])

    assert lint(tmp_path, source, region="us-east-1") == []


def test_the_resources_of_an_edge_function_are_counted(blog: Manifest, with_edge: WithEdge) -> None:
    site = with_edge(blog)
    expected = len(expanded(sam_template(site))["Resources"])

    assert sam_resources(site, keys=len(gateway_of(blog).keys), has_front=False) == expected


@pytest.mark.counterpart
def test_cfn_lint_finds_nothing_in_a_site_of_files_behind_middleware(
    site_of: SiteOf, with_edge: WithEdge, tmp_path: Path
) -> None:
    source = sam_template(with_edge(site_of(prerendered=["index.html"])))

    assert lint(tmp_path, source, region="us-east-1") == []
