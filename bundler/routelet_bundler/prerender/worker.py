"""Render prerendered routes; runs alone, with only the site's own environment.

Standard input is a pickled job: `path` (for sys.path), `manifest` (what an App needs, with the
routes that a page may answer with), `listed` (routes whose URLs are asked for), `lanes` (sockets),
`out` (folder of the files), `public` (that of assets), `assets` (their names), `format`
(`build.format`), `origin`, `own` (folders of the site's sources, and of this build), `shown` (those
whose frames a traceback shows), `root` (the site) and `known` (folders whose files count as
unchanging).

The answer on standard output is a line of JSON with the URLs of each listed route. Then each lane
gets pages as pickles and answers with lines of JSON, in a process of its own, until its socket is
closed. What pages print goes to standard error.
"""

import json
import os
import pickle
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, BinaryIO

JOB: dict[str, Any] = pickle.load(sys.stdin.buffer)  # noqa: S301 - the build's own
sys.path[:1] = JOB["path"]  # in the place of the folder of this script

from routelet.app import App  # noqa: E402 - the job says where it is
from routelet.context import TEMPLATES  # noqa: E402
from routelet.http import URL, Request, Response  # noqa: E402
from routelet.static_files import asset_url, hashed_name, moved_page, page_file  # noqa: E402
from routelet.static_paths import StaticPath, StaticPathsError, static_paths  # noqa: E402

Page = Mapping[str, Any]
_EXTENSION = re.compile(r"\.[A-Za-z]\w*$")
"""What ends a route that names its file: /feed.xml, /[id].json, and not /v1.2.

A Markdown page is HTML whatever its name says: package.json.md is /package.json/index.html.
"""
REDIRECTS = (301, 302, 303, 307, 308)
_KEPT_HEADERS = {"content-type", "content-length", "location"}
_TALKS = ("socket.connect", "socket.getaddrinfo", "subprocess.", "os.system", "os.posix_spawn",
          "os.fork")  # fmt: skip
"""Audit events of what has another answer each time."""
_READS = ("open", "os.listdir", "os.scandir", "sqlite3.connect")


class UnknownAtBuildTimeError(RuntimeError):
    """Raised where a prerendered page asks for what only a real request has."""


class PageError(Exception):
    """A page that cannot become a file."""


class NamelessError(PageError):
    """An answer whose URL is no name for its file."""


