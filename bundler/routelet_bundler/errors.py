"""What a person is told when something is theirs to mend: what, where, and how.

Anything else that escapes is a fault of routelet and keeps its traceback.
"""

import traceback
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

FAILED = 1
"""Exit status of work that did not succeed."""
WRONG_USE = 2
"""Exit status of wrong use or wrong configuration."""


class RouteletError(Exception):
    """A mistake in the site, its configuration or its environment.

    `where` is a file and line, a key or a route as the user would write it; `mend` says what to
    change. `others` holds further mistakes of the same input, so that all are told at once.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        mend: str = "",
        status: int = FAILED,
        others: tuple["RouteletError", ...] = (),
    ) -> None:
        self.what = what
        self.where = where
        self.mend = mend
        self.status = status
        self.others = others
        super().__init__(what)

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.mend:
            parts.append(f"  {self.mend}")
        return "\n".join([*parts, *map(str, self.others)])


def raise_all(errors: Sequence[RouteletError]) -> None:
    """Raise the first of `errors` with the rest attached; do nothing where there is none."""
    if errors:
        first, *rest = errors
        first.others = (*first.others, *rest)
        raise first


def said_by(integration: str, hook: str = "config_setup") -> str:
    """Return the `where` of what an integration gets wrong: its name, and the hook."""
    return f"integration {integration}, {hook}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `did you mean "x"?` for the nearest known name, or an empty string."""
    near = get_close_matches(name, tuple(known), n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else ""


_STDLIB = f"{Path(traceback.__file__).parent}/"
_OURS = (f"{Path(__file__).parent}/", "<frozen ")


def raised_at(error: BaseException) -> str:
    """Return file and line of what others wrote and that raised; empty where only we did.

    It is the file that is called first, at its deepest line: not that of a library further down.
    """
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_OURS) and not _is_of_python(frame.filename)
    ]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def _is_of_python(file: str) -> bool:
    return file.startswith(_STDLIB) and not file.startswith(f"{_STDLIB}site-packages/")
