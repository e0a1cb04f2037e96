"""The CloudFront function that puts the files of `dist/client` before the functions.

In: routelet.json and the files' names. Out: its JavaScript, or why there is none. A request goes
to the functions where its path matches a route key and no file is there; all other paths go to
the bucket, so that the function has a list of those files only that share a key's URLs. Redirects
that no function makes are made here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from routelet.routing import literal_text
from routelet_bundler.render.gateway import RouteKey, gateway_of
from routelet_bundler.render.templates import render_template

MAX_CODE_BYTES = 10_240 - 16
"""Sixteen are left for what Fn::Sub puts in place of its references.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
"""

_PARAMETER = re.compile(r"\[(?:\.\.\.)?(?P<name>[A-Za-z0-9_$]+)(?:=[a-z]+)?\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What CloudFront runs before a request: nothing where there are no files or redirects."""

    code: str | None = None
    """For Fn::Sub, with the logical id `Api` for the HTTP API."""
    warning: str | None = None


def front_of(manifest: Mapping[str, Any], files: Iterable[str] | None = None) -> Front:
    """Return the front of a site whose `dist/client` holds `files`, prerendered ones by default.

    With edge middleware it is that function's other half: CloudFront takes one for each event.
    """
    if manifest.get("edgeFunction"):
        return Front()
    names = sorted(files_of(manifest) if files is None else files)
    bare = bare_redirects(manifest)
    if not names and not bare:
        return Front()
    base = manifest["base"].rstrip("/")
    functions = functions_pattern(gateway_of(manifest).keys)
    patterns = [functions, *(_below(base, route["pattern"]) for route in bare)]
    suffix = page_suffix(names)
    code = render_template(
        "cloudfront/front.js.jinja",
        base=base,
        suffix=suffix,
        functions=f"^(?:{functions})$",
        files=dict(_exceptions(names, suffix, base=base, patterns=patterns)),
        moved=dict(_moved(manifest)),
        redirects=[_redirect(route, manifest["base"]) for route in bare],
    )
    if len(code.encode()) > MAX_CODE_BYTES:
        return Front(
            warning=f"CloudFront has no room ({MAX_CODE_BYTES} bytes) to list the redirects, and "
            "the files that share URLs with on-demand routes, so the templates leave both out. "
            "Narrow the routes that match the files, or put another server in front."
        )
    return Front(code=code)


def front_code(manifest: Mapping[str, Any], files: Iterable[str] | None = None) -> str | None:
    """Return the source of the CloudFront function, or None where there is none."""
    return front_of(manifest, files).code


def edge_front(manifest: Mapping[str, Any], files: Iterable[str] | None = None) -> dict[str, Any]:
    """Return what an edge function knows of files, beside its table of routes: literals.

    `manifest` needs `base`, `routes` and `prerendered` as routelet.json has them. The function
    matches routes itself (`routelet.edge_front`), and has more room than front.js.
    """
    names = sorted(files_of(manifest) if files is None else files)
    base = manifest["base"].rstrip("/")
    others = [_below(base, one["pattern"]) for one in manifest["routes"] if not one["prerender"]]
    suffix = page_suffix(names)
    pages = {*files_of(manifest)} - {"404.html", "500.html"}  # which CloudFront asks for by name
    found = _exceptions(names, suffix, base=base, patterns=others or ["(?!)"])
    named = {url: file for url, file in found if not (url.endswith(".html") and file in pages)}
    return {
        "suffix": suffix,
        "files": {
            **named,
            **dict(_own_names(manifest, set(names) - pages)),
            **dict(_with_slash(manifest)),
        },
        "moved": dict(_moved(manifest)),
    }


