"""Injected: pages and middleware of integrations, wherever their files are.

A Python file of `src/` is the module that it is there. Any other comes into zips alone, as a module
of `site_injected`: its package is not run, which may need the bundler, and what it imports is
traced as of any local file.
"""

import ast
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from posixpath import splitext

from routelet.routing import Route
from routelet_bundler.discover.names import KINDS, make_route, parse_pattern, type_of
from routelet_bundler.discover.page_memory import PageMemory
from routelet_bundler.discover.pages import Place, page_at
from routelet_bundler.errors import WRONG_USE, RouteletError, raise_all, said_by
from routelet_bundler.model import (
    Config,
    InjectedFile,
    InjectedMiddleware,
    InjectedRoute,
    Injections,
    Order,
    Page,
)
from routelet_bundler.safe_names import INJECTED, entry_path, injected_stems, safe, unique
from routelet_bundler.sources import bound_names, parse_python, read_source

_INSTALLED = {"site-packages", "dist-packages"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrypoint:
    """A file that an integration named."""

    label: str
    """Its path below the site's folder, else the integration and a path below its packages."""
    module: str
    """Dotted name that it is imported by, if it is Python."""
    path_in_src: str | None


class Entrypoints:
    """The files that integrations named; `own` are those of `src/` by their path in a zip."""

    def __init__(self, root: Path, src: Path, own: Mapping[str, Path], given: Injections) -> None:
        archives = {path: archive for archive, path in own.items()}
        labels = _labels(root, (*given.routes, *given.middleware))
        copied = [path for path in labels if _is_copied(path, archives)]
        raise_all(
            [
                *([_refused(src, root)] if copied and _has_injected(own) else []),
                *(error for path in copied for error in _relative_imports(path, labels[path])),
                *(error for one in given.middleware for error in _no_middleware(one, labels)),
            ]
        )
        stems = unique({labels[path]: _safe(splitext(labels[path])[0]) for path in copied})
        files = {
            path: InjectedFile(
                archive=f"{INJECTED}/{stems[labels[path]]}.py", source=path, label=labels[path]
            )
            for path in copied
        }
        self.files = tuple(files.values())
        """What comes into zips beside the files of `src/`."""
        self._of = {
            path: Entrypoint(
                label=label,
                module=_module_of(files[path].archive if path in files else archives.get(path, "")),
                path_in_src=path.relative_to(src).as_posix() if path in archives else None,
            )
            for path, label in labels.items()
        }

    def __getitem__(self, path: Path) -> Entrypoint:
        return self._of[path]

    def modules(self, middleware: Iterable[InjectedMiddleware], order: Order) -> tuple[str, ...]:
        """Return the dotted names of middleware that goes before, or after, the site's own."""
        return tuple(self[one.entrypoint].module for one in middleware if one.order == order)


def _labels(root: Path, given: Iterable[InjectedRoute | InjectedMiddleware]) -> Mapping[Path, str]:
    """Return the label of each file; raises `RouteletError` where two would have the same."""
    labels: dict[Path, str] = {}
    files: dict[str, Path] = {}
    for one in given:
        path = one.entrypoint
        label = labels.setdefault(path, _label(path, root, one.integration))
        if files.setdefault(label, path) != path:
            raise RouteletError(
                f"two files that the integration names are known as {label}",
                where=said_by(one.integration),
                mend="rename one of them",
            )
    return labels


def _label(path: Path, root: Path, integration: str) -> str:
    if path.is_relative_to(root):
        below = path.relative_to(root)
        if _INSTALLED.isdisjoint(below.parts):
            return below.as_posix()
    return f"{integration}:{path.relative_to(_import_root(path)).as_posix()}"


def _import_root(path: Path) -> Path:
    """Return the folder above the package that a file is in; its own where it is in none."""
    above = (folder for folder in path.parents if (folder / "__init__.py").is_file())
    package = next(above, None)
    if package is None:
        return path.parent
    while (package.parent / "__init__.py").is_file():
        package = package.parent
    return package.parent


def _safe(path: str) -> str:
    return "/".join(map(safe, path.split("/")))


def _is_copied(path: Path, archives: Mapping[Path, str]) -> bool:
    """Tell whether a file is Python that is in no zip, or not by a name that Python finds."""
    archive = archives.get(path)
    is_found = archive is not None and "." not in archive.removesuffix(".py")
    return path.suffix == ".py" and not is_found


def _module_of(archive: str) -> str:
    """Return the dotted name of a module; an empty one for what is no Python."""
    if not archive.endswith(".py"):
        return ""
    return archive.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _relative_imports(path: Path, label: str) -> Iterable[RouteletError]:
    """Yield an error for each import that asks for a neighbour, which a file alone has not."""
    for node in ast.walk(parse_python(read_source(path, label), label)):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield RouteletError(
                f"imports {'.' * node.level}{node.module or ''}, and comes into zips alone",
                where=f"{label}:{node.lineno}",
                mend="import by the full name, from src/ or from a dependency of the site",
            )


def _has_injected(own: Iterable[str]) -> bool:
    """Tell whether the site has a module where copies of injected files go."""
    return any(name.startswith((f"{INJECTED}/", f"{INJECTED}.py")) for name in own)


def _refused(src: Path, root: Path) -> RouteletError:
    return RouteletError(
        "is where files that integrations name go, and the site's own would be lost",
        where=f"{src.relative_to(root).as_posix()}/{INJECTED}",
        mend="rename it",
    )


def _no_middleware(one: InjectedMiddleware, labels: Mapping[Path, str]) -> Iterable[RouteletError]:
    """Yield an error for a file that has nothing to run as middleware."""
    label = labels[one.entrypoint]
    names = {*bound_names(parse_python(read_source(one.entrypoint, label), label))}
    if names.isdisjoint({"on_request", "*"}):
        yield RouteletError(
            f"add_middleware: {label} has no on_request",
            where=said_by(one.integration),
            mend="define on_request(ctx, next) there",
            status=WRONG_USE,
        )


def injected_pages(
    routes: Iterable[InjectedRoute],
    entrypoints: Entrypoints,
    taken: Container[str],
    *,
    config: Config,
    memory: PageMemory,
) -> tuple[list[Page], list[RouteletError]]:
    """Return the pages of injected routes, and what is wrong with the others.

    `taken` are the safe paths of the files below `src/pages/`, which keep their names.
    """
    stems = injected_stems({one.pattern: one.entrypoint.suffix for one in routes}, taken)
    pages, errors = [], []
    for one in routes:
        place = _place(one, entrypoints[one.entrypoint], stems[one.pattern])
        try:
            page = page_at(place, partial(_route, one, place, config), config=config, memory=memory)
            pages += [page] if page else []
        except RouteletError as error:
            errors.append(error)
    return pages, errors


def _place(injected: InjectedRoute, entrypoint: Entrypoint, stem: str) -> Place:
    return Place(
        source=injected.entrypoint,
        kind=KINDS[injected.entrypoint.suffix],
        label=entrypoint.label,
        file=injected.pattern,
        module=entrypoint.module,
        entry=entry_path(stem),
        path_in_src=entrypoint.path_in_src,
        prerender=injected.prerender,
        said_by=said_by(injected.integration),
    )


def _route(injected: InjectedRoute, place: Place, config: Config, prerender: bool) -> Route:
    suffix = injected.entrypoint.suffix
    _, segments = parse_pattern(injected.pattern, suffix)
    return make_route(
        segments,
        trailing_slash=config.trailing_slash,
        base=config.base,
        type=type_of(suffix),
        component=place.label,
        prerender=prerender,
    )
