"""Pack: a function to its zip; the same input gives the same bytes on any machine."""

import hashlib
import marshal
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path, PurePosixPath

from routelet_bundler.cache import Cache, digest
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Distribution, Function, Limits, Target, Zip
from routelet_bundler.pack.archive import COMPRESSOR, Member, archive, folder, member
from routelet_bundler.pack.bytecode import can_compile, compiled


def lacks_bytecode(target: Target) -> bool:
    """Tell whether bytecode is wanted and this machine has no Python to make it."""
    return target.bytecode and not can_compile(target.python)


class Packer:
    """Packs the functions of one build; what two of them share is compressed once."""

    def __init__(self, target: Target, cache: Cache) -> None:
        self._target = target
        self._cache = cache
        self._bytecode = target.bytecode and can_compile(target.python)
        self._kept: dict[str, tuple[Member, ...]] = {}
        self._keys: dict[tuple[str, Path], str] = {}
        """Keys of local files, by their path in a zip and on disk."""

    def prepare(self, functions: Sequence[Function], executor: Executor) -> None:
        """Compile and compress what these functions hold: each file and distribution once."""
        distributions = {
            one.key: one for function in functions for one, _ in function.traced.distributions
        }
        waiting = [executor.submit(self._distribution, one) for one in distributions.values()]
        self._prepare_files(functions)
        for future in waiting:
            future.result()

    def _prepare_files(self, functions: Sequence[Function]) -> None:
        """Compile all local files and entries in one go, and compress them."""
        with tempfile.TemporaryDirectory() as folder:
            files = {(one.archive, one.source) for each in functions for one in each.traced.files}
            for number, function in enumerate(functions):
                source = Path(folder, f"{number}.py")
                source.write_text(function.entry_text, encoding="utf-8")
                files.add((function.entry, source))
            contents = {source: source.read_bytes() for _, source in files}
            self._keys |= {file: self._file_key(file[0], contents[file[1]]) for file in files}
            missing = [file for file in sorted(files) if not self._has(self._keys[file])]
            pycs = self._compiled(missing)
            for name, path in missing:
                pyc = dict([pycs[name, path]]) if (name, path) in pycs else {}
                self._keep(self._keys[name, path], {name: contents[path], **pyc})

    def pack(self, function: Function, path: Path, limits: Limits) -> Zip:
        """Write the zip of a function to `path`.

        Raises `RouteletError` where it would be larger than the host takes.
        """
        parts: dict[str, tuple[Member, ...]] = {}
        for file in function.traced.files:
            parts[file.archive] = self._kept[self._keys[file.archive, file.source]]
        entry = self._file_key(function.entry, function.entry_text.encode())
        parts[function.entry] = self._kept[entry]
        for distribution, _ in function.traced.distributions:
            parts[distribution.name] = self._distribution(distribution)
        # What two distributions own, such as the __init__.py of their namespace, is packed once.
        once = {(one.name, one.crc): one for part in parts.values() for one in part}
        members = list(once.values())
        data = archive([*members, *_folders(members)])
        packed = Zip(
            path=path,
            sha256=hashlib.sha256(data).hexdigest(),
            zipped_bytes=len(data),
            unzipped_bytes=sum(one.size for one in members),
            files=len(members),
            distribution_bytes={
                distribution.name: sum(one.size for one in parts[distribution.name])
                for distribution, _ in function.traced.distributions
            },
        )
        _check_limits(function, packed, limits, parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return packed

    def _distribution(self, distribution: Distribution) -> tuple[Member, ...]:
        key = digest("distribution", distribution.key, *self._how())
        if not self._has(key):
            contents = {name: path.read_bytes() for name, path in distribution.files}
            pycs = self._compiled(distribution.files)
            self._keep(key, {**contents, **dict(pycs.values())})
        return self._kept[key]

    def _compiled(
        self, files: Sequence[tuple[str, Path]]
    ) -> Mapping[tuple[str, Path], tuple[str, bytes]]:
        if not self._bytecode:
            return {}
        return compiled(files, self._target.python, self._target.folder)

    def _how(self) -> tuple[str, ...]:
        python = self._target.python if self._bytecode else ""
        return (COMPRESSOR, python, self._target.folder)

    def _file_key(self, name: str, content: bytes) -> str:
        return digest("file", name, content, *self._how())

    def _has(self, key: str) -> bool:
        if key not in self._kept:
            stored = self._cache.read("members", key)
            if stored is None:
                return False
            self._kept[key] = tuple(
                Member(name=name, method=method, crc=crc, size=size, data=data)
                for name, method, crc, size, data in marshal.loads(stored)  # noqa: S302 - our own
            )
        return True

    def _keep(self, key: str, contents: Mapping[str, bytes]) -> None:
        members = tuple(member(name, content) for name, content in sorted(contents.items()))
        self._kept[key] = members
        plain = [(one.name, one.method, one.crc, one.size, one.data) for one in members]
        self._cache.write("members", key, marshal.dumps(plain))


def _folders(members: Sequence[Member]) -> list[Member]:
    """Return an entry for each folder of modules that has no `__init__.py`.

    A zip that is imported from as it is needs them: before Python 3.13 its importer knows no
    namespace package without one.
    """
    names = {one.name for one in members}
    folders = {
        str(parent)
        for name in names
        if name.endswith(".py")
        for parent in PurePosixPath(name).parents
    }
    return [
        folder(name)
        for name in sorted(folders)
        if name != "." and f"{name}/__init__.py" not in names
    ]


def _check_limits(
    function: Function, packed: Zip, limits: Limits, parts: Mapping[str, tuple[Member, ...]]
) -> None:
    """Raise where a zip is over a limit, naming its ten largest parts."""
    over = [
        f"{size:,} bytes {what}, the limit is {limit:,}"
        for what, size, limit in (
            ("zipped", packed.zipped_bytes, limits.zipped_bytes),
            ("unzipped", packed.unzipped_bytes, limits.unzipped_bytes),
        )
        if limit is not None and size > limit
    ]
    if not over:
        return
    sizes = {name: sum(one.size for one in members) for name, members in parts.items()}
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:10]
    reasons = {one.name: str(reason) for one, reason in function.traced.distributions}
    listed = "".join(
        f"\n  {size:>12,}  {name}  ({reasons.get(name, 'local')})" for name, size in largest
    )
    raise RouteletError(
        f"the function {function.name} is too large: {'; '.join(over)} ({limits.source})",
        where=", ".join(page.route.component or "" for page in function.pages),
        mend=f"cut one of its largest parts:{listed}",
    )
