"""Convert between units of one kind, by the factors in units.json."""

import json
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "units.json"


@cache
def kinds() -> dict[str, dict[str, float]]:
    """Return, for each kind, how many of its base unit (the first) each unit is."""
    return json.loads(TABLE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def convert(value: float, source: str, target: str) -> float:
    """Return `value` in another unit; raises `ValueError` where no kind has both units."""
    for factors in kinds().values():
        if source in factors and target in factors:
            return value * factors[source] / factors[target]
    raise ValueError(f"no kind of unit has both {source!r} and {target!r}")
