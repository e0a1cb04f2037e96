"""Render pages in lanes: which URLs there are, then the file of each, a few at a time."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import Any

from routelet.http import URL
from routelet.routing import url_for
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Config, Page, Prerendered, Site
from routelet_bundler.prerender.lanes import Lanes, lanes

PAGES_AT_ONCE = 50
"""How many pages a lane gets at most: a hundredth of a second of work, where pages are small."""
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
    markdown: Callable[[Path, str], Mapping[str, Any]]
    """Gives the values of a Markdown page, by its file and what people call that."""
    interpreter: Path
    path: Sequence[Path]
    out: Path
    jobs: int
    report: Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One URL of a page; `item` is its number in what `get_static_paths` listed."""

    page: Page
    item: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files of rendered pages by component, and what the site's sources read."""

    files: Mapping[str, tuple[Prerendered, ...]]
    reads: Mapping[str, Sequence[str]]


def render(work: Prerendering, pages: Sequence[Page]) -> Found:
    """Render all URLs of `pages`; raises `RouteletError` for the first page that fails."""
    if not pages:
        return Found(files={}, reads={})
    job = _job(work, [page for page in pages if page.route.params])
    count = min(work.jobs, max(1, len(pages) // 4) if not job["listed"] else work.jobs)
    with ExitStack() as stack:
        few = sum(page.kind == "md" for page in pages) <= _FEW
        compilers = None if few else stack.enter_context(_processes(count))
        running = stack.enter_context(lanes(work.interpreter, job, count, cwd=work.site.root))
        if running.answer["error"]:
            raise _failed(running.answer["error"], work.site)
        tasks = _tasks(pages, running.answer["urls"], work.config)
        run = _Run(work, tasks, running, compilers)
        with ThreadPoolExecutor(running.count) as threads:
            list(threads.map(run.lane, range(running.count)))
        return run.found(pages)


def _processes(count: int) -> ProcessPoolExecutor:
    """Return processes for Markdown, begun before there are threads, and sockets to inherit."""
    executor = ProcessPoolExecutor(count, mp_context=get_context("fork"))
    executor.submit(int)
    return executor


class _Run:
    """One rendering of many tasks by several lanes, each in a thread of this process."""

    def __init__(
        self,
        work: Prerendering,
        tasks: Sequence[Task],
        running: Lanes,
        compilers: Executor | None,
    ) -> None:
        self._work = work
        self._tasks = tasks
        self._running = running
        self._compilers = compilers
        self._lock = Lock()
        size = max(1, min(PAGES_AT_ONCE, len(tasks) // (4 * running.count)))
        self._chunks = _chunks(len(tasks), size)
        self._results: dict[int, Prerendered] = {}
        self._errors: list[tuple[int, Mapping[str, Any]]] = []
        self._reads: dict[str, set[str]] = {}
        self._done = 0
        for source, paths in running.answer["reads"].items():
            self._reads.setdefault(source, set()).update(paths)

    def lane(self, number: int) -> None:
        """Render chunk after chunk, until there are none, or a page failed."""
        while (chunk := self._next()) is not None:
            answer = self._running.ask(number, self._messages(chunk))
            with self._lock:
                self._take(chunk.start, answer)

    def _next(self) -> range | None:
        with self._lock:
            return None if self._errors else next(self._chunks, None)

    def _messages(self, chunk: range) -> list[dict[str, Any]]:
        tasks = [self._tasks[number] for number in chunk]
        messages = [
            {"page": _entry(one.page, self._work), "item": one.item, "url": one.url}
            for one in tasks
        ]
        if self._work.rewrites:  # Markdown pages have modules
            return messages
        markdown = [number for number, one in enumerate(tasks) if one.page.kind == "md"]
        pages = [tasks[number].page for number in markdown]
        files = [(str(page.source), page.route.component or "") for page in pages]
        values = (
            self._compilers.submit(_values_of, self._work.markdown, files).result()
            if self._compilers and files
            else _values_of(self._work.markdown, files)
        )
        for number, value in zip(markdown, values, strict=True):
            messages[number]["values"] = value
        return messages

    def _take(self, start: int, answer: Mapping[str, Any]) -> None:
        done = answer["done"]
        for number, result in enumerate(done, start):
            self._results[number] = _prerendered(self._tasks[number], result)
        if answer["error"]:
            self._errors.append((start + len(done), answer["error"]))
        for source, paths in answer["reads"].items():
            self._reads.setdefault(source, set()).update(paths)
        self._done += len(done)
        self._work.report(self._done, len(self._tasks))

    def found(self, pages: Sequence[Page]) -> Found:
        """Return what was rendered; raises `RouteletError` for the first of what failed."""
        if self._errors:
            _, error = min(self._errors, key=lambda one: one[0])
            raise _failed(error, self._work.site)
        files: dict[str, list[Prerendered]] = {page.route.component or "": [] for page in pages}
        for number, task in enumerate(self._tasks):
            files[task.page.route.component or ""].append(self._results[number])
        return Found(
            files={component: tuple(of_page) for component, of_page in files.items()},
            reads={source: sorted(paths) for source, paths in self._reads.items()},
        )


def _values_of(
    markdown: Callable[[Path, str], Mapping[str, Any]], files: Sequence[tuple[str, str]]
) -> list[bytes]:
    """Return the values of Markdown pages, pickled: this process only hands them on."""
    return [pickle.dumps(markdown(Path(source), where)) for source, where in files]


def _chunks(total: int, size: int) -> Iterator[range]:
    numbers = iter(range(0, total, size))
    return (range(start, min(start + size, total)) for start in numbers)


def _tasks(pages: Sequence[Page], urls: Mapping[str, Sequence[str]], config: Config) -> list[Task]:
    slash = config.trailing_slash
    tasks = []
    for page in pages:
        route = page.route.route
        of_page = (
            urls[route]
            if page.route.params
            else [url_for(route, {}, config.base, trailing_slash=slash)]
        )
        tasks += [Task(page=page, item=number, url=url) for number, url in enumerate(of_page)]
    return tasks


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
        "source": None if generated else f"pages/{page.file}",
    }


def _job(work: Prerendering, listed: Sequence[Page]) -> dict[str, Any]:
    site, config, dist = work.site, work.config, work.out.parent
    everyone = [_entry(page, work) for page in site.pages] if work.rewrites else []
    return {
        "path": [str(folder) for folder in work.path],
        "own": [f"{site.src}/", f"{dist}/"],
        "root": f"{site.root}/",
        "known": (*_LASTING, *(f"{one}/" for one in _unchanging(work))),
        "out": str(work.out),
        "public": str(site.root / config.public_dir),
        "format": config.build.format,
        "origin": URL(config.site or "http://localhost").origin,
        "has_templates": any(name.endswith(".jinja") for name in site.files),
        "listed": [_entry(page, work) for page in listed],
        "manifest": {
            "routes": everyone,
            "base": config.base,
            "trailing_slash": config.trailing_slash,
            "site": config.site,
            "middleware": site.middleware,
        },
    }


def _unchanging(work: Prerendering) -> list[Path]:
    """Return folders whose files are part of the key of all pages, or made by this build."""
    python = work.interpreter.resolve().parents[1]
    others = [folder for folder in work.path if folder != work.site.src]
    return [python, work.interpreter.parents[1], *others]


def _failed(error: Mapping[str, Any], site: Site) -> RouteletError:
    file = Path(error["file"])
    inside = file.is_relative_to(site.root)
    where = f"{file.relative_to(site.root)}:{error['line']}" if inside else error["component"]
    trace = f"\n{error['trace'].rstrip()}" if error["trace"] else ""
    return refused(error["what"], error["component"], error["url"], where=where, trace=trace)


def refused(
    what: str, component: str, url: str, *, where: str = "", trace: str = ""
) -> RouteletError:
    """Return the error of a page that cannot become a file."""
    return RouteletError(
        f"{what} (prerendering {url} of {component})",
        where=where or component,
        mend=f"mend the page, or set prerender = False{trace}",
    )
