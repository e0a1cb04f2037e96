"""Injected: data files that injected modules name, which are copied to zips beside them.

They are found on disk from where the module is, and have the same place from its copy. Modules
beside it are none of them: those are imported by full names, from elsewhere.
"""

import posixpath
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from routelet_bundler.errors import RouteletError
from routelet_bundler.file_globs import is_litter
from routelet_bundler.model import InjectedFile
from routelet_bundler.safe_names import INJECTED
from routelet_bundler.sources import Digests
from routelet_bundler.trace.data_files import DataPath
from routelet_bundler.trace.places import ANY
from routelet_bundler.trace.records import Records


def with_data(
    modules: Iterable[InjectedFile], records: Records, digests: Digests
) -> tuple[InjectedFile, ...]:
    """Return injected modules, and after them the data files that they name.

    Raises `RouteletError` for two files that would have the same place in a zip.
    """
    found = {module.archive: module for module in modules}
    for module in tuple(found.values()):
        sha256 = digests.of(module.source)
        source = records.source(module.archive, sha256, module.source, module.label)
        for data in source.data:
            for one in _files_of(module, data):
                other = found.setdefault(one.archive, one)
                if not other.source.samefile(one.source):
                    raise RouteletError(
                        f"reads {one.label}, and {other.label} has its place in a zip",
                        where=f"{module.label}:{data.line}",
                        mend="rename one of the two",
                    )
    return tuple(found.values())


def is_beside_itself(path: str, archive: str) -> bool:
    """Tell whether a pattern may mean any file of the folder of `archive`, or of one above."""
    folder = path.partition(ANY)[0].rpartition("/")[0]
    return ANY in path and (not folder or archive.startswith(f"{folder}/"))


def _files_of(module: InjectedFile, data: DataPath) -> Iterator[InjectedFile]:
    """Yield the files that a path means: one, those below a folder, or those that fit it."""
    is_known = data.kind == "file" and data.path.startswith(f"{INJECTED}/")
    if not is_known or is_beside_itself(data.path, module.archive):
        return
    known = data.path.partition(ANY)[0].rpartition("/")[0] if ANY in data.path else data.path
    step = posixpath.relpath(known, posixpath.dirname(module.archive))
    place = Path(posixpath.normpath(module.source.parent / step))
    label = posixpath.normpath(posixpath.join(posixpath.dirname(module.label), step))
    if place.is_file():
        yield InjectedFile(archive=known, source=place, label=label)
    for file in sorted(place.rglob("*")):
        below = file.relative_to(place).as_posix()
        fits = ANY not in data.path or fnmatchcase(f"{known}/{below}", data.path)
        if file.is_file() and fits and not is_litter(below):
            yield InjectedFile(archive=f"{known}/{below}", source=file, label=f"{label}/{below}")
