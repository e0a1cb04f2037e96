"""The CDK app: the files of `dist/cdk/` from routelet.json."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from routelet.edge_front import API_HEADER
from routelet.signing import KEY_VARIABLE
from routelet_bundler.errors import RouteletError
from routelet_bundler.render.front import front_of
from routelet_bundler.render.gateway import RouteKey, gateway_of
from routelet_bundler.render.names import logical_ids
from routelet_bundler.render.sam import UNCACHED_ERRORS
from routelet_bundler.render.templates import render_template

TEMPLATES = ("app.py", "cdk.json", "requirements.txt", "routelet_site.py")
EDGE_TEMPLATE = "routelet_edge.py"
"""Beside the others where a site has edge middleware."""
TAKEN = frozenset(
    {
        "Api", "Distribution", "EdgeFunctionsAreOfVirginia", "Files", "FilesAccess", "Front",
        "LocalsKey", "Middleware", "MiddlewareRole", "Upload",
    }
)  # fmt: skip
"""What the construct calls its own parts: a function of a page `/files` is another one."""


def cdk_files(manifest: Mapping[str, Any], files: Iterable[str] | None = None) -> Mapping[str, str]:
    """Return the text of each file below `dist/cdk/`, by its name.

    `files` are the paths of all files below `dist/client`; without them only those that the
    manifest names, the prerendered ones, are known. A front.js of before has to go where there is
    none in the result: the app looks for it.
    """
    _refuse_sam_policies(manifest["functions"])
    edge = manifest.get("edgeFunction")
    texts = {
        name: render_template(
            f"cdk/{name}.jinja",
            edge=bool(edge),
            uncached_errors=UNCACHED_ERRORS,
            api_header=json.dumps(API_HEADER),
            key_variable=json.dumps(KEY_VARIABLE),
        )
        for name in (*TEMPLATES, *([EDGE_TEMPLATE] if edge else []))
    }
    texts["routes.json"] = _routes_json(manifest)
    code = front_of(manifest, files).code
    return texts if code is None else {**texts, "front.js": code}


def _routes_json(manifest: Mapping[str, Any]) -> str:
    ids = _ids(manifest["functions"])
    routes = [
        {"id": _route_id(key), "key": key.key, "function": key.function}
        for key in gateway_of(manifest).keys
    ]
    return json.dumps({"ids": dict(ids), "routes": routes}, indent=2) + "\n"


def _ids(functions: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """Return the id of each function: none that another has for its log group, and the like."""
    names = [function["name"] for function in functions]
    plain = logical_ids(names, TAKEN)
    parts = {
        f"{plain[function['name']]}{part}"
        for function in functions
        for part in ("Integration", "LogGroup", *(["Live"] if function["snapStart"] else []))
    }
    return logical_ids(names, TAKEN | parts)


def _route_id(key: RouteKey) -> str:
    """Name a route after its key, or CloudFormation would make one key twice during an update."""
    return f"Route{sha256(key.key.encode()).hexdigest()[:12]}"


def _refuse_sam_policies(functions: Iterable[Mapping[str, Any]]) -> None:
    for function in functions:
        for policy in function["policies"]:
            if not isinstance(policy, str) and not {"Effect", "Statement"} & policy.keys():
                raise RouteletError(
                    f"the policy {next(iter(policy), '{}')} is a policy template of SAM, and the "
                    "CDK has none",
                    where=f"function {function['name']}, policies",
                    mend="write a statement (Effect, Action, Resource) or name a managed policy",
                )
