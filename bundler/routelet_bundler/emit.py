"""Emit: the text of a function's entry module."""

from pathlib import PurePosixPath

from routelet_bundler.generated import PACKAGE, python_source
from routelet_bundler.model import Adapter, Planned, Traced
from routelet_bundler.safe_names import INJECTED


def entry_module(planned: Planned, traced: Traced, adapter: Adapter) -> str:
    """Return the entry module of a function.

    It runs from its zip, unpacked, or in place; the folder of modules that a build wrote is looked
    for above it only where the function has some.
    """
    written = (f"{PACKAGE}/", f"{INJECTED}/")
    is_above = any(file.archive.startswith(written) for file in traced.files)
    depth = len(PurePosixPath(planned.entry_on_disk).parts) - 1
    return python_source(
        "entry.py.jinja",
        routes=[page.route.route for page in planned.pages],
        root="/".join([".."] * depth) or "." if is_above else None,
        server_entrypoint=adapter.server_entrypoint,
        manifest=dict(planned.manifest),
        args=dict(adapter.args),
        omitted={module: one.name for one in traced.omitted for module in one.modules},
        exports=adapter.exports,
        start=False,
    )
