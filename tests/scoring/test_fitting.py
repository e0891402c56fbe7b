"""Fits: parameters found again, boundaries named, refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
import pytest

from regulars_scoring.adapters.engine import kernels
from regulars_scoring.adapters.engine.beta_geometric_likelihood import bg_likelihood, mbg_likelihood
from regulars_scoring.adapters.engine.degeneracy import (
    HOMOGENEOUS_DROP_OUT,
    NO_DROP_OUT,
    POLARISED_DROP_OUT,
    degeneracies_of,
)
from regulars_scoring.adapters.engine.fitting import fit_buying, fit_spend
from regulars_scoring.adapters.engine.gamma_likelihood import GammaLikelihood
from regulars_scoring.adapters.engine.newton import Likelihood, maximise
from regulars_scoring.adapters.engine.pareto_likelihood import ParetoLikelihood
from regulars_scoring.adapters.engine.population import Ints
from regulars_scoring.domain import bg_nbd, mbg_nbd, pareto_nbd
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.model import BG_NBD, MBG_NBD, PARETO_NBD, POOLED_MEAN
from regulars_scoring.domain.pareto_nbd import ParetoNbd
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


def simulated_by_pareto(model: ParetoNbd, customers: int, *, seed: int = 3) -> tuple[Ints, Ints, Ints]:
    """The same by Pareto/NBD's story: whoever has left buys no more."""
    chance = np.random.default_rng(seed)
    rows = []
    for _ in range(customers):
        rate, T = chance.gamma(model.r) / model.alpha, int(chance.integers(YEAR // 2, YEAR))
        until = min(T, chance.exponential(1.0) / (chance.gamma(model.s) / model.beta))
        days = {ceil(at) for at in chance.uniform(0, until, chance.poisson(rate * until))}
        rows.append((len(days), max(days, default=0), T))
    x, t_x, T_all = np.array(rows, dtype=np.int64).T
    return x, t_x, T_all


def test_parameters_are_found_again_in_simulated_purchases() -> None:
    fit = fit_buying(*simulated(MbgNbd(0.8, 40.0, 0.8, 2.5), 6_000))
    found = fit.model
    assert isinstance(found, MbgNbd)
    assert [found.r, found.alpha] == pytest.approx([0.8, 40], rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(0.8 / 3.3, rel=0.1)
    assert fit.degeneracies == ()


def test_parameters_of_pareto_nbd_are_found_again_within_their_standard_errors() -> None:
    model = ParetoNbd(0.8, 40.0, 0.6, 80.0)
    fit = fit_buying(*simulated_by_pareto(model, 6_000), name=PARETO_NBD)
    found = fit.model
    assert isinstance(found, ParetoNbd)
    assert fit.degeneracies == ()
    assert fit.standard_errors is not None
    away = np.array([found.r, found.alpha, found.s, found.beta]) - [model.r, model.alpha, model.s, model.beta]
    # Two purchases on a day are one occasion, which takes something off the rates: hence three errors and not two.
    assert (np.abs(away) < 3.0 * np.array(fit.standard_errors)).all()


@pytest.mark.parametrize(("seed", "boundary"), [(5, NO_DROP_OUT), (3, POLARISED_DROP_OUT)])
def test_customers_who_never_leave_are_named_a_degenerate_fit(seed: int, boundary: str) -> None:
    # By chance a few more than expected came only once: then those alone are taken to have left.
    fit = fit_buying(*simulated(MbgNbd(1.5, 60.0, 1e-6, 1.0), 1_500, seed=seed))
    assert fit.degeneracies == (boundary,)
    assert isinstance(fit.model, MbgNbd)
    assert np.isfinite([fit.log_likelihood, fit.model.r, fit.model.alpha, fit.model.a, fit.model.b]).all()
    assert fit.standard_errors is None


@pytest.mark.parametrize("name", [BG_NBD, PARETO_NBD])
def test_who_never_leaves_makes_every_model_degenerate(name: str) -> None:
    x, t_x, T = simulated(MbgNbd(1.5, 60.0, 1e-6, 1.0), 1_500, seed=5)
    fit = fit_buying(x, t_x, T, name)
    assert fit.degeneracies
    assert fit.standard_errors is None
    assert np.isfinite(fit.log_likelihood)


def test_each_boundary_has_its_name() -> None:
    sound = ParetoNbd(0.55, 74.0, 0.6, 82.0)
    assert degeneracies_of(sound, 230.0, is_at_bound=False) == ()
    assert degeneracies_of(sound, 230.0, is_at_bound=True) == ("at_bound",)
    assert degeneracies_of(ParetoNbd(0.55, 74.0, 0.6, 1e6), 230.0, is_at_bound=True) == (NO_DROP_OUT,)
    assert degeneracies_of(ParetoNbd(0.55, 74.0, 5e3, 1e6), 230.0, is_at_bound=True) == (HOMOGENEOUS_DROP_OUT,)
    assert degeneracies_of(ParetoNbd(0.55, 74.0, 1e-3, 3e-6), 230.0, is_at_bound=False) == (POLARISED_DROP_OUT,)
    assert degeneracies_of(MbgNbd(0.1, 1e-4, 0.8, 2.5), 230.0, is_at_bound=False) == ("polarised_rates",)
    assert degeneracies_of(BgNbd(2e3, 9e4, 30.0, 1e5), 230.0, is_at_bound=False) == (NO_DROP_OUT, "homogeneous_rates")


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
@pytest.mark.parametrize("likelihood", [mbg_likelihood, bg_likelihood])
def test_the_derivatives_of_the_beta_geometric_models_are_those_of_their_likelihoods(
    likelihood: Callable[[Ints, Ints, Ints], Likelihood], parameters: list[float]
) -> None:
    people = cdnow.population()
    compare_derivatives(likelihood(people.x, people.t_x, people.T), np.array(parameters))


@pytest.mark.parametrize(
    "parameters", [[0.6, 50.0, 0.8, 90.0], [0.6, 90.0, 0.8, 50.0], [0.5, 70.0, 0.6, 70.0], [3.0, 900.0, 2.5, 4.0]]
)
def test_the_derivatives_of_pareto_nbd_are_those_of_its_likelihood(parameters: list[float]) -> None:
    people = cdnow.population()
    compare_derivatives(ParetoLikelihood(people.x, people.t_x, people.T), np.array(parameters))


# As they come; often and on one day alone; bought on the last day; known since today; for years and every day.
HARD = (
    *((0, 0, 200), (3, 40, 200), (1, 0, 0), (12, 200, 200), (0, 0, 0)),
    *((2000, 2000, 2001), (254, 680, 681), (1, 1, 3000)),
)


def test_a_likelihood_of_many_is_the_sum_of_the_domains() -> None:
    columns = tuple(np.array(column, dtype=np.int64) for column in zip(*HARD, strict=True))
    at = np.array([0.5, 20.0, 0.8, 1.5])
    assert mbg_likelihood(*columns)(at)[0] == pytest.approx(
        sum(mbg_nbd.log_likelihood(MbgNbd(*at.tolist()), *customer) for customer in HARD)
    )
    assert bg_likelihood(*columns)(at)[0] == pytest.approx(
        sum(bg_nbd.log_likelihood(BgNbd(*at.tolist()), *customer) for customer in HARD)
    )
    for beta in (1.5, 20.0, 300.0):
        at = np.array([0.5, 20.0, 0.8, beta])
        value, slope, curve = ParetoLikelihood(*columns)(at)
        assert value == pytest.approx(
            sum(pareto_nbd.log_likelihood(ParetoNbd(*at.tolist()), *customer) for customer in HARD)
        )
        assert np.isfinite(slope).all()
        assert np.isfinite(curve).all()


def test_the_derivatives_of_gamma_gamma_are_those_of_its_likelihood() -> None:
    people = cdnow.population()
    paid = (people.x > 0) & (people.repeat_minor > 0)
    compare_derivatives(GammaLikelihood(people.x[paid], people.repeat_minor[paid] / 100), np.array([4.0, 3.0, 20.0]))


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


def a_strange_shop(kind: str, customers: int = 300) -> tuple[Ints, Ints, Ints]:
    """Customers who are all alike in one way or another."""
    chance = np.random.default_rng(0)
    T = chance.integers(2, 400, customers)
    x, t_x = {
        "every day": (T, T),
        "like clockwork": (T // 30, T // 30 * 30),
        "once more, as all do": (np.ones_like(T), np.ones_like(T)),
        "once more, today": (np.ones_like(T), T),
        "a week, and never again": (np.minimum(T, 6), np.minimum(T, 6)),
        "every other day, or never": (T // 2 * (T % 2), T // 2 * 2 * (T % 2)),
        "ten came again": (np.where(np.arange(customers) < 10, 1, 0), np.where(np.arange(customers) < 10, 1, 0)),
    }[kind]
    return x, t_x, T


@pytest.mark.parametrize("name", [MBG_NBD, BG_NBD, PARETO_NBD])
@pytest.mark.parametrize(
    "kind",
    [
        *("every day", "like clockwork", "once more, as all do", "once more, today"),
        *("a week, and never again", "every other day, or never", "ten came again"),
    ],
)
def test_a_strange_shop_is_a_fit_with_finite_figures(kind: str, name: str) -> None:
    x, t_x, T = a_strange_shop(kind)
    fit = fit_buying(x, t_x, T, name)
    assert np.isfinite(fit.log_likelihood)
    alive = kernels.p_alive(fit.model, x, t_x, T)
    assert ((alive >= 0) & (alive <= 1)).all()
    if kind not in ("every other day, or never", "ten came again"):
        assert fit.degeneracies
