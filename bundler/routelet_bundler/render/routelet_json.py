"""`dist/routelet.json`, the build manifest; its schema is docs/routelet.schema.json."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from routelet.media_types import content_type_of
from routelet.routing import Part, Route
from routelet_bundler.grouping import split_of
from routelet_bundler.model import (
    Adapter,
    Build,
    BuiltFunction,
    Config,
    Prerendered,
    Splits,
)

SCHEMA_VERSION = 1


def route_table(routes: Sequence[Route]) -> list[dict[str, Any]]:
    """Return `routes` of the manifest, in matching order, before there are functions."""
    return [_route(route) for route in routes]


def prerendered_table(pages: Sequence[Prerendered]) -> list[dict[str, Any]]:
    """Return `prerendered` of the manifest."""
    return list(map(_prerendered, pages))


def ssr_manifest(
    routes: Sequence[Route],
    assets: Mapping[str, str],
    *,
    config: Config,
    adapter: Adapter | None,
) -> Mapping[str, Any]:
    """Return what the manifest says before there are zips, for hooks to read alone."""
    described = _adapter(adapter)
    return MappingProxyType(
        {
            "output": config.output,
            "base": config.base,
            "site": config.site,
            "trailingSlash": config.trailing_slash,
            "adapter": MappingProxyType(described) if described else None,
            "routes": tuple(MappingProxyType(_route(route)) for route in routes),
            "assets": MappingProxyType(dict(assets)),
        }
    )


def manifest_text(build: Build, config: Config, adapter: Adapter | None) -> Iterator[str]:
    """Yield the manifest of a build as JSON, an item of a list or of a table on each line.

    In parts: what describes 10,000 routes would take 16 MB at once.
    """
    manifest = {
        "schemaVersion": SCHEMA_VERSION,
        "output": config.output,
        "base": config.base,
        "trailingSlash": config.trailing_slash,
        "adapter": _adapter(adapter),
        "entryPoints": dict(build.entry_points),
        "middlewareEntryPoint": build.middleware_entry_point,
        "routes": map(_route, build.routes),
        "functions": map(_function, build.functions),
        "edgeFunction": build.edge_function and _function(build.edge_function),
        "prerendered": map(_prerendered, build.prerendered),
        "assets": dict(build.assets),
        **({"splits": _splits(build.splits)} if build.splits else {}),
        "warnings": iter(build.warnings),
    }
    opening = "{"
    for key, value in manifest.items():
        yield f"{opening}\n {json.dumps(key)}: "
        yield from _lines(value)
        opening = ","
    yield "\n}\n"


def _lines(value: object) -> Iterator[str]:
    match value:
        case Iterator():
            yield from _bracketed("[]", map(json.dumps, value))
        case dict():
            pairs = (f"{json.dumps(key)}: {json.dumps(one)}" for key, one in value.items())
            yield from _bracketed("{}", pairs)
        case _:
            yield json.dumps(value)


def _bracketed(brackets: str, lines: Iterator[str]) -> Iterator[str]:
    separator = ""
    yield brackets[0]
    for line in lines:
        yield f"{separator}\n  {line}"
        separator = ","
    yield f"\n {brackets[1]}" if separator else brackets[1]


def _adapter(adapter: Adapter | None) -> dict[str, Any] | None:
    if adapter is None:
        return None
    return {
        "name": adapter.name,
        "functionPerRoute": adapter.features.function_per_route,
        "split": split_of(adapter),
        "edgeMiddleware": adapter.features.edge_middleware,
        "front": adapter.front,
    }


def _route(route: Route) -> dict[str, Any]:
    described: dict[str, Any] = {
        "route": route.route,
        "component": route.component,
        "type": route.type,
        "pattern": route.pattern,
        "segments": [[_part(part) for part in segment] for segment in route.segments],
        "params": list(route.params),
        "prerender": route.prerender,
        "function": route.function,
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
    elif page.path.endswith(".html") and page.content_type == "text/html; charset=utf-8":
        pass  # nearly all
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


def _splits(splits: Splits) -> dict[str, Any]:
    """Describe what each split would give, and what was chosen."""
    return {
        "compared": [
            {
                "split": one.split,
                "functions": one.functions,
                "zippedBytes": one.zipped_bytes,
                "medianZippedBytes": one.median_zipped_bytes,
                "largestZippedBytes": one.largest_zipped_bytes,
                "importMs": one.import_ms,
                "coldStartSeconds": one.cold_start_s,
                "waitingSecondsPerHour": one.waiting_s,
                "notes": list(one.notes),
            }
            for one in splits.compared
        ],
        "impossible": dict(splits.impossible),
        "choices": [{"routes": list(one.routes), "why": one.why} for one in splits.choices],
    }


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
        "omitted": [
            {"name": one.name, "parent": one.parent} for one in built.function.traced.omitted
        ],
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
