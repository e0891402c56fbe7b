"""BG/BB: what its paper publishes of the donors to a radio station, and its laws."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.bg_bb_likelihood import BgBbLikelihood
from regulars_scoring.adapters.engine.degeneracy import slot_degeneracies_of
from regulars_scoring.adapters.engine.population import Ints
from regulars_scoring.adapters.engine.slot_fitting import SlotFit, fit_slots
from regulars_scoring.domain.bg_bb import (
    BgBb,
    churn,
    discounted_forever,
    expected_purchases,
    log_likelihood,
    p_alive,
    p_purchases,
)
from scoring.test_fitting import compare_derivatives

FILE = Path(__file__).parent / "data" / "donations.csv"
PUBLISHED = BgBb(1.204, 0.750, 0.657, 2.783)

models = st.builds(BgBb, *[st.one_of(st.floats(0.02, 20), st.just(1.0))] * 4)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, int, int]:
    t_x = draw(st.integers(0, 40))
    x = draw(st.integers(1, t_x)) if t_x else 0
    return x, t_x, t_x + draw(st.integers(0, 40))


@cache
def donors() -> tuple[Ints, Ints, Ints, Ints]:
    """x, t_x, n, and how many gave so."""
    with FILE.open() as rows:
        table = np.array([[int(value) for value in row.values()] for row in csv.DictReader(rows)], dtype=np.int64)
    x, t_x, n, customers = table.T
    return x, t_x, n, customers


@cache
def fitted() -> SlotFit:
    return fit_slots(*donors())


def test_the_donors_are_fitted_as_published() -> None:
    fit, model = fitted(), fitted().model
    assert donors()[3].sum() == 11_104
    # The paper, table 3.
    found = [model.alpha, model.beta, model.gamma, model.delta]
    assert found == pytest.approx([1.204, 0.750, 0.657, 2.783], abs=5e-4)
    assert fit.log_likelihood == pytest.approx(-33_225.6, abs=0.05)
    assert fit.degeneracies == ()
    assert fit.standard_errors is not None


def test_whether_donors_are_alive_is_published() -> None:
    # The paper, table 6: who never gave again, twice until 1999, and in each of the six years.
    found = [p_alive(fitted().model, *donor) for donor in ((0, 0, 6), (2, 4, 6), (6, 6, 6))]
    assert found == pytest.approx([0.11, 0.59, 0.93], abs=5e-3)


def test_what_donors_are_expected_to_give_is_published() -> None:
    model = fitted().model
    rows = list(zip(*(column.tolist() for column in donors()), strict=True))
    # Hardie's sheets beside the paper: gifts in the next five years; donors with none and with six of six gifts.
    expected = sum(customers * expected_purchases(model, x, t_x, n, 5) for x, t_x, n, customers in rows)
    assert expected == pytest.approx(12_884.2, abs=0.05)
    assert [11_104 * p_purchases(model, x, 6) for x in (0, 6)] == pytest.approx([3_454.9, 1_253.1], abs=0.05)


def test_the_derivatives_are_those_of_the_likelihood() -> None:
    compare_derivatives(BgBbLikelihood(*donors()), np.array([0.8, 1.1, 1.0, 2.0]))


def test_the_likelihood_of_many_is_the_sum_of_the_domains() -> None:
    rows = zip(*(column.tolist() for column in donors()), strict=True)
    by_hand = sum(customers * log_likelihood(PUBLISHED, x, t_x, n) for x, t_x, n, customers in rows)
    value, _, _ = BgBbLikelihood(*donors())(np.array([1.204, 0.750, 0.657, 2.783]))
    assert value == pytest.approx(by_hand, rel=1e-12)


def test_parameters_are_found_again_in_simulated_gifts() -> None:
    chance = np.random.default_rng(5)
    truth, slots, people = BgBb(1.2, 0.75, 0.66, 2.8), 8, 20_000
    gives, leaves = chance.beta(truth.alpha, truth.beta, people), chance.beta(truth.gamma, truth.delta, people)
    lived = np.minimum(chance.geometric(leaves) - 1, slots)
    gave = (chance.random((people, slots)) < gives[:, None]) & (np.arange(slots) < lived[:, None])
    last = np.where(gave.any(axis=1), slots - np.argmax(gave[:, ::-1], axis=1), 0)
    kinds, customers = np.unique(np.stack([gave.sum(axis=1), last], axis=1), axis=0, return_counts=True)
    fit = fit_slots(kinds[:, 0], kinds[:, 1], np.full(len(kinds), slots), customers)
    assert fit.standard_errors is not None
    away = np.array([fit.model.alpha, fit.model.beta, fit.model.gamma, fit.model.delta]) - [1.2, 0.75, 0.66, 2.8]
    assert (np.abs(away) < 3.0 * np.array(fit.standard_errors)).all()


def test_donors_who_never_leave_are_named_a_degenerate_fit() -> None:
    # Everybody gives by one coin, to the last of ten years.
    x = np.arange(11, dtype=np.int64)
    customers = np.array([1, 10, 45, 120, 210, 252, 210, 120, 45, 10, 1], dtype=np.int64)
    fit = fit_slots(x, np.where(x == 0, 0, 10), np.full(11, 10), customers)
    assert "no_drop_out" in fit.degeneracies
    assert fit.standard_errors is None
    assert slot_degeneracies_of(PUBLISHED, is_at_bound=True) == ("at_bound",)
    assert slot_degeneracies_of(BgBb(1e-4, 1e-4, 9e2, 9e2), is_at_bound=False) == (
        "homogeneous_drop_out",
        "polarised_rates",
    )


@given(models, histories(), st.integers(0, 30), st.integers(0, 10))
@settings(max_examples=100, deadline=None)
def test_what_it_says_is_lawful(model: BgBb, history: tuple[int, int, int], slots: int, more: int) -> None:
    x, t_x, n = history
    assert 0 <= p_alive(model, x, t_x, n + more) <= p_alive(model, x, t_x, n) * (1 + 1e-9) <= 1 + 1e-9
    fewer, all_ = (expected_purchases(model, x, t_x, n, horizon) for horizon in (slots, slots + more))
    assert 0 <= fewer <= all_ <= slots + more
    assert churn(model, x, t_x, n, slots + more) <= churn(model, x, t_x, n, slots) + 1e-12
    assert expected_purchases(model, x, t_x, n, slots) >= (1 - churn(model, x, t_x, n, slots)) * (1 - 1e-9) - 1e-12
    assert fewer <= discounted_forever(model, x, t_x, n, 0.01) * 1.01**slots * (1 + 1e-9)


@given(models, st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_all_numbers_of_purchases_together_are_certain(model: BgBb, n: int) -> None:
    chances = [p_purchases(model, x, n) for x in range(n + 1)]
    assert sum(chances) == pytest.approx(1.0)
    assert sum(x * chance for x, chance in enumerate(chances)) == pytest.approx(expected_purchases(model, 0, 0, 0, n))
    assert chances[0] == pytest.approx(churn(model, 0, 0, 0, n))
