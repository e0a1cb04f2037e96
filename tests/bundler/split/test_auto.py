"""The optimiser, on routes made up: what holds for whatever they weigh."""

import random
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.grouping import Settings
from routelet_bundler.model import Limits
from routelet_bundler.split import auto as module
from routelet_bundler.split.auto import auto, key_of
from routelet_bundler.split.candidates import Candidate, candidate, joined
from routelet_bundler.split.weights import WeighedRoute, Weight, Weights

PLAIN = Settings(
    group=None,
    architecture="x86_64",
    memory_mb=512,
    timeout_s=10,
    storage_mb=512,
    environment=(),
    reserved_concurrency=None,
    snap_start=False,
    policies=(),
)
OTHER = Settings(**{**{key: getattr(PLAIN, key) for key in PLAIN.__slots__}, "memory_mb": 1024})
MB = 1_000_000
LIMITS = Limits(zipped_bytes=50 * MB, unzipped_bytes=250 * MB)


def weight(megabytes: float) -> Weight:
    zipped = int(megabytes * MB)
    return Weight(zipped=zipped, unzipped=3 * zipped, import_s=megabytes**0.5 * 0.05)


def route(
    name: str,
    parts: Sequence[int] = (),
    *,
    own: float = 0.01,
    rate: float = 60.0,
    settings: Settings = PLAIN,
    relies: bool = False,
    packs: bool = False,
) -> WeighedRoute:
    return WeighedRoute(
        name=f"/{name}",
        file=f"{name}.py",
        settings=settings,
        rate=rate,
        shared=tuple(parts),
        own=weight(own),
        packages=frozenset(map(str, parts)),
        relies_on_host=relies,
        packs_of_host=packs,
    )


PARTS = (weight(0.12), weight(0.5), weight(4), weight(16), weight(24))


@st.composite
def sites(draw: st.DrawFn, most: int = 9) -> Weights:
    count = draw(st.integers(1, most))
    return Weights(
        routes=tuple(
            route(
                f"r{number}",
                [0, *sorted(draw(st.sets(st.integers(1, 4), max_size=2)))],
                own=draw(st.sampled_from([0.001, 0.01, 0.5, 5])),
                rate=draw(st.sampled_from([0, 0.1, 1, 60, 5000])),
                settings=draw(st.sampled_from([PLAIN, OTHER])),
                relies=draw(st.booleans()),
            )
            for number in range(count)
        ),
        parts=PARTS,
    )


def files(functions: Sequence[Candidate]) -> list[list[str]]:
    return [[one.file for one in function.routes] for function in functions]


def cost(functions: Sequence[Candidate]) -> float:
    return sum(one.cost_s for one in functions)


@given(sites(), st.randoms(use_true_random=False))
def test_the_order_of_routes_changes_nothing(site: Weights, shuffler: random.Random) -> None:
    found = auto(site, LIMITS)
    again = list(site.routes)
    shuffler.shuffle(again)
    assert files(auto(Weights(routes=tuple(again), parts=PARTS), LIMITS)) == files(found)
    assert sorted(name for one in files(found) for name in one) == [r.file for r in site.routes]


@given(sites())
def test_no_function_mixes_settings_or_what_the_host_has_or_is_over_a_limit(site: Weights) -> None:
    for one in auto(site, LIMITS):
        assert len({key_of(each) for each in one.routes}) == 1
        assert one.fits(LIMITS)


@given(sites())
def test_it_is_never_dearer_than_the_other_splits(site: Weights) -> None:
    chosen = cost(auto(site, LIMITS))
    alone = [candidate([one], PARTS) for one in site.routes]
    by_settings = [
        candidate(same, PARTS)
        for settings in (PLAIN, OTHER)
        if (same := [one for one in site.routes if one.settings == settings])
    ]
    assert chosen <= cost(alone) + 1e-9
    if all(one.fits(LIMITS) for one in by_settings):
        assert chosen <= cost(by_settings) + 1e-9


@given(sites(most=30))
def test_many_routes_are_no_dearer_than_a_function_each_either(site: Weights) -> None:
    assert cost(auto(site, LIMITS)) <= cost([candidate([r], PARTS) for r in site.routes]) + 1e-9


@given(sites(most=6), st.integers(1, 6))
def test_joining_gives_what_all_routes_give_at_once(site: Weights, at: int) -> None:
    first, second = site.routes[:at], site.routes[at:]
    if not second:
        return
    both = joined(candidate(first, PARTS), candidate(second, PARTS), PARTS)
    whole = candidate(site.routes, PARTS)
    assert (both.zipped, both.unzipped) == (whole.zipped, whole.unzipped)
    assert both.cost_s == pytest.approx(whole.cost_s)
    assert both.routes == whole.routes


