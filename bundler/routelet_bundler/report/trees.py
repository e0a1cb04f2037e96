"""Sizes as trees of folders, with what is too small to be seen put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routelet_bundler.report.shipped import Size, total

_SMALLEST = 1 / 250
"""Of a whole tree: what is smaller is told together with others of its folder."""
_MOST = 30
"""Children of a folder that are told each."""

Tree = list[object]
"""[name, zipped bytes, unzipped bytes], and a list of trees for a folder."""


@dataclass(slots=True)
class _Folder:
    folders: dict[str, "_Folder"] = field(default_factory=dict)
    files: dict[str, Size] = field(default_factory=dict)

    @property
    def size(self) -> Size:
        return total([*self.files.values(), *(one.size for one in self.folders.values())])


def tree_of(name: str, files: Mapping[str, Size]) -> Tree:
    """Return the tree of files that are given by their paths."""
    top = _Folder()
    for path, size in files.items():
        *folders, last = path.split("/")
        folder = top
        for one in folders:
            folder = folder.folders.setdefault(one, _Folder())
        folder.files[last] = folder.files.get(last, Size()) + size
    whole = top.size
    least = Size(zipped=int(whole.zipped * _SMALLEST), unzipped=int(whole.unzipped * _SMALLEST))
    return _told(name, top, least)


def _told(name: str, folder: _Folder, least: Size) -> Tree:
    while len(folder.folders) == 1 and not folder.files:
        ((inner, folder),) = folder.folders.items()
        name = f"{name}/{inner}"
    sizes = {one: inner.size for one, inner in folder.folders.items()} | folder.files
    ordered = sorted(sizes, key=lambda one: (-sizes[one].zipped, one))
    large = [
        one
        for one in ordered[:_MOST]
        if sizes[one].zipped >= least.zipped or sizes[one].unzipped >= least.unzipped
    ]
    children = [
        _told(one, folder.folders[one], least) if one in folder.folders else _leaf(one, sizes[one])
        for one in large
    ]
    if rest := [sizes[one] for one in ordered if one not in large]:
        children.append(_leaf(f"{len(rest)} more", total(rest)))
    return [*_leaf(name, total(sizes.values())), children]


def _leaf(name: str, size: Size) -> Tree:
    return [name, size.zipped, size.unzipped]
