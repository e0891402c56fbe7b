"""The models' laws, over parameters and customers of every kind; and the kernels beside the formulas they repeat."""

from __future__ import annotations

from math import isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine import kernels
from regulars_scoring.domain import bg_nbd, mbg_nbd, pareto_nbd
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.buying import (
    Fitted,
    buys_if_alive,
    churn,
    discounted_if_alive,
    expected_if_alive,
    p_alive,
)
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.pareto_nbd import ParetoNbd

shapes, drop_outs = st.floats(0.02, 30), st.floats(0.01, 20)

# CDNOW's; as likelihoods end at their boundaries: no drop-out, the same drop-out for all, the same rate for all.
beta_geometric = st.one_of(
    st.sampled_from(
        [(0.525, 43.281, 0.891, 1.614), (0.826, 70.2, 4.3e-4, 6.5e5), (900.0, 9e3, 3e4, 1e5), (0.5, 40.0, 1.0, 0.3)]
    ),
    st.tuples(shapes, st.floats(0.5, 500), drop_outs, st.floats(0.05, 20)),
    # a + b below 1, and 1, where papers divide by a + b - 1.
    st.floats(0.01, 0.99).map(lambda a: (0.5, 40.0, a, 1.0 - a)),
    st.floats(0.01, 0.4).map(lambda a: (0.5, 40.0, a, 0.5 - a)),
)
pareto = st.one_of(
    st.sampled_from(
        [(0.553, 74.046, 0.606, 81.683), (0.8, 70.0, 0.6, 1e6), (900.0, 9e3, 900.0, 9e4), (0.5, 40.0, 1.0, 40.0)]
    ),
    st.tuples(shapes, st.floats(0.5, 500), st.one_of(drop_outs, st.just(1.0)), st.floats(0.5, 2000)),
)
models: st.SearchStrategy[Fitted] = st.one_of(
    beta_geometric.map(lambda four: MbgNbd(*four)),
    beta_geometric.map(lambda four: BgNbd(*four)),
    pareto.map(lambda four: ParetoNbd(*four)),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, int, int]:
    """x, t_x and T in days: x occasions after the first need x days at least, except for the hard cases."""
    x = draw(st.one_of(st.integers(0, 30), st.sampled_from([0, 200, 2000])))
    t_x = 0 if x == 0 else draw(st.integers(0, 2500))
    return x, t_x, t_x + draw(st.integers(0, 1500))


def expected(model: Fitted, x: int, t_x: float, T: float, horizon: float) -> float:
    return p_alive(model, x, t_x, T) * expected_if_alive(model, x, T, horizon)


@given(models, histories(), st.floats(0, 400))
@settings(max_examples=150, deadline=None)
def test_every_figure_is_finite_and_in_its_range(model: Fitted, history: tuple[int, int, int], horizon: float) -> None:
    x, t_x, T = history
    assert 0 <= p_alive(model, x, t_x, T) <= 1
    assert 0 <= churn(model, x, t_x, T, horizon) <= 1
    # As many as without leaving.
    assert 0 <= expected(model, x, t_x, T, horizon) <= (model.r + x) / (model.alpha + T) * horizon * (1 + 1e-9)


@given(models, histories(), st.integers(0, 1000))
@settings(max_examples=150, deadline=None)
def test_silence_never_makes_a_customer_more_alive(model: Fitted, history: tuple[int, int, int], days: int) -> None:
    x, t_x, T = history
    # The integrals of Pareto/NBD are exact to some 1e-12 of them, where their logarithms go into the thousands.
    slack = 1e-10 if isinstance(model, ParetoNbd) else 0.0
    assert p_alive(model, x, t_x, T + days) <= p_alive(model, x, t_x, T) + slack


@given(models, histories(), st.floats(0, 200), st.floats(0, 200))
@settings(max_examples=100, deadline=None)
def test_a_longer_horizon_expects_no_fewer_purchases_and_no_more_churn(
    model: Fitted, history: tuple[int, int, int], horizon: float, more: float
) -> None:
    x, t_x, T = history
    shorter, longer = (expected(model, x, t_x, T, days) for days in (horizon, horizon + more))
    assert longer >= shorter * (1 - 1e-9)
    assert churn(model, x, t_x, T, horizon + more) <= churn(model, x, t_x, T, horizon) + 1e-10


