"""botocore: the folders of services that code makes clients of.

Its data is one folder for each of 400 services, loaded by the name that a client is made with.
What is beside the folders (`endpoints.json`, `partitions.json`, `_retry.json`,
`sdk-default-configuration.json`) is loaded with any of them.
"""

import ast
import re
from collections.abc import Iterator

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Distribution
from routelet_bundler.trace.calls import argument
from routelet_bundler.trace.recipes.code import (
    Code,
    Cut,
    Facts,
    constants,
    imports,
    last_name,
    literal,
)

_DATA = "botocore/data/"
_MAKERS = {"client", "resource", "create_client", "client_creator", "_client_creator"}
"""Of sessions and of boto3; botocore's own credentials call the last two."""
_MENTIONS = re.compile(rb"\b(client|resource|create_client|_?client_creator)\b")
_SDK = frozenset({"boto3", "botocore", "aioboto3", "aiobotocore", "s3transfer"})
"""They hand a name on that their callers give."""
_ALIASES = {"runtime.sagemaker": "sagemaker-runtime"}
"""SERVICE_NAME_ALIASES of botocore.handlers."""


def cut(distribution: Distribution, code: Code) -> Cut:
    """Return which services stay; an error for each client of local code whose name is unknown."""
    services = frozenset(filter(None, (service_of(name) for name, _ in distribution.files)))
    facts = code.local(_MENTIONS, facts_of)
    named = set(facts.named)
    for one in code.packed:
        theirs = code.foreign(one, _MENTIONS, facts_of)
        named |= theirs.named
        if theirs.unknown and one.name not in _SDK:
            named |= code.words(one)
    named |= {_ALIASES[name] for name in named & _ALIASES.keys()}
    return Cut(
        group_of=service_of,
        keeps=frozenset(named & services),
        errors=tuple(_unknown(*one) for one in facts.unknown),
    )


def service_of(archive: str) -> str | None:
    """Return the service whose data a file is."""
    folder, slash, _ = archive.removeprefix(_DATA).partition("/")
    return folder if slash and archive.startswith(_DATA) else None


def _unknown(where: str, expression: str) -> RouteletError:
    return RouteletError(
        f"the service of {expression} is only known when it runs, and the recipe botocore packs "
        "those that are named",
        where=where,
        mend='write its name there, as in client("s3"), or take "botocore" out of recipes',
    )


def facts_of(tree: ast.Module) -> Facts:
    """Return the services that a module makes clients of."""
    names, makers, is_sdk = constants(tree), _MAKERS | set(_aliases(tree)), imports(tree, _SDK)
    nodes = list(ast.walk(tree))
    calls = [one for one in nodes if isinstance(one, ast.Call) and last_name(one.func) in makers]
    made = {call: literal(argument(call, 0, "service_name"), names) for call in calls}
    unknown = [
        call
        for call, name in made.items()
        if name is None and _is_given(call) and (is_sdk or _is_of_session(call.func))
    ]
    called = {id(call.func) for call in calls}
    handed_on = [
        node
        for node in nodes
        if isinstance(node, ast.Attribute) and node.attr in _MAKERS and id(node) not in called
        if _is_of_session(node)
    ]
    return Facts(
        named=frozenset(name for name in made.values() if name),
        unknown=tuple((str(one.lineno), ast.unparse(one)) for one in (*unknown, *handed_on)),
    )


def _is_given(call: ast.Call) -> bool:
    """Tell whether a call is given a service at all, if only by `**options`."""
    named = any(one.arg in {None, "service_name"} for one in call.keywords)
    return bool(call.args) or named


def _aliases(tree: ast.Module) -> Iterator[str]:
    """Yield what `client` and `resource` of boto3 are imported as."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "boto3":
            yield from (one.asname or one.name for one in node.names if one.name in _MAKERS)


def _is_of_session(func: ast.expr) -> bool:
    """Tell whether it is an attribute of a session, or of boto3, by the name of that."""
    if not isinstance(func, ast.Attribute):
        return False
    return any(word in ast.unparse(func.value).lower() for word in ("session", "boto"))
