"""The models' laws, over parameters and customers of every kind; and the kernels beside the formulas they repeat."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine import kernels
from regulars_scoring.adapters.engine.population import population_of
from regulars_scoring.domain.gamma_gamma import GammaGamma, expected_spend, population_mean
from regulars_scoring.domain.mbg_nbd import MbgNbd, churn, expected_if_alive, expected_purchases, p_alive
from regulars_scoring.domain.value import MONTH_DAYS, MONTHLY_RATE, MONTHS, discounted_purchases
from scoring import cdnow

CDNOW = MbgNbd(0.525, 7 * 6.183, 0.891, 1.614)
# As likelihoods end at their boundaries: no drop-out, the same drop-out for all, the same rate for all.
NOBODY_LEAVES = MbgNbd(0.826, 70.2, 4.3e-4, 6.5e5)
ALL_ALIKE = MbgNbd(900.0, 9000.0, 3e4, 1e5)

models = st.one_of(
    st.sampled_from([CDNOW, NOBODY_LEAVES, ALL_ALIKE]),
    st.builds(MbgNbd, st.floats(0.02, 30), st.floats(0.5, 500), st.floats(0.01, 20), st.floats(0.05, 20)),
    st.builds(MbgNbd, st.just(0.5), st.just(40.0), st.just(1.0), st.floats(0.05, 3)),
    st.floats(0.01, 0.99).map(lambda a: MbgNbd(0.5, 40.0, a, 1.0 - a)),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, int, int]:
    """x, t_x and T in days: x occasions after the first need x days at least, except for the hard cases."""
    x = draw(st.one_of(st.integers(0, 30), st.sampled_from([0, 200, 2000])))
    t_x = 0 if x == 0 else draw(st.integers(0, 2500))
    return x, t_x, t_x + draw(st.integers(0, 1500))


@given(models, histories(), st.floats(0, 400))
@settings(max_examples=60, deadline=None)
def test_every_figure_is_finite_and_in_its_range(model: MbgNbd, history: tuple[int, int, int], horizon: float) -> None:
    x, t_x, T = history
    assert 0 <= p_alive(model, x, t_x, T) <= 1
    assert 0 <= churn(model, x, t_x, T, horizon) <= 1
    expected = expected_purchases(model, x, t_x, T, horizon)
    assert 0 <= expected <= (model.r + x) / (model.alpha + T) * horizon * (1 + 1e-9)  # as many as without leaving


@given(models, histories(), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_silence_never_makes_a_customer_more_alive(model: MbgNbd, history: tuple[int, int, int], days: int) -> None:
    x, t_x, T = history
    assert p_alive(model, x, t_x, T + days) <= p_alive(model, x, t_x, T)


@given(models, histories(), st.floats(0, 200), st.floats(0, 200))
@settings(max_examples=60, deadline=None)
def test_a_longer_horizon_expects_no_fewer_purchases_and_no_more_churn(
    model: MbgNbd, history: tuple[int, int, int], horizon: float, more: float
) -> None:
    x, t_x, T = history
    shorter, longer = (expected_purchases(model, x, t_x, T, days) for days in (horizon, horizon + more))
    assert longer >= shorter * (1 - 1e-9)
    assert churn(model, x, t_x, T, horizon + more) <= churn(model, x, t_x, T, horizon)


@given(models, histories())
@settings(max_examples=40, deadline=None)
def test_one_purchase_is_expected_at_least_as_often_as_any(model: MbgNbd, history: tuple[int, int, int]) -> None:
    x, t_x, T = history
    assert expected_purchases(model, x, t_x, T, 90) >= (1 - churn(model, x, t_x, T, 90)) * (1 - 1e-9)


def test_who_never_leaves_is_expected_at_their_rate() -> None:
    # Of negative binomial purchases (r + x) / (alpha + T) a day are expected: (0.826 + 3) / (70.2 + 100) * 365 = 8.205.
    assert expected_if_alive(NOBODY_LEAVES, 3, 100, 365) == pytest.approx(8.205, abs=1e-3)


def test_a_one_time_buyer_is_never_alive_with_certainty() -> None:
    # 1 / (1 + 0.891 / 1.614 * ((43.281 + 200) / 43.281) ** 0.525) = 0.42256
    assert p_alive(CDNOW, 0, 0, 200) == pytest.approx(0.42256, abs=1e-5)
    assert p_alive(CDNOW, 0, 0, 0) == pytest.approx(1.614 / (0.891 + 1.614))


def test_purchases_counted_in_a_simulation_are_those_expected() -> None:
    chance = np.random.default_rng(11)
    made = [_purchases_within(CDNOW, 365.0, chance) for _ in range(20_000)]
    # The standard error of the mean is some 0.02.
    assert np.mean(made) == pytest.approx(expected_purchases(CDNOW, 0, 0, 0, 365), abs=0.08)


def _purchases_within(model: MbgNbd, horizon: float, chance: np.random.Generator) -> int:
    """Repeat purchases of one new customer who lives by the model's story."""
    rate, leaves = chance.gamma(model.r) / model.alpha, chance.beta(model.a, model.b)
    at, made = 0.0, 0
    while chance.random() >= leaves and (at := at + chance.exponential(1 / rate)) <= horizon:
        made += 1
    return made


