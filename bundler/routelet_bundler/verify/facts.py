"""What a source says that it needs when it runs: modules, templates and files, by its lines."""

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from routelet_bundler.conditions import truth_of
from routelet_bundler.verify.lines import Block, Line, blocks_of, statements

_IMPORT = re.compile(r"(?:lazy\s+)?import\s+(.+)")
_FROM = re.compile(r"(?:lazy\s+)?from\s*([.\s]*)([\w.]*)\s*\bimport\b\s*\(?([^)]*)\)?")
_SET = re.compile(r"(\w+)\s*(?::[^=]+)?=\s*([^=].*)")
_SETS = re.compile(r"\w+\s*(?::[^=]+)?=\s*")
_JUMP = re.compile(r"(?:return|raise|continue|break)\b")
_GUARD = re.compile(r"\b(?:ImportError|ModuleNotFoundError|Exception|BaseException)\b")
_LOADS = re.compile(r"(?<![\w.])(?:importlib\.import_module|import_module|__import__)\(")
_LITERAL = re.compile(r"""\s*(["'])([\w.]+)\1\s*(?:,\s*(\w+|["'][\w.]*["'])\s*)?\)""")
_PREFIX = re.compile(r"""\s*[fF](["'])([\w.]+)\{([^{}]*)\}\1\s*\)""")
_NAMES_A_MODULE = re.compile(r"""(["'])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?::[\w.]+)?\1""", re.ASCII)
_RENDERS = re.compile(r"""\bctx\.render\(\s*(["'])([^"'\\]+)\1""")
_PRAGMA = re.compile(r"#\s*routelet:\s*skip-verify\b")

_HAS_VALUES = re.compile(r"import_module|__import__|ctx\.render|__file__|get_data|files\(|open\(")
_HAS_NAMES = re.compile(r"TYPE_CHECKING|version|platform|implementation|\bos\b|__file__")


@dataclass(frozen=True, slots=True)
class Need:
    """A module that is imported, with names from it; relative where `level` is not 0."""

    line: int
    module: str
    names: tuple[str, ...] = ()
    level: int = 0
    guarded: bool = False
    kind: Literal["import", "prefix", "string"] = "import"
    """A `prefix` is of all modules that begin so; a `string` may name something in a module."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one source needs."""

    needs: tuple[Need, ...]
    templates: tuple[tuple[str, int], ...]
    files: tuple[tuple[str, int], ...]
    """Paths relative to the source's folder, each with its line; from the zip's root with `/`.

    A `/` at the end is for all of a folder.
    """
    is_skipped: bool
    """Whether a comment says that it is not to be imported by itself."""


def facts_of(text: str, python: str) -> Facts:
    """Return what a source needs under Python `python`, such as `3.12`."""
    reader = _Reader(text, python)
    return Facts(
        needs=tuple(reader.needs),
        templates=tuple(reader.templates),
        files=tuple(reader.files),
        is_skipped=bool(_PRAGMA.search(text)),
    )


