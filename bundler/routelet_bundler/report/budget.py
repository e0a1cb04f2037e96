"""Budgets: `[tool.routelet.budget."GLOB"]` held against the finished zips of a build.

A function is started only where a budget asks for what only its start can tell, and not again for
the same zip once it was within its budget.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from routelet_bundler.cache import Cache
from routelet_bundler.discover.route_globs import matches, most_specific
from routelet_bundler.errors import RouteletError, raise_all
from routelet_bundler.model import Budget, BuiltFunction
from routelet_bundler.report.needs import cuts_of, edges_of, part_text
from routelet_bundler.report.shipped import Shipped, read_shipped
from routelet_bundler.report.start import (
    Loaded,
    chain_of,
    loaded_by,
    milliseconds,
    start_key,
    unable,
    unpacked,
)

_LARGEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A function and a budget that one of its routes has."""

    function: Shipped
    route: str
    budget: Budget


def budget_of(route: str, budgets: Mapping[str, Budget]) -> Budget | None:
    """Return the budget of a route, the keys of the most specific glob first; or None."""
    found: Budget | None = None
    for glob in most_specific(budgets, route):
        found = found.over(budgets[glob]) if found else budgets[glob]
    return found


def budget_warnings(budgets: Mapping[str, Budget], built: Sequence[BuiltFunction]) -> Iterator[str]:
    """Yield what budgets say of no route, or ask of functions that cannot be started here."""
    routes = {one.name: one.routes or (one.name,) for one in built}
    for glob in budgets:
        if not any(matches(glob, route) for own in routes.values() for route in own):
            yield f'budget."{glob}" speaks of no route that a function answers'
    for one in built:
        target = one.function.target
        asked = any(
            budget is not None and budget.is_of_start
            for budget in (budget_of(route, budgets) for route in routes[one.name])
        )
        if asked and (reason := unable(target.python, target.architecture)):
            yield f"{', '.join(routes[one.name])}: the budget of its start is not held: {reason}"


def check_budgets(
    folder: Path,
    built: Sequence[BuiltFunction],
    budgets: Mapping[str, Budget],
    cache: Cache,
    jobs: int,
) -> None:
    """Hold the functions that were `built` against `budgets`, which are by globs of routes.

    Their routelet.json and graph.json are in `folder`; zips that did not change are still in that
    of the last build. Raises `RouteletError` for every breach, with the chain that brings it in.
    """
    if not budgets or not built:
        return
    zips = {one.name: one.zip.path for one in built}
    held = list(_held(read_shipped(folder, zips).functions.values(), budgets))
    errors = [error for one in held for error in _too_large(one)]
    to_start = [one for one in held if one.budget.is_of_start and not _is_kept(one, cache)]
    with ThreadPoolExecutor(jobs) as executor:
        found = list(executor.map(lambda one: list(_imports_too_much(one, cache)), to_start))
    for one, breaches in zip(to_start, found, strict=True):
        slow = list(_too_slow(one, cache))  # one by one: what runs beside it would slow it down
        if not breaches and not slow:
            cache.write("budget", _key(one), b"ok")
        errors += [*breaches, *slow]
    raise_all(errors)


def _held(functions: Iterable[Shipped], budgets: Mapping[str, Budget]) -> Iterator[Held]:
    for function in functions:
        told: list[Budget] = []
        for route in function.routes:
            budget = budget_of(route, budgets)
            if budget is not None and budget not in told:
                told.append(budget)
                yield Held(function=function, route=route, budget=budget)


def _key(one: Held) -> str:
    return start_key("budget", one.function, one.budget.model_dump_json())


def _is_kept(one: Held, cache: Cache) -> bool:
    unmeasured = unable(one.function.python, one.function.architecture)
    return bool(unmeasured) or cache.read("budget", _key(one)) is not None


def _breach(one: Held, what: str, mend: str) -> RouteletError:
    return RouteletError(
        f"the function of {one.route} is over its budget: {what}",
        where=", ".join(one.function.pages),
        mend=mend,
    )


def _too_large(one: Held) -> Iterator[RouteletError]:
    sizes = one.function.size
    for what, size, most in (
        ("zipped", sizes.zipped, one.budget.zipped_bytes),
        ("unzipped", sizes.unzipped, one.budget.unzipped_bytes),
    ):
        if most is not None and size > most:
            over = f"{size:,} bytes {what}, the budget is {most:,}"
            yield _breach(one, over, _what_to_cut(one.function))


def _what_to_cut(function: Shipped) -> str:
    edges = edges_of(function)
    lines = [
        f"without {cut.text(function)} it has {cut.size.zipped:,} bytes zipped less, "
        f"{cut.size.unzipped:,} unzipped"
        for cut in cuts_of(function, edges, 1)
    ]
    lines.append("its largest parts, zipped and unzipped, each with the way to it:")
    sizes = sorted(function.size_by_part.items(), key=lambda item: -item[1].zipped)
    for part, size in sizes[:_LARGEST]:
        named = part_text(part, edges, function)
        lines.append(f"  {size.zipped:>12,}  {size.unzipped:>12,}  {named}")
    return "\n".join(lines)


def _imports_too_much(one: Held, cache: Cache) -> Iterator[RouteletError]:
    budget = one.budget
    if budget.modules is None and not budget.forbidden_imports:
        return
    with unpacked(one.function, cache) as ready:
        loaded = loaded_by(ready)
    count = len(loaded)
    if budget.modules is not None and count > budget.modules:
        over = f"it imports {count} modules, the budget is {budget.modules}"
        yield _breach(one, over, _heaviest(loaded, lambda _: 1, "modules"))
    for name in budget.forbidden_imports:
        found = next((row for row in loaded if f"{row.module}.".startswith(f"{name}.")), None)
        if found is not None:
            chain = " -> ".join(chain_of(found.module, loaded))
            yield _breach(one, f"it imports {name}, which is forbidden", f"by {chain}")


def _too_slow(one: Held, cache: Cache) -> Iterator[RouteletError]:
    most, runs = one.budget.import_ms, one.budget.runs
    if most is None:
        return
    with unpacked(one.function, cache) as ready:
        least = milliseconds(ready, runs)
        if least <= most:
            return
        loaded = loaded_by(ready)
    over = f"its imports take {least:.1f} ms, the least of {runs} runs, the budget is {most:g}"
    yield _breach(one, over, _heaviest(loaded, lambda row: row.own_us / 1000, "ms"))


def _heaviest(loaded: Sequence[Loaded], weight: Callable[[Loaded], float], unit: str) -> str:
    """Tell the chain to the last module that alone brings half of all."""
    total = sum(map(weight, loaded))
    best: tuple[int, float, str] = (-1, 0.0, "")
    for number, row in enumerate(loaded):
        inner = _inner(loaded, number)
        brought = sum(map(weight, inner))
        if brought * 2 >= total and row.depth > best[0]:
            best = (row.depth, brought, " -> ".join(chain_of(row.module, tuple(loaded))))
    _, brought, chain = best
    return f"{brought:.0f} of {total:.0f} {unit} come by {chain}" if chain else ""


def _inner(loaded: Sequence[Loaded], number: int) -> Sequence[Loaded]:
    """Return a module and all that it imported first."""
    end = number + 1
    while end < len(loaded) and loaded[end].depth > loaded[number].depth:
        end += 1
    return loaded[number:end]
