"""What routes weigh, and what each split of them would give."""

from dataclasses import dataclass

from routelet_bundler.model.host import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSize:
    """A file or a distribution in a zip, in bytes: what it adds to it, and unpacked."""

    zipped: int
    unzipped: int
    source: int
    """Of its Python sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFigures:
    """What a split gives. Sizes are in bytes; times, beside sizes, are estimates."""

    split: Split
    functions: int
    zipped_bytes: int
    """Of all zips."""
    median_zipped_bytes: int
    largest_zipped_bytes: int
    import_ms: float
    """What the first request for a route imports, the median of routes."""
    cold_start_s: float
    """A cold start with that, the median of routes."""
    waiting_s: float
    """What visitors wait for cold starts, in seconds an hour."""
    notes: tuple[str, ...] = ()
    """Limits that it is over, and what is not in its sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Why routes share a function, or why one has its own."""

    routes: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """The split that was used, and what each would give."""

    used: Split
    compared: tuple[SplitFigures, ...]
    impossible: tuple[tuple[Split, str], ...]
    """Splits that the routes' configurations do not allow, with the reason."""
    choices: tuple[Choice, ...]
    """What `auto` chose, where it was used."""
    has_traffic: bool
    """Whether rates were given; else all are equal."""
