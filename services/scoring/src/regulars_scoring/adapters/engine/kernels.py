"""The formulas of `domain.buying`, `domain.value` and `domain.gamma_gamma` over columns; a test compares."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine import beta_geometric_kernels, pareto_kernels
from regulars_scoring.adapters.engine.pairs import distinct_pairs
from regulars_scoring.adapters.engine.population import Floats, Ints, Population
from regulars_scoring.domain.buying import Fitted
from regulars_scoring.domain.gamma_gamma import GammaGamma
from regulars_scoring.domain.pareto_nbd import ParetoNbd
from regulars_scoring.domain.value import MONTH_DAYS, MONTHLY_RATE, MONTHS


def p_alive(model: Fitted, x: Ints, t_x: Ints, T: Ints) -> Floats:
    """As `domain.buying.p_alive`."""
    if isinstance(model, ParetoNbd):
        return pareto_kernels.p_alive(model, x, t_x, T)
    return beta_geometric_kernels.p_alive(model, x, t_x, T)


def churn(model: Fitted, x: Ints, alive: Floats, T: Ints, horizon: float) -> Floats:
    """1 - P(alive) P(a purchase within the horizon | alive), of customers who are alive with these probabilities."""
    if isinstance(model, ParetoNbd):
        return np.asarray(1.0 - alive * pareto_kernels.buys_if_alive(model, x, T, horizon), dtype=np.float64)
    return np.asarray(1.0 - alive * beta_geometric_kernels.buys_if_alive(model, x, T, horizon), dtype=np.float64)


def expected_spend(model: GammaGamma, x: Ints, repeat_spend: Floats) -> Floats:
    """As `domain.gamma_gamma.expected_spend`."""
    shrunk = model.p * (model.v + np.maximum(repeat_spend, 0.0)) / (model.p * x + model.q - 1.0)
    return np.asarray(shrunk, dtype=np.float64)


def expected_if_alive(model: Fitted, x: Ints, T: Ints, horizon: float) -> Floats:
    """As `domain.buying.expected_if_alive`."""
    if isinstance(model, ParetoNbd):
        return pareto_kernels.expected_if_alive(model, x, T, horizon)
    return beta_geometric_kernels.expected_if_alive(model, x, T, horizon)


def discounted_purchases(model: Fitted, x: Ints, T: Ints) -> Floats:
    """As `domain.value.discounted_purchases`."""
    total, before = np.zeros(x.size), np.zeros(x.size)
    for month in range(1, MONTHS + 1):
        until = expected_if_alive(model, x, T, float(MONTH_DAYS * month))
        total += (until - before) / (1.0 + MONTHLY_RATE) ** month
        before = until
    return total


def pairs_of(population: Population) -> tuple[Ints, Ints, Ints]:
    """The distinct pairs of x and T, and for each customer the place of theirs: what is dear is reckoned per pair."""
    return distinct_pairs(population.x, population.T)
