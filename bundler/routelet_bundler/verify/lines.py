"""Python sources as logical lines in blocks, found by a lexer: no grammar, of any version.

It is not the parser that traces, so that what one of them misreads the other does not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
    (?P<string>[rRbBuUfFtT]{0,2}(?:
        \"\"\"(?:[^\\]|\\.)*?\"\"\" | '''(?:[^\\]|\\.)*?'''
      | \"(?:[^"\\\n]|\\.)*\" | '(?:[^'\\\n]|\\.)*'
    ))
  | (?P<comment>\#[^\n]*)
  | (?P<joined>\\\n)
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<newline>\n)
    """,
    re.VERBOSE | re.DOTALL,
)
_HEADING = re.compile(
    r"(?:async\s+)?(if|elif|else|while|for|try|except|finally|with|def|class|match|case)\b"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A logical line; in `masked`, which is as long, strings are blank."""

    number: int
    indent: int
    text: str
    masked: str


@dataclass(slots=True)
class Block:
    """A statement, and those below it where it is a compound one."""

    line: Line
    kind: str = ""
    """The word that a compound statement begins with."""
    body: list["Block"] = field(default_factory=list)


def logical_lines(text: str) -> Iterator[Line]:
    """Yield the logical lines of a source, without comments and empty ones."""
    start = position = depth = 0
    number = 1
    pieces: list[tuple[str, str]] = []
    text += "\n"
    for token in _TOKEN.finditer(text):
        kind, at = token.lastgroup, token.start()
        pieces.append((text[position:at],) * 2)
        position = token.end()
        if kind == "string":
            pieces.append((token[0], '"' + " " * (len(token[0]) - 2) + '"'))
        elif kind == "joined" or (kind == "newline" and depth > 0):
            pieces.append((" ", " "))
        elif kind == "newline":
            yield from _line(pieces, number)
            number += text.count("\n", start, position)
            start, pieces = position, []
        elif kind != "comment":
            depth = max(0, depth + (1 if kind == "open" else -1))
            pieces.append((token[0], token[0]))


def _line(pieces: Sequence[tuple[str, str]], number: int) -> Iterator[Line]:
    text = "".join(one for one, _ in pieces)
    if code := text.strip():
        masked = "".join(one for _, one in pieces)
        indent = len(text) - len(text.lstrip())
        yield Line(number, indent, code, masked.strip())


def blocks_of(text: str) -> list[Block]:
    """Return the statements of a source, each with those below it."""
    top: list[Block] = []
    above: list[Block] = []
    for line in logical_lines(text):
        while above and above[-1].line.indent >= line.indent:
            above.pop()
        block, rest = _block(line)
        (above[-1].body if above else top).append(block)
        block.body += [Block(one) for one in rest]
        if block.kind:
            above.append(block)
    return top


def _block(line: Line) -> tuple[Block, list[Line]]:
    """Return a statement, and those that stand behind its colon, or after a semicolon."""
    heading = _HEADING.match(line.masked)
    end = _colon(line.masked) if heading else None
    if heading is None or end is None:
        return Block(line), []
    head = Line(line.number, line.indent, line.text[:end], line.masked[:end])
    behind = line.masked[end + 1 :].strip()
    rest = Line(line.number, line.indent + 1, line.text[end + 1 :].strip(), behind)
    return Block(head, heading[1]), list(statements(rest)) if behind else []


def statements(line: Line) -> Iterator[Line]:
    """Yield the simple statements of a line, which semicolons are between."""
    if ";" not in line.masked:
        if line.masked.strip():
            yield line
        return
    start = 0
    for end in (*(found.start() for found in re.finditer(";", line.masked)), len(line.masked)):
        text, masked = line.text[start:end], line.masked[start:end]
        if masked.strip():
            yield Line(line.number, line.indent, text.strip(), masked.strip())
        start = end + 1


def _colon(masked: str) -> int | None:
    """Return where the colon is that ends a heading: not one in brackets, nor a lambda's."""
    depth = 0
    lambdas = 0
    for found in re.finditer(r"[(\[{]|[)\]}]|\blambda\b|:(?!=)", masked):
        match found[0]:
            case "(" | "[" | "{":
                depth += 1
            case ")" | "]" | "}":
                depth -= 1
            case "lambda":
                lambdas += depth == 0
            case _ if depth == 0 and not lambdas:
                return found.start()
            case _ if depth == 0:
                lambdas -= 1
    return None
