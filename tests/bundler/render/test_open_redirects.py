"""A redirect of the configuration leads to another host only where the configuration says so."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from routelet.routing import Route, canonical_path
from routelet_bundler.discover.names import parse_route
from routelet_bundler.emulator.front import redirect_of
from routelet_bundler.render import front_code

REDIRECTS = {
    "/old/[...path]": "/[...path]",
    "/one/[a]": "/[a]",
    "/two/[a]/[b]": "/[a]/[b]",
    "/mixed/[...path]": "/[...path]/end",
}
ATTACKS = (
    "/old//evil.example", "/old//evil.example/a", "/old/%2Fevil.example", "/old/%2f%2fevil.example",
    "/old///evil.example", "/old/%5Cevil.example", "/old/\\evil.example", "/old/%09/evil.example",
    "/one/%2Fevil.example", "/one/%5Cevil.example", "/two/%2Fevil.example/x", "/two//evil.example",
    "/mixed//evil.example", "/old/%0d%0aset-cookie:a=b", "/old/https://evil.example",
)  # fmt: skip
SCRIPT = """
import { readFileSync } from 'node:fs';
import { handler } from './front.mjs';
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map((uri) =>
  handler({ request: { method: 'GET', uri, querystring: {}, headers: { host: { value: 'h' } } } })
)));
"""
STUB = "export default { selectRequestOriginById() {} };"


def leaves_the_site(location: str) -> bool:
    return not location.startswith("/") or location.startswith(("//", "/\\")) or "\n" in location


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_no_url_makes_cloudfront_redirect_to_another_host(site_of: Any, tmp_path: Path) -> None:
    site = site_of("api/[x].py")
    for source, destination in REDIRECTS.items():
        route = parse_route(f"{source.strip('/')}.py")
        site["routes"].append(
            {
                "route": source, "type": "redirect", "pattern": route.pattern, "segments": [],
                "params": list(route.params), "prerender": False, "function": None,
                "redirect": {"destination": destination, "status": None},
            }
        )  # fmt: skip
    code = front_code(site, ["a/index.html"])
    assert code is not None
    (tmp_path / "node_modules/cloudfront").mkdir(parents=True)
    (tmp_path / "node_modules/cloudfront/index.mjs").write_text(STUB)
    (tmp_path / "node_modules/cloudfront/package.json").write_text('{"main": "index.mjs"}')
    (tmp_path / "front.mjs").write_text(code + "\nexport { handler };\n", encoding="utf-8")
    (tmp_path / "run.mjs").write_text(SCRIPT)
    done = subprocess.run(
        ["node", "run.mjs"],
        cwd=tmp_path,
        input=json.dumps(ATTACKS),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    locations = {
        uri: answer["headers"]["location"]["value"]
        for uri, answer in zip(ATTACKS, json.loads(done.stdout), strict=True)
        if "statusCode" in answer
    }
    assert locations
    assert {uri: to for uri, to in locations.items() if leaves_the_site(to)} == {}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_url_makes_the_emulator_redirect_to_another_host(attack: str) -> None:
    path = canonical_path(attack)
    for source, destination in REDIRECTS.items():
        parsed = parse_route(f"{source.strip('/')}.py")
        route = Route(source, parsed.pattern, parsed.params, redirect=(destination, None))
        params = route.match(path)
        if params is not None:
            [(name, location)] = redirect_of(route, params, "GET", "/").headers
            assert (name, leaves_the_site(location)) == ("location", False)
