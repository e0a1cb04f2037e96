"""What a third-party source imports, found by its tokens: several times faster than by its tree.

It may find an import that the source does not have, but does not miss one that it has; tests hold
it against `ast`. Local code is parsed instead.
"""

import ast
import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from routelet_bundler.conditions import truth_of

Strength = Literal["hard", "function", "guarded", "string"]
"""How sure an import is to run: with its module, when a function is called, where a module that is
missing is expected, or only if a literal is used as the name of a module."""

_GAP = r"(?:[ \t]|\\\n)"
_REST = r"[^\n#;\\]*(?:\\\n[^\n#;\\]*)*"
_TOKEN = re.compile(
    # One of few characters first, so that most of a text is passed over at once.
    r"[\n;:#\"'](?:(?<=\#)[^\n]*"
    r"|(?<=[\n;:])[ \t\f]*(?:lazy +)?(?P<statement>"
    rf"from{_GAP}*(?P<base>[\w.][\w. \t]*?){_GAP}*\bimport\b{_GAP}*"
    rf"(?P<names>\((?:[^()#]|#[^\n]*)*\)|{_REST})"
    rf"|import{_GAP}+(?P<modules>{_REST}))"
    r"|(?<=\")(?P<word>\.{0,2}[A-Za-z_][\w.:]*)\""
    r"|(?<=')(?P<single>\.{0,2}[A-Za-z_][\w.:]*)'"
    r"|(?<=\")(?P<block>\"\"[^\"\\]*(?:(?:\\.|\"(?!\"\"))[^\"\\]*)*\"\"\")"
    r"|(?<=')(?P<blocks>''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*''')"
    r"|(?<=\")[^\"\\\n]*(?:\\.[^\"\\\n]*)*\""
    r"|(?<=')[^'\\\n]*(?:\\.[^'\\\n]*)*')",
    re.DOTALL,
)
_CALL = re.compile(
    r"import\w*\(\s*[fFrRuU]?(?P<argument>\"[^\"\\\n]+\"|'[^'\\\n]+')(?P<more>\s*(?:[%+]|\.format\b))?"
)
_NAME_LIKE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_DYNAMIC = re.compile(
    r"\b(?:import_module|__import__|import_string|attach|attach_stub)\s*\((?!\s*[fFrRuU]?[\"'])"
)
_HEADER = re.compile(
    r"(?:async +)?(def|class|if|elif|else|try|except|finally|with|for|while)\b(.*)"
)
_IMPORT_ERROR = re.compile(r"\b(?:ImportError|ModuleNotFoundError|Exception|BaseException)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An import: `module` as it is written, relative where `level` is not 0.

    `names` are those of a `from` import. With `is_prefix` the module is only known to begin so.
    """

    module: str
    strength: Strength
    names: tuple[str, ...] = ()
    level: int = 0
    is_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexed:
    """What one source imports."""

    imports: tuple[Found, ...]
    strings: frozenset[str]
    """Literals that could name a module: `p.m.Class`, `p.m:Class`, `.m` or a single word."""
    is_dynamic: bool
    """Whether it imports what is only known when it runs."""


def lexed(text: str, python: str) -> Lexed:
    """Return what a source imports that runs under Python `python`, such as `3.12`."""
    text = f"\n{text}"
    blocks = _Blocks(text, python)
    imports = list(_dynamic(text))
    strings = set()
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case None:
                continue
            case "word" | "single" as kind:
                strings.add(token[kind])
            case "statement":
                strength = blocks.strength_at(token.start("statement"))
                if strength is not None:
                    imports += _imports_in(token, strength)
            case _:
                blocks.skipped.append(token.span())
    return Lexed(
        imports=tuple(imports),
        strings=frozenset(strings),
        is_dynamic=_DYNAMIC.search(text) is not None,
    )


def _imports_in(token: re.Match[str], strength: Strength) -> Iterator[Found]:
    if token["modules"] is not None:
        for name in _listed(token["modules"]):
            yield Found(module=name, strength=strength)
        return
    base = re.sub(r"\s", "", token["base"])
    module = base.lstrip(".")
    names = tuple(_listed(token["names"]))
    yield Found(module=module, names=names, level=len(base) - len(module), strength=strength)


def _listed(text: str) -> Iterator[str]:
    """Yield the names of a list of imports, without what they are imported as."""
    for part in re.sub(r"#[^\n]*|\\\n|[()]", " ", text).split(","):
        if words := part.split():
            yield words[0]


def _dynamic(text: str) -> Iterator[Found]:
    """Yield imports of a literal that is the first argument of what imports.

    Or may import, by its name: `import_optional_dependency("pyarrow")`.
    """
    for call in _CALL.finditer(text):
        content = call["argument"][1:-1]
        if call[0].startswith(("import_module(", "import__(")):
            name = re.split(r"[{%]", content, maxsplit=1)[0]
            is_prefix = name != content or call["more"] is not None
            module = name.lstrip(".")
            if module:
                level = len(name) - len(module)
                yield Found(module=module, level=level, strength="string", is_prefix=is_prefix)
        elif _NAME_LIKE.fullmatch(content):
            yield Found(module=content, strength="string")


class _Blocks:
    """The blocks of a source, looked at from an import inside of them."""

    def __init__(self, text: str, python: str) -> None:
        self.skipped: list[tuple[int, int]] = []
        """Where literals of several lines are, in order."""
        self._text = text
        self._python = python

    def strength_at(self, position: int) -> Strength | None:
        """Return the strength of an import; None for one that the target does not run."""
        start = self._text.rfind("\n", 0, position) + 1
        before = self._text[start:position]
        width = len(before) - len(before.lstrip())
        strengths = [self._strength_in(*header) for header in self._headers_above(start, width)]
        if before.strip():  # `try: import x`
            strengths.append(self._strength_in(start, width, before.lstrip()))
        if None in strengths:
            return None
        known = [one for one in strengths if one is not None]
        return max(known, key=get_args(Strength).index, default="hard")

    def _headers_above(self, start: int, width: int) -> Iterator[tuple[int, int, str]]:
        """Yield position, indent and first line of the blocks around a line, from the inner one."""
        for at, indent, code in self._lines_above(start):
            if indent < width and _HEADER.match(code):
                width = indent
                yield at, indent, code
            if not width:
                return

    def _lines_above(self, start: int) -> Iterator[tuple[int, int, str]]:
        """Yield position, indent and code of the lines above, the nearest first."""
        while start > 0:
            end = start - 1
            start = self._text.rfind("\n", 0, end) + 1
            code = self._text[start:end].lstrip()
            if code and not self._is_skipped(start):
                yield start, end - start - len(code), code

    def _is_skipped(self, position: int) -> bool:
        number = bisect(self.skipped, (position, 0)) - 1
        return number >= 0 and position < self.skipped[number][1]

    def _strength_in(self, at: int, indent: int, code: str) -> Strength | None:
        header = _HEADER.match(code)
        kind, rest = header.groups() if header else ("", "")
        if kind in {"if", "elif"} and _truth(rest, self._python) is False:
            return None
        if kind in {"elif", "else"} and self._is_settled_above(at, indent):
            return None
        if kind == "def":
            return "function"
        is_guard = (kind == "try" and self._expects_import_errors(at, indent)) or (
            kind == "with" and "suppress" in rest and _IMPORT_ERROR.search(rest)
        )
        return "guarded" if is_guard else "hard"

    def _expects_import_errors(self, at: int, indent: int) -> bool:
        """Tell whether a handler of the `try` at this position catches that a module is missing."""
        margin = self._text[at : at + indent]
        after = re.compile(rf"^{margin}(\w+)(.*)", re.MULTILINE)
        for line in after.finditer(self._text, self._text.find("\n", at) + 1):
            if line[1] == "except":
                caught = line[2].partition(" as ")[0].split("#")[0].strip(" :*")
                if not caught or _IMPORT_ERROR.search(caught):
                    return True
            elif line[1] not in {"else", "finally"} and not self._is_skipped(line.start()):
                break
        return False

    def _is_settled_above(self, at: int, indent: int) -> bool:
        """Tell whether a condition above an `else` is always true on the target."""
        for _, width, code in self._lines_above(at):
            if width > indent or code[0] in ")]}#":
                continue
            header = _HEADER.match(code)
            if width < indent or header is None or header[1] not in {"if", "elif"}:
                return False
            if _truth(header[2], self._python):
                return True
            if header[1] == "if":
                return False
        return False


@cache
def _truth(behind: str, python: str) -> bool | None:
    """Return what is known of a condition, given the line behind its `if`."""
    ends = [number for number, character in enumerate(behind) if character == ":"]
    for end in reversed(ends):
        try:
            return truth_of(ast.parse(behind[:end].strip(), mode="eval").body, python)
        except SyntaxError:
            continue
    return None
