"""Emit: the text of a function's entry module."""

from pathlib import Path, PurePosixPath

from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.generated import PACKAGE, python_source
from routelet_bundler.model import Adapter, Planned, Traced
from routelet_bundler.safe_names import INJECTED
from routelet_bundler.sources import bound_names, parse_python, read_source


def entry_module(planned: Planned, traced: Traced, adapter: Adapter, *, starts: bool) -> str:
    """Return the entry module of a function.

    It runs from its zip, unpacked, or in place. The folder above it is put on the path where it is
    needed: as a script, and for modules that a build wrote. `starts` tells whether the server
    entrypoint has `start`.
    """
    written = (f"{PACKAGE}/", f"{INJECTED}/")
    starts = starts and not planned.is_middleware
    finds_root = starts or any(file.archive.startswith(written) for file in traced.files)
    exports = adapter.exports
    server_entrypoint: str | None = adapter.server_entrypoint
    if planned.is_middleware:
        server_entrypoint = adapter.middleware_entrypoint
        exports = adapter.exports if server_entrypoint else ()
    depth = len(PurePosixPath(planned.entry_on_disk).parts) - 1
    return python_source(
        "entry.py.jinja",
        title=planned.title,
        root="/".join([".."] * depth) or ".",
        finds_root=finds_root,
        server_entrypoint=server_entrypoint,
        manifest=dict(planned.manifest),
        args=dict(adapter.args),
        omitted={module: one.name for one in traced.omitted for module in one.modules},
        exports=exports,
        serves_client=adapter.serves_client and not planned.is_middleware,
        start=starts,
    )


def has_start(adapter: Adapter, traced: Traced) -> bool:
    """Tell whether the server entrypoint, traced with a function, defines `start`.

    Raises `RouteletError` where it is not there, or an entry module would have nothing of it to
    expose or to call.
    """
    source = source_of("server_entrypoint", adapter, traced)
    names = bound_names(parse_python(read_source(source, str(source)), str(source)))
    starts = not {"start", "*"}.isdisjoint(names)
    if not (starts or adapter.exports):
        raise RouteletError(
            f"{adapter.server_entrypoint} has no start, and the adapter names no exports",
            where=f"adapter {adapter.name}",
            mend="name in exports what create_exports gives, or define start(manifest, args)",
            status=WRONG_USE,
        )
    return starts


def source_of(field: str, adapter: Adapter, traced: Traced) -> Path:
    """Return the file of the module that `field` of an adapter names, among those of a function.

    Raises `RouteletError` where it is none of them.
    """
    module: str = getattr(adapter, field)
    path = module.replace(".", "/")
    sources = traced.sources
    source = sources.get(f"{path}.py") or sources.get(f"{path}/__init__.py")
    if source is None:
        raise RouteletError(
            f"there is no module {module}, which {field} names",
            where=f"adapter {adapter.name}",
            mend="name one of the site's folder, or of an installed distribution",
            status=WRONG_USE,
        )
    return source
