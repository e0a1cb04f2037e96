"""Tell which files a function looks for and its zip lacks; runs in the process of the function.

A line for each, once: `open`, `import` or `source`, a tab, and the path below the function's
folder, the module, or the path of the site. Only what is opened or imported is seen, not what is
asked for by `os.path.exists`.
"""

import os
import sys

FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NOT_NEEDED = (".pyc", ".dist-info/entry_points.txt")
"""Python asks every distribution for the second, and most have none; a build notes a lost one."""


class Watch:
    """An audit hook, and the last finder of modules, which is asked for those that none has.

    `site` and `sources` are empty where they are not known.
    """

    def __init__(self, task_root: str, site: str, sources: str, descriptor: int) -> None:
        self._task_root = task_root
        self._site = site
        self._sources = sources
        self._descriptor = descriptor
        self._told: set[tuple[str, str]] = set()

    def __call__(self, event: str, arguments: "tuple[object, ...]") -> None:
        """Look at what Python is about to do."""
        if event == "open" and is_read(*arguments[1:]):
            path = arguments[0]
            if isinstance(path, str | bytes):
                self._opened(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 - loads in 10 ms

    def _tell(self, kind: str, name: str) -> None:
        if (kind, name) not in self._told:
            self._told.add((kind, name))
            os.write(self._descriptor, f"{kind}\t{name}\n".encode("utf-8", "replace"))

    def _opened(self, path: str) -> None:
        if path.startswith(self._task_root + "/"):
            if not path.endswith(_NOT_NEEDED) and not os.path.lexists(path):
                self._tell("open", path[len(self._task_root) + 1 :])
        elif self._is_of_site(path):
            self._tell("source", path[len(self._site) + 1 :])

    def _is_of_site(self, path: str) -> bool:
        below = bool(self._site) and path.startswith(self._site + "/")
        return below and not path.startswith(sys.prefix + "/")

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        """Find nothing; tell of a module that the site has."""
        place = f"{self._sources}/{name.replace('.', '/')}"
        if self._sources and (os.path.isfile(f"{place}.py") or os.path.isdir(place)):  # noqa: PTH112, PTH113
            self._tell("import", name)


def is_read(mode: object, flags: object) -> bool:
    """Tell whether a file is opened to be read alone."""
    if isinstance(mode, str) and set(mode) & set("wax+"):
        return False
    return not (isinstance(flags, int) and flags & FOR_WRITING)
