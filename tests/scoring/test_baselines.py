"""The baselines: what they learn, and that what they say is lawful."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.baselines import own_rate, silence_table
from regulars_scoring.adapters.engine.occasions import (
    NO_OCCASIONS,
    bought_after,
    occasions_of,
    past_of,
    sampled,
)
from regulars_scoring.adapters.engine.outlook import outlook_of
from regulars_scoring.domain import serving
from regulars_scoring.domain.baselines import OwnRate, SilenceTable, churn, expected_purchases
from scoring import cdnow

TABLE = SilenceTable(90, (30, 120), (0.02, 0.005, 0.001), (0.2, 0.6, 0.9))

tables = st.builds(
    lambda bounds, rates, silent: SilenceTable(
        90, tuple(sorted(bounds)), tuple(sorted(rates, reverse=True)), tuple(sorted(silent))
    ),
    st.sets(st.integers(1, 500), min_size=2, max_size=2),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
baselines = st.one_of(st.builds(OwnRate, st.floats(1, 5000)), tables)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, int, int]:
    x = draw(st.sampled_from([0, 1, 7, 2000]))
    t_x = draw(st.integers(0, 900)) if x else 0
    return x, t_x, t_x + draw(st.integers(0, 900))


def test_the_own_rate_begins_with_one_purchase_of_everybodys() -> None:
    model = OwnRate(100.0)
    # Three more in 200 days, and one in 100: 4 / 300 a day.
    assert expected_purchases(model, 3, 150, 200, 90) == pytest.approx(4 / 300 * 90)
    assert expected_purchases(model, 0, 0, 0, 90) == pytest.approx(0.9)
    # Negative binomial with 4 and 300 / 390.
    assert churn(model, 3, 150, 200, 90) == pytest.approx((300 / 390) ** 4)


def test_the_table_says_of_the_silent_what_such_did() -> None:
    assert expected_purchases(TABLE, 5, 100, 129, 90) == pytest.approx(1.8)  # 29 days of silence
    assert expected_purchases(TABLE, 5, 100, 130, 90) == pytest.approx(0.45)
    assert churn(TABLE, 0, 0, 119, 90) == 0.6
    assert churn(TABLE, 0, 0, 120, 45) == pytest.approx(exp(0.5 * log(0.9)))


@given(baselines, histories(), st.floats(0, 400), st.floats(0, 200), st.integers(0, 500))
@settings(max_examples=150, deadline=None)
def test_what_a_baseline_says_is_lawful(
    model: OwnRate | SilenceTable, history: tuple[int, int, int], horizon: float, more: float, days: int
) -> None:
    x, t_x, T = history
    assert 0 <= churn(model, x, t_x, T, horizon + more) <= churn(model, x, t_x, T, horizon) <= 1
    assert 0 <= expected_purchases(model, x, t_x, T, horizon) <= expected_purchases(model, x, t_x, T, horizon + more)
    assert serving.p_alive(model, x, t_x, T + days) <= serving.p_alive(model, x, t_x, T)


@given(baselines, st.lists(histories(), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_the_kernels_say_of_baselines_what_live_scores_say(
    model: OwnRate | SilenceTable, customers: list[tuple[int, int, int]]
) -> None:
    x, t_x, T = (np.array(column, dtype=np.int64) for column in zip(*customers, strict=True))
    outlook = outlook_of(model, x, t_x, T)
    for said, live in (
        (outlook.alive, serving.p_alive),
        (outlook.purchases_within_a_year(), serving.purchases_within_a_year),
    ):
        assert said == pytest.approx([live(model, *customer) for customer in customers], rel=1e-12, abs=1e-15)
    for said, within in (
        (outlook.churn(30), serving.churn),
        (outlook.purchases(30), serving.expected_purchases),
    ):
        assert said == pytest.approx([within(model, *customer, 30) for customer in customers], rel=1e-12, abs=1e-15)


def test_the_past_is_as_it_was() -> None:
    # The first came 50, 40 and 10 days ago, the second 30 days ago and today, the third 5 days ago.
    occasions = occasions_of(np.array([1, 0, 0, 2, 1, 0]), np.array([0, 10, 50, 5, 30, 40]))
    past = past_of(occasions, 20)
    assert (past.customer.tolist(), past.x.tolist()) == ([0, 1], [1, 0])
    assert (past.t_x.tolist(), past.T.tolist()) == ([10, 0], [30, 10])
    assert bought_after(occasions, past, 20, 20).tolist() == [1, 1]
    assert bought_after(occasions, past, 20, 15).tolist() == [1, 0]
    # An occasion on the day itself was known at its end.
    assert past_of(occasions, 5).customer.tolist() == [0, 1, 2]
    assert past_of(NO_OCCASIONS, 5).x.size == 0
    assert sampled(occasions, 3, 2).customer.tolist() == [0, 0, 0, 2]


def test_the_past_of_today_is_the_population() -> None:
    people, past = cdnow.population(), past_of(cdnow.occasions(), 0)
    for column, today in ((past.x, people.x), (past.t_x, people.t_x), (past.T, people.T)):
        assert (column == today).all()


def test_the_table_is_learnt_from_the_last_window() -> None:
    table = silence_table(cdnow.occasions(), 0, 68)
    assert table is not None
    assert list(table.bounds) == sorted(set(table.bounds))
    assert list(table.rates) == sorted(table.rates, reverse=True)
    assert list(table.silent) == sorted(table.silent)
    # By hand: customers of 68 days before the end, and what they bought since.
    ages = [buyer.ages for buyer in cdnow.buyers() if max(buyer.ages) >= 68]
    bought = sum(age < 68 for each in ages for age in each)
    whole = silence_table(cdnow.occasions(), 0, 68, groups=1)
    assert whole == SilenceTable(
        68, (), (bought / len(ages) / 68,), ((sum(min(each) >= 68 for each in ages) + 0.5) / (len(ages) + 1),)
    )


def test_too_few_customers_before_the_window_teach_nothing() -> None:
    assert silence_table(cdnow.occasions(), 0, 272) is None
    assert silence_table(NO_OCCASIONS, 0, 7) is None


def test_the_gap_is_the_time_observed_per_repeat_purchase() -> None:
    assert own_rate(np.array([3, 0, 1]), np.array([100, 50, 50])) == OwnRate(50.0)
    assert own_rate(np.array([0]), np.array([0])) == OwnRate(1.0)
