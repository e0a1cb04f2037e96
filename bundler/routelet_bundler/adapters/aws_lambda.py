"""The AWS Lambda adapter: targets, limits and templates of AWS are named here and below only."""

import json
import os
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from routelet_bundler.adapter import (
    Adapter,
    AdapterFeatures,
    BuildDone,
    BuildSsr,
    ConfigDone,
    Integration,
    Limits,
    MiddlewareHost,
    RouteConfig,
    Table,
    Target,
)
from routelet_bundler.config import option_table
from routelet_bundler.errors import WRONG_USE, RouteletError, did_you_mean, raise_all
from routelet_bundler.model import HOST, SiteLimits, Split, Strings, kebab
from routelet_bundler.render import gateway_of, sam_template, template_warnings
from routelet_bundler.render.gateway import MAX_KEYS
from routelet_bundler.render.warnings import MAX_RESOURCES
from routelet_bundler.trace.recipes import NAMES as RECIPES

GLIBC: Mapping[str, str] = {
    "3.10": "2_17",
    "3.11": "2_17",
    "3.12": "2_34",
    "3.13": "2_34",
    "3.14": "2_34",
}
"""The newest glibc that wheels may need, by Python.

3.10 and 3.11 run on Amazon Linux 2 (glibc 2.26), of which installers know only manylinux2014;
from 3.12 on it is Amazon Linux 2023 (glibc 2.34).
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

SDK = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six")
"""The distributions that AWS's Python runtime has: boto3 and all that it requires.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
"""

STORED_BYTES = 75 * 1024**3
"""What the functions of an account take in a region, with their older versions.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

LIMITS = Limits(
    zipped_bytes=50 * 1024 * 1024,
    unzipped_bytes=250 * 1024 * 1024,
    handler_length=128,
    source="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    site=SiteLimits(
        integrations=MAX_KEYS,
        resources=MAX_RESOURCES,
        resources_a_function=3,
        other_resources=7,
        stored_bytes=STORED_BYTES,
    ),
)

