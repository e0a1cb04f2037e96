"""What is to be rendered, a few URLs at a time; Markdown is begun before a lane asks for it."""

import pickle
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from routelet.routing import url_for
from routelet_bundler.model import Config, Page

_PAGES_AT_ONCE = 50
"""How many pages a lane gets at most: a hundredth of a second of work, where pages are small."""

Markdown = Callable[[Path, str], Mapping[str, Any]]
"""Gives the values of a Markdown page, by its file and what people call that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One URL of a page; `item` is its number in what `get_static_paths` listed."""

    page: Page
    item: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Tasks from the number `start` on, and values of the Markdown pages among them, pickled."""

    start: int
    tasks: Sequence[Task]
    values: Callable[[], Sequence[bytes]]


class Tasks:
    """The tasks of pages, those with one URL first; `add` takes what was listed of the others."""

    def __init__(
        self,
        pages: Sequence[Page],
        config: Config,
        markdown: Markdown | None,
        compilers: Executor | None,
        lanes: int,
    ) -> None:
        slash = config.trailing_slash
        self.all = [
            Task(
                page=page,
                item=0,
                url=url_for(page.route.route, {}, config.base, trailing_slash=slash),
            )
            for page in pages
            if not page.route.params
        ]
        self._markdown = markdown
        self._compilers = compilers
        self._lanes = lanes
        self._next = 0
        self._begun: deque[Chunk] = deque()
        self._lock = Lock()
        for _ in range(lanes + 1):
            self._begin()

    def add(self, page: Page, urls: Sequence[str]) -> None:
        """Add the URLs of a dynamic page."""
        self.all += [Task(page=page, item=number, url=url) for number, url in enumerate(urls)]

    def take(self) -> Chunk | None:
        """Return what is to be rendered next, or None; for several threads."""
        with self._lock:
            self._begin()
            return self._begun.popleft() if self._begun else None

    def stop(self) -> None:
        """Leave what was not taken."""
        with self._lock:
            self._next = len(self.all)
            self._begun.clear()

    def _begin(self) -> None:
        """Have the Markdown of one chunk more rendered, where there are processes for it."""
        size = max(1, min(_PAGES_AT_ONCE, len(self.all) // (4 * self._lanes)))
        tasks = self.all[self._next : self._next + size]
        if not tasks:
            return
        pages = [task.page for task in tasks if self._markdown and task.page.kind == "md"]
        files = [(str(page.source), page.route.component or "") for page in pages]
        self._begun.append(Chunk(start=self._next, tasks=tasks, values=self._values(files)))
        self._next += len(tasks)

    def _values(self, files: Sequence[tuple[str, str]]) -> Callable[[], Sequence[bytes]]:
        if self._markdown is None or not files:
            return tuple
        if self._compilers is None:
            markdown = self._markdown
            return lambda: _values_of(markdown, files)
        future: Future[list[bytes]] = self._compilers.submit(_values_of, self._markdown, files)
        return future.result


def _values_of(markdown: Markdown, files: Sequence[tuple[str, str]]) -> list[bytes]:
    """Return the values of Markdown pages, pickled: the build only hands them on."""
    return [pickle.dumps(markdown(Path(source), where)) for source, where in files]
