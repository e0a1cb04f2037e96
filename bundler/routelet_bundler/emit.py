"""Emit: the text of a function's entry module."""

from pathlib import PurePosixPath

from routelet_bundler.generated import PACKAGE, python_source
from routelet_bundler.model import Adapter, Planned, Traced


def entry_module(planned: Planned, traced: Traced, adapter: Adapter) -> str:
    """Return the entry module of a function.

    It runs from its zip, unpacked, or in place; the folder of compiled templates is looked for
    above it only where the function has some.
    """
    has_templates = any(file.archive.startswith(f"{PACKAGE}/") for file in traced.files)
    exports = adapter.exports
    server_entrypoint: str | None = adapter.server_entrypoint
    if planned.is_middleware:
        server_entrypoint = adapter.middleware_entrypoint
        exports = adapter.exports if server_entrypoint else ()
    depth = len(PurePosixPath(planned.entry_on_disk).parts) - 1
    return python_source(
        "entry.py.jinja",
        title=planned.title,
        root="/".join([".."] * depth) or "." if has_templates else None,
        server_entrypoint=server_entrypoint,
        manifest=dict(planned.manifest),
        args=dict(adapter.args),
        omitted={module: one.name for one in traced.omitted for module in one.modules},
        exports=exports,
        start=False,
    )