EDGE = MiddlewareHost(
    config=RouteConfig(architecture="x86_64", memory=128, timeout=5),
    limits=Limits(
        zipped_bytes=1024 * 1024,
        source="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-lambda-at-edge",
    ),
    variables=frozenset(
        (
            "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION",
            "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
            "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
            "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "LANG", "PATH",
            "LD_LIBRARY_PATH", "PYTHONPATH", "TZ", "AWS_XRAY_CONTEXT_MISSING",
            "AWS_XRAY_DAEMON_ADDRESS",
        )
    ),
)  # fmt: skip
"""Lambda@Edge, viewer requests: x86_64 only, 128 MB, 5 s, 1 MB, and Lambda's own variables.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

POWERTOOLS = "aws_lambda_powertools/__init__.py"
"""The file that a function has with aws-lambda-powertools."""

Runtime = Literal["python3.10", "python3.11", "python3.12", "python3.13", "python3.14"]


class Options(Table):
    """`[tool.routelet.adapters.aws-lambda]`: memory in MB, timeout in seconds."""

    function_per_route: bool = True
    split: Split = "route"
    traffic: str | None = None
    edge_middleware: bool = False
    runtime: Runtime | None = None
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    front: Literal["http-api", "function-url", "rest-api", "alb"] = "http-api"
    memory: int = Field(default=512, ge=128, le=10_240)
    timeout: int = Field(default=10, ge=1, le=900)
    sdk: Literal["runtime", "bundle"] = "runtime"
    dependencies: Literal["declared", "reached", "all"] = "reached"
    strip: bool = False
    recipes: Strings = ()
    trace: Literal["static", "audit"] = "static"
    bytecode: bool | Literal["only"] = True
    powertools: bool = False


NOT_YET: Mapping[str, tuple[object, ...]] = {
    "front": ("function-url", "rest-api", "alb"),
}
"""Values that the contract names and that this version refuses rather than ignores."""


def aws_lambda(**options: Any) -> "AwsLambda":
    """Return the adapter with the options of its table; raises `RouteletError` for faulty ones."""
    table = option_table(Options, options)
    raise_all(
        [
            RouteletError(
                f'"{kebab(key)}" = {getattr(table, key)!r} is not in this version of routelet',
                where=kebab(key),
                mend="leave the key out",
                status=WRONG_USE,
            )
            for key in table.model_fields_set
            if getattr(table, key) in NOT_YET.get(key, ())
        ]
    )
    raise_all([_unknown_recipe(name) for name in table.recipes if name not in RECIPES])
    if not table.function_per_route and table.split not in {"single", "route"}:
        raise RouteletError(
            f'"split" = "{table.split}" makes several functions, "function-per-route" = false one',
            where="split",
            mend="leave one of the two out",
            status=WRONG_USE,
        )
    return AwsLambda(table)


def _is_in_ci() -> bool:
    """Tell whether a CI service builds: GitHub, GitLab and most others set CI=true.

    https://docs.github.com/actions/reference/workflows-and-actions/variables
    https://docs.gitlab.com/ci/variables/predefined_variables/
    """
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def _unknown_recipe(name: str) -> RouteletError:
    return RouteletError(
        f'there is no recipe "{name}"',
        where="recipes",
        mend=did_you_mean(name, RECIPES) or f"there are {', '.join(RECIPES)}",
        status=WRONG_USE,
    )


class AwsLambda(Integration):
    """One Lambda function per route, or one for all."""

    name = "aws-lambda"
    sees_files = False

    def __init__(self, options: Options) -> None:
        self._options = options

    def config_done(self, payload: ConfigDone) -> None:
        """Say what Lambda is."""
        options = self._options
        python = (options.runtime or f"python{HOST}").removeprefix("python")
        if python not in GLIBC:
            raise RouteletError(
                f"Lambda has no Python {python}",
                where="pyproject.toml [tool.routelet.adapters.aws-lambda]",
                mend=f"set runtime to one of {', '.join(f'python{minor}' for minor in GLIBC)}",
                status=WRONG_USE,
            )
        split = options.split if options.function_per_route else "single"
        payload.set_adapter(
            Adapter(
                name=self.name,
                server_entrypoint=f"routelet.{'powertools' if options.powertools else 'aws'}",
                exports=("handler",),
                args={"front": options.front},
                adapter_features=AdapterFeatures(
                    function_per_route=split == "route", edge_middleware=options.edge_middleware
                ),
                supported_features={
                    "static_output": "stable",
                    "hybrid_output": "stable",
                    "server_output": "stable",
                    "assets": "stable",
                },
                target=Target(
                    python=python,
                    architecture=options.architecture,
                    glibc=GLIBC[python],
                    folder="/var/task",
                    runtime=f"python{python}",
                    bytecode=options.bytecode,
                    strip=options.strip,
                    recipes=options.recipes,
                    is_audited=options.trace == "audit",
                    provided=SDK if options.sdk == "runtime" else (),
                    provided_through="boto3",
                    companions=options.dependencies,
                ),
                limits=LIMITS,
                split=split,
                traffic=options.traffic,
                memory_mb=options.memory,
                timeout_s=options.timeout,
                front=options.front,
                middleware_entrypoint="routelet.edge",
                middleware_host=EDGE,
            )
        )

    def build_ssr(self, payload: BuildSsr) -> None:
        """Refuse Powertools that no dependency provides, and an edge without middleware.

        In CI it is warned of a runtime that is not pinned. That is said by the logger alone:
        routelet.json is the same wherever a site is built.
        """
        if self._options.runtime is None and payload.functions and _is_in_ci():
            payload.logger.warning(
                "functions are for Python %s, as it is this machine's: "
                'pin it with runtime = "python%s" in [tool.routelet.adapters.aws-lambda]',
                HOST,
                HOST,
            )
        if self._options.edge_middleware and payload.middleware_entry_point is None:
            raise RouteletError(
                '"edge-middleware" is on and the site has no middleware: nothing is protected',
                where="pyproject.toml [tool.routelet.adapters.aws-lambda]",
                mend="write src/middleware.py with on_request, or leave the key out",
                status=WRONG_USE,
            )
        if not self._options.powertools:
            return
        if any(POWERTOOLS not in files for files in payload.functions.values()):
            raise RouteletError(
                '"powertools" is on and aws-lambda-powertools is not in the functions',
                where="pyproject.toml [tool.routelet.adapters.aws-lambda]",
                mend=(
                    'add "aws-lambda-powertools[tracer]" to dependencies in pyproject.toml, or '
                    '"aws-lambda-powertools" for a Tracer that sends nothing'
                ),
            )

    def build_done(self, payload: BuildDone) -> None:
        """Write the SAM template from routelet.json."""
        manifest = json.loads((payload.out_dir / "routelet.json").read_text())
        if manifest["functions"] or manifest["edgeFunction"]:
            files, api = payload.client_files, gateway_of(manifest)
            (payload.out_dir / "template.yaml").write_text(sam_template(manifest, files, api))
            for warning in template_warnings(manifest, files, api):
                payload.logger.warning(warning)
