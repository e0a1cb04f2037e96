"""What runs for each function of a build: its zip, unpacked, and how its process is started."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

from routelet.secrets_manager import ENDPOINT_VARIABLE
from routelet.signing import KEY_VARIABLE
from routelet_bundler.emulator.built_site import ZippedFunction
from routelet_bundler.emulator.sandbox import REGION, FunctionSpec
from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST_ARCHITECTURE
from routelet_bundler.trace.install import runtime_packages


def specs_of(
    functions: Iterable[ZippedFunction], folder: Path
) -> dict[str, tuple[FunctionSpec, Path]]:
    """Return what to run for each function, and its zip; all that cannot run is told at once."""
    specs, errors = {}, []
    for function in functions:
        try:
            specs[function.name] = (_spec_of(function, folder / function.name), function.zip)
        except RouteletError as error:
            errors.append(error)
    raise_all(errors)
    return specs


def _spec_of(function: ZippedFunction, task_root: Path) -> FunctionSpec:
    where = f"function {function.name}"
    if function.architecture != HOST_ARCHITECTURE:
        raise RouteletError(
            f"it is built for {function.architecture} and this machine is {HOST_ARCHITECTURE}",
            where=where,
            mend="build it for this machine's architecture to emulate it",
        )
    if not function.runtime:
        raise RouteletError(
            "it is not built for Lambda, which is all that is emulated",
            where=where,
            mend="start it as its adapter says, such as `python dist/entry.py`",
        )
    minor = function.runtime.removeprefix("python")
    python = find_interpreter(minor)
    if python is None:
        raise RouteletError(
            f"it is built for {function.runtime} and there is no Python {minor} here",
            where=where,
            mend=f"install Python {minor}: `uv python install {minor}`",
        )
    if not function.zip.is_file():
        raise RouteletError(
            "its zip is missing", where=str(function.zip), mend="run `routelet build` again"
        )
    return FunctionSpec(
        name=function.name,
        handler=function.handler,
        runtime=function.runtime,
        memory_mb=function.memory_mb,
        timeout_s=function.timeout_s,
        python=python,
        task_root=task_root,
        packages=runtime_packages(minor),
        environment=function.environment,
    )


def at_edge(spec: FunctionSpec, secrets_url: str) -> FunctionSpec:
    """Return a function of Lambda@Edge, which has its region in its name and no environment.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-testing-debugging.html
    """
    environment = {ENDPOINT_VARIABLE: secrets_url}
    return replace(spec, name=f"{REGION}.{spec.name}", environment=environment)


def with_key(spec: FunctionSpec, key: str) -> FunctionSpec:
    """Return a function that checks what the edge signs with `key`."""
    return replace(spec, environment={**spec.environment, KEY_VARIABLE: key})


def unpack(archive: Path, folder: Path) -> None:
    """Unpack as Lambda does, with the modes of the files."""
    with ZipFile(archive) as zip_file:
        for info in zip_file.infolist():
            file = Path(zip_file.extract(info, folder))
            if mode := info.external_attr >> 16 & 0o777:
                file.chmod(mode)
