"""`dist/functions/` and entry modules: what changed is written, packed and verified.

Where the last build is still as it was left, only that: staging lays it over the files of that
build.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from routelet_bundler import pack
from routelet_bundler.client import is_seen
from routelet_bundler.model import (
    Adapter,
    BuiltFunction,
    Distribution,
    Function,
    Limits,
    PartSize,
    Target,
    Zip,
)
from routelet_bundler.pack.limits import excesses
from routelet_bundler.staging import write_texts
from routelet_bundler.trace.install import provided_packages
from routelet_bundler.verify import Check, runs_here, verify
from routelet_bundler.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """What packs the functions of a build, and what is kept of the last one."""

    packers: Mapping[Target, pack.Packer]
    earlier: pack.Kept | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """The functions of a build: all of them, and those that are not as in `earlier`.

    Of those whose zip the host refuses by now each is `new`: it is told when it is packed.
    """

    functions: tuple[Function, ...]
    keys: Mapping[str, str]
    """What each zip is packed from, as a digest, by the name of the function."""
    earlier: pack.Kept | None
    new: tuple[Function, ...]
    packers: Mapping[Target, pack.Packer]

    @property
    def sizes(self) -> Mapping[str, PartSize]:
        """What parts add to a zip, by their keys, as far as this or an earlier build asked."""
        asked = {
            key: one for each in self.packers.values() for key, one in each.asked_sizes.items()
        }
        return asked or (self.earlier.sizes if self.earlier else {})

    @property
    def removed(self) -> Mapping[str, tuple[str, ...]]:
        """Files of the last build that are no more, by the folder that they are below."""
        if self.earlier is None:
            return {}
        zips = {f"functions/{one.name}.zip" for one in self.functions}
        now = zips | {one.entry_on_disk for one in self.functions}
        gone = [path.partition("/") for path in self.earlier.files if path not in now]
        return {
            folder: tuple(name for top, _, name in gone if top == folder)
            for folder in {path.partition("/")[0] for path in self.earlier.files}
        }


def packing_of(work: Work) -> Packing:
    """Return what packs the functions of a build."""
    earlier = None if is_seen(work) else pack.load(work.cache, work.out_dir)
    sizes = earlier.sizes if earlier else {}
    packers = {
        target: pack.Packer(target, work.cache, work.digests, sizes, work.elsewhere)
        for target in work.environments
    }
    return Packing(packers=packers, earlier=earlier)


def emit_functions(work: Work, functions: tuple[Function, ...], packing: Packing) -> Emitted:
    """Write entry modules: of what changed where an earlier build is there to lay them over."""
    packers, earlier = packing.packers, packing.earlier
    keys = {one.name: packers[one.target].key(one) for one in functions}
    kept = earlier.zips if earlier else {}
    adapter = work.configured.adapter

    def is_kept(one: Function) -> bool:
        before = kept.get(one.name)
        if adapter is None or before is None or before.key != keys[one.name]:
            return False
        return not excesses(before.zip, _limits(one, adapter))

    new = tuple(one for one in functions if not is_kept(one))
    outside = (one for one in functions if one.entry_on_disk.partition("/")[0] not in pack.FOLDERS)
    write_texts(work.folder, {one.entry_on_disk: one.entry_text for one in (*new, *outside)})
    return Emitted(functions=functions, keys=keys, earlier=earlier, new=new, packers=packers)


def pack_functions(work: Work, emitted: Emitted) -> tuple[BuiltFunction, ...]:
    """Write the zips of what changed, and verify them.

    Raises `RouteletError` for a function that is too large or does not start.
    """
    adapter = work.configured.adapter
    if adapter is None or not emitted.functions:
        return ()
    kept = emitted.earlier.zips if emitted.earlier else {}
    there = work.out_dir / "functions"
    zips = {name: replace(one.zip, path=there / f"{name}.zip") for name, one in kept.items()}
    zips |= _packed(work, emitted, adapter)
    passed = {one.verdict for one in kept.values()}
    return _verified(work, emitted.functions, zips, adapter, passed)


def _packed(work: Work, emitted: Emitted, adapter: Adapter) -> Mapping[str, Zip]:
    new, packers = emitted.new, emitted.packers
    work.report("pack", 0, len(new))

    def packed(function: Function) -> Zip:
        path = work.folder / "functions" / f"{function.name}.zip"
        return packers[function.target].pack(function, path, _limits(function, adapter))

    with ThreadPoolExecutor(work.jobs) as executor:
        for target, packer in packers.items():
            own = [one for one in new if one.target == target]
            packer.prepare(own, work.folder, executor)
        return {one.name: made for one, made in zip(new, executor.map(packed, new), strict=True)}


def _limits(function: Function, adapter: Adapter) -> Limits:
    host = adapter.middleware_host if function.is_middleware else None
    return host.limits if host else adapter.limits


def _verified(
    work: Work,
    functions: Sequence[Function],
    zips: Mapping[str, Zip],
    adapter: Adapter,
    passed: Collection[str],
) -> tuple[BuiltFunction, ...]:
    def report(done: int, total: int) -> None:
        work.report("verify", done, total)

    report(0, len(functions))
    target = adapter.target
    needs_host = any(function.traced.provided for function in functions)
    provided = provided_packages(target.provided, target.python, work.cache) if needs_host else None
    checks = [
        Check(
            function=function,
            packed=zips[function.name],
            adapter=adapter.name,
            provided=provided if function.traced.provided else None,
            twins=_twins(work, function),
        )
        for function in functions
    ]
    verdicts = verify(checks, work.cache, work.jobs, report, passed)
    return tuple(
        BuiltFunction(
            function=function,
            zip=zips[function.name],
            verdict=verdict,
            memory_mb=function.config.memory or adapter.memory_mb,
            timeout_s=function.config.timeout or adapter.timeout_s,
        )
        for function, verdict in zip(functions, verdicts, strict=True)
    )


def _twins(work: Work, function: Function) -> tuple[Distribution, ...]:
    """Return this machine's versions of a function's distributions, where it cannot run here."""
    if runs_here(function.target):
        return ()
    ours = work.environments[function.target].host_index.distributions
    names = (one.name for one, _ in function.traced.distributions)
    return tuple(ours[name] for name in names if name in ours)