def test_value_is_the_months_discounted_at_their_ends() -> None:
    until = [expected_if_alive(CDNOW, 2, 100, MONTH_DAYS * month) for month in range(MONTHS + 1)]
    by_hand = sum((until[k] - until[k - 1]) / (1 + MONTHLY_RATE) ** k for k in range(1, MONTHS + 1))
    assert discounted_purchases(CDNOW, 2, 100) == pytest.approx(by_hand, rel=1e-12)


def test_spend_lies_between_the_customers_mean_and_everybodys() -> None:
    model = GammaGamma(6.25, 3.74, 15.44)
    assert expected_spend(model, 0, 0.0) == pytest.approx(population_mean(model)) == pytest.approx(35.22, abs=0.01)
    assert population_mean(model) < expected_spend(model, 4, 4 * 80.0) < 80.0
    assert 0 <= expected_spend(model, 1, -50.0) < population_mean(model)  # returns of what was bought before


@given(models, st.lists(histories(), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_the_kernels_say_what_the_live_formulas_say(model: MbgNbd, customers: list[tuple[int, int, int]]) -> None:
    x, t_x, T = (np.array(column, dtype=np.int64) for column in zip(*customers, strict=True))
    alive = kernels.p_alive(model, x, t_x, T)
    assert alive == pytest.approx([p_alive(model, *customer) for customer in customers], rel=1e-9)
    assert kernels.churn(model, x, alive, T, 90) == pytest.approx(
        [churn(model, *customer, 90) for customer in customers], rel=1e-9, abs=1e-12
    )
    assert kernels.expected_if_alive(model, x, T, 365.0) == pytest.approx(
        [expected_if_alive(model, x, T, 365.0) for x, _, T in customers], rel=1e-9
    )


def test_the_kernels_say_the_same_of_every_customer_of_cdnow() -> None:
    people = cdnow.population()
    spend = GammaGamma(6.25, 3.74, 15.44)
    pair_x, pair_T, places = kernels.pairs_of(people)
    value = kernels.expected_spend(spend, people.x, people.repeat_minor / 100)
    value *= kernels.p_alive(CDNOW, people.x, people.t_x, people.T)
    value *= kernels.discounted_purchases(CDNOW, pair_x, pair_T)[places]
    live = [
        expected_spend(spend, x, minor / 100) * p_alive(CDNOW, x, t_x, T) * discounted_purchases(CDNOW, x, T)
        for x, t_x, T, minor in zip(
            *(column.tolist() for column in (people.x, people.t_x, people.T, people.repeat_minor)), strict=True
        )
    ]
    assert value == pytest.approx(live, rel=1e-9)
    assert all(math.isfinite(each) and each >= 0 for each in live)


def test_nobody_at_all_is_no_trouble_to_the_kernels() -> None:
    nobody = population_of(*np.empty((5, 0), np.int64))
    pair_x, pair_T, places = kernels.pairs_of(nobody)
    assert kernels.discounted_purchases(CDNOW, pair_x, pair_T)[places].size == 0