class BuildTimeRequest(Request):
    """A request of which only the URL is known."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name in ("headers", "body", "_body"):
            raise UnknownAtBuildTimeError(
                f"of a request only the URL is known while a page is prerendered, no "
                f"{name.lstrip('_')}; set prerender = False to render it on request"
            )
        return super().__getattribute__(name)


class Reads:
    """What the site's sources read besides each other: paths by source, `*` for what is unknown.

    A path belongs to every source of the site that is on the stack while it is opened: what one of
    them keeps for later is then known of all that may use it.
    """

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}

    def watch(self, event: str, args: tuple[Any, ...]) -> None:
        """Take an audit event: docs.python.org/3/library/audit_events.html."""
        if event in _READS and not isinstance(args[0], int):
            name = os.fsdecode("." if args[0] is None else args[0])
            is_url = name.startswith(("file:", ":"))  # of a database
            self.note("*" if is_url else os.path.abspath(name))  # noqa: PTH100 - no Path in a hook
        elif event.startswith(_TALKS):
            self.note("*")

    def note(self, name: str) -> None:
        """Take a path that the caller of the caller reads."""
        frame = sys._getframe(2)
        by_import = frame.f_code.co_filename.startswith("<frozen importlib")
        is_import = by_import and (_is_source(name) or os.path.isdir(name))  # noqa: PTH112
        if not is_import and _may_change(name):
            for source in _sources(frame) or {""}:
                self.found.setdefault(source, set()).add(name)

    def take(self) -> dict[str, list[str]]:
        """Return what was found since the last call."""
        found, self.found = self.found, {}
        return {source: sorted(paths) for source, paths in found.items()}


def _sources(frame: FrameType | None) -> set[str]:
    """Return the sources of the site that are on the stack."""
    sources = set()
    while frame is not None:
        file = frame.f_code.co_filename
        src, dist = JOB["own"]
        if file.startswith(src):
            sources.add(file)
        elif file.startswith(dist):
            sources.add(file.removeprefix(dist))
        frame = frame.f_back
    return sources


def _is_source(name: str) -> bool:
    """Tell whether a file is a source of the site, which its inputs have by its imports."""
    return name.startswith(JOB["own"][0]) and name.endswith(".py")


def _noted(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return `real`, which asks of a path whether it is there, with the path noted."""

    def ask(path: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(path, str | bytes | os.PathLike) and _sources(sys._getframe(1)):
            READS.note(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100
        return real(path, *args, **kwargs)

    return ask


def _may_change(name: str) -> bool:
    """Tell whether a file is the site's, or nobody's that is known."""
    if "__pycache__" in name:
        return False
    src, dist = JOB["own"]
    in_site = name.startswith((src, JOB["root"])) and not name.startswith(dist)
    return in_site or not name.startswith((dist, *JOB["known"]))


READS = Reads()


class Assets:
    """URL paths of the files of `public/`, by their names; `used` are those that were asked for."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self._urls: dict[str, str | None] = {}

    def get(self, name: str) -> str | None:
        """Return the URL path of a file, or None where there is none."""
        path = os.path.join(JOB["public"], name)  # noqa: PTH118
        READS.note(path)
        if name not in self._urls:
            self._urls[name] = self._url(name, Path(path))
        if self._urls[name] is not None:
            self.used.add(name)
        return self._urls[name]

    def _url(self, name: str, path: Path) -> str | None:
        if name not in JOB["assets"]:
            return None
        return asset_url(JOB["manifest"]["base"], hashed_name(name, path.read_bytes()))

    def take(self) -> list[str]:
        """Return what was used since the last call."""
        used, self.used = self.used, set()
        return sorted(used)


ASSETS = Assets()


class Renderer:
    """Renders pages one after the other."""

    def __init__(self, items: Mapping[str, list[StaticPath]]) -> None:
        self._items = items
        self._app: App | None = None
        self._route = ""

    def render(self, task: Mapping[str, Any]) -> dict[str, object]:
        """Write the file of one URL, and return what is to be known of it."""
        page, url = task["page"], task["url"]
        props = self._items[page["route"]][task["item"]].props if page["params"] else {}
        if "values" in task:
            self._make_module(page, pickle.loads(task["values"]))  # noqa: S301
        request = BuildTimeRequest(URL(JOB["origin"] + url))
        response = self._app_of(page).respond(request, props=props)
        if "values" in task:
            del sys.modules[page["module"]]
        body, is_html = _body_of(response, url)
        below = url[len(JOB["manifest"]["base"].rstrip("/")) :]
        path = _file_path(URL(JOB["origin"] + below).path, page, is_html=is_html)
        if not path:
            told = response.headers.get("content-type") or "no content type"
            raise NamelessError(f"answers with {told}, and at {url} only HTML has a file")
        _write(path, body)
        return {
            "path": path,
            "status": response.status,
            "location": response.headers.get("location"),
            "type": response.headers.get("content-type"),
            "assets": ASSETS.take(),
            "lost": sorted({name.lower() for name in response.headers} - _KEPT_HEADERS),
        }

    def _app_of(self, page: Page) -> App:
        """Return an App that knows the page, and the others where a page may answer with one."""
        everyone = JOB["manifest"]["routes"]
        if self._app is None or (not everyone and self._route != page["route"]):
            manifest = {**JOB["manifest"], "assets": ASSETS, "routes": everyone or [page]}
            self._app, self._route = App(manifest, prerendering=True), page["route"]
        return self._app

    def _make_module(self, page: Page, values: dict[str, Any]) -> None:
        """Make the module of a Markdown page, which is on no disk."""
        module: Any = ModuleType(page["module"])
        if page["layout"] is None:
            module.GET = lambda _: Response.html(values["content"])
        else:
            module.GET = import_module(TEMPLATES).page(page["layout"], **values)
        sys.modules[page["module"]] = module


def _body_of(response: Response, url: str) -> tuple[bytes, bool]:
    """Return what a file gets, and whether it is HTML."""
    if response.status in REDIRECTS:
        return moved_page(response.headers.get("location") or "/"), True
    if response.status != 200 and not url.endswith(("/404", "/500")):
        hint = " (as a page without GET does)" if response.status == 404 else ""
        raise PageError(f"answered with status {response.status}{hint}, which no file can have")
    content_type = response.headers.get("content-type") or ""
    return response.read(), content_type.startswith("text/html")


def _file_path(path: str, page: Page, *, is_html: bool) -> str:
    """Return the file of a URL path: its own name, or that of a page."""
    names_file = _EXTENSION.search(page["route"]) and not page["component"].endswith(".md")
    if not is_html or names_file:
        return path.strip("/")
    return page_file(path, JOB["format"], is_index=page["is_index"])


def _write(path: str, body: bytes) -> None:
    target = os.path.join(JOB["out"], path)  # noqa: PTH118 - 40 us less than a Path for each page
    if ".." in path.split("/") or "\0" in path:
        raise PageError(f"its file {path} would be outside of the folder")
    folder = os.path.dirname(target)  # noqa: PTH120
    try:
        with suppress(FileExistsError):
            try:
                os.mkdir(folder)  # noqa: PTH102
            except FileNotFoundError:
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        with open(target, "wb", buffering=0) as file:  # noqa: PTH123
            file.write(body)
    except OSError as error:
        is_taken = isinstance(error, IsADirectoryError | NotADirectoryError)
        failed = NamelessError if is_taken else PageError
        raise failed(f"its file {path} cannot be written: {error.strerror}") from None


def _handler(page: Page) -> tuple[str, int]:
    """Return where the handler of a page is; nothing where it is none of its own source's."""
    module = sys.modules.get(page["module"])
    handler = getattr(module, "GET", getattr(module, "ALL", None))
    code = getattr(handler, "__code__", None)
    if code is None or code.co_filename != getattr(module, "__file__", None):
        return "", 0
    return code.co_filename, code.co_firstlineno


def _told(error: BaseException, page: Page, url: str) -> dict[str, object]:
    """Return what went wrong, the traceback cut to the site's own frames."""
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        frame.filename = str(Path.cwd() / frame.filename)  # that of a template is relative
        if frame.filename.startswith(JOB["shown"]):
            frames.append(frame)
    file, line = (frames[-1].filename, frames[-1].lineno) if frames else ("", 0)
    if isinstance(error, PageError):
        file, line = _handler(page)
    return {
        "component": page["component"],
        "url": url,
        "what": str(error)
        if isinstance(error, PageError | StaticPathsError)
        else f"{type(error).__name__}: {error}",
        "file": file,
        "line": line,
        "is_nameless": isinstance(error, NamelessError),
        "trace": "".join(traceback.format_list(frames)),
    }


def list_all() -> tuple[dict[str, list[StaticPath]], dict[str, Any]]:
    """Return the URLs of every listed route, and the answer for the build."""
    common = JOB["manifest"]
    items: dict[str, list[StaticPath]] = {}
    for page in JOB["listed"]:
        try:
            items[page["route"]] = static_paths(page, common["base"], common["trailing_slash"])
        except BaseException as error:  # noqa: BLE001 - whatever a page raises is told
            return {}, {"error": _told(error, page, page["route"])}
    urls = {route: [one.url for one in listed] for route, listed in items.items()}
    return items, {"urls": urls, "reads": READS.take(), "error": None}


def serve(descriptor: int, items: Mapping[str, list[StaticPath]]) -> None:
    """Render the pages of one lane until its socket is closed."""
    renderer = Renderer(items)
    with os.fdopen(descriptor, "rb") as questions, os.fdopen(os.dup(descriptor), "wb") as answers:
        while (tasks := _next(questions)) is not None:
            done, error = [], None
            for task in tasks:
                try:
                    done.append(renderer.render(task))
                except BaseException as raised:  # noqa: BLE001 - SystemExit too
                    error = _told(raised, task["page"], task["url"])
                    break
            answer = {"done": done, "error": error, "reads": READS.take()}
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()


def _next(questions: BinaryIO) -> list[dict[str, Any]] | None:
    try:
        tasks: list[dict[str, Any]] = pickle.load(questions)  # noqa: S301 - the build's own
    except EOFError:
        return None
    return tasks


def main() -> None:
    """Answer with the URLs, then serve each lane in a process of its own."""
    to_caller = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what pages print, and the processes that they start
    sys.addaudithook(READS.watch)
    for asks in ("stat", "lstat", "access"):  # of which no audit event tells
        setattr(os, asks, _noted(getattr(os, asks)))
    if JOB["has_templates"]:
        with suppress(ImportError):
            import_module("jinja2")  # once for all lanes
    items, answer = list_all()
    # A process with threads is not forked: what they hold would be held for ever.
    lanes = JOB["lanes"] if threading.active_count() == 1 else JOB["lanes"][:1]
    to_caller.write(json.dumps({**answer, "lanes": len(lanes)}) + "\n")
    to_caller.flush()
    own = lanes[0] if len(lanes) == 1 else _lane_of_a_fork(lanes)
    if own is not None:
        serve(own, items)


def _lane_of_a_fork(lanes: list[int]) -> int | None:
    """Make a process for each lane and return its lane there; None here, when all have ended."""
    for own in lanes:
        if os.fork() == 0:
            for other in lanes:
                if other != own:
                    os.close(other)
            READS.take()  # the fork itself
            return own
    for lane in lanes:
        os.close(lane)
    for _ in lanes:
        os.wait()
    return None


main()
sys.stderr.flush()
os._exit(0)  # threads that a page started do not hold the build up
