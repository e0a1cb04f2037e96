"""Code as recipes read it: calls, and the literals that they are given."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import RUNTIME_FILES, Distribution
from routelet_bundler.sources import parse_python, read_source
from routelet_bundler.trace.ground import Ground
from routelet_bundler.trace.syntax import parse

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What stays of a distribution: the groups of files that it `keeps`, all where that is None.

    `group_of` says of a path in a zip which group it is in; one of none stays.
    """

    group_of: Callable[[str], str | None]
    keeps: frozenset[str] | None = None
    warnings: tuple[str, ...] = ()
    errors: tuple[RouteletError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What sources name, and the expressions that only a run tells."""

    named: frozenset[str] = frozenset()
    unknown: tuple[tuple[str, str], ...] = ()
    """Where each stands, and its text; where is a line as long as one source is read."""


Read = Callable[[ast.Module], Facts]
"""Reads one source."""


class Code:
    """The code of one function: its own files, and the distributions that come along."""

    def __init__(
        self,
        ground: Ground,
        local: tuple[str, ...],
        packed: tuple[Distribution, ...],
        known: dict[tuple[str, str], object],
    ) -> None:
        self.packed = packed
        self._ground = ground
        self._local = local
        self._known = known
        """What was read of a file or a distribution before, by the kind of reading."""

    def local(self, mentions: re.Pattern[bytes], read: Read) -> Facts:
        """Return what the function's own sources say, of those that `mentions` is found in."""
        own = (one for one in self._local if one.endswith(".py") and not _is_runtime(one))
        return _joined([self._local_facts(archive, mentions, read) for archive in own])

    def _local_facts(self, archive: str, mentions: re.Pattern[bytes], read: Read) -> Facts:
        def facts() -> Facts:
            path, label = self._ground.sources.files[archive], self._ground.label(archive)
            if not mentions.search(path.read_bytes()):
                return Facts()
            found = read(parse(read_source(path, label), label, self._ground.target.python))
            told = ((f"{label}:{line}", text) for line, text in found.unknown)
            return Facts(named=found.named, unknown=tuple(told))

        return self._once(f"local {read.__module__}", archive, facts)

    def foreign(self, distribution: Distribution, mentions: re.Pattern[bytes], read: Read) -> Facts:
        """Return what the sources of a distribution say; one that does not parse is unknown."""

        def facts() -> Facts:
            sources = (data for data in _sources(distribution) if mentions.search(data))
            return _joined([_foreign(data, read) for data in sources])

        return self._once(f"foreign {read.__module__}", distribution.key, facts)

    def mentions(self, distribution: Distribution, name: re.Pattern[bytes]) -> bool:
        """Tell whether a source of a distribution has `name`."""

        def found() -> bool:
            return any(name.search(data) for data in _sources(distribution))

        return self._once(f"mentions {name.pattern!r}", distribution.key, found)

    def words(self, distribution: Distribution) -> frozenset[str]:
        """Return the string literals of a distribution that could name a service."""

        def words() -> frozenset[str]:
            found = (word for data in _sources(distribution) for word in _WORD.findall(data))
            return frozenset(word.decode() for word in found)

        return self._once("words", distribution.key, words)

    def _once(self, kind: str, key: str, read: Callable[[], T]) -> T:
        if (kind, key) not in self._known:
            self._known[kind, key] = read()
        return cast("T", self._known[kind, key])


_WORD = re.compile(rb"""["']([a-z0-9][a-z0-9.-]*)["']""")


def _sources(distribution: Distribution) -> Iterator[bytes]:
    for archive, path in distribution.files:
        if archive.endswith(".py"):
            yield path.read_bytes()


def _is_runtime(archive: str) -> bool:
    return archive.startswith(RUNTIME_FILES)


def _joined(every: Sequence[Facts]) -> Facts:
    return Facts(
        named=frozenset(name for facts in every for name in facts.named),
        unknown=tuple(one for facts in every for one in facts.unknown),
    )


def _foreign(data: bytes, read: Read) -> Facts:
    try:
        return read(parse_python(data.decode(), ""))
    except (RouteletError, UnicodeDecodeError):
        return Facts(unknown=(("", "a source that does not parse"),))


def constants(tree: ast.Module) -> Mapping[str, ast.expr]:
    """Return what the names of a module are set to, of those that are bound once in any way."""
    values: dict[str, ast.expr] = {}
    bound: Counter[str] = Counter()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = value
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                bound[name] += 1
    return {name: value for name, value in values.items() if bound[name] == 1}


def literal(node: ast.expr | None, names: Mapping[str, ast.expr]) -> str | None:
    """Return the text that an expression is: of a literal, or of a name that is set to one."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name) if isinstance(value := names.get(name), ast.Constant):
            return value.value if isinstance(value.value, str) else None
    return None


def last_name(node: ast.expr) -> str:
    """Return `c` of `a.b.c`, `b().c` or `c`; nothing for other expressions."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def strings_in(node: ast.AST) -> Iterator[str]:
    """Yield all string literals of a part of a tree."""
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def imports(tree: ast.Module, packages: frozenset[str]) -> bool:
    """Tell whether a module imports one of `packages`, by their top-level names."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                if any(alias.name.partition(".")[0] in packages for alias in aliases):
                    return True
            case ast.ImportFrom(module=str() as module, level=0):
                if module.partition(".")[0] in packages:
                    return True
    return False
