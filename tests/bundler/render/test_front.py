import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routelet.edge_front import answer_of
from routelet.routing import Route, canonical_path
from routelet_bundler.discover.names import parse_route
from routelet_bundler.emulator.front import redirect_of
from routelet_bundler.render import front_code, sam_template, template_warnings
from routelet_bundler.render.front import (
    MAX_CODE_BYTES,
    edge_front,
    file_by_rule,
    front_of,
    page_suffix,
    page_urls,
)

Manifest = dict[str, Any]
SiteOf = Callable[..., Manifest]

HARNESS = """
import { readFileSync } from 'node:fs';
import { handler } from './front.mjs';
const requests = JSON.parse(readFileSync(0, 'utf8'));
const answers = requests.map((request) => {
  globalThis.selected = 'files';
  const sent = handler({ request });
  return { origin: sent.statusCode ? null : globalThis.selected, request: sent };
});
console.log(JSON.stringify(answers));
"""
STUB = "export default { selectRequestOriginById(id) { globalThis.selected = id; } };"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


def answers(folder: Path, code: str, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run the CloudFront function in node, with its one import from CloudFront replaced."""
    code = code.replace("${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}", "api.test")
    (folder / "node_modules" / "cloudfront").mkdir(parents=True)
    (folder / "node_modules" / "cloudfront" / "index.mjs").write_text(STUB)
    (folder / "node_modules" / "cloudfront" / "package.json").write_text('{"main": "index.mjs"}')
    (folder / "front.mjs").write_text(code + "\nexport { handler };\n", encoding="utf-8")
    (folder / "run.mjs").write_text(HARNESS)
    done = subprocess.run(
        ["node", "run.mjs"],
        cwd=folder,
        input=json.dumps(requests),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    result: list[dict[str, Any]] = json.loads(done.stdout)
    return result


def request(uri: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    named = {"host": "site.test", **headers}
    return {
        "method": method,
        "uri": uri,
        "querystring": {"q": {"value": "1"}},
        "headers": {name: {"value": value} for name, value in named.items()},
    }


def places(folder: Path, code: str | None, uris: list[str]) -> dict[str, str]:
    assert code is not None
    found = answers(folder, code, [request(uri) for uri in uris])
    return {
        uri: it["request"]["uri"] if it["origin"] == "files" else it["origin"]
        for uri, it in zip(uris, found, strict=True)
    }


@needs_node
def test_files_come_first_then_functions_then_the_bucket(blog: Manifest, tmp_path: Path) -> None:
    files = [it["path"] for it in blog["prerendered"]]
    code = front_code(blog, [*files, "style.css", "docs/logo.svg", "LICENSE", "a b/ü#.txt"])

    assert places(
        tmp_path,
        code,
        ["/", "/about", "/about/", "/about/index.html", "/404", "/404.html", "/style.css",
         "/LICENSE", "/blog/first/", "/blog/first/comments", "/blog/first/comments/",
         "/api/search.json", "/api/search.jsonp", "/contact", "/docs", "/docs/", "/docs/a/b",
         "/docs/api", "/docs/api/", "/docs/api/index.html", "/docs/logo.svg", "/missing",
         "/a%20b/%C3%BC%23.txt", "/docs/api%", "/constructor", "/docs/__proto__"],
    ) == {
        "/": "/index.html",
        "/about": "/about/index.html",
        "/about/": "/about/index.html",
        "/about/index.html": "/about/index.html",
        "/404": "/404.html",
        "/404.html": "/404.html",
        "/style.css": "/style.css",
        "/LICENSE": "/LICENSE",
        "/blog/first/": "/blog/first/index.html",
        "/blog/first/comments": "api",
        "/blog/first/comments/": "api",
        "/api/search.json": "api",
        "/api/search.jsonp": "/api/search.jsonp",
        "/contact": "api",
        "/docs": "api",
        "/docs/": "api",
        "/docs/a/b": "api",
        "/docs/api": "/docs/api/index.html",
        "/docs/api/": "/docs/api/index.html",
        "/docs/api/index.html": "/docs/api/index.html",
        "/docs/logo.svg": "/docs/logo.svg",
        "/missing": "/missing/index.html",
        "/a%20b/%C3%BC%23.txt": "/a%20b/%C3%BC%23.txt",
        "/docs/api%": "api",
        "/constructor": "/constructor/index.html",
        "/docs/__proto__": "api",
    }  # fmt: skip


@needs_node
def test_a_catch_all_leaves_all_files_in_front_of_it(site_of: SiteOf, tmp_path: Path) -> None:
    site = site_of("[...path].py", prerendered=["index.html", "about/index.html"])
    code = front_code(site, ["index.html", "about/index.html", "style.css"])

    assert places(tmp_path, code, ["/", "/about", "/style.css", "/else", "/else/", "/x.css"]) == {
        "/": "/index.html",
        "/about": "/about/index.html",
        "/style.css": "/style.css",
        "/else": "api",
        "/else/": "api",
        "/x.css": "api",
    }


@needs_node
def test_what_is_below_a_file_is_not_that_file(site_of: SiteOf, tmp_path: Path) -> None:
    files = ["index.html", "a/index.html", "key.txt", "page.html", "v1.2/index.html"]
    code = front_code(site_of("api.py"), files)
    everywhere = front_code(site_of("[...path].py"), files)
    found = {
        "/key.txt/": "/key.txt/index.html",
        "/key.txt/index.html": "/key.txt/index.html",
        "/page/index.html": "/page/index.html",
        "/page.html": "/page.html",
        "/page/": "/page.html",
        "/v1.2/": "/v1.2/index.html",
    }

    assert places(tmp_path / "rule", code, [*found]) == found
    assert places(tmp_path / "entries", everywhere, [*found]) == {
        **found,
        "/key.txt/": "api",
        "/key.txt/index.html": "api",
        "/page/index.html": "api",
    }


@needs_node
def test_the_base_is_not_in_the_names_of_files(site_of: SiteOf, tmp_path: Path) -> None:
    site = site_of("api.py", "[x].txt.py", base="/site", prerendered=["index.html", "a.html"])
    code = front_code(site, ["index.html", "a.html", "b.txt"])

    uris = ["/site", "/site/", "/site/a", "/site/a.html", "/site/b.txt", "/site/api", "/siteb", "/"]
    assert places(tmp_path, code, uris) == {
        "/site": "/index.html",
        "/site/": "/index.html",
        "/site/a": "/a.html",
        "/site/a.html": "/a.html",
        "/site/b.txt": "/b.txt",
        "/site/api": "api",
        "/siteb": "api",
        "/": "api",
    }


@needs_node
def test_a_prerendered_redirect_is_one_before_any_route_or_file(
    site_of: SiteOf, tmp_path: Path
) -> None:
    names = ["old/index.html", "new/index.html"]
    site = site_of("[...path].py", base="/docs", prerendered=names)
    moved = {"url": "/docs/old", "status": 308, "location": "/new?a=1"}
    site["prerendered"][0]["redirect"] = moved
    code = front_code(site, names)
    assert code is not None

    uris = ["/docs/old", "/docs/old/", "/docs/old/index.html", "/docs/new", "/docs/older"]
    found = answers(tmp_path, code, [*map(request, uris), request("/docs/old", "POST")])

    redirect = {"statusCode": 308, "headers": {"location": {"value": "/new?a=1"}}}
    assert [it["request"] for it in found[:3]] == [redirect] * 3
    assert [it["origin"] for it in found[3:]] == ["files", "api", "api"]


@needs_node
def test_forms_reach_functions_as_if_from_the_api_itself(blog: Manifest, tmp_path: Path) -> None:
    code = front_code(blog)
    assert code is not None
    sent = [
        request("/contact", "POST", origin="https://site.test"),
        request("/contact", "POST", origin="https://other.test"),
        request("/contact", "POST", origin="http://site.test"),
        request("/contact", "POST"),
        request("/about", "POST"),
    ]

    found = answers(tmp_path, code, sent)

    origins = [it["request"]["headers"].get("origin", {}).get("value") for it in found]
    assert origins == ["https://api.test", "https://other.test", "http://site.test", None, None]
    assert {it["origin"] for it in found} == {"api"}
    assert all(it["request"]["querystring"] == {"q": {"value": "1"}} for it in found)


@needs_node
def test_a_file_is_asked_for_without_a_query(blog: Manifest, tmp_path: Path) -> None:
    code = front_code(blog)
    assert code is not None
    (found,) = answers(tmp_path, code, [request("/about", "HEAD")])

    assert found["origin"] == "files"
    assert found["request"]["querystring"] == {}


def redirect(source: str, destination: str, status: int | None = None) -> dict[str, Any]:
    route = parse_route(f"{source.strip('/')}.py")
    return {
        "route": route.route,
        "type": "redirect",
        "pattern": route.pattern,
        "segments": [],
        "params": list(route.params),
        "prerender": False,
        "function": None,
        "redirect": {"destination": destination, "status": status},
    }


@needs_node
def test_redirects_are_made_after_files_and_functions(site_of: SiteOf, tmp_path: Path) -> None:
    site = site_of("api/[x].py", base="/b")
    site["routes"] += [
        redirect("/old", "/new/ä page/?q=$1#top"),
        redirect("/posts/[id]", "/blog/[id].html", 302),
        redirect("/docs/[...path]", "/manual/[...path]"),
        redirect("/away/[a]/[b]", "https://other.test/[b]/[a]"),
        redirect("/mail", "mailto:me@site.test"),
        redirect("/api/[x]", "/never"),
        redirect("/kept", "/never"),
    ]
    code = front_code(site, ["kept/index.html"])
    assert code is not None
    uris = ["/b/old", "/b/posts/a%20b", "/b/docs", "/b/docs/x/y%3Fz", "/b/away/1/2", "/b/mail"]

    others = ["/b/api/1", "/b/kept", "/b/kept/", "/old"]

    found = answers(tmp_path, code, [request(uri) for uri in [*uris, *others]])

    made = [it["request"] for it in found[: len(uris)]]
    assert [(it["statusCode"], it["headers"]["location"]["value"]) for it in made] == [
        (301, "/b/new/%C3%A4%20page/?q=$1#top"),
        (302, "/b/blog/a%20b.html"),
        (301, "/b/manual"),
        (301, "/b/manual/x/y%3Fz"),
        (301, "https://other.test/2/1"),
        (301, "mailto:me@site.test"),
    ]
    assert [it["origin"] for it in found[len(uris) :]] == ["api", "files", "files", "api"]


@needs_node
def test_a_redirect_of_a_form_keeps_the_method(site_of: SiteOf, tmp_path: Path) -> None:
    site = site_of("a.py")
    site["routes"].append(redirect("/old", "/a"))
    code = front_code(site)
    assert code is not None

    (found,) = answers(tmp_path, code, [request("/old", "POST")])

    assert found["request"]["statusCode"] == 308


def test_a_redirect_that_a_function_makes_is_not_made_again(site_of: SiteOf) -> None:
    site = site_of("a.py")
    site["routes"].append({**redirect("/old", "/a"), "function": "f0"})

    assert front_code(site) is None


def test_a_site_without_files_has_no_front(site_of: SiteOf) -> None:
    assert front_code(site_of("a.py")) is None


def test_a_front_that_is_too_large_is_left_out_and_told(site_of: SiteOf) -> None:
    files = [f"images/{number:04}.webp" for number in range(400)]
    site = site_of("[...path].py")

    assert front_of(site, files).code is None
    assert "CloudFront::Distribution" not in sam_template(site, files)
    assert "dist/client is not served" in sam_template(site, files)
    assert any("CloudFront" in warning for warning in template_warnings(site, files))


def test_files_that_no_route_matches_take_no_room(site_of: SiteOf) -> None:
    files = [f"posts/{number}/index.html" for number in range(5_000)]

    code = front_code(site_of("api/[x].py"), files)

    assert code is not None
    assert len(code.encode()) < MAX_CODE_BYTES / 3


def test_the_code_fits_with_the_longest_names_of_a_region() -> None:
    longest = {
        "${Api}": "a" * 10,
        "${AWS::Region}": "ap-southeast-99",
        "${AWS::URLSuffix}": "c" * 18,
    }

    assert sum(len(text) - len(name) for name, text in longest.items()) <= 10_240 - MAX_CODE_BYTES


def test_a_page_has_the_urls_of_its_format() -> None:
    assert page_urls("index.html") == ("",)
    assert page_urls("a/index.html") == ("/a",)
    assert page_urls("a.html") == ("/a.html", "/a")
    assert page_urls("a.css") == ("/a.css",)
    assert page_suffix(["index.html", "a/index.html", "404.html"]) == "/index.html"
    assert page_suffix(["index.html", "a.html", "404.html"]) == ".html"
    assert page_suffix([]) == "/index.html"


def test_every_file_is_found_by_rule_or_by_entry(blog: Manifest) -> None:
    files = [it["path"] for it in blog["prerendered"]]
    code = front_code(blog)
    assert code is not None
    listed = re.search(r"const FILES = (.*);", code)
    assert listed is not None
    entries = json.loads(listed[1])

    for file in files:
        for url in page_urls(file):
            assert entries.get(url, file_by_rule(url, "/index.html")) == file


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
"""What might lead a visitor of a redirect to another host than the configuration says."""


def leaves_the_site(location: str) -> bool:
    return not location.startswith("/") or location.startswith(("//", "/\\")) or "\n" in location


@needs_node
def test_no_url_makes_cloudfront_redirect_to_another_host(site_of: SiteOf, tmp_path: Path) -> None:
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
    found = answers(tmp_path, code, [request(uri) for uri in ATTACKS])
    locations = {
        uri: it["request"]["headers"]["location"]["value"]
        for uri, it in zip(ATTACKS, found, strict=True)
        if "statusCode" in it["request"]
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


def edge_places(site: dict[str, Any], files: list[str], uris: list[str]) -> dict[str, str]:
    """Return what the edge function chooses, for the same requests as `places`."""
    keys = ("route", "pattern", "params", "prerender")
    routes = [{key: one[key] for key in keys} for one in site["routes"]]
    manifest = {"base": site["base"], "routes": routes, "front": edge_front(site, files)}
    choose = answer_of(manifest)
    api = {"x-routelet-api": [{"key": "x-routelet-api", "value": "api.test"}]}
    found = {}
    for uri in uris:
        origin = {"s3": {"customHeaders": api}}
        sent = {"method": "GET", "uri": uri, "querystring": "", "headers": {}, "origin": origin}
        chosen = choose({"Records": [{"cf": {"request": sent}}]})
        found[uri] = "api" if "custom" in chosen["origin"] else chosen["uri"]
    return found


@needs_node
@pytest.mark.parametrize("base", ["/", "/site"])
def test_an_edge_function_chooses_as_the_cloudfront_function_does(
    site_of: SiteOf, tmp_path: Path, base: str
) -> None:
    pages = ["[...path].py", "api/[id].json.py", "blog/[slug].py", "docs/index.py"]
    files = [
        "index.html", "about/index.html", "b.html", "LICENSE", "docs/logo.svg", "a b/\u00fc.txt",
        "blog/first/index.html", "api/7.json", "api/7.json/x.txt",
    ]  # fmt: skip
    site = site_of(*pages, base=base, prerendered=[])
    urls = ["", "/", "/about", "/about/", "/b", "/LICENSE", "/docs", "/docs/", "/docs/logo.svg",
            "/a%20b/%C3%BC.txt", "/blog/first", "/blog/first/", "/blog/other", "/api/7.json",
            "/api/8.json", "/api/7.json/x.txt", "/nowhere", "/nowhere.txt", "/a//b", "/LICENSE/",
            "/docs/logo.svg/", "/docs/logo.svg/index.html"]  # fmt: skip
    uris = [base.rstrip("/") + url for url in urls if base != "/" or url]

    assert edge_places(site, files, uris) == places(tmp_path, front_code(site, files), uris)
