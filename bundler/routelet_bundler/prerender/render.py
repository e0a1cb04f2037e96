"""Render pages in lanes: which URLs there are, then the file of each, a few at a time."""

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from routelet.http import URL
from routelet_bundler.elsewhere import Elsewhere
from routelet_bundler.errors import RouteletError
from routelet_bundler.forks import forked
from routelet_bundler.model import Config, Page, Prerendered, Site
from routelet_bundler.prerender.away import Away
from routelet_bundler.prerender.lanes import Lanes, lanes
from routelet_bundler.prerender.owners import Owners
from routelet_bundler.prerender.tasks import Chunk, Markdown, Task, Tasks
from routelet_bundler.safe_names import INJECTED

_FEW = 40
"""Up to so many Markdown pages other processes would cost more than they give."""
_ANY_PATH = "(?s).*"
"""The pattern of a page that is alone and has one URL: 0.1 ms less than compiling its own."""
_LASTING = ("/dev/", "/etc/", "/proc/", "/sys/", "/usr/")
"""Folders of the machine whose files do not belong to a page's inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prerendering:
    """What a site's pages are rendered with.

    `interpreter` is the Python of the site, `path` is where it looks for modules.
    """

    site: Site
    config: Config
    page_modules: Mapping[str, str]
    """Generated modules by component."""
    rewrites: bool
    """Whether a page may answer with another one."""
    markdown: Markdown
    interpreter: Path
    path: Sequence[Path]
    public: frozenset[str]
    """The files of `public/`."""
    out: Path
    jobs: int
    report: Callable[[int, int], None]
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files of rendered pages by their own path, and what the site's sources read."""

    files: Mapping[str, tuple[Prerendered, ...]]
    reads: Mapping[str, Sequence[str]]


