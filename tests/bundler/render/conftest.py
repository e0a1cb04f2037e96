"""Manifests: one written by hand, and others made of file names by the rules of discover."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from routelet.routing import Part, Route
from routelet_bundler.discover.names import parse_route
from routelet_bundler.discover.order import in_order

Manifest = dict[str, Any]


@pytest.fixture
def blog() -> Manifest:
    text = (Path(__file__).parent / "manifests" / "blog.json").read_text(encoding="utf-8")
    manifest: Manifest = json.loads(text)
    return manifest


@pytest.fixture(scope="session")
def site_of() -> Callable[..., Manifest]:
    return _site_of


@pytest.fixture(scope="session")
def routes_of() -> Callable[[Sequence[str]], Sequence[Route]]:
    return _routes_of


def _routes_of(files: Sequence[str], base: str = "/") -> Sequence[Route]:
    return in_order([parse_route(file, base=base) for file in files])


def _site_of(
    *files: str,
    base: str = "/",
    groups: Mapping[str, str] | None = None,
    prerendered: Sequence[str] = (),
) -> Manifest:
    """Describe a site of on-demand pages; `groups` has the functions of routes that share one."""
    groups = groups or {}
    found = _routes_of(files, base)
    functions = [groups.get(route.route, f"f{index}") for index, route in enumerate(found)]
    routes = [
        {
            "route": route.route,
            "component": None,
            "type": "endpoint",
            "pattern": route.pattern,
            "segments": [[_part(part) for part in segment] for segment in route.segments],
            "params": list(route.params),
            "prerender": False,
            "function": function,
        }
        for route, function in zip(found, functions, strict=True)
    ]
    return {
        "schemaVersion": 1,
        "base": base,
        "trailingSlash": "ignore",
        "routes": routes,
        "functions": [_function(name) for name in dict.fromkeys(functions)],
        "prerendered": [{"path": path, "route": "/"} for path in prerendered],
        "assets": {},
        "warnings": [],
    }


def _part(part: Part) -> dict[str, Any]:
    described = {"content": part.content, "dynamic": part.dynamic, "spread": part.spread}
    return {**described, "type": part.type} if part.type else described


def _function(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "handler": f"pages/entry_{name}.handler",
        "zip": f"functions/{name}.zip",
        "runtime": "python3.13",
        "architecture": "x86_64",
        "memory": 512,
        "timeout": 10,
        "environment": {},
        "ephemeralStorage": None,
        "reservedConcurrency": None,
        "snapStart": False,
        "policies": [],
    }


@pytest.fixture(scope="session")
def with_edge() -> Callable[[Manifest], Manifest]:
    """Return what gives a site edge middleware."""
    edge = {"name": "middleware", "handler": "entry.handler", "zip": "functions/middleware.zip"}
    size = {"memory": 128, "timeout": 5}
    return lambda site: {
        **site,
        "edgeFunction": {**_function("middleware"), **edge, **size, "routes": []},
    }
