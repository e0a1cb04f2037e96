"""The CloudFront function that puts the files of `dist/client` before the functions.

In: routelet.json and the files' names. Out: its JavaScript, or why there is none. A request goes
to the functions where its path matches a route key and no file is there; all other paths go to
the bucket, so that the function has a list of those files only that share a key's URLs.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from routelet_bundler.render.gateway import RouteKey, gateway_of
from routelet_bundler.render.templates import render_template

MAX_CODE_BYTES = 10_240 - 16
"""Sixteen are left for what Fn::Sub puts in place of its references.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What CloudFront runs before a request: nothing where there are no files."""

    code: str | None = None
    """For Fn::Sub, with the logical id `Api` for the HTTP API."""
    warning: str | None = None


def front_of(manifest: Mapping[str, Any], files: Iterable[str] | None = None) -> Front:
    """Return the front of a site whose `dist/client` holds `files`, prerendered ones by default."""
    names = sorted(files_of(manifest) if files is None else files)
    if not names:
        return Front()
    base = manifest["base"].rstrip("/")
    pattern = functions_pattern(gateway_of(manifest).keys)
    suffix = page_suffix(names)
    code = render_template(
        "cloudfront/front.js.jinja",
        base=base,
        suffix=suffix,
        functions=f"^(?:{pattern})$",
        files=dict(_exceptions(names, base=base, suffix=suffix, pattern=pattern)),
    )
    if len(code.encode()) > MAX_CODE_BYTES:
        return Front(
            warning=f"CloudFront has no room ({MAX_CODE_BYTES} bytes) to list the files that share "
            "URLs with on-demand routes, so the templates leave dist/client out. "
            "Narrow the routes that match them, or put another server of files in front."
        )
    return Front(code=code)


def front_code(manifest: Mapping[str, Any], files: Iterable[str] | None = None) -> str | None:
    """Return the source of the CloudFront function, or None where there is none."""
    return front_of(manifest, files).code


def files_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the files that routelet.json knows: those of `public/` are not among them."""
    return tuple(entry["path"] for entry in manifest["prerendered"])


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
    files: Iterable[str], *, base: str, suffix: str, pattern: str
) -> Iterator[tuple[str, str]]:
    """Yield URLs whose file the rule does not find, or that a route key has as well."""
    functions = re.compile(pattern)
    taken = set()
    for file in sorted(files, key=lambda name: (not name.endswith("/index.html"), name)):
        for url in page_urls(file):
            shared = functions.fullmatch(base + url or "/")
            if url not in taken and (shared or file_by_rule(url, suffix) != file):
                yield url, file
            taken.add(url)
