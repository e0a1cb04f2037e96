"""The model of docs/splitting.md, against simulated requests and its own limits."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.split.cost import (
    EQUAL_RATE,
    KEEP_WARM_H,
    SCALING_SHARE,
    distribution_import_s,
    loads_an_hour,
    price_s,
    starts_an_hour,
    waiting_s,
)

RATES = st.floats(0.001, 1e5)


def simulated(rate: float, part_rate: float, requests: int) -> tuple[float, float]:
    """Return starts and loads an hour of one function, by chance with a seed."""
    chooser = random.Random(7)
    now = starts = loads = 0.0
    loaded = False
    for _ in range(requests):
        gap = chooser.expovariate(rate)
        now += gap
        if gap > KEEP_WARM_H or chooser.random() < SCALING_SHARE:
            starts += 1
            loaded = False
        if chooser.random() < part_rate / rate and not loaded:
            loads += 1
            loaded = True
    return starts / now, loads / now


@pytest.mark.parametrize(("rate", "part_rate"), [(2, 1), (10, 10), (30, 3), (100, 5)])
def test_starts_and_loads_are_those_of_simulated_requests(rate: float, part_rate: float) -> None:
    starts, loads = simulated(rate, part_rate, 60_000)
    assert starts_an_hour(rate) == pytest.approx(starts, rel=0.15)
    assert loads_an_hour(part_rate, rate, starts_an_hour(rate)) == pytest.approx(loads, rel=0.15)


@given(RATES, RATES)
def test_two_functions_start_at_least_as_often_as_one(one: float, other: float) -> None:
    together = starts_an_hour(one + other)
    assert together <= (starts_an_hour(one) + starts_an_hour(other)) * (1 + 1e-9)


@given(RATES, st.just(0.0) | st.floats(1e-9, 1))
def test_a_part_is_loaded_at_most_once_in_an_environment(rate: float, share: float) -> None:
    starts = starts_an_hour(rate)
    loads = loads_an_hour(rate * share, rate, starts)
    assert 0 <= loads <= min(starts, rate * share) * (1 + 1e-9)
    assert loads_an_hour(rate, rate, starts) == pytest.approx(starts)


def test_waiting_is_starts_by_what_each_takes() -> None:
    starts = starts_an_hour(EQUAL_RATE)
    plain = waiting_s(EQUAL_RATE, 0, [])
    assert waiting_s(EQUAL_RATE, 2_000_000, []) == pytest.approx(plain + starts * 0.03)
    assert waiting_s(EQUAL_RATE, 0, [(EQUAL_RATE, 0.2)]) == pytest.approx(plain + starts * 0.2)


def test_a_function_that_nobody_asks_for_costs_its_price_alone() -> None:
    assert waiting_s(0.0, 1000, [(0.0, 1.0)]) == 0
    assert price_s(0) > 0


@pytest.mark.parametrize(
    ("source", "measured_ms"),
    [(1_515_000, 61), (8_990_000, 85), (219_000, 17), (8_815_000, 157), (193_000, 27)],
)
def test_import_times_are_within_a_factor_of_two_and_a_half(
    source: int, measured_ms: float
) -> None:
    # Of pydantic, numpy, PyYAML, SQLAlchemy and attrs, each by itself; docs/splitting.md has more.
    estimate = distribution_import_s(source) * 1000
    assert measured_ms / 2.5 < estimate < measured_ms * 2.5
