"""Render the prerendered routes of a site; runs alone, with only the site's own environment.

Standard input is JSON: `path` (for sys.path), `manifest` (all routes, in matching order), `out`
(folder of the files), `format` (`build.format`), `origin`, `own` (folders whose frames a traceback
shows). Standard output is JSON: `pages`, each with `path` and `route`, `warnings`, and `error`
where a page failed. What pages print goes to standard error.
"""

import json
import os
import re
import sys
import traceback
from collections.abc import Mapping
from html import escape
from inspect import signature
from pathlib import Path
from typing import Any

JOB: dict[str, Any] = json.load(sys.stdin)
sys.path[:0] = JOB["path"]

from routelet.app import App, wait_for  # noqa: E402 - the job says where it is
from routelet.http import URL, Request, Response  # noqa: E402
from routelet.pages import load_page  # noqa: E402
from routelet.pagination import paginator  # noqa: E402
from routelet.routing import url_for  # noqa: E402

Page = Mapping[str, Any]
_EXTENSION = re.compile(r"\.[A-Za-z]\w*$")
"""What ends a route that names its file: /feed.xml, /[id].json, and not /v1.2."""
REDIRECTS = (301, 302, 303, 307, 308)


class UnknownAtBuildTimeError(RuntimeError):
    """Raised where a prerendered page asks for what only a real request has."""


class PageError(Exception):
    """A page that cannot become a file."""


class BuildTimeRequest(Request):
    """A request of which only the URL is known."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name in ("headers", "body", "_body"):
            raise UnknownAtBuildTimeError(
                f"the {name.lstrip('_')} of a request are not known while a page is prerendered; "
                "set prerender = False to render it on request"
            )
        return super().__getattribute__(name)


class Renderer:
    """Renders pages one after the other; `pages` and `warnings` are what came of it."""

    def __init__(self) -> None:
        self.app = App(JOB["manifest"], prerendering=True)
        self.pages: list[dict[str, str]] = []
        self.warnings: list[str] = []
        self.url = ""
        self._owners: dict[str, str] = {}

    def page(self, page: Page) -> None:
        """Render every URL of a route."""
        self.url = page["route"]
        for number, (params, props) in enumerate(_static_paths(page, self.app)):
            slash = self.app.trailing_slash
            self.url = url_for(page["route"], params, self.app.base, trailing_slash=slash)
            self._render(page, props, number)

    def _render(self, page: Page, props: Mapping[str, object], number: int) -> None:
        request = BuildTimeRequest(URL(JOB["origin"] + self.url))
        owner = self.app.match_any(request)
        if owner is None or owner.route != page["route"]:
            by = owner.component if owner else "no route"
            raise PageError(f"get_static_paths: item {number}: {self.url} is answered by {by}")
        response = self.app.respond(request, props=props)
        body, is_html = _body_of(response, self.url)
        below = request.url.path[len(self.app.base.rstrip("/")) :]
        path = _file_path(below, page, is_html=is_html)
        target = Path(JOB["out"], path)
        if not target.resolve().is_relative_to(Path(JOB["out"]).resolve()):
            raise PageError(f"its file {path} would be outside of the folder")
        if first := self._owners.get(path):
            raise PageError(f"its file {path} is there already, that of {first}")
        if target.is_file():
            self.warnings.append(f"{page['component']}: takes the place of {path} in public/")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
        except OSError as error:
            raise PageError(f"its file {path} cannot be written: {error.strerror}") from None
        self._owners[path] = f"{page['component']} ({self.url})"
        self.pages.append({"path": path, "route": page["route"]})


def _static_paths(page: Page, app: App) -> list[tuple[Mapping[str, object], Mapping[str, object]]]:
    """Return parameters and props of each URL that a route has."""
    if not page["params"]:
        return [({}, {})]
    get_static_paths = load_page(page["module"], page.get("source")).get_static_paths
    if "paginate" in signature(get_static_paths).parameters:
        paginate = paginator(page["route"], app.base, app.trailing_slash)
        listed = get_static_paths(paginate=paginate)
    else:
        listed = get_static_paths()
    if hasattr(listed, "__await__"):
        listed = wait_for(listed)
    if not isinstance(listed, list | tuple):
        raise PageError(f"get_static_paths returned {type(listed).__name__}, not a list")
    return [_checked(item, number, page) for number, item in enumerate(listed)]


def _checked(
    item: object, number: int, page: Page
) -> tuple[Mapping[str, object], Mapping[str, object]]:
    place = f"get_static_paths: item {number}"
    if not isinstance(item, dict) or not isinstance(item.get("params"), dict):
        raise PageError(f'{place} is no {{"params": {{...}}}}: {item!r}')
    params: dict[str, object] = item["params"]
    rest = {name for name in page["params"] if f"[...{name}]" in page["route"]}
    if differing := (set(params) ^ set(page["params"])) - rest:
        raise PageError(f"{place} and the file name differ in: {', '.join(sorted(differing))}")
    for name, value in params.items():
        if value is not None and not isinstance(value, str | int):
            raise PageError(f"{place}: {name} is no text: {value!r}")
    props = item.get("props") or {}
    if not isinstance(props, dict):
        raise PageError(f"{place}: props is no dict: {props!r}")
    return params, props


def _body_of(response: Response, url: str) -> tuple[bytes, bool]:
    """Return what a file gets, and whether it is HTML."""
    if response.status in REDIRECTS:
        return _moved(response), True
    if response.status != 200 and not url.endswith(("/404", "/500")):
        raise PageError(f"answered with status {response.status}, which no file can have")
    content_type = response.headers.get("content-type") or ""
    return response.read(), content_type.startswith("text/html")


def _moved(response: Response) -> bytes:
    """Return the page that takes a browser on, for hosts that only serve files."""
    to = escape(response.headers.get("location") or "/")
    return (
        f'<!doctype html><title>Moved</title><meta http-equiv="refresh" content="0;url={to}">'
        f'<meta name="robots" content="noindex"><a href="{to}">{to}</a>\n'
    ).encode()


def _file_path(path: str, page: Page, *, is_html: bool) -> str:
    """Return the file of a URL path: Astro's `build.format`."""
    path = path.strip("/")
    if not is_html or _EXTENSION.search(page["route"]):
        return path
    if not path:
        return "index.html"
    as_file = JOB["format"] == "file" or (JOB["format"] == "preserve" and not page["is_index"])
    return f"{path}.html" if as_file or path in ("404", "500") else f"{path}/index.html"


