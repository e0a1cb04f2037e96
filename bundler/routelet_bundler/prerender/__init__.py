"""Prerender: routes that are the same for everyone, to files in `dist/client/`.

The pages run in processes of their own, with the site's dependencies and nothing of the build.
Only pages whose inputs changed since the last build are rendered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.model import Page, Prerendered
from routelet_bundler.prerender.inputs import Inputs, Reached
from routelet_bundler.prerender.kept import Kept, KeptPage, load, save
from routelet_bundler.prerender.owners import Owners
from routelet_bundler.prerender.render import (
    NAMELESS,
    Prerendering,
    refuse_others,
    refused,
    render,
)

__all__ = [
    "Inputs",
    "Kept",
    "KeptPage",
    "Prerendering",
    "Reached",
    "Rendered",
    "load",
    "prerender",
    "save",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """All pages by their own path, old and new, with their files; and what sources read."""

    pages: Mapping[str, KeptPage]
    reads: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]


def prerender(work: Prerendering, inputs: Inputs, earlier: Kept | None) -> Rendered:
    """Write the files of every prerendered route that `earlier` has not, below `work.out`.

    Raises `RouteletError` for a dynamic route without `get_static_paths`, and for a page that
    fails, with its own frames of the traceback.
    """
    pages = [page for page in work.site.pages if page.prerender]
    raise_all([_lacks_static_paths(page) for page in pages if _is_unlisted(page)])
    kept = earlier.pages if earlier else {}
    known = earlier.reads if earlier else {}
    digests = inputs.digests(pages, known)
    unchanged = {
        name: kept[name]
        for name, digest in digests.items()
        if digest is not None and name in kept and kept[name].inputs == digest
    }
    found = render(work, [page for page in pages if page.file not in unchanged])
    reads = _both(known if unchanged else {}, found.reads)
    files = {**{name: page.files for name, page in unchanged.items()}, **found.files}
    if reads != known:
        digests = inputs.digests(pages, reads)
    of_pages = [(page, files[page.file]) for page in pages]
    _refuse_clashes(of_pages, Owners(work.site.pages, work.config.base))
    return Rendered(
        pages={
            page.file: KeptPage(inputs=digests[page.file], files=files) for page, files in of_pages
        },
        reads=reads,
        warnings=tuple(_warnings(of_pages, work.public)),
    )


def _both(
    before: Mapping[str, Sequence[str]], now: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    sources = sorted(before.keys() | now.keys())
    return {one: tuple(sorted({*before.get(one, ()), *now.get(one, ())})) for one in sources}


def _refuse_clashes(of_pages: Iterable[tuple[Page, Sequence[Prerendered]]], owners: Owners) -> None:
    """Raise for a URL that another page answers, and for a file that is there already."""
    first: dict[str, tuple[str, Prerendered]] = {}
    for page, files in of_pages:
        component = page.route.component or ""
        refuse_others(page, (file.url for file in files), owners)
        for number, file in enumerate(files):
            other, there = first.setdefault(file.path, (component, file))
            if there is not file:
                item = f"item {number}: " if len(files) > 1 else ""
                what = f"{item}its file {file.path} is there already, that of {other} ({there.url})"
                raise refused(what, component, file.url)
    for path, (component, file) in first.items():
        for folder in accumulate(path.split("/")[:-1], "{}/{}".format):
            if folder in first:
                what = f"its file {path} cannot be written: {folder} is that of {first[folder][0]}"
                raise refused(what, component, file.url, mend=NAMELESS)


def _warnings(
    of_pages: Iterable[tuple[Page, Sequence[Prerendered]]], public: frozenset[str]
) -> Iterable[str]:
    losing: dict[str, list[str]] = {}
    for page, files in of_pages:
        component = page.route.component
        for file in files:
            if file.path in public:
                yield f"{component}: takes the place of {file.path} in public/"
            if file.lost:
                losing.setdefault(", ".join(file.lost), []).append(f"{component}: {file.url}")
    for lost, (first, *others) in losing.items():  # middleware sets the same ones on all pages
        also = f"; {len(others)} more do" if others else ""
        yield f"{first} sets {lost}, which a file on disk cannot have{also}"


def _is_unlisted(page: Page) -> bool:
    return bool(page.route.params) and not page.has_static_paths


def _lacks_static_paths(page: Page) -> RouteletError:
    return RouteletError(
        "is dynamic and prerendered, and has no get_static_paths",
        where=f"{page.route.component}:1",
        mend="define get_static_paths(), or set prerender = False",
    )
