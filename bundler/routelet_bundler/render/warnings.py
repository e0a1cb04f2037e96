"""What a person is told about the templates of a site."""

from collections.abc import Iterable, Mapping
from typing import Any

from routelet_bundler.render.front import front_of
from routelet_bundler.render.gateway import Gateway, gateway_of

MAX_RESOURCES = 500
"""Resources of one stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""
MAX_SECONDS = 30
"""How long an HTTP API waits for a function.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""


def template_warnings(
    manifest: Mapping[str, Any], files: Iterable[str] | None = None, api: Gateway | None = None
) -> tuple[str, ...]:
    """Return what is not as it should be in the templates of a site, and how to mend it.

    `api` is that of the site, if it is made.
    """
    site = front_of(manifest, files)
    api = api or gateway_of(manifest)
    found = list(api.warnings)
    if site.warning:
        found.append(site.warning)
    resources = sam_resources(manifest, keys=len(api.keys), has_front=site.code is not None)
    if resources > MAX_RESOURCES:
        found.append(
            f"template.yaml has {resources} resources, and a stack has {MAX_RESOURCES} at most. "
            'Put routes in groups: config = {"group": "NAME"}, or set function-per-route = false.'
        )
    found += [
        f"function {function['name']} may run {function['timeout']} s, and an HTTP API waits "
        f"{MAX_SECONDS} s. Set its timeout to {MAX_SECONDS} or less."
        for function in manifest["functions"]
        if function["timeout"] > MAX_SECONDS
    ]
    found += [message for function in manifest["functions"] for message in _snap_start(function)]
    return tuple(found)


def _snap_start(function: Mapping[str, Any]) -> Iterable[str]:
    """Yield what SnapStart does not go with.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
    """
    if not function["snapStart"]:
        return
    where = f"function {function['name']}: snap-start"
    if function["runtime"] in {"python3.10", "python3.11"}:
        yield f'{where} needs Python 3.12 or newer. Set runtime = "python3.12", or leave it off.'
    if (function["ephemeralStorage"] or 0) > 512:
        yield f"{where} allows 512 MB of storage at most. Set ephemeral-storage = 512, or no value."


def sam_resources(manifest: Mapping[str, Any], *, keys: int, has_front: bool) -> int:
    """Return how many resources CloudFormation makes of the SAM template.

    A function has a role and a log group, with SnapStart a version and an alias, and a permission
    for each route key; the API has a stage, and the front five resources. An edge function has a
    role, a version, an alias and a secret, and stands in place of one of those five.
    """
    functions = manifest["functions"]
    published = sum(2 for function in functions if function["snapStart"])
    front = 9 if manifest.get("edgeFunction") else 5 if has_front else 0
    return 3 * len(functions) + published + keys + 2 + front