def _told(error: BaseException, page: Page, url: str) -> dict[str, object]:
    """Return what went wrong, the traceback cut to the site's own frames."""
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        frame.filename = str(Path.cwd() / frame.filename)  # that of a template is relative
        if frame.filename.startswith(tuple(JOB["own"])):
            frames.append(frame)
    return {
        "component": page["component"],
        "url": url,
        "what": str(error) if isinstance(error, PageError) else f"{type(error).__name__}: {error}",
        "file": frames[-1].filename if frames else "",
        "line": frames[-1].lineno if frames else 0,
        "trace": "".join(traceback.format_list(frames)),
    }


def main() -> dict[str, object]:
    """Render everything, up to the first page that fails."""
    pages = [page for page in JOB["manifest"]["routes"] if page["prerender"]]
    page, renderer = pages[0], None
    try:
        renderer = Renderer()
        for page in pages:
            renderer.page(page)
    except BaseException as error:  # noqa: BLE001 - whatever a page raises is told, SystemExit too
        url = renderer.url if renderer else page["route"]
        return {"pages": [], "warnings": [], "error": _told(error, page, url)}
    return {"pages": renderer.pages, "warnings": renderer.warnings, "error": None}


to_caller = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what pages print, and the processes that they start
json.dump(main(), to_caller)
to_caller.flush()
sys.stderr.flush()
os._exit(0)  # threads that a page started do not hold the build up
