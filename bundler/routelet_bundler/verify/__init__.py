"""Verify: the modules of each zip are imported by the target's Python.

On the path are the zip's files, and what the host provides where the function relies on it. What
zips have in common of distributions is unpacked once, and loaded once by a process of which each
check is a fork. A zip that passed before, under the same Python, is not run again. One that fails
is unpacked and run once more, as it will be where it is deployed, before it is told.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from routelet_bundler.cache import Cache, digest
from routelet_bundler.errors import WRONG_USE, RouteletError, raise_all
from routelet_bundler.interpreters import exact_version, find_interpreter, run_isolated
from routelet_bundler.model import (
    HOST_ARCHITECTURE,
    RUNTIME_FILES,
    Distribution,
    Function,
    Target,
    Verdict,
    Zip,
)
from routelet_bundler.verify.closure import check_all
from routelet_bundler.verify.unpacked import (
    Shelf,
    Unpacked,
    is_read_in_place,
    kind_of,
    roomy_folder,
)

_WORKER = Path(__file__).with_name("worker.py")
_FEW = 4
"""So many functions are checked by one process, if there are more."""

ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "verify",
    "AWS_SECRET_ACCESS_KEY": "verify",
    "TZ": ":UTC",
}
"""Pages make clients when they are imported; on Lambda these variables are always there."""


def runs_here(target: Target) -> bool:
    """Tell whether this machine runs what is built for `target`."""
    return target.architecture == HOST_ARCHITECTURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A function with its zip, and the name of the adapter that says what answers in it.

    `provided` is the folder of what the host provides, where the function relies on it. `twins` are
    the same versions of its distributions for this machine, used in place of those in the zip where
    its target does not run here.
    """

    function: Function
    packed: Zip
    adapter: str
    provided: Path | None = None
    twins: tuple[Distribution, ...] = ()

    @property
    def how(self) -> str:
        """What runs."""
        here = "" if runs_here(self.function.target) else ", as its host twin"
        return f"Python {self.function.target.python}{here}"


def verify(
    checks: Sequence[Check],
    cache: Cache,
    jobs: int,
    report: Callable[[int, int], None],
    passed: Collection[str] = (),
) -> tuple[Verdict, ...]:
    """Check that each zip has what its sources name, and import its local modules from it alone.

    `passed` are keys of verdicts that are known to be good.
    Raises `RouteletError` for all that zips lack, and with the import chain for every function that
    does not start.
    """
    verdicts = tuple(map(_verdict, checks))
    fresh = [
        (check, verdict)
        for check, verdict in zip(checks, verdicts, strict=True)
        if not verdict.verified
        or (verdict.key not in passed and cache.read("verified", verdict.key) is None)
    ]
    wholes = check_all((check.function, check.packed) for check, _ in fresh)
    failures = [mistake for whole in wholes for mistake in whole.mistakes]
    to_run = [
        _with_modules(check, whole.modules)
        for (check, verdict), whole in zip(fresh, wholes, strict=True)
        if verdict.verified and not whole.mistakes
    ]
    done = len(checks) - len(to_run)
    with (
        TemporaryDirectory(prefix="routelet-verify-", dir=_roomy_folder(to_run)) as folder,
        ThreadPoolExecutor(jobs) as executor,
    ):
        shelf = Shelf(Path(folder).resolve())
        placed = [(one, shelf.place(one.function, one.packed, one.twins)) for one in to_run]
        again: list[Check] = []
        for check, where, failure in _run_all(placed, jobs, executor):
            if failure is None:
                cache.write("verified", _key(check), b"ok")
            elif where.zip:
                again.append(check)
            else:
                failures.append(failure)
            done += 1
            report(done, len(checks))
        placed = [(one, shelf.unpack(one.function, one.packed.path, ())) for one in again]
        failures += [failure for *_, failure in _run_all(placed, jobs, executor) if failure]
    # What a server entrypoint lacks is one mistake, however many functions have it.
    raise_all(list({str(one): one for one in failures}.values()))
    return verdicts


def _roomy_folder(checks: Sequence[Check]) -> Path | None:
    """Return a folder that is faster than the usual one, where what is unpacked fits into it."""
    unpacked = {
        kind_of(one.function) if is_read_in_place(one.function, one.twins) else number: one.packed
        for number, one in enumerate(checks)
    }
    return roomy_folder(sum(packed.unzipped_bytes for packed in unpacked.values()))


def _with_modules(check: Check, modules: Sequence[str]) -> Check:
    function = check.function
    modules = tuple(dict.fromkeys((*function.modules, *modules)))
    return replace(check, function=replace(function, modules=modules))


def _verdict(check: Check) -> Verdict:
    """Return what is to be said of a function once nothing is wrong with it."""
    name, python = check.function.name, check.function.target.python
    if find_interpreter(python) is None:
        return Verdict(function=name, verified=False, how=f"no Python {python} on this machine")
    return Verdict(function=name, verified=True, how=check.how, key=_key(check))


def _key(check: Check) -> str:
    """Return the key of a verdict, which is that of any machine of this kind."""
    return digest(
        "verified",
        check.packed.sha256,
        exact_version(check.function.target.python),
        HOST_ARCHITECTURE,
        check.provided.parent.name if check.provided else "",  # its key in the cache
        check.how,
        _environment(check),
        *(twin.key for twin in check.twins),
    )


def _environment(check: Check) -> str:
    return json.dumps({**ENVIRONMENT, **check.function.config.environment}, sort_keys=True)


Batch = list[tuple[Check, Unpacked]]
"""Functions that one process checks: they share all but their own files."""


