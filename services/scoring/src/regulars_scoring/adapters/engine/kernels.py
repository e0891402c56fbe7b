"""The formulas of `domain.mbg_nbd`, `domain.value` and `domain.gamma_gamma` over columns; a test compares."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.population import Floats, Ints, Population
from regulars_scoring.domain.gamma_gamma import GammaGamma
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.value import MONTH_DAYS, MONTHLY_RATE, MONTHS

_HUGE = 1e200
_PRECISION = 1e-14
_SIFT_EVERY = 32


def p_alive(model: MbgNbd, x: Ints, t_x: Ints, T: Ints) -> Floats:
    """As `domain.mbg_nbd.p_alive`."""
    since = np.where(x == 0, 0, t_x)
    odds = (
        np.log(model.a) - np.log(model.b + x) + (model.r + x) * (np.log(model.alpha + T) - np.log(model.alpha + since))
    )
    return np.asarray(np.where(odds > 0, np.exp(-np.abs(odds)), 1.0) / (1.0 + np.exp(-np.abs(odds))), dtype=np.float64)


def churn(model: MbgNbd, x: Ints, alive: Floats, T: Ints, horizon: float) -> Floats:
    """As `domain.mbg_nbd.churn`, of customers who are alive with these probabilities."""
    buys = -np.expm1(-(model.r + x) * np.log1p(horizon / (model.alpha + T)))
    return np.asarray(1.0 - alive * buys, dtype=np.float64)


def expected_spend(model: GammaGamma, x: Ints, repeat_spend: Floats) -> Floats:
    """As `domain.gamma_gamma.expected_spend`."""
    shrunk = model.p * (model.v + np.maximum(repeat_spend, 0.0)) / (model.p * x + model.q - 1.0)
    return np.asarray(shrunk, dtype=np.float64)


def expected_if_alive(model: MbgNbd, x: Ints, T: Ints, horizon: float) -> Floats:
    """As `domain.mbg_nbd.expected_if_alive`, all pairs at once; those that have converged are set aside."""
    result = np.zeros(x.size)
    open_ = np.arange(x.size)
    z = horizon / (model.alpha + T + horizon)
    c, shape = model.a + model.b + x, model.r + x
    weight, kept, mass = np.ones(x.size), np.ones(x.size), np.ones(x.size)
    made, total = np.zeros(x.size), np.zeros(x.size)
    n = 0
    while open_.size:
        ratio = (shape + n) / (n + 1.0) * z
        weight = weight * ratio
        made = made + c * kept / (c + n)
        kept = kept * (1.0 - (model.a - 1.0) / (c + n))
        n += 1
        mass = mass + weight
        total = total + weight * made
        if n % _SIFT_EVERY:
            continue
        bound = np.maximum(ratio, z)
        done = (bound < 1.0) & (weight * (made + 1.0) <= _PRECISION * (1.0 - bound) ** 2 * total)
        result[open_[done]] = total[done] / mass[done]
        scale = np.where(mass > _HUGE**0.5, mass, 1.0)
        columns = (open_, z, c, shape, weight / scale, kept, mass / scale, made, total / scale)
        open_, z, c, shape, weight, kept, mass, made, total = (column[~done] for column in columns)
    return result


def discounted_purchases(model: MbgNbd, x: Ints, T: Ints) -> Floats:
    """As `domain.value.discounted_purchases`."""
    total, before = np.zeros(x.size), np.zeros(x.size)
    for month in range(1, MONTHS + 1):
        until = expected_if_alive(model, x, T, float(MONTH_DAYS * month))
        total += (until - before) / (1.0 + MONTHLY_RATE) ** month
        before = until
    return total


def pairs_of(population: Population) -> tuple[Ints, Ints, Ints]:
    """The distinct pairs of x and T, and for each customer the place of theirs: what is dear is reckoned per pair."""
    pairs, places = np.unique(np.stack([population.x, population.T], axis=1), axis=0, return_inverse=True)
    return pairs[:, 0], pairs[:, 1], places.reshape(-1)