@given(models, histories())
@settings(max_examples=80, deadline=None)
def test_one_purchase_is_expected_at_least_as_often_as_any(model: Fitted, history: tuple[int, int, int]) -> None:
    x, t_x, T = history
    assert expected(model, x, t_x, T, 90) >= (1 - churn(model, x, t_x, T, 90)) * (1 - 1e-9)


@given(models, histories().filter(lambda history: history[0] <= 200))
@settings(max_examples=60, deadline=None)
def test_days_and_weeks_give_the_same_forecasts(model: Fitted, history: tuple[int, int, int]) -> None:
    x, t_x, T = history
    weekly = in_weeks(model)
    assert p_alive(weekly, x, t_x / 7, T / 7) == pytest.approx(p_alive(model, x, t_x, T), rel=1e-9, abs=1e-300)
    for figure in (buys_if_alive, expected_if_alive):
        assert figure(weekly, x, T / 7, 13.0) == pytest.approx(figure(model, x, T, 91.0), rel=1e-9)
    assert log_likelihood(weekly, x, t_x / 7, T / 7) == pytest.approx(
        log_likelihood(model, x, t_x, T) + x * np.log(7.0), rel=1e-9, abs=1e-9
    )


def in_weeks(model: Fitted) -> Fitted:
    match model:
        case ParetoNbd():
            return ParetoNbd(model.r, model.alpha / 7, model.s, model.beta / 7)
        case BgNbd():
            return BgNbd(model.r, model.alpha / 7, model.a, model.b)
        case MbgNbd():
            return MbgNbd(model.r, model.alpha / 7, model.a, model.b)


def log_likelihood(model: Fitted, x: int, t_x: float, T: float) -> float:
    match model:
        case ParetoNbd():
            return pareto_nbd.log_likelihood(model, x, t_x, T)
        case BgNbd():
            return bg_nbd.log_likelihood(model, x, t_x, T)
        case MbgNbd():
            return mbg_nbd.log_likelihood(model, x, t_x, T)


@given(models, histories().filter(lambda history: history[0] <= 200))
@settings(max_examples=40, deadline=None)
def test_all_purchases_to_come_are_worth_more_than_a_years_and_fewer_than_without_leaving(
    model: Fitted, history: tuple[int, int, int]
) -> None:
    x, t_x, T = history
    force = 0.001
    forever = p_alive(model, x, t_x, T) * discounted_if_alive(model, x, T, force)
    assert isfinite(forever)
    assert forever >= expected(model, x, t_x, T, 365.0) * np.exp(-force * 365.0) * (1 - 1e-9)
    alive = p_alive(model, x, t_x, T)
    assert forever <= alive * (model.r + x) / (model.alpha + T) / force * (1 + 1e-9)


@given(models, st.lists(histories(), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_the_kernels_say_what_the_live_formulas_say(model: Fitted, customers: list[tuple[int, int, int]]) -> None:
    x, t_x, T = (np.array(column, dtype=np.int64) for column in zip(*customers, strict=True))
    alive = kernels.p_alive(model, x, t_x, T)
    assert alive == pytest.approx([p_alive(model, *customer) for customer in customers], rel=1e-9, abs=1e-12)
    assert 1 - alive * kernels.buys_if_alive(model, x, T, 90) == pytest.approx(
        [churn(model, *customer, 90) for customer in customers], rel=1e-9, abs=1e-12
    )
    assert kernels.expected_if_alive(model, x, T, 365.0) == pytest.approx(
        [expected_if_alive(model, x, T, 365.0) for x, _, T in customers], rel=1e-9
    )


@given(st.floats(0.01, 50), st.integers(0, 40), st.floats(0.1, 100))
@settings(max_examples=40, deadline=None)
def test_purchases_within_a_time_are_some_number(r: float, most: int, t: float) -> None:
    model = BgNbd(r, 20.0, 0.8, 2.5)
    chances = [bg_nbd.p_purchases(model, x, t) for x in range(most + 1)]
    assert all(0 <= chance <= 1 for chance in chances)
    assert sum(chances) <= 1 + 1e-9
    # The mean is E[X(t)], as long as few enough have been left out.
    many = [bg_nbd.p_purchases(model, x, 10.0) for x in range(400)]
    mean = sum(x * chance for x, chance in enumerate(many))
    assert mean == pytest.approx(bg_nbd.expected_purchases(model, 0, 0, 0, 10.0), rel=1e-6)