def _batches(checks: Batch, jobs: int) -> Iterator[Batch]:
    """Yield what may run in one process, so that all that can run at once have as much to do."""
    groups: dict[tuple[object, ...], Batch] = {}
    for check, unpacked in checks:
        python = check.function.target.python
        others = (unpacked.folders[1:], unpacked.zip is None)
        shared = (python, _environment(check), check.provided, *others)
        groups.setdefault(shared, []).append((check, unpacked))
    size = max(_FEW, -(-len(checks) // jobs))
    for group in groups.values():
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _run_all(
    placed: Batch, jobs: int, executor: Executor
) -> Iterator[tuple[Check, Unpacked, RouteletError | None]]:
    """Yield what checking each function gave: None where it starts."""
    batches = list(_batches(placed, jobs))
    for batch, found in zip(batches, executor.map(_run, batches), strict=True):
        for (check, where), failure in zip(batch, found, strict=True):
            yield check, where, failure


def _run(batch: Batch) -> list[RouteletError | None]:
    """Check the functions of a batch; None for each that starts."""
    first, where = batch[0]
    common = [*where.folders[1:], *([first.provided] if first.provided else [])]
    job = {
        "common": list(map(str, common)),
        "shared": where.shared,
        "first": _imported_first(first) if len(batch) > 1 else [],
        "own": sorted({name for _, unpacked in batch for name in unpacked.own}),
        "checks": [_job(check, unpacked, common) for check, unpacked in batch],
    }
    interpreter = find_interpreter(first.function.target.python)
    assert interpreter is not None  # noqa: S101 - or there would be nothing to run
    done = run_isolated(
        interpreter,
        _WORKER,
        json.dumps(job).encode(),
        environment=json.loads(_environment(first)),
        keeps_bytecode=True,  # what the host provides has none when it is installed
    )
    lines = done.stdout.decode().splitlines()
    if len(lines) != len(batch):
        said = done.stderr.decode(errors="replace")[-2000:]
        raise RouteletError(f"verifying ended with status {done.returncode}: {said}")
    answers = map(json.loads, lines)
    return [
        _failure(check, answer, unpacked.folders) if answer else None
        for (check, unpacked), answer in zip(batch, answers, strict=True)
    ]


def _imported_first(check: Check) -> list[str]:
    """Return the packages that a function's own files import, as far as their names tell."""
    target, traced = check.function.target, check.function.traced
    found = [target.provided_through] if traced.provided else []
    for distribution, reason in traced.distributions:
        if reason.kind == "import":
            names = {name.partition("/")[0] for name, _ in distribution.files}
            found += {distribution.name.replace("-", "_")} & names
    return found


def _job(check: Check, unpacked: Unpacked, common: Sequence[Path]) -> Mapping[str, Any]:
    entry = check.function.entry.removesuffix(".py").replace("/", ".")
    return {
        "path": list(map(str, [unpacked.folders[0], *common])),
        "zip": unpacked.zip and str(unpacked.zip),
        "modules": [entry, *check.function.modules],
    }


def _failure(check: Check, failure: Mapping[str, Any], folders: Sequence[Path]) -> RouteletError:
    """Name the site's own lines that led there, the last one first."""
    function = check.function
    labels = {file.archive: file.label for file in function.traced.files}
    chain = []
    archive = ""
    for file, line in failure["frames"]:
        # Bytecode without its source names that where the target unpacks it.
        archive = _archive_of(Path(file), [*folders, Path(function.target.folder)])
        if archive and not archive.startswith(RUNTIME_FILES) and archive != function.entry:
            chain.append(f"{labels.get(archive, archive)}:{line}")
    if archive == function.entry and (what := _lack_of_exports(failure["what"])):
        return RouteletError(
            f"{function.modules[0]}: {what}",
            where=f"adapter {check.adapter}",
            status=WRONG_USE,
            mend="create_exports(manifest, args) returns all that the adapter names in exports",
        )
    led = f" (imported by {' <- '.join(reversed(chain))})" if len(chain) > 1 else ""
    return RouteletError(
        f"the function of {function.title} does not start: {failure['what']}",
        where=chain[-1] if chain else function.entry,
        mend=_mend(function, failure) + led,
    )


def _mend(function: Function, failure: Mapping[str, Any]) -> str:
    if missing := failure.get("missing"):
        return f'add it to dependencies, or include = ["{missing}"]'
    variable = failure.get("variable")
    if variable and function.is_middleware:
        return (
            f"there is no environment variable {variable} where the middleware runs: Lambda@Edge "
            "has none of a site's; write the value into a module of the site, or fetch it"
        )
    if variable:
        return f"set {variable} in the environment of its routes, or read it once a request came"
    return "mend the module"


def _lack_of_exports(what: str) -> str | None:
    """Return what a server entrypoint lacks, where an error of an entry module itself says so."""
    kind, _, said = what.partition(": ")
    if kind == "KeyError":
        return f"create_exports does not give the export {said}"
    if kind == "AttributeError" and "create_exports" in said:
        return "there is no create_exports, and the adapter names exports"
    if kind == "TypeError" and said.startswith("create_exports()"):
        return said
    if kind == "TypeError":
        return f"create_exports returns no mapping: {said}"
    return None


def _archive_of(path: Path, folders: Sequence[Path]) -> str:
    """Return the path in the zip of an unpacked file, or nothing for one of elsewhere."""
    inside = (path.relative_to(one).as_posix() for one in folders if path.is_relative_to(one))
    return next(inside, "")