def render(work: Prerendering, pages: Sequence[Page]) -> Found:
    """Render all URLs of `pages`; raises `RouteletError` for the first page that fails."""
    if not pages:
        return Found(files={}, reads={})
    dynamic = [page for page in pages if page.route.params]
    jobs = work.elsewhere.slots if work.elsewhere else work.jobs
    count = jobs if dynamic else min(jobs, max(1, len(pages) // 4))
    with ExitStack() as stack:
        few = sum(page.kind == "md" for page in pages) <= _FEW
        compilers = None if few else stack.enter_context(_processes(count))
        markdown = None if work.rewrites else work.markdown  # with rewrites pages have modules
        tasks = Tasks(pages, work.config, markdown, compilers, count)
        job, root, here = _job(work, dynamic), work.site.root, 1 if work.elsewhere else count
        running: Lanes | Away = stack.enter_context(lanes(work.interpreter, job, here, cwd=root))
        if running.answer["error"]:
            raise _failed(running.answer["error"], work)
        if work.elsewhere:
            running = Away(work.elsewhere, work.interpreter, job, running.answer, root)
        owners = Owners(work.site.pages, work.config.base)
        for page in dynamic:
            urls = running.answer["urls"][page.route.route]
            refuse_others(page, urls, owners)
            tasks.add(page, urls)
        run = _Run(work, tasks, running)
        with ThreadPoolExecutor(running.count) as threads:
            try:
                list(threads.map(run.lane, range(running.count)))
            finally:
                tasks.stop()  # the build was interrupted, or a lane failed
        try:
            return run.found(pages)
        except RouteletError as error:
            error.mend += running.said()
            raise


def refuse_others(page: Page, urls: Iterable[str], owners: Owners) -> None:
    """Raise for a URL of a page that another page answers."""
    for number, url in enumerate(urls):
        owner = owners.of(url)
        if owner is not page:
            by = owner.route.component if owner else "no route"
            what = f"get_static_paths: item {number}: {url} is answered by {by}"
            raise refused(what, page.route.component or "", url)


def _processes(count: int) -> ProcessPoolExecutor:
    """Return processes for Markdown that have begun: sockets of later they would hold open."""
    gc.freeze()  # or collections in each process would copy what they share with this one
    executor = forked(count)
    executor.submit(int)
    return executor


class _Run:
    """One rendering of many tasks by several lanes, each in a thread of this process."""

    def __init__(self, work: Prerendering, tasks: Tasks, running: Lanes | Away) -> None:
        self._work = work
        self._tasks = tasks
        self._running = running
        self._lock = Lock()
        self._results: dict[int, Prerendered] = {}
        self._errors: list[tuple[int, Mapping[str, Any]]] = []
        self._reads: dict[str, set[str]] = {}
        for source, paths in running.answer["reads"].items():
            self._reads.setdefault(source, set()).update(paths)

    def lane(self, number: int) -> None:
        """Render chunk after chunk, until there are none, or a page failed."""
        try:
            while (chunk := self._tasks.take()) is not None:
                answer = self._running.ask(number, self._messages(chunk))
                with self._lock:
                    self._take(chunk.start, answer)
                if answer["error"]:
                    self._tasks.stop()
        except BrokenProcessPool:
            raise RouteletError("a process that rendered Markdown was ended") from None
        finally:
            self._tasks.stop()

    def _messages(self, chunk: Chunk) -> list[dict[str, Any]]:
        values = iter(chunk.values())
        messages = []
        for task in chunk.tasks:
            page = _entry(task.page, self._work)
            message = {"page": page, "item": task.item, "url": task.url}
            if task.page.kind == "md" and not self._work.rewrites:
                message["values"] = next(values)
            messages.append(message)
        return messages

    def _take(self, start: int, answer: Mapping[str, Any]) -> None:
        done = answer["done"]
        for number, result in enumerate(done, start):
            self._results[number] = _prerendered(self._tasks.all[number], result)
        if answer["error"]:
            self._errors.append((start + len(done), answer["error"]))
        for source, paths in answer["reads"].items():
            self._reads.setdefault(source, set()).update(paths)
        self._work.report(len(self._results), len(self._tasks.all))

    def found(self, pages: Sequence[Page]) -> Found:
        """Return what was rendered; raises `RouteletError` for the first of what failed."""
        if self._errors:
            _, error = min(self._errors, key=lambda one: one[0])
            raise _failed(error, self._work)
        files: dict[str, list[Prerendered]] = {page.file: [] for page in pages}
        for number, task in enumerate(self._tasks.all):
            files[task.page.file].append(self._results[number])
        return Found(
            files={name: tuple(of_page) for name, of_page in files.items()},
            reads={source: sorted(paths) for source, paths in self._reads.items()},
        )


def _prerendered(task: Task, result: Mapping[str, Any]) -> Prerendered:
    return Prerendered(
        path=result["path"],
        route=task.page.route.route,
        url=task.url,
        content_type=result["type"],
        status=result["status"],
        location=result["location"],
        lost=tuple(result["lost"]),
        assets=tuple(result["assets"]),
    )


def _entry(page: Page, work: Prerendering) -> dict[str, Any]:
    """Return a page as the worker knows it."""
    route = page.route
    generated = work.page_modules.get(route.component or "")
    return {
        "route": route.route,
        "pattern": route.pattern if route.params or work.rewrites else _ANY_PATH,
        "params": route.params,
        "component": route.component,
        "prerender": page.prerender,
        "is_index": route.is_index,
        "layout": page.layout,
        "module": generated or page.module,
        "source": None if generated else page.path_in_src,
    }


def _job(work: Prerendering, listed: Sequence[Page]) -> dict[str, Any]:
    site, config, dist = work.site, work.config, work.out.parent
    everyone = [_entry(page, work) for page in site.pages] if work.rewrites else []
    return {
        "path": [str(folder) for folder in work.path],
        "own": [f"{site.src}/", f"{dist}/"],
        "shown": (f"{site.src}/", f"{dist}/{INJECTED}/"),
        "root": f"{site.root}/",
        "known": (*_LASTING, *(f"{one}/" for one in _unchanging(work))),
        "out": str(work.out),
        "public": str(site.root / config.public_dir),
        "assets": work.public,
        "format": config.build.format,
        "origin": URL(config.site or "http://localhost").origin,
        "has_templates": _has_templates(site),
        "listed": [_entry(page, work) for page in listed],
        "manifest": {
            "routes": everyone,
            "base": config.base,
            "trailing_slash": config.trailing_slash,
            "site": config.site,
            "middleware": site.middleware,
        },
    }


def _has_templates(site: Site) -> bool:
    of_pages = any(page.kind == "jinja" for page in site.pages)
    return of_pages or any(name.endswith(".jinja") for name in site.files)


def _unchanging(work: Prerendering) -> list[Path]:
    """Return folders whose files are part of the key of all pages, or made by this build."""
    python = work.interpreter.resolve().parents[1]
    others = [folder for folder in work.path if folder != work.site.src]
    return [python, work.interpreter.parents[1], *others]


def _failed(error: Mapping[str, Any], work: Prerendering) -> RouteletError:
    file, root, trace = Path(error["file"]), work.site.root, error["trace"]
    where = f"{file.relative_to(root)}:{error['line']}" if file.is_relative_to(root) else ""
    for one in work.site.injected:
        copy = work.out.parent / one.archive
        where = f"{one.label}:{error['line']}" if file == copy else where
        trace = trace.replace(str(copy), one.label)
    trace = f"\n{trace.rstrip()}" if trace else ""
    mend = NAMELESS if error["is_nameless"] else _MEND
    told = (error["what"], error["component"], error["url"])
    return refused(*told, where=where, mend=f"{mend}{trace}")


_MEND = "mend the page"
NAMELESS = (
    "give an endpoint a name with an extension (index.json.py is /index.json), "
    "or set prerender = False"
)


def refused(
    what: str, component: str, url: str, *, where: str = "", mend: str = _MEND
) -> RouteletError:
    """Return the error of a page that cannot become a file."""
    return RouteletError(
        f"{what} (prerendering {url} of {component})", where=where or component, mend=mend
    )