def partitions(count: int) -> Iterator[list[list[int]]]:
    for labels in product(range(count), repeat=count):
        if all(label <= max(labels[:at], default=-1) + 1 for at, label in enumerate(labels)):
            yield [[n for n in range(count) if labels[n] == one] for one in sorted(set(labels))]


@given(sites(most=4))
def test_few_routes_are_within_a_tenth_of_the_best_of_all_splits(site: Weights) -> None:
    best = min(
        cost(functions)
        for groups in partitions(len(site.routes))
        if (functions := [candidate([site.routes[n] for n in one], PARTS) for one in groups])
        and all(one.fits(LIMITS) for one in functions)
        and all(len({key_of(r) for r in one.routes}) == 1 for one in functions)
    )
    assert cost(auto(site, LIMITS)) <= 1.1 * best + 1e-9


def test_quiet_routes_keep_each_other_warm() -> None:
    quiet = tuple(route(name, [0], rate=2.0) for name in "abcdef")
    assert len(auto(Weights(routes=quiet, parts=PARTS), LIMITS)) == 1


def test_a_heavy_route_is_not_put_with_busy_ones() -> None:
    busy = [route(name, [0], own=1e-4, rate=1000.0) for name in "abc"]
    site = Weights(routes=(*busy, route("heavy", [0, 4], rate=1000.0)), parts=PARTS)
    assert files(auto(site, LIMITS)) == [["a.py", "b.py", "c.py"], ["heavy.py"]]


def test_a_route_without_requests_costs_no_waiting() -> None:
    [one] = auto(Weights(routes=(route("a", [0], rate=0.0),), parts=PARTS), LIMITS)
    assert one.waiting_s == 0


def test_busy_routes_that_load_much_of_their_own_are_apart() -> None:
    busy = tuple(route(name, [0], own=1, rate=1000.0) for name in "abc")
    assert len(auto(Weights(routes=busy, parts=PARTS), LIMITS)) == 3


def test_a_limit_keeps_apart_what_would_be_cheaper_together() -> None:
    large = tuple(route(name, [0], own=30, rate=0.001) for name in "ab")
    site = Weights(routes=large, parts=PARTS)
    assert len(auto(site, Limits())) == 1
    assert len(auto(site, LIMITS)) == 2


def test_what_is_left_to_the_host_by_one_is_not_packed_for_another() -> None:
    routes = (route("a", [0], relies=True), route("b", [0], packs=True), route("c", [0]))
    found = files(auto(Weights(routes=routes, parts=PARTS), LIMITS))
    assert ["a.py", "b.py"] not in found
    assert len(found) == 2


def test_functions_merge_beyond_what_pays_where_there_is_room_for_fewer() -> None:
    busy = tuple(route(f"r{n}", [0, n % 4 + 1], own=1, rate=5000.0) for n in range(8))
    site = Weights(routes=busy, parts=PARTS)
    assert len(auto(site, LIMITS)) > 3
    assert len(auto(site, LIMITS, most=3)) == 3


def test_a_group_is_one_function_and_nothing_joins_it() -> None:
    named = Settings(**{**{k: getattr(PLAIN, k) for k in PLAIN.__slots__}, "group": "g"})
    routes = (
        route("a", [0], rate=1.0, settings=named),
        route("b", [0], rate=1.0),
        route("c", [0, 4], rate=5000.0, settings=named),
    )
    assert files(auto(Weights(routes=routes, parts=PARTS), LIMITS)) == [["a.py", "c.py"], ["b.py"]]


def test_reserved_concurrency_is_a_functions_own() -> None:
    reserved = Settings(
        **{**{k: getattr(PLAIN, k) for k in PLAIN.__slots__}, "reserved_concurrency": 2}
    )
    routes = tuple(route(name, [0], rate=1.0, settings=reserved) for name in "ab")
    assert len(auto(Weights(routes=routes, parts=PARTS), LIMITS)) == 2


def test_many_routes_are_taken_together_by_their_distributions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    routes = tuple(route(f"r{n:03}", [0, n % 4 + 1], own=1e-4) for n in range(200))
    site = Weights(routes=routes, parts=PARTS)
    found = auto(site, LIMITS)
    assert sum(len(one.routes) for one in found) == 200
    assert len(found) <= 8
    monkeypatch.setattr(module, "MOST_COMPARED", 200)
    assert cost(found) == pytest.approx(cost(auto(site, LIMITS)), rel=0.05)


def test_many_busy_routes_that_load_much_are_not_taken_together() -> None:
    routes = tuple(
        route(f"r{n:03}", [0], own=0.2, rate=5000.0 if n % 2 else 0.1) for n in range(100)
    )
    found = auto(Weights(routes=routes, parts=PARTS), LIMITS)
    quiet = [one for one in found if all(each.rate == 0.1 for each in one.routes)]
    assert [len(one.routes) for one in quiet] == [50]
    assert len(found) == 51