def _own_names(manifest: Mapping[str, Any], files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the URLs of files of HTML that are no pages, where those of a page's file are like it.

    A page is not answered at the URL of its file.
    """
    pages = _prerendered_pattern(manifest)
    for file in sorted(files):
        urls = page_urls(file) if file.endswith(".html") else ()
        if any(pages.match(url) or pages.match(f"{url}/") for url in urls):
            yield f"/{file}", file


def _with_slash(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the URLs of files of no HTML whose routes take them with a slash alone: `/a.json/`."""
    routes = _prerendered_pattern(manifest)
    for file in files_of(manifest):
        url = f"/{file}/"
        if not file.endswith(".html") and routes.fullmatch(url) and not routes.fullmatch(url[:-1]):
            yield url, file


def _prerendered_pattern(manifest: Mapping[str, Any]) -> re.Pattern[str]:
    patterns = [one["pattern"] for one in manifest["routes"] if one["prerender"]]
    return re.compile("|".join(patterns) or "(?!)")


def files_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the files that routelet.json knows: those of `public/` are not among them."""
    return tuple(entry["path"] for entry in manifest["prerendered"])


def bare_redirects(manifest: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the redirects that neither a file nor a function makes."""
    return tuple(
        route
        for route in manifest["routes"]
        if route["type"] == "redirect" and not route["prerender"] and not route["function"]
    )


def _moved(manifest: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield the URL below the base, status and location of pages that redirect."""
    base = manifest["base"].rstrip("/")
    for entry in manifest["prerendered"]:
        if redirect := entry.get("redirect"):
            url = unquote(redirect["url"]).removeprefix(base).rstrip("/")
            yield url, (redirect["status"], redirect["location"])


def _below(base: str, pattern: str) -> str:
    return f"{re.escape(base)}(?:{pattern.removeprefix('^').removesuffix('$')})"


def _redirect(route: Mapping[str, Any], base: str) -> Mapping[str, Any]:
    """Return a redirect for JavaScript: `to` has text, and numbers for groups of the pattern.

    Without a status of its own, a redirect has the one that suits the method.
    """
    destination, status = route["redirect"]["destination"], route["redirect"]["status"]
    parts = urlsplit(destination)
    if parts.scheme and not parts.netloc:  # mailto: and the like
        return {"pattern": route["pattern"], "to": [destination], "status": status}
    prefix = f"{parts.scheme}://{parts.netloc}" if parts.netloc else base.rstrip("/")
    tail = urlunsplit(("", "", "", parts.query, parts.fragment))
    to: list[str | int] = []
    end = 0
    for found in _PARAMETER.finditer(parts.path):
        to += [_quoted(parts.path[end : found.start()]), 1 + route["params"].index(found["name"])]
        end = found.end()
    to.append(_quoted(parts.path[end:]) + tail)
    return {"pattern": route["pattern"], "to": [prefix, *to], "status": status}


def _quoted(text: str) -> str:
    return quote(literal_text(text), safe="/!$&'()*+,;=:@")


def functions_pattern(keys: Iterable[RouteKey]) -> str:
    """Return a regular expression, for Python and JavaScript, of all paths that have a key."""
    alternatives = [_path_pattern(key.path) for key in keys]
    return f"(?:{'|'.join(alternatives)})/?" if alternatives else "(?!)"


def _path_pattern(path: str | None) -> str:
    if path is None:
        return r"[\s\S]*"
    return "/".join(map(_segment_pattern, path.split("/")))


def _segment_pattern(segment: str) -> str:
    if segment == "{proxy+}":
        return r"[\s\S]+"
    return "[^/]+" if segment.startswith("{") else re.escape(segment)


def page_suffix(files: Iterable[str]) -> str:
    """Return what most pages add to their URL: `/index.html`, or `.html` in the format `file`."""
    pages = [name for name in files if name.endswith(".html")]
    in_folders = sum(name.endswith("/index.html") for name in pages)
    return "/index.html" if in_folders * 2 >= len(pages) - pages.count("index.html") else ".html"


def page_urls(file: str) -> tuple[str, ...]:
    """Return the URLs of a file, without a slash at the end: `a/index.html` is `/a`."""
    url = f"/{file}"
    if url.endswith("/index.html"):
        return (url.removesuffix("/index.html"),)
    return (url, url.removesuffix(".html")) if url.endswith(".html") else (url,)


def file_by_rule(url: str, suffix: str) -> str:
    """Return where the CloudFront function looks for a URL that it has no entry for."""
    if not url:
        return "index.html"
    return (url if "." in url.rpartition("/")[2] else url + suffix)[1:]


def _exceptions(
    files: Iterable[str], suffix: str, *, base: str, patterns: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield URLs whose file the rule does not find, or that one of `patterns` matches as well."""
    others = re.compile("|".join(patterns))
    taken = set()
    for file in sorted(files, key=lambda name: (not name.endswith("/index.html"), name)):
        for url in page_urls(file):
            shared = others.fullmatch(base + url) or others.fullmatch(f"{base}{url}/")
            if url not in taken and (shared or file_by_rule(url, suffix) != file):
                yield url, file
            taken.add(url)
