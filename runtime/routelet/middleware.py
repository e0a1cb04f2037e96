"""Composition of middleware, sync and async in any order."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from routelet.app import Middleware, Next
    from routelet.context import Context

_COROUTINE = 0x80
"""`CO_COROUTINE` of a code object; importing `inspect` for it costs 11 ms."""


def is_async(step: object) -> bool:
    """Tell whether `step` is an async function."""
    code = getattr(step, "__code__", None)
    return bool(code and code.co_flags & _COROUTINE) or getattr(step, "is_async", False)


def compose(steps: "Sequence[Middleware]") -> "Middleware":
    """Return one middleware that runs `steps`, the first outermost.

    The whole is async where any step is, because an async step's `next()` is awaited.
    """
    from routelet.app import wait_for  # the app loads this module late  # noqa: PLC0415

    def run(index: int, ctx: "Context", inner: "Next") -> object:
        if index == len(steps):
            return inner()
        step = steps[index]

        def next(target: object = None) -> object:
            result = inner(target) if target is not None else run(index + 1, ctx, inner)
            if not is_async(step):
                return wait_for(result)  # type: ignore[arg-type]
            return result if hasattr(result, "__await__") else _ready(result)

        return step(ctx, next)

    if not any(map(is_async, steps)):
        return lambda ctx, inner: run(0, ctx, inner)

    async def on_request(ctx: "Context", inner: "Next") -> object:
        result = run(0, ctx, inner)
        return await result if hasattr(result, "__await__") else result

    return on_request


async def _ready(value: object) -> object:
    return value
