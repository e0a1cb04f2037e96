"""The SAM template: `dist/template.yaml` from routelet.json."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from routelet.edge_front import API_HEADER
from routelet.signing import KEY_VARIABLE
from routelet_bundler.render.front import front_of
from routelet_bundler.render.gateway import Gateway, gateway_of
from routelet_bundler.render.names import logical_ids
from routelet_bundler.render.templates import render_template

LOG_RETENTION_DAYS = 30
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html"""
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html"""
UNCACHED_ERRORS = (400, 403, 405, 414, 416, 500, 501, 502, 503, 504)
"""All but 404 that CloudFront keeps by default.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
"""

LOCALS_KEY = "LocalsKey"
"""The logical id of the secret that signs locals, which no template and no output has."""
EDGE_NAME = {"Fn::Sub": "${AWS::StackName}-middleware"}
"""The name of the edge function, and of its secret."""


def sam_template(
    manifest: Mapping[str, Any], files: Iterable[str] | None = None, api: Gateway | None = None
) -> str:
    """Return a template: a function per zip, an HTTP API and, for files, a bucket and CloudFront.

    `files` are the paths of all files below `dist/client`; without them only those that the
    manifest names, the prerendered ones, are known. `api` is that of the site, if it is made.
    """
    site, edge = front_of(manifest, files), manifest.get("edgeFunction")
    functions = manifest["functions"]
    ids = logical_ids(one["name"] for one in (*functions, *([edge] if edge else [])))
    return render_template(
        "sam/template.yaml.jinja",
        description=f"A routelet site. Functions: {len(functions)}",
        functions=_functions(manifest, api or gateway_of(manifest), ids),
        front=site.code,
        edge=edge and _edge(edge, ids),
        has_site=bool(site.code or edge),
        files_left_out=site.warning is not None,
        locals_key=LOCALS_KEY,
        api_header=API_HEADER,
        log_retention_days=LOG_RETENTION_DAYS,
        caching_disabled=CACHING_DISABLED,
        all_viewer_except_host=ALL_VIEWER_EXCEPT_HOST,
        uncached_errors=UNCACHED_ERRORS,
    )


def _functions(
    manifest: Mapping[str, Any], api: Gateway, ids: Mapping[str, str]
) -> Sequence[Mapping[str, Any]]:
    events: dict[str, list[Mapping[str, str | None]]] = {
        one["name"]: [] for one in manifest["functions"]
    }
    for key in api.keys:
        mine = events[key.function]
        mine.append({"event": f"Route{len(mine) + 1}", "path": key.path})
    added = _locals_key() if manifest.get("edgeFunction") else {}
    return [
        {
            **function,
            "id": f"{ids[function['name']]}Function",
            "log_group": f"{ids[function['name']]}LogGroup",
            "environment": {**function["environment"], **added},
            "events": events[function["name"]],
            "policies": [_policy(policy) for policy in function["policies"]],
        }
        for function in manifest["functions"]
    ]


def _locals_key() -> Mapping[str, Any]:
    """Return the variable with the key: CloudFormation fills it in, and keeps it to itself.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
    """
    reference = "${" + LOCALS_KEY + "}"
    return {KEY_VARIABLE: {"Fn::Sub": "{{resolve:secretsmanager:" + reference + "}}"}}


def _edge(edge: Mapping[str, Any], ids: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the edge function, which may read its own secret."""
    reads = {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": {"Ref": LOCALS_KEY},
    }
    id_ = f"{ids[edge['name']]}Function"
    return {
        **edge,
        "id": id_,
        "version": f"{id_}.Version",
        "function_name": EDGE_NAME,
        "policies": [_policy(reads)],
    }


def _policy(policy: str | Mapping[str, Any]) -> str | Mapping[str, Any]:
    """Return a policy as SAM wants it: a statement of its own becomes a document."""
    if isinstance(policy, str) or "Effect" not in policy:
        return policy
    return {"Version": "2012-10-17", "Statement": [policy]}