class _Reader:
    def __init__(self, text: str, python: str) -> None:
        self.needs: list[Need] = []
        self.templates: list[tuple[str, int]] = []
        self.files: list[tuple[str, int]] = []
        self._python = python
        self._text = text
        self._bound: dict[str, set[str]] = {}
        self._folders: dict[str, int] = {}
        """Names that stand for the source's own folder, or so many above it."""
        self._guards = 0
        self._has_values = _HAS_VALUES.search(text) is not None
        blocks = blocks_of(text)
        if _HAS_NAMES.search(text):
            for block in blocks:
                self._note_names(block)
        self._read(blocks)

    def _note_names(self, block: Block) -> None:
        for line in statements(block.line):
            for name, meaning in _meanings(line):
                self._bound.setdefault(name, set()).add(meaning)
            if (found := _SET.fullmatch(line.text)) and (above := folder_of(found[2])) is not None:
                self._folders[found[1]] = above
        for inner in block.body:
            self._note_names(inner)

    def _read(self, blocks: Sequence[Block]) -> bool:
        """Read statements; return whether the last of them that is reached jumps away."""
        at = 0
        while at < len(blocks):
            block, after = blocks[at], at + 1
            if block.kind == "if":
                while after < len(blocks) and blocks[after].kind in {"elif", "else"}:
                    after += 1
                if self._branches(blocks[at:after]):
                    return True
            elif self._other(block, blocks[after:]):
                return True
            at = after
        return False

    def _branches(self, clauses: Sequence[Block]) -> bool:
        """Read the clauses that may be taken; return whether all of these jump away."""
        ended = True
        for clause in clauses:
            truth = True if clause.kind == "else" else self._truth(clause)
            self._values(clause.line)
            if truth is not False:
                ended = self._read(clause.body) and ended
            if truth:
                return ended
        return False

    def _other(self, block: Block, following: Sequence[Block]) -> bool:
        if not block.kind:
            return any(self._simple(line) for line in statements(block.line))
        self._values(block.line)
        if block.kind == "while" and self._truth(block) is False:
            return False
        guards = block.kind == "try" and _is_guarded(following)
        guards |= block.kind == "with" and "suppress(" in block.line.text and _names_a_guard(block)
        self._guards += guards
        self._read(block.body)
        self._guards -= guards
        return False

    def _truth(self, block: Block) -> bool | None:
        with suppress(SyntaxError, ValueError):
            test = ast.parse(block.line.text.removeprefix(block.kind).strip(), mode="eval").body
            return truth_of(test, self._python, self._lookup)
        return None

    def _lookup(self, name: str) -> str | ast.expr | None:
        meanings = self._bound.get(name, ())
        if len(meanings) != 1:
            return None
        [meaning] = meanings
        if not meaning.startswith("="):
            return meaning
        with suppress(SyntaxError, ValueError):
            return ast.parse(meaning[1:], mode="eval").body
        return None

    def _simple(self, line: Line) -> bool:
        """Read a simple statement; return whether it jumps away."""
        guarded = self._guards > 0
        if found := _FROM.match(line.masked):
            names = tuple(one.split()[0] for one in found[3].split(",") if one.strip())
            dots = re.sub(r"\s", "", found[1])
            level = len(dots) or 0
            self.needs.append(Need(line.number, found[2], names, level, guarded))
        elif found := _IMPORT.match(line.masked):
            for one in found[1].split(","):
                self.needs.append(Need(line.number, one.split()[0], (), 0, guarded))
        else:
            self._values(line)
        return _JUMP.match(line.masked) is not None

    def _values(self, line: Line) -> None:
        """Note the literals that expressions of a line name modules, templates and files by."""
        if '"' not in line.masked:
            return
        for found in _NAMES_A_MODULE.finditer(line.text):
            self.needs.append(Need(line.number, found[2], kind="string"))
        if self._has_values:
            self._loads(line)
            for found in _RENDERS.finditer(line.text):
                self.templates.append((found[2], line.number))
            self.files += [(path, line.number) for path in paths_in(line.text, self._folders)]

    def _loads(self, line: Line) -> None:
        for call in _LOADS.finditer(line.masked):
            prefix = _PREFIX.match(line.text, call.end())
            if literal := _LITERAL.match(line.text, call.end()):
                self._loaded(literal[2], literal[3], line.number)
            elif prefix and not _is_set(prefix[3], self._text):  # or it may be known what it is
                self.needs.append(Need(line.number, prefix[2], kind="prefix"))

    def _loaded(self, name: str, package: str | None, line: int) -> None:
        level = len(name) - len(name.lstrip("."))
        if not level or package in {"__package__", "__name__"}:
            self.needs.append(Need(line, name[level:], (), level, self._guards > 0))


def _is_set(name: str, text: str) -> bool:
    """Tell whether a name is set or looped over anywhere, and not only a parameter."""
    looped = rf"\bfor\b[^:\n]*\b{name}\b[^:\n]*\bin\b"
    return name.isidentifier() and re.search(rf"{looped}|\b{name}\s*:?=(?!=)", text) is not None


def _meanings(line: Line) -> Iterator[tuple[str, str]]:
    """Yield names that a statement binds, with what they mean; `=` before an expression."""
    if (found := _FROM.match(line.masked)) and not found[1].strip():
        for one in found[3].split(","):
            words = one.split()
            if words:
                yield words[-1], f"{found[2]}.{words[0]}"
    elif found := _IMPORT.match(line.masked):
        for one in found[1].split(","):
            words = one.split()
            yield words[-1], words[0] if len(words) > 1 else words[0].partition(".")[0]
    elif found := _SET.fullmatch(line.text):
        yield found[1], f"={found[2]}"


def _is_guarded(following: Sequence[Block]) -> bool:
    for block in following:
        if block.kind != "except":
            return False
        if _names_a_guard(block) or not block.line.masked.removeprefix("except").strip(" *"):
            return True
    return False


