"""Middleware: that of a manifest, and several as one, sync and async in any order."""

from routelet.pages import load_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from routelet.app import Middleware, Next
    from routelet.context import Context, Rewritable

_COROUTINE = 0x80
"""`CO_COROUTINE` of a code object; importing `inspect` for it costs 11 ms."""


def is_async(step: object) -> bool:
    """Tell whether `step` is an async function, or wraps one as functools' tools do."""
    while step is not None:
        code = getattr(step, "__code__", None) or getattr(type(step).__call__, "__code__", None)
        if code and code.co_flags & _COROUTINE:
            return True
        step = getattr(step, "__wrapped__", None) or getattr(step, "func", None)
    return False


def load_middleware(manifest: "Mapping[str, Any]") -> "Middleware":
    """Return the middleware of a manifest: that of one module, or of several as one."""
    steps = [load_page(name, None).on_request for name in manifest["middleware"]]
    return steps[0] if len(steps) == 1 else sequence(*steps)


def sequence(*steps: "Middleware") -> "Middleware":
    """Return one middleware that runs `steps`, the first outermost.

    The whole is async where any step is, because an async step's `next()` is awaited.
    """
    from routelet.app import settled, wait_for  # the app loads this module late  # noqa: PLC0415

    waiting = [wait_for if not is_async(step) else settled for step in steps]
    is_mixed = settled in waiting

    def run(index: int, ctx: "Context", inner: "Next") -> object:
        if index == len(steps):
            return inner()

        def next(target: "Rewritable | None" = None) -> object:
            if target is not None:
                ctx._app.retarget(ctx, target)  # the steps that follow see the new route
            return waiting[index](run(index + 1, ctx, inner))

        aside = ctx._app.aside
        if aside is not None and is_mixed and waiting[index] is wait_for:
            return aside(steps[index], ctx, next)
        return steps[index](ctx, next)

    if not is_mixed:
        return lambda ctx, inner: run(0, ctx, inner)

    async def on_request(ctx: "Context", inner: "Next") -> object:
        return await settled(run(0, ctx, inner))

    return on_request
