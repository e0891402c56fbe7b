"""How well forecasts came true. Forecasts that say the same of two customers put neither before the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regulars_scoring.adapters.engine.population import Floats, Ints

TOP = 0.1
ECE_BINS = 10


@dataclass(frozen=True, slots=True)
class Metrics:
    """`bias` (expected less bought), `mae`, `rmse` in purchases a customer; the rest without a unit. None: undefined.

    `gini`: 1 when customers are ordered by their expected purchases as by those they made, 0 when by chance.
    `top_decile_lift`: purchases of the tenth with the highest expectation, over those of everybody, a customer.
    Of churn: `auc` 0.5 by chance, 1 at best; `brier` and `ece` (expected calibration error, ten bins) 0 at best.
    """

    customers: int
    bought: int
    bias: float | None
    mae: float | None
    rmse: float | None
    gini: float | None
    top_decile_lift: float | None
    churn_auc: float | None
    churn_brier: float | None
    churn_ece: float | None


def metrics_of(expected: Floats, churn: Floats, bought: Ints) -> Metrics:
    """Of forecasts for customers and what each of them then bought."""
    silent = (bought == 0).astype(np.float64)
    error = expected - bought
    return Metrics(
        customers=int(bought.size),
        bought=int(bought.sum()),
        bias=_mean(error),
        mae=_mean(np.abs(error)),
        rmse=None if (square := _mean(error**2)) is None else float(np.sqrt(square)),
        gini=normalised_gini(expected, bought),
        top_decile_lift=top_decile_lift(expected, bought),
        churn_auc=auc(churn, silent),
        churn_brier=_mean((churn - silent) ** 2),
        churn_ece=calibration_error(churn, silent),
    )


def normalised_gini(expected: Floats, bought: Ints) -> float | None:
    """The Gini of purchases by the order of expectations, over that by the order of purchases themselves."""
    best = _gini(bought.astype(np.float64), bought)
    return None if best <= 0.0 else _gini(expected, bought) / best


def top_decile_lift(expected: Floats, bought: Ints) -> float | None:
    if not bought.sum():
        return None
    values, weights = _by_order(expected, bought)
    size = TOP * bought.size
    inside = np.clip(size - np.cumsum(weights) + weights, 0.0, weights)
    return float((values * inside).sum() / size / bought.mean())


def auc(churn: Floats, silent: Floats) -> float | None:
    """The chance that who stayed away was given a higher probability of it than who came."""
    away = silent.sum()
    came = silent.size - away
    if away == 0 or came == 0:
        return None
    _, group, sizes = np.unique(churn, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - (sizes - 1) / 2.0
    ranks = middle[group.reshape(-1)]
    return float((ranks @ silent - away * (away + 1) / 2.0) / (away * came))


def calibration_error(churn: Floats, silent: Floats) -> float | None:
    """How far the mean forecast of a bin is from the share that stayed away, in the mean over customers."""
    if not churn.size:
        return None
    bins = np.minimum((churn * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = np.bincount(bins, churn - silent, ECE_BINS)
    return float(np.abs(gaps).sum() / churn.size)


def _gini(order: Floats, bought: Ints) -> float:
    """Area between the curve of purchases gathered, the highest in the order first, and the diagonal."""
    if not bought.sum():
        return 0.0
    values, weights = _by_order(order, bought)
    gathered = np.cumsum(values * weights)
    area = float((weights * (gathered - values * weights / 2.0)).sum())
    return area / (float(gathered[-1]) * bought.size) - 0.5


def _by_order(order: Floats, bought: Ints) -> tuple[Floats, Floats]:
    """Mean purchases and number of the customers who share a place in the order, the highest first."""
    _, group, sizes = np.unique(-order, return_inverse=True, return_counts=True)
    sums = np.bincount(group.reshape(-1), bought)
    return sums / sizes, sizes.astype(np.float64)


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None
