"""A build on this machine: `Emulator` runs its zips behind an address, for people and tests."""

import string
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection
from json import dumps, loads
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from routelet.headers import Headers
from routelet_bundler.emulator.built_site import BuiltSite, read_built_site, site_of
from routelet_bundler.emulator.edge import EdgeFront
from routelet_bundler.emulator.front import Front
from routelet_bundler.emulator.recording import add_to_recording
from routelet_bundler.emulator.sandbox import FunctionSpec, Log
from routelet_bundler.emulator.secrets_manager import SecretsManager, new_key
from routelet_bundler.emulator.serving import HOST
from routelet_bundler.emulator.specs import at_edge, specs_of, unpack, with_key
from routelet_bundler.emulator.worker import InvocationResult, Worker
from routelet_bundler.errors import RouteletError, did_you_mean
from routelet_bundler.trace.audit import RECORDING

HeaderPairs = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorResponse:
    """What a client gets."""

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode()

    def json(self) -> Any:
        """Return the body read as JSON."""
        return loads(self.body)


_HOW = {
    "open": "opens {}, which its zip lacks",
    "import": "imports {}, which its zip lacks",
    "source": "opens {} of the site, which no function has where it is deployed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFile:
    """What a function looked for and does not have where it is deployed.

    `name` is a path below the function's folder, a dotted module, or a path below the site's.
    """

    function: str
    routes: tuple[str, ...]
    how: str
    """`open`, `import`, or `source` for a file of the site outside of the zip."""
    name: str

    def __str__(self) -> str:
        """Say it to people."""
        return f"{', '.join(self.routes) or self.function} {_HOW[self.how].format(self.name)}"


def to_stderr(line: str) -> None:
    """Write a line of log where pytest shows it beside a failure."""
    sys.stderr.write(f"{line}\n")


class Emulator:
    """The site of `dist` at `url`, from entering to leaving a `with` block.

    A function is unpacked and started by its first request. Each entry of `log` begins with the
    function's name. Redirects are not followed. With `record`, the folder of the site, what its
    functions open is added to its `routelet.audit.json` in the end.
    """

    url: str
    """Where the site is, without a slash at the end."""

    def __init__(
        self,
        dist: str | Path = "dist",
        *,
        port: int = 0,
        log: Log = to_stderr,
        record: str | Path | None = None,
    ) -> None:
        self._dist = Path(dist)
        self._port = port
        self._log = log
        self._record = Path(record) if record is not None else None
        self._specs: dict[str, tuple[FunctionSpec, Path]] = {}
        self._workers: dict[str, Worker] = {}
        self._missing: list[MissingFile] = []
        self._routes: dict[str, tuple[str, ...]] = {}
        self._is_running = False
        self._lock = threading.Lock()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        site = read_built_site(self._dist.resolve())
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="routelet-"))
            place = site_of(self._dist.resolve())
            self._specs = {
                name: (replace(spec, site=place[0], sources=place[1]) if place else spec, path)
                for name, (spec, path) in self._specs_with_key(site, Path(folder), stack).items()
            }
            self._routes = {
                name: tuple(route.route for route, one in site.function_of.items() if one == name)
                for name in self._specs
            }
            if self._record:
                stack.callback(self._keep_recording, self._record, Path(folder, "recorded"))
            self._is_running = True
            stack.callback(self._close_workers)
            front = self._front(site)
            stack.callback(front.stop)
            self._stack = stack.pop_all()
        self.url = f"http://{HOST}:{front.port}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def get(self, path: str, *, headers: HeaderPairs = ()) -> EmulatorResponse:
        """Send a GET request."""
        return self.request("GET", path, headers=headers)

    def post(
        self,
        path: str,
        *,
        body: bytes | str | None = None,
        json: object = None,
        form: Mapping[str, str | Sequence[str]] | None = None,
        headers: HeaderPairs = (),
    ) -> EmulatorResponse:
        """Send a POST request with a body of one kind.

        `form` is sent as a browser does from a page of this site: urlencoded, and with Origin.
        """
        fields = Headers(headers)
        if json is not None:
            body = dumps(json)
            _set_default(fields, "content-type", "application/json")
        elif form is not None:
            body = urlencode(form, doseq=True)
            _set_default(fields, "content-type", "application/x-www-form-urlencoded")
            _set_default(fields, "origin", self.url)
        return self.request("POST", path, body=body, headers=fields.raw())

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | str | None = None,
        headers: HeaderPairs = (),
    ) -> EmulatorResponse:
        """Send a request; a repeated header stays repeated."""
        octets = body.encode() if isinstance(body, str) else body
        fields = Headers(headers)
        if octets is not None:
            fields.set("content-length", str(len(octets)))
        connection = HTTPConnection(self.url.removeprefix("http://"))
        try:
            connection.putrequest(
                method,
                quote(path, safe=string.punctuation),
                skip_host="host" in fields,
                skip_accept_encoding=True,
            )
            for name, value in fields.raw():
                connection.putheader(name, value.encode())
            connection.endheaders(octets)
            response = connection.getresponse()
            return EmulatorResponse(
                status=response.status,
                headers=Headers(response.getheaders()),
                body=response.read(),
            )
        finally:
            connection.close()

    def invoke(self, function_name: str, event: Mapping[str, Any]) -> InvocationResult:
        """Run a function with `event`, past the front."""
        return self._worker(function_name).invoke(dumps(event).encode())

    @property
    def missing_files(self) -> tuple[MissingFile, ...]:
        """What functions looked for until now and do not have where they are deployed."""
        return tuple(self._missing)

    def _specs_with_key(
        self, site: BuiltSite, folder: Path, stack: ExitStack
    ) -> dict[str, tuple[FunctionSpec, Path]]:
        """Return what to run for each function; with edge middleware all share a new key."""
        edge = site.edge_function
        specs = specs_of((*site.functions, *([edge] if edge else [])), folder)
        if edge is None:
            return specs
        key = new_key()
        secret = SecretsManager(edge.name, key)
        stack.callback(secret.stop)
        return {
            name: (at_edge(spec, secret.url) if name == edge.name else with_key(spec, key), path)
            for name, (spec, path) in specs.items()
        }

    def _front(self, site: BuiltSite) -> Front | EdgeFront:
        edge = site.edge_function
        try:
            if edge:
                return EdgeFront(site, edge.name, self._invoke, self._log, port=self._port)
            return Front(site, self._invoke, self._log, port=self._port)
        except OSError as error:
            raise RouteletError(
                f"port {self._port} cannot be had: {error.strerror}",
                mend="choose another port, or 0 for any that is free",
            ) from error

    def _invoke(self, function_name: str, event: bytes, trace_id: str) -> InvocationResult:
        return self._worker(function_name).invoke(event, trace_id=trace_id)

    def _worker(self, name: str) -> Worker:
        with self._lock:
            if not self._is_running:
                raise RouteletError("the emulator is not running", mend="use it in a with block")
            if name not in self._specs:
                raise RouteletError(
                    f"there is no function {name}", mend=did_you_mean(name, self._specs)
                )
            if name not in self._workers:
                spec, archive = self._specs[name]
                if self._record:
                    folder = spec.task_root.parent / "recorded"
                    folder.mkdir(exist_ok=True)
                    spec = replace(spec, record=folder / name)
                unpack(archive, spec.task_root)
                self._workers[name] = Worker(
                    spec, _prefixed(self._log, name), lacks=partial(self._lacks, name)
                )
            return self._workers[name]

    def _keep_recording(self, root: Path, folder: Path) -> None:
        count = add_to_recording(root, self._dist, folder.glob("*") if folder.is_dir() else ())
        self._log(f"{root / RECORDING}: {count} files")

    def _lacks(self, function: str, how: str, name: str) -> None:
        routes = self._routes[function]
        missing = MissingFile(function=function, routes=routes, how=how, name=name)
        if missing not in self._missing:
            self._missing.append(missing)
            self._log(f"{function}: WARNING {missing}")

    def _close_workers(self) -> None:
        with self._lock:
            self._is_running = False
        for worker in self._workers.values():
            worker.close()


def _set_default(headers: Headers, name: str, value: str) -> None:
    if name not in headers:
        headers.append(name, value)


def _prefixed(log: Log, name: str) -> Log:
    return lambda line: log(f"{name}: {line}")
