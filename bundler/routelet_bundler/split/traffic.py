"""Traffic: requests an hour by route, from a CSV file as CloudWatch exports one.

A line names a route as `routelet routes` does, `/posts/[id]`, or a path that one answers,
`/posts/7`; lines of one route add up. So the paths of access logs will do as they are.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from routelet.http import URL
from routelet.routing import match_route
from routelet_bundler.errors import WRONG_USE, RouteletError, raise_all
from routelet_bundler.model import Site

COLUMNS = ("route", "requests_per_hour")
MOST = 1e9
"""Requests an hour of a line: more is a mistake, and none of a model's business."""


def rates_of(path: Path, label: str, site: Site, base: str) -> Mapping[str, float]:
    """Return requests an hour by route; a route that the file does not name has none.

    What is prerendered, or no route at all, is passed over. Raises `RouteletError` for a file that
    is not there, or not such a table, with the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RouteletError(
            f"cannot be read: {error}", where=label, mend='correct "traffic", or leave it out'
        ) from None
    names = {route.route for route in site.routes}
    rates: dict[str, float] = {}
    for name, rate in _rows(text, label):
        route = name if name in names else _route_at(name, site, base)
        if route is not None:
            rates[route] = rates.get(route, 0.0) + rate
    return rates


def _rows(text: str, label: str) -> Iterator[tuple[str, float]]:
    reader = csv.DictReader(text.splitlines())
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise RouteletError(
            f"has no columns {' and '.join(COLUMNS)}",
            where=f"{label}:1",
            mend=f"let its first line be {','.join(COLUMNS)}",
            status=WRONG_USE,
        )
    wrong = []
    for row in reader:
        name, said = ((row[column] or "").strip() for column in COLUMNS)
        rate = _number(said)
        if rate is None:
            wrong.append(
                RouteletError(
                    f"{said!r} is no number of requests an hour",
                    where=f"{label}:{reader.line_num}",
                    status=WRONG_USE,
                )
            )
        else:
            yield name, rate
    raise_all(wrong)


def _number(text: str) -> float | None:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if 0 <= rate <= MOST else None


def _route_at(name: str, site: Site, base: str) -> str | None:
    """Return the route that answers this path."""
    if not name.startswith("/"):
        return None
    found = match_route(site.routes, URL(name).canonical_path, base)
    return found[0].route if found else None
