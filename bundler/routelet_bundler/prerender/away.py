"""Pages that are rendered elsewhere, by lanes of another machine.

That machine has the site's folder, its installed distributions and its Python at the same paths, or
the task fails; what pages become comes back as bytes.
"""

import platform
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from routelet_bundler.elsewhere import Elsewhere
from routelet_bundler.errors import RouteletError
from routelet_bundler.prerender.lanes import lanes


class Away:
    """Stands for lanes of this machine: each time that one is asked is a task elsewhere.

    `answer` is what a lane here said of the routes' URLs.
    """

    def __init__(
        self,
        elsewhere: Elsewhere,
        interpreter: Path,
        job: Mapping[str, Any],
        answer: Mapping[str, Any],
        cwd: Path,
    ) -> None:
        self.answer = answer
        self.count = elsewhere.slots
        self._executor = elsewhere.executor
        self._interpreter = interpreter
        self._job = job
        self._cwd = cwd
        self._said = ""

    def said(self) -> str:
        """Return what pages of a task that failed printed, for people."""
        return self._said

    def ask(self, lane: int, tasks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Have pages rendered, and write their files; `lane` is of no matter."""
        del lane
        routes = {task["page"]["route"] for task in tasks}
        listed = [page for page in self._job["listed"] if page["route"] in routes]
        job = {**self._job, "listed": listed}
        task = self._executor.submit(rendered, self._interpreter, job, list(tasks), self._cwd)
        answer = task.result()
        self._said = answer["said"] or self._said
        for path, body in answer["files"].items():
            target = Path(self._job["out"], path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
        return answer


def rendered(
    interpreter: Path, job: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], cwd: Path
) -> dict[str, Any]:
    """Return what a lane answers to `tasks`, with the files; this is what runs elsewhere.

    Raises `RouteletError` where this machine lacks a folder of the site.
    """
    for needed in (interpreter, cwd, *map(Path, job["path"])):
        if not needed.exists():
            raise RouteletError(
                f"{platform.node()} lacks {needed}, which pages are rendered with",
                mend="give all workers the site, ROUTELET_CACHE and Python at the same paths",
            )
    with tempfile.TemporaryDirectory() as out:
        here = {**job, "out": out, "known": (*job["known"], f"{out}/")}
        with lanes(interpreter, here, 1, cwd=cwd) as running:
            listed = running.answer
            if listed["error"]:
                return {**listed, "done": [], "reads": {}, "files": {}, "said": running.said()}
            _check_urls(listed["urls"], tasks)
            answer = running.ask(0, tasks)
            files = {one["path"]: Path(out, one["path"]).read_bytes() for one in answer["done"]}
            said = running.said() if answer["error"] else ""
    return {**answer, "files": files, "said": said}


def _check_urls(listed: Mapping[str, Sequence[str]], tasks: Sequence[Mapping[str, Any]]) -> None:
    """Raise where `get_static_paths` lists here what it did not list for the build."""
    for task in tasks:
        urls = listed.get(task["page"]["route"])
        if urls is not None and task["url"] not in urls[task["item"] : task["item"] + 1]:
            raise RouteletError(
                f"get_static_paths lists other URLs on {platform.node()}: no {task['url']}",
                where=task["page"]["component"],
                mend="have it list the same on all machines, in the same order",
            )
