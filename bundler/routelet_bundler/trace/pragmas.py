"""Comments that settle what cannot be analysed: `# routelet: include lib.plugins.*`."""

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from routelet_bundler.errors import RouteletError, did_you_mean

_PRAGMA = re.compile(r"#\s*routelet:\s*(\S*)\s*(.*)")
_WORDS = ("include", "ignore", "skip-verify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pragma:
    """`include` names modules, files or distributions; `ignore` says that nothing is needed.

    `skip-verify` is for the whole module: it is not imported by itself when a zip is verified.
    """

    kind: Literal["include", "ignore", "skip-verify"]
    patterns: tuple[str, ...]
    line: int


def pragmas_of(text: str, where: str) -> tuple[Pragma, ...]:
    """Return the pragmas of a source; raises `RouteletError` for one that says nothing."""
    if "routelet:" not in text:
        return ()
    return tuple(_pragma(comment, f"{where}:{line}", line) for comment, line in _comments(text))


def _comments(text: str) -> Iterator[tuple[str, int]]:
    """Yield the comments that are for us, each with its line."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and _PRAGMA.match(token.string):
                yield token.string, token.start[0]
    except (tokenize.TokenError, SyntaxError):
        return


def _pragma(comment: str, where: str, line: int) -> Pragma:
    word, rest = cast("re.Match[str]", _PRAGMA.match(comment)).groups()
    patterns = tuple(one for one in re.split(r"[,\s]+", rest) if one)
    if word not in _WORDS:
        raise RouteletError(
            f"the comment says routelet: {word}, which means nothing",
            where=where,
            mend=did_you_mean(word, _WORDS) or f"say one of {', '.join(_WORDS)}",
        )
    if word == "include" and not patterns:
        raise RouteletError(
            "the comment includes nothing",
            where=where,
            mend="name modules (lib.plugins.*), files (data/*.json) or distributions",
        )
    kind = cast("Literal['include', 'ignore', 'skip-verify']", word)
    return Pragma(kind=kind, patterns=patterns if kind == "include" else (), line=line)
