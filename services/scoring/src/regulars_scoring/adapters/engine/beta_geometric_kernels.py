"""The formulas of `domain.beta_geometric`, `domain.mbg_nbd` and `domain.bg_nbd` over columns; a test compares."""

from __future__ import annotations

from functools import partial

import numpy as np

from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.adapters.engine.slices import by_slices
from regulars_scoring.domain import bg_nbd, mbg_nbd
from regulars_scoring.domain.beta_geometric import BEYOND, MANY, expected_of_many
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.mbg_nbd import MbgNbd

_HUGE = 1e200
_PRECISION = 1e-14
_SIFT_EVERY = 32

Model = MbgNbd | BgNbd


def p_alive(model: Model, x: Ints, t_x: Ints, T: Ints) -> Floats:
    """As `p_alive` of either model."""
    return by_slices(partial(_p_alive, model), x, t_x, T)


def _p_alive(model: Model, x: Ints, t_x: Ints, T: Ints) -> Floats:
    first_may_be_last = isinstance(model, MbgNbd)
    since = t_x * (x > 0)
    # In BG/NBD nobody has left before a repeat purchase: those customers' odds are not looked at.
    stays = model.b + (x if first_may_be_last else np.maximum(x, 1) - 1)
    odds = (model.r + x) * np.log((model.alpha + T) / (model.alpha + since)) - np.log(stays / model.a)
    alive = np.exp(np.minimum(-odds, 0.0)) / (1.0 + np.exp(-np.abs(odds)))
    return np.asarray(alive if first_may_be_last else np.where(x == 0, 1.0, alive), dtype=np.float64)


def buys_if_alive(model: Model, x: Ints, T: Ints | Floats, horizon: float) -> Floats:
    """As `domain.beta_geometric.buys_within`."""
    return np.asarray(-np.expm1(-(model.r + x) * np.log1p(horizon / (model.alpha + T))), dtype=np.float64)


def expected_if_alive(model: Model, x: Ints, T: Ints | Floats, horizon: float) -> Floats:
    """As `domain.beta_geometric.expected_purchases`, all pairs at once; those that have converged are set aside."""
    result, days = np.zeros(x.size), np.asarray(T, dtype=np.float64)
    many = (model.r + x + BEYOND) * horizon / (model.alpha + days) > MANY
    result[many] = [_expected_of_many(model, *pair, horizon) for pair in zip(x[many], days[many], strict=True)]
    result[~many] = _expected_one_by_one(model, x[~many], days[~many], horizon)
    return result


def _expected_of_many(model: Model, x: int, T: float, horizon: float) -> float:
    """Few pairs are so: of who has been known for days and buys on most of them."""
    alive = mbg_nbd.alive_after(model, x, T) if isinstance(model, MbgNbd) else bg_nbd.alive_after(model, x, T)
    return expected_of_many(alive, horizon)


def _expected_one_by_one(model: Model, x: Ints, T: Floats, horizon: float) -> Floats:
    result: Floats = np.zeros(x.size)
    open_: Ints = np.arange(x.size)
    z: Floats = horizon / (model.alpha + T + horizon)
    known = x.astype(np.float64)
    occasions, shape = model.a + model.b + known + float(isinstance(model, MbgNbd)), model.r + known
    weight = stayed = mass = result + 1.0
    made = total = result + 0.0
    n = 0
    while open_.size:
        ratio = (shape + n) / (n + 1.0) * z
        weight = weight * ratio
        made = made + stayed
        stayed = stayed * (1.0 - model.a / (occasions + n))
        n += 1
        mass = mass + weight
        total = total + weight * made
        if n % _SIFT_EVERY:
            continue
        bound = np.maximum(ratio, z)
        done = (bound < 1.0) & (weight * (made + 1.0) <= _PRECISION * (1.0 - bound) ** 2 * total)
        result[open_[done]] = total[done] / mass[done]
        scale = np.where(mass > _HUGE**0.5, mass, 1.0)
        columns = (z, occasions, shape, weight / scale, stayed, mass / scale, made, total / scale)
        z, occasions, shape, weight, stayed, mass, made, total = (column[~done] for column in columns)
        open_ = open_[~done]
    return result
