"""`dist/routelet.json`, the build manifest; its schema is docs/routelet.schema.json."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from routelet.routing import Part, Route
from routelet_bundler.media_types import content_type_of
from routelet_bundler.model import Adapter, Build, BuiltFunction, Config, Prerendered

SCHEMA_VERSION = 1


def route_table(
    routes: Sequence[Route], functions: Sequence[BuiltFunction] = ()
) -> list[dict[str, Any]]:
    """Return `routes` of the manifest, in matching order."""
    owners = {route: built.name for built in functions for route in built.routes}
    return [_route(route, owners) for route in routes]


def routelet_json(build: Build, config: Config, adapter: Adapter | None) -> dict[str, Any]:
    """Return the manifest of a build."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "output": config.output,
        "base": config.base,
        "trailingSlash": config.trailing_slash,
        "adapter": _adapter(adapter),
        "entryPoints": dict(build.entry_points),
        "middlewareEntryPoint": build.middleware_entry_point,
        "routes": route_table(build.routes, build.functions),
        "functions": [_function(built) for built in build.functions],
        "prerendered": [_prerendered(page) for page in build.prerendered],
        "assets": dict(build.assets),
        "warnings": list(build.warnings),
    }


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """Return the manifest as JSON, an item of a list or of a table on each line."""
    parts = (f" {json.dumps(key)}: {_lines(value)}" for key, value in manifest.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(value: object) -> str:
    match value:
        case [_, *_]:
            return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
        case dict() if value:
            pairs = (f"{json.dumps(key)}: {json.dumps(one)}" for key, one in value.items())
            return "{\n  " + ",\n  ".join(pairs) + "\n }"
    return json.dumps(value)


def _adapter(adapter: Adapter | None) -> dict[str, Any] | None:
    if adapter is None:
        return None
    return {
        "name": adapter.name,
        "functionPerRoute": adapter.adapter_features.function_per_route,
        "edgeMiddleware": adapter.adapter_features.edge_middleware,
        "front": adapter.front,
    }


def _route(route: Route, owners: Mapping[str, str]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "route": route.route,
        "component": route.component,
        "type": route.type,
        "pattern": route.pattern,
        "segments": [[_part(part) for part in segment] for segment in route.segments],
        "params": list(route.params),
        "prerender": route.prerender,
        "function": None if route.prerender else owners.get(route.route),
    }
    if route.redirect is not None:
        destination, status = route.redirect
        described["redirect"] = {"destination": destination, "status": status}
    return described


def _prerendered(page: Prerendered) -> dict[str, Any]:
    """Describe a file; its type where its name says another, and its redirect if it is one."""
    described: dict[str, Any] = {"path": page.path, "route": page.route}
    if page.location is not None:
        described["redirect"] = {
            "url": page.url,
            "status": page.status,
            "location": page.location,
        }
    elif page.content_type and page.content_type != content_type_of(page.path):
        described["contentType"] = page.content_type
    return described


def _part(part: Part) -> dict[str, Any]:
    described: dict[str, Any] = {
        "content": part.content,
        "dynamic": part.dynamic,
        "spread": part.spread,
    }
    if part.type:
        described["type"] = part.type
    return described


def _function(built: BuiltFunction) -> dict[str, Any]:
    config, packed = built.function.config, built.zip
    return {
        "name": built.name,
        "routes": list(built.routes),
        "handler": built.function.handler,
        "zip": f"functions/{built.name}.zip",
        "sha256": packed.sha256,
        "zippedBytes": packed.zipped_bytes,
        "unzippedBytes": packed.unzipped_bytes,
        "files": packed.files,
        "distributions": [
            {
                "name": distribution.name,
                "version": distribution.version,
                "bytes": packed.distribution_bytes[distribution.name],
            }
            for distribution, _ in built.function.traced.distributions
        ],
        "provided": list(built.function.traced.provided),
        "verified": built.verdict.verified,
        "runtime": built.function.target.runtime,
        "architecture": built.function.target.architecture,
        "memory": built.memory_mb,
        "timeout": built.timeout_s,
        "environment": dict(config.environment),
        "ephemeralStorage": config.ephemeral_storage,
        "reservedConcurrency": config.reserved_concurrency,
        "snapStart": bool(config.snap_start),
        "policies": list(config.policies),
    }
