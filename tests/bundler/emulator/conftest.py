"""Builds made by hand: tiny zips of plain Python, so that nothing of routelet runs in them."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.emulator.sandbox import FunctionSpec
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST, HOST_ARCHITECTURE
from routelet_bundler.trace.install import runtime_packages

MakeSpec = Callable[..., FunctionSpec]


@pytest.fixture
def make_spec(tmp_path: Path) -> MakeSpec:
    """Return a function of this source text, unpacked already."""

    def make(source: str, *, python: str = HOST, **changes: Any) -> FunctionSpec:
        (tmp_path / "entry.py").write_text(source)
        interpreter = find_interpreter(python)
        assert interpreter is not None
        facts: dict[str, Any] = {
            "name": "it",
            "handler": "entry.handler",
            "runtime": f"python{python}",
            "memory_mb": 128,
            "timeout_s": 5,
            "python": interpreter,
            "task_root": tmp_path,
            "packages": runtime_packages(python),
        }
        return FunctionSpec(**{**facts, **changes})

    return make


class Dist:
    """A `dist` folder that a test fills."""

    def __init__(self, path: Path, base: str = "/") -> None:
        self.path = path
        self.base = base
        self._routes: list[dict[str, Any]] = []
        self._functions: list[dict[str, Any]] = []
        self._prerendered: list[dict[str, str]] = []
        self._edge_function: dict[str, Any] | None = None
        (path / "functions").mkdir()
        (path / "client").mkdir()

    def route(
        self, route: str, function: str | None = None, *, slash: str = "/?", **facts: Any
    ) -> None:
        """Add a route; `slash` is what its pattern ends with."""
        pattern = re.sub(r"/\[\.\.\.\w+\]", "(?:/(.*?))?", route.rstrip("/"))
        pattern = re.sub(r"\[\w+\]", "([^/]+?)", pattern)
        entry = {
            "route": route,
            "component": f"src/pages{route}.py",
            "type": "page",
            "pattern": f"^{pattern}{slash}$",
            "segments": [],
            "params": re.findall(r"\[(?:\.\.\.)?(\w+)\]", route),
            "prerender": False,
            "function": function,
        }
        self._routes.append({**entry, **facts})

    def redirect(self, route: str, destination: str, status: int | None = None) -> None:
        redirect = {"destination": destination, "status": status}
        self.route(route, type="redirect", component=None, redirect=redirect)

    def function(self, name: str, source: str, **changes: Any) -> None:
        with zipfile.ZipFile(self.path / "functions" / f"{name}.zip", "w") as archive:
            archive.writestr("entry.py", source)
        entry = {
            "name": name,
            "handler": "entry.handler",
            "zip": f"functions/{name}.zip",
            "runtime": f"python{HOST}",
            "architecture": HOST_ARCHITECTURE,
            "memory": 128,
            "timeout": 5,
            "environment": {},
        }
        self._functions.append({**entry, **changes})

    def edge(self, source: str, **changes: Any) -> None:
        """Make the edge function of this source text."""
        self.function("middleware", source, **changes)
        self._edge_function = self._functions.pop()

    def file(self, path: str, content: str | bytes, *, route: str | None = None) -> None:
        file = self.path / "client" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        if route:
            self._prerendered.append({"path": path, "route": route})

    def write(self) -> Path:
        manifest = {
            "base": self.base,
            "routes": self._routes,
            "functions": self._functions,
            "edgeFunction": self._edge_function,
            "prerendered": self._prerendered,
        }
        (self.path / "routelet.json").write_text(json.dumps(manifest))
        return self.path


@pytest.fixture
def dist(tmp_path: Path) -> Dist:
    path = tmp_path / "dist"
    path.mkdir()
    return Dist(path)


@pytest.fixture(scope="session")
def make_dist(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Dist]:
    """Return an empty `dist`, for fixtures that several tests share."""
    return lambda **facts: Dist(tmp_path_factory.mktemp("dist"), **facts)
