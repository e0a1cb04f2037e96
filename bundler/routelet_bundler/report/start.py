"""How a function starts: what it imports, and for how long, from its zip under the target's Python.

Nothing else is on the path than the zip's files and what the host provides. A bare interpreter does
it: of the standard library Lambda's own bootstrap has loaded some before.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from zipp import Path as ZipPath

from routelet_bundler.cache import Cache, digest
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import exact_version, find_interpreter, run_isolated
from routelet_bundler.model import HOST_ARCHITECTURE
from routelet_bundler.report.shipped import Shipped
from routelet_bundler.trace.install import provided_packages
from routelet_bundler.verify import ENVIRONMENT

_WORKER = Path(__file__).with_name("start_worker.py")
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")
"""https://docs.python.org/3/using/cmdline.html#cmdoption-X"""
_PROFILES = 3
"""Of so many runs the fastest is kept: others of this machine only ever add time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A module that was imported; times are in microseconds."""

    module: str
    depth: int
    """0 for what the function's start names, 1 for what that imports, and so on."""
    own_us: int
    total_us: int
    """With all that it was the first to import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """A function where it can be started."""

    function: Shipped
    interpreter: Path
    path: tuple[Path, ...]
    """The folder of its zip, then what the host provides."""


def unable(python: str, architecture: str) -> str:
    """Say why what is built for these cannot be started on this machine, or nothing."""
    if find_interpreter(python) is None:
        return f"no Python {python} on this machine"
    if architecture != HOST_ARCHITECTURE:
        return f"built for {architecture}, and this machine is {HOST_ARCHITECTURE}"
    return ""


@contextmanager
def unpacked(function: Shipped, cache: Cache) -> Iterator[Unpacked]:
    """Unpack the zip of a function; raises `RouteletError` where it cannot be started here."""
    if reason := unable(function.python, function.architecture):
        raise RouteletError(reason, where=function.name)
    interpreter = find_interpreter(function.python)
    assert interpreter is not None  # noqa: S101 - or `unable` had said so
    names = function.provided
    provided = (provided_packages(names, function.python, cache),) if names else ()
    with tempfile.TemporaryDirectory(prefix="routelet-start-") as temporary:
        folder = Path(temporary).resolve()
        with ZipPath(function.zip).root as opened:
            opened.extractall(folder)
        yield Unpacked(function=function, interpreter=interpreter, path=(folder, *provided))


def milliseconds(one: Unpacked, runs: int) -> float:
    """Return the least CPU time, in ms, that importing a function's modules took in `runs`."""
    return min(int(_run(one)[0]) for _ in range(runs)) / 1_000_000


def loaded_by(one: Unpacked) -> tuple[Loaded, ...]:
    """Return what a function imports when it starts, in the order in which it begins to."""
    return _parsed(_run(one, importtime=True)[1])


def profile(function: Shipped, cache: Cache) -> tuple[Loaded, ...]:
    """Return what `loaded_by` does, with the least times; measured once for each zip.

    Raises `RouteletError` where the function cannot be started here, or fails to.
    """
    key = start_key("start", function)
    if kept := cache.read("start", key):
        return tuple(Loaded(**row) for row in json.loads(kept))
    with unpacked(function, cache) as one:
        found = min((loaded_by(one) for _ in range(_PROFILES)), key=total_us)
    cache.write("start", key, json.dumps([asdict(row) for row in found]).encode())
    return found


def start_key(what: str, function: Shipped, *more: str) -> str:
    """Return the key of what is known of a start: of the same zip, Python and environment."""
    python = exact_version(function.python)
    return digest(what, function.sha256, python, *function.provided, _environment(function), *more)


def total_us(loaded: tuple[Loaded, ...]) -> int:
    """Return the time of all imports together, in microseconds."""
    return sum(one.own_us for one in loaded)


def chain_of(module: str, loaded: tuple[Loaded, ...]) -> tuple[str, ...]:
    """Return the modules on the way to `module`: each was imported first by the one before."""
    way: list[str] = []
    for one in loaded:
        way[one.depth :] = [one.module]
        if one.module == module:
            return tuple(way)
    return ()


def _environment(function: Shipped) -> str:
    return json.dumps({**ENVIRONMENT, **function.environment}, sort_keys=True)


def _run(one: Unpacked, *, importtime: bool = False) -> tuple[str, str]:
    """Start a function; return nanoseconds, and what the interpreter said."""
    lines = ("\0".join(map(str, one.path)), "\0".join(one.function.modules))
    done = run_isolated(
        one.interpreter,
        _WORKER,
        "\n".join(lines).encode(),
        environment=json.loads(_environment(one.function)),
        importtime=importtime,
    )
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
        raise RouteletError(f"does not start: {last}", where=one.function.name)
    return done.stdout.decode(), said


def _parsed(said: str) -> tuple[Loaded, ...]:
    """Return the lines of `-X importtime`, each module before those that it imported.

    The interpreter tells of a module when it is done, after all that it imported.
    """
    ahead: list[list[Loaded]] = [[]]
    for found in _LINE.finditer(said.partition("routelet: begin\n")[2]):
        own_us, total, indent, module = found.groups()
        depth = len(indent) // 2
        ahead += ([] for _ in range(depth + 2 - len(ahead)))
        one = Loaded(module=module, depth=depth, own_us=int(own_us), total_us=int(total))
        ahead[depth] += [one, *ahead[depth + 1]]
        ahead[depth + 1] = []
    return tuple(ahead[0])
