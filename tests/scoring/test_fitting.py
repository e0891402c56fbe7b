"""Fits: parameters found again, boundaries named, refusals in words."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest

from regulars_scoring.adapters.engine.fitting import NO_DROP_OUT, POLARISED_DROP_OUT, fit_buying, fit_spend
from regulars_scoring.adapters.engine.gamma_likelihood import GammaLikelihood
from regulars_scoring.adapters.engine.mbg_likelihood import MbgLikelihood
from regulars_scoring.adapters.engine.newton import Likelihood, maximise
from regulars_scoring.adapters.engine.population import Ints
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.model import POOLED_MEAN
from regulars_scoring.domain.refusals import TooFewPurchases
from scoring import cdnow

YEAR = 365


def simulated(model: MbgNbd, customers: int, *, seed: int = 3) -> tuple[Ints, Ints, Ints]:
    """x, t_x, T of customers who began some day of the first half-year and lived by the model's story."""
    chance = np.random.default_rng(seed)
    rows = []
    for _ in range(customers):
        rate, leaves = chance.gamma(model.r) / model.alpha, chance.beta(model.a, model.b)
        T = int(chance.integers(YEAR // 2, YEAR))
        at, days = 0.0, set[int]()
        while chance.random() >= leaves and (at := at + chance.exponential(1 / rate)) <= T:
            days.add(ceil(at))
        rows.append((len(days), max(days, default=0), T))
    x, t_x, T_all = np.array(rows, dtype=np.int64).T
    return x, t_x, T_all


def test_parameters_are_found_again_in_simulated_purchases() -> None:
    fit = fit_buying(*simulated(MbgNbd(0.8, 40.0, 0.8, 2.5), 6_000))
    found = fit.model
    assert [found.r, found.alpha] == pytest.approx([0.8, 40], rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(0.8 / 3.3, rel=0.1)
    assert fit.degeneracies == ()


@pytest.mark.parametrize(("seed", "boundary"), [(5, NO_DROP_OUT), (3, POLARISED_DROP_OUT)])
def test_customers_who_never_leave_are_named_a_degenerate_fit(seed: int, boundary: str) -> None:
    # By chance a few more than expected came only once: then those alone are taken to have left.
    fit = fit_buying(*simulated(MbgNbd(1.5, 60.0, 1e-6, 1.0), 1_500, seed=seed))
    assert fit.degeneracies == (boundary,)
    assert np.isfinite([fit.log_likelihood, fit.model.r, fit.model.alpha, fit.model.a, fit.model.b]).all()


@pytest.mark.parametrize("repeaters", [0, 9])
def test_nine_who_bought_again_are_too_few(repeaters: int) -> None:
    x = np.array([1] * repeaters + [0] * 50, dtype=np.int64)
    with pytest.raises(TooFewPurchases):
        fit_buying(x, 5 * x, np.full(x.size, 60))
    if repeaters:
        fit_buying(np.append(x, 1), np.append(5 * x, 7), np.full(x.size + 1, 60))


def test_without_repeat_spend_the_pooled_mean_serves() -> None:
    x = np.array([1] * 12 + [0] * 12, dtype=np.int64)
    fit = fit_spend(x, np.zeros(24), np.full(24, 15.0))
    assert (fit.name, fit.refusal) == (POOLED_MEAN, "too_few_purchases")
    # 24 customers spent 15 each on 36 occasions: 10 on each.
    assert fit.model.v == pytest.approx(10.0)


def test_spends_without_a_finite_mean_are_refused_to_gamma_gamma() -> None:
    chance = np.random.default_rng(5)
    x = np.full(400, 20, dtype=np.int64)
    # Gamma spends around means whose own distribution has q = 0.5: nobody's mean could be told.
    spends = 20 * 10 / chance.gamma(0.5, size=400)
    fit = fit_spend(x, spends, spends + 10)
    assert (fit.name, fit.refusal) == (POOLED_MEAN, "infinite_mean")


@pytest.mark.parametrize("parameters", [[0.6, 50.0, 0.8, 1.5], [0.2, 5.0, 3.0, 0.4]])
def test_the_derivatives_of_mbg_nbd_are_those_of_its_likelihood(parameters: list[float]) -> None:
    people = cdnow.population()
    compare_derivatives(MbgLikelihood(people.x, people.t_x, people.T), np.array(parameters))


def test_the_derivatives_of_gamma_gamma_are_those_of_its_likelihood() -> None:
    people = cdnow.population()
    paid = (people.x > 0) & (people.repeat_minor > 0)
    compare_derivatives(
        GammaLikelihood(people.x[paid].astype(float), people.repeat_minor[paid] / 100), np.array([4.0, 3.0, 20.0])
    )


def compare_derivatives(likelihood: Likelihood, at: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    _, gradient, hessian = likelihood(at)
    for place, value in enumerate(at):
        step = np.zeros(at.size)
        step[place] = 1e-5 * value
        (above, slope_above, _), (below, slope_below, _) = likelihood(at + step), likelihood(at - step)
        assert (above - below) / (2 * step[place]) == pytest.approx(gradient[place], rel=1e-5, abs=1e-3)
        assert (slope_above - slope_below) / (2 * step[place]) == pytest.approx(hessian[place], rel=1e-5, abs=1e-3)


def test_a_likelihood_that_only_rises_ends_at_its_bound() -> None:
    found = maximise(lambda p: (float(np.log(p[0])), 1 / p, np.array([[-1 / p[0] ** 2]])), np.array([1.0]))
    assert found.is_at_bound