def _names_a_guard(block: Block) -> bool:
    return _GUARD.search(block.line.masked) is not None


_STRING = r"""(?:"[^"'\\{}*?]+"|'[^"'\\{}*?]+')"""
_PATH_FOLDER = re.compile(
    r"(?:pathlib\.)?Path\(__file__\)(?:\.resolve\(\)|\.absolute\(\))*"
    r"((?:\.parent)+|\.parents\[\d\])(?:\.resolve\(\))?"
)
_OS_FOLDER = re.compile(
    r"((?:os\.path\.)?dirname\()+(?:os\.path\.(?:abspath|realpath)\()?__file__\)+"
)
_AFTER = re.compile(
    rf"(?:(?:\s*/\s*{_STRING})+|\.joinpath\(\s*{_STRING}(?:\s*,\s*{_STRING})*\s*\))"
    r"(?!\s*/|[\s)]*\.(?:joinpath|r?glob|with_|parent))"  # then it goes on
)
_JOIN = re.compile(
    rf"\b(?:os\.path\.)?join\(\s*(\w+|(?:os\.path\.)?dirname\(.*?__file__\)+)\s*,"
    rf"\s*({_STRING}(?:\s*,\s*{_STRING})*)\s*\)"
)
_BESIDE = re.compile(rf"Path\(__file__\)(?:\.resolve\(\))?\.with_name\(\s*({_STRING})\s*\)")
_OPEN = re.compile(rf"(?<![\w.])open\(\s*({_STRING})\s*(?:\)|,\s*[\"']rb?[\"']|,\s*encoding)")
_NAMED = re.compile(r"(?<![\w.])(\w+)(?=\s*/\s*[\"']|\.joinpath\()")
_GET_DATA = re.compile(rf"get_data\(\s*(__name__|__package__|{_STRING})\s*,\s*({_STRING})\s*\)")
_FILES = re.compile(rf"\bfiles\(\s*(__name__|__package__|{_STRING})\s*\)")


def folder_of(text: str) -> int | None:
    """Return how far above the source's own folder an expression is; None where it is none."""
    if found := _PATH_FOLDER.fullmatch(text.strip()):
        steps = found[1]
        return int(steps[-2]) if steps.endswith("]") else steps.count(".parent") - 1
    if _OS_FOLDER.fullmatch(text.strip()):
        return text.count("dirname(") - 1
    return None


def paths_in(text: str, folders: dict[str, int]) -> Iterator[str]:
    """Yield the paths that literals of a line give, joined to the source's own folder."""
    yield from (found[1][1:-1] for found in _BESIDE.finditer(text))
    yield from (f"/{found[1][1:-1]}" for found in _OPEN.finditer(text) if found[1][1] != "/")
    yield from (_in_package(one[1]) + one[2][1:-1] for one in _GET_DATA.finditer(text))
    for found in _JOIN.finditer(text):
        above = folders.get(found[1]) if found[1].isidentifier() else folder_of(found[1])
        if above is not None:
            yield "../" * above + _joined(found[2])
    for begin, end, prefix in _starts(text, folders):
        if after := _AFTER.match(text, end):
            whole = "/" if _is_all_of_it(text[:begin], text[after.end() :]) else ""
            yield prefix + _joined(after[0]) + whole


def _is_all_of_it(before: str, after: str) -> bool:
    """Tell whether a path is set or loaded from as it is, so that a folder is wanted as a whole."""
    if before.rstrip().endswith("FileSystemLoader("):
        return after.lstrip().startswith((")", ","))
    return not after.strip() and _SETS.fullmatch(before) is not None


def _starts(text: str, folders: dict[str, int]) -> Iterator[tuple[int, int, str]]:
    """Yield where a folder is named, from and to, and the folder."""
    for found in _PATH_FOLDER.finditer(text):
        yield *found.span(), "../" * (folder_of(found[0]) or 0)
    for found in _FILES.finditer(text):
        yield *found.span(), _in_package(found[1])
    for found in _NAMED.finditer(text) if folders else ():
        if found[1] in folders:
            yield *found.span(), "../" * folders[found[1]]


def _joined(text: str) -> str:
    return "/".join(part[1:-1].strip("/") for part in re.findall(_STRING, text))


def _in_package(name: str) -> str:
    return "" if name.startswith("__") else f"/{name[1:-1].replace('.', '/')}/"
