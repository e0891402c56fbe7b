"""The formulas of `domain.pareto_nbd` over columns; a test compares."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.pairs import distinct_pairs
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.adapters.engine.tails import log_tail
from regulars_scoring.domain.pareto_nbd import ParetoNbd


def p_alive(model: ParetoNbd, x: Ints, t_x: Ints, T: Ints) -> Floats:
    """As `domain.pareto_nbd.p_alive`; the integrals once for each pair of x and a day."""
    pair_x, day, places = distinct_pairs(np.concatenate([x, x]), np.concatenate([np.where(x == 0, 0, t_x), T]))
    A, B, shape = _ends(model, pair_x, day)
    tails = log_tail(A, B, shape, np.full(shape.size, model.s + 1.0))
    ever, later = tails[places[: x.size]], tails[places[x.size :]]
    stayed = -(model.r + x) * np.log(model.alpha + T) - model.s * np.log(model.beta + T)
    with np.errstate(divide="ignore"):
        odds = np.log(model.s) + ever + np.log(-np.expm1(np.minimum(later - ever, 0.0))) - stayed
    # Who bought on the last day cannot have left: their odds are minus infinity.
    less = np.exp(-np.abs(odds))
    return np.asarray(np.where(odds > 0, less, 1.0) / (1.0 + less), dtype=np.float64)


def buys_if_alive(model: ParetoNbd, x: Ints, T: Ints | Floats, horizon: float) -> Floats:
    """As `domain.pareto_nbd.buys_if_alive`."""
    A, B, shape = _ends(model, x, T)
    s = np.full(shape.size, model.s)
    ever, later = log_tail(A, B, shape + 1.0, s), log_tail(A + horizon, B + horizon, shape + 1.0, s)
    scale = np.log(shape) + shape * np.log(A) + model.s * np.log(B)
    buys = np.exp(scale + ever) * -np.expm1(np.minimum(0.0, later - ever))
    return np.asarray(np.minimum(1.0, buys), dtype=np.float64)


def expected_if_alive(model: ParetoNbd, x: Ints, T: Ints | Floats, horizon: float) -> Floats:
    """As `domain.pareto_nbd.expected_if_alive`."""
    excess, length = model.s - 1.0, np.log1p(horizon / (model.beta + T))
    small = np.abs(excess * length) < 1e-12
    lived = np.where(small, length, -np.expm1(-excess * length) / (excess or 1.0))
    return np.asarray((model.r + x) * (model.beta + T) / (model.alpha + T) * lived, dtype=np.float64)


def _ends(model: ParetoNbd, x: Ints, day: Ints | Floats) -> tuple[Floats, Floats, Floats]:
    """alpha + day, beta + day, r + x."""
    days = day.astype(np.float64)
    return model.alpha + days, model.beta + days, model.r + x.astype(np.float64)
