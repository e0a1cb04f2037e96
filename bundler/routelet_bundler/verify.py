"""Verify: each zip is unpacked alone and its modules are imported by the target's Python.

On the path are the zip, and what the host provides where the function relies on it. A zip that
passed before, under the same Python, is not run again.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from routelet_bundler.cache import Cache, digest
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import HOST_ARCHITECTURE, find_interpreter, run_isolated
from routelet_bundler.model import Distribution, Function, Target, Verdict, Zip

_WORKER = Path(__file__).with_name("verify_worker.py")

_ENVIRONMENT = {
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


def verify(
    function: Function,
    packed: Zip,
    *,
    provided: Path | None,
    twins: Sequence[Distribution],
    cache: Cache,
) -> Verdict:
    """Import all modules of a function from its zip alone.

    `twins` are the same versions of its distributions for this machine, used in place of those in
    the zip where its target does not run here. Raises `RouteletError` with the import chain.
    """
    target = function.target
    interpreter = find_interpreter(target.python)
    if interpreter is None:
        how = f"no Python {target.python} on this machine"
        return Verdict(function=function.name, verified=False, how=how)
    how = f"Python {target.python}" + ("" if runs_here(target) else ", as its host twin")
    key = digest("verified", packed.sha256, str(interpreter), str(provided), how,
                 json.dumps(function.config.environment, sort_keys=True),
                 *(twin.key for twin in twins))  # fmt: skip
    if cache.read("verified", key) is None:
        _import_all(function, packed, interpreter, provided, twins)
        cache.write("verified", key, b"ok")
    return Verdict(function=function.name, verified=True, how=how)


def _import_all(
    function: Function,
    packed: Zip,
    interpreter: Path,
    provided: Path | None,
    twins: Sequence[Distribution],
) -> None:
    with tempfile.TemporaryDirectory(prefix="routelet-verify-") as temporary:
        folder = Path(temporary).resolve()
        _unpack(function, packed.path, folder, twins)
        module, _, export = function.handler.replace("/", ".").rpartition(".")
        job = {
            "path": [str(folder), *([str(provided)] if provided else [])],
            "modules": [module, *function.modules],
            "export": export,
        }
        environment = {**_ENVIRONMENT, **function.config.environment}
        done = run_isolated(
            interpreter, _WORKER, json.dumps(job).encode(), environment=environment, cwd=folder
        )
        if done.returncode or not done.stdout:
            said = done.stderr.decode(errors="replace")[-2000:]
            what = f"the process ended with status {done.returncode}: {said}"
            raise _failure(function, {"what": what, "frames": []}, folder)
        failure = json.loads(done.stdout)
        if failure is not None:
            raise _failure(function, failure, folder)


def _unpack(function: Function, path: Path, folder: Path, twins: Sequence[Distribution]) -> None:
    """Unpack a zip, with `twins` instead of the same distributions in it."""
    names = {twin.name for twin in twins}
    replaced = {
        archive
        for distribution, _ in function.traced.distributions
        if distribution.name in names
        for archive, _ in distribution.files
    }
    with zipfile.ZipFile(path) as opened:
        opened.extractall(folder, [name for name in opened.namelist() if name not in replaced])
    for twin in twins:
        for name, source in twin.files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _failure(function: Function, failure: Mapping[str, Any], folder: Path) -> RouteletError:
    """Name the site's own lines that led there, the last one first."""
    labels = {file.archive: file.label for file in function.traced.files}
    chain = []
    for file, line in failure["frames"]:
        path = Path(file)
        archive = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""
        if archive and not archive.startswith("routelet/") and archive != function.entry:
            chain.append(f"{labels.get(archive, archive)}:{line}")
    missing = failure.get("missing")
    led = f" (imported by {' <- '.join(reversed(chain))})" if len(chain) > 1 else ""
    mend = f'add it to dependencies, or include = ["{missing}"]' if missing else "mend the module"
    return RouteletError(
        f"the function of {', '.join(function.routes)} does not start: {failure['what']}",
        where=chain[-1] if chain else function.entry,
        mend=mend + led,
    )
