"""Page modules: loading them by their safe name, and their handlers.

A zip holds a page under its safe name (`pages/blog/_slug_.py`), so that an ordinary import finds
it. In place it still has its own (`src/pages/blog/[slug].py`), which is looked for on `sys.path`.
"""

import re
import sys
from importlib import import_module

from routelet.http import Response
from routelet.routing import PARAMETER_TYPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import ModuleType
    from typing import Any

    from routelet.app import App, Result
    from routelet.context import Context

    Handler = Callable[..., object]
    Bound = Callable[[Context], object]


class BadParameterError(ValueError):
    """A path parameter that the handler's annotation refuses; the URL is not this page's."""


def load_page(module: str, source: str | None) -> "ModuleType":
    """Import a page by its safe dotted name; `source` is its path below the import root."""
    if module in sys.modules:
        return sys.modules[module]
    if source is None:
        return import_module(module)
    parts = module.split(".")
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        names = {".".join(parts[: end + 1]) for end in range(len(parts))}
        if error.name not in names:
            raise
    return _load_in_place(parts, source.split("/"))


def _load_in_place(names: "list[str]", files: "list[str]") -> "ModuleType":
    import os  # loaded by the interpreter  # noqa: PLC0415
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415

    root = next((p for p in sys.path if os.path.isfile(os.path.join(p, *files))), None)  # noqa: PTH113, PTH118
    if root is None:
        raise ModuleNotFoundError(f"no {'/'.join(files)} on sys.path", name=".".join(names))
    for end in range(1, len(names)):
        _register_package(".".join(names[:end]), os.path.join(root, *files[:end]))  # noqa: PTH118
    name = ".".join(names)
    spec = spec_from_file_location(name, os.path.join(root, *files))  # noqa: PTH118
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - a .py file has both
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    setattr(sys.modules[".".join(names[:-1])], names[-1], module)
    return module


def _register_package(name: str, folder: str) -> None:
    """Make `name` a package that looks into `folder`, beside where it looks already."""
    package = sys.modules.get(name)
    if package is None:
        try:
            package = import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            package = _new_package(name)
    if folder not in package.__path__:
        package.__path__ = [*package.__path__, folder]


def _new_package(name: str) -> "ModuleType":
    from importlib.machinery import ModuleSpec  # noqa: PLC0415 - in place only
    from importlib.util import module_from_spec  # noqa: PLC0415

    package = module_from_spec(ModuleSpec(name, None, is_package=True))
    sys.modules[name] = package
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, package)
    return package


def handlers_of(module: "ModuleType") -> "dict[str, Handler]":
    """Return the functions of `module` that are named like HTTP methods, and `ALL`."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.isalpha() and name.isupper() and callable(value) and not isinstance(value, type)
    }


def bind(handler: "Handler", params: "Mapping[str, object] | tuple[str, ...]") -> "Bound":
    """Return `handler` as a function of the context alone.

    Its further arguments are path parameters by name, converted by their annotations. That is
    worked out here, once, not for each request.
    """
    function = handler
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is None:
        return handler
    count = code.co_argcount + code.co_kwonlyargcount
    names = [name for name in code.co_varnames[1:count] if name in params]
    if not names:
        return handler
    annotations = _annotations_of(function)
    wanted = [(name, _converter(annotations.get(name, str))) for name in names]

    def call(ctx: "Context") -> object:
        return handler(ctx, **{name: _converted(to, ctx, name) for name, to in wanted})

    return call


def _annotations_of(function: "Handler") -> "Mapping[str, object]":
    try:
        return function.__annotations__
    except NameError:
        if sys.version_info >= (3, 14):  # one was imported for type checkers only
            from annotationlib import Format, get_annotations  # noqa: PLC0415 - rarely needed

            return get_annotations(function, format=Format.FORWARDREF)
        raise


def _converter(annotation: object) -> "Callable[[str], object] | None":
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    name = name.rpartition(".")[2]
    if name not in {"int", "float", "UUID"}:
        return None
    fits = re.compile(PARAMETER_TYPES[name.lower()]).fullmatch
    types: dict[str, Callable[[str], object]] = {"int": int, "float": float}
    if name == "UUID":
        from uuid import UUID  # 9 ms, only for handlers that take one  # noqa: PLC0415

        types[name] = UUID

    def converter(value: str) -> object:
        if not fits(value):
            raise ValueError(value)
        return types[name](value)

    return converter


def _converted(to: "Callable[[str], object] | None", ctx: "Context", name: str) -> object:
    value = ctx.params.get(name)
    if to is None or value is None:
        return value
    try:
        return to(value)
    except ValueError as error:
        raise BadParameterError(f"{name}={value!r}") from error


def response_of(value: object, handler: "Handler", module: "ModuleType") -> Response:
    """Turn what a handler returned into a Response; raises `TypeError` for anything else."""
    if isinstance(value, Response):
        return value
    if isinstance(value, (dict, list)):
        return Response.json(value)
    if isinstance(value, str):
        return Response.html(value)
    if isinstance(value, bytes):
        return Response(value, headers={"content-type": "application/octet-stream"})
    if value is None:
        return Response(status=204)
    name = getattr(handler, "__name__", repr(handler))
    raise TypeError(
        f"{name} in {module.__file__} returned {type(value).__name__}; a handler returns a "
        "Response, dict, list, str, bytes or None"
    )


class Page:
    """A loaded page module with its handlers, bound once."""

    __slots__ = ("_allowed", "_bound", "_module", "_raw")

    def __init__(self, page: "Mapping[str, Any]") -> None:
        self._module = load_page(page["module"], page.get("source"))
        self._raw = handlers_of(self._module)
        params = page.get("params", ())
        self._bound = {name: bind(handler, params) for name, handler in self._raw.items()}
        self._allowed = sorted(
            {*self._raw, "OPTIONS", *(["HEAD"] if "GET" in self._raw else [])} - {"ALL"}
        )

    def answer(self, app: "App", ctx: "Context", method: str | None = None) -> "Result":
        """Return what the handler for the method gives, of the request where none is said."""
        method = method or ctx.request.method
        name = method if method in self._bound and method != "ALL" else "ALL"
        if name not in self._bound:
            if method == "HEAD" and "GET" in self._bound:
                name = "GET"
            elif method == "OPTIONS":
                return Response(None, 204, {"allow": ", ".join(self._allowed)})
            else:
                return app.not_found(ctx, self._allowed)
        value = self._bound[name](ctx)
        if hasattr(value, "__await__"):
            return self._awaited(name, value)
        return response_of(value, self._raw[name], self._module)

    async def _awaited(self, name: str, value: "Awaitable[object]") -> Response:
        return response_of(await value, self._raw[name], self._module)
