"""The formulas of `domain.buying`, `domain.value` and `domain.gamma_gamma` over columns; a test compares."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from regulars_scoring.adapters.engine import beta_geometric_kernels, pareto_kernels
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.adapters.engine.slices import by_slices
from regulars_scoring.domain.buying import Fitted
from regulars_scoring.domain.gamma_gamma import GammaGamma
from regulars_scoring.domain.pareto_nbd import ParetoNbd
from regulars_scoring.domain.value import MONTH_DAYS, MONTHLY_RATE, MONTHS


def p_alive(model: Fitted, x: Ints, t_x: Ints, T: Ints) -> Floats:
    """As `domain.buying.p_alive`."""
    if isinstance(model, ParetoNbd):
        return pareto_kernels.p_alive(model, x, t_x, T)
    return beta_geometric_kernels.p_alive(model, x, t_x, T)


def nearest_of(model: Fitted) -> float:
    """How far before a customer's first day the figures below have their first singularity, in T."""
    return min(model.alpha, model.beta) if isinstance(model, ParetoNbd) else model.alpha


def buys_if_alive(model: Fitted, x: Ints, T: Ints | Floats, horizon: float) -> Floats:
    """As `domain.buying.buys_if_alive`."""
    if isinstance(model, ParetoNbd):
        return pareto_kernels.buys_if_alive(model, x, T, horizon)
    return beta_geometric_kernels.buys_if_alive(model, x, T, horizon)


def expected_spend(model: GammaGamma, x: Ints, repeat_minor: Ints, unit: float) -> Floats:
    """As `domain.gamma_gamma.expected_spend`; `unit` is how many minor units make a major one."""

    def shrunk(x: Ints, repeat_minor: Ints) -> Floats:
        spent = np.maximum(repeat_minor, 0) / unit
        return np.asarray(model.p * (model.v + spent) / (model.p * x + model.q - 1.0), dtype=np.float64)

    return by_slices(shrunk, x, repeat_minor)


def expected_if_alive(model: Fitted, x: Ints, T: Ints | Floats, horizon: float) -> Floats:
    """As `domain.buying.expected_if_alive`."""
    if isinstance(model, ParetoNbd):
        return pareto_kernels.expected_if_alive(model, x, T, horizon)
    return beta_geometric_kernels.expected_if_alive(model, x, T, horizon)


def discounted_purchases(expected: Callable[[float], Floats]) -> Floats:
    """As `domain.value.discounted_purchases`, of what is expected within so many days."""
    until = [expected(float(MONTH_DAYS * month)) for month in range(1, MONTHS + 1)]
    total = until[0] / (1.0 + MONTHLY_RATE)
    for month, (before, now) in enumerate(pairwise(until), 2):
        total = total + (now - before) / (1.0 + MONTHLY_RATE) ** month
    return total
