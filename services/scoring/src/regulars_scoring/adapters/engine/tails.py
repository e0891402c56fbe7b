"""`domain.hypergeometric` over columns: the values alone, and with the derivatives that a fit needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from regulars_scoring.adapters.engine import jets
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.hypergeometric import steps_for

MOST_STEPS = 128
"""Of the fraction with its derivatives: all digits for y up to some 140, which only degenerate fits go far beyond."""
_BATCHES = (2.0, 30.0, 400.0, np.inf)
"""By y: a few customers who need many steps shall not make all others take them."""


def mean_inverse(p: Floats, q: Floats, y: Floats) -> Floats:
    """As `domain.hypergeometric.mean_inverse`."""
    result = np.empty(y.size)
    for batch in _batches(y):
        result[batch] = _mean_inverse(p[batch], q[batch], y[batch])
    return result


def log_tail(A: Floats, B: Floats, by_A: Floats, by_B: Floats) -> Floats:
    """As `domain.hypergeometric.log_tail`."""
    is_first = A <= B
    low, high = np.minimum(A, B), np.maximum(A, B)
    p, q = np.where(is_first, by_A, by_B), np.where(is_first, by_B, by_A)
    mean = mean_inverse(p, q, (high - low) / low)
    return np.asarray((1.0 - q) * np.log(high) - p * np.log(low) + np.log(mean / (p + q - 1.0)), dtype=np.float64)


def log_mean_inverse_jet(p: Floats, q: Floats, y: Floats, places: Ints) -> Floats:
    """The jet of ln `mean_inverse`, by p, q and y. `places` has for each y the place of its p and q, which are few."""
    result = np.empty((jets.ROWS, y.size))
    for batch in _batches(y):
        result[:, batch] = _log_jet(p, q, y[batch], places[batch])
    return result


def _batches(y: Floats) -> Iterator[Ints]:
    below = 0.0
    for bound in _BATCHES:
        places = np.flatnonzero((y >= below) & (y < bound))
        if places.size:
            yield places
        below = bound


def _mean_inverse(p: Floats, q: Floats, y: Floats) -> Floats:
    c = p + q
    value = (1.0 + np.sqrt(1.0 + y)) / 2.0
    for k in range(steps_for(float(y.max())), 0, -1):
        value = 1.0 + y * (p + k) * (c + k - 1.0) / ((c + 2 * k - 1.0) * (c + 2 * k)) / value
        value = 1.0 + y * k * (q + k - 1.0) / ((c + 2 * k - 2.0) * (c + 2 * k - 1.0)) / value
    return np.asarray(1.0 / (1.0 + y * p / c / value), dtype=np.float64)


def _log_jet(p: Floats, q: Floats, y: Floats, places: Ints) -> Floats:
    c = p + q
    value = jets.constant((1.0 + np.sqrt(1.0 + y)) / 2.0)
    for k in range(min(MOST_STEPS, steps_for(float(y.max()))), 0, -1):
        odd = _coefficient(1.0, [(p + k, _P), (c + k - 1.0, _BOTH)], [c + 2 * k - 1.0, c + 2 * k])
        value = _one_plus(odd[:, places], y, value)
        even = _coefficient(float(k), [(q + k - 1.0, _Q)], [c + 2 * k - 2.0, c + 2 * k - 1.0])
        value = _one_plus(even[:, places], y, value)
    first = _coefficient(1.0, [(p, _P)], [c])
    whole: Floats = -jets.logarithm(_one_plus(first[:, places], y, value))
    return whole


def _one_plus(e: Floats, y: Floats, value: Floats) -> Floats:
    """1 + e y / value; e as value, two slopes, three curvatures by p and q."""
    stepped = jets.quotient(jets.times_last_variable(e, y), value)
    stepped[0] += 1.0
    return stepped


# How fast a factor grows with p, and with q.
_P, _Q, _BOTH = (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)


def _coefficient(number: float, above: Sequence[tuple[Floats, tuple[float, float]]], below: Sequence[Floats]) -> Floats:
    """The number times the factors above by those below, which grow with both p and q: six rows, as `_one_plus`."""
    factors = [(factor, growth, 1.0) for factor, growth in above] + [(factor, _BOTH, -1.0) for factor in below]
    e = np.full(below[0].size, number)
    slope_p, slope_q, bend_pp, bend_pq, bend_qq = np.zeros((5, e.size))
    for factor, (by_p, by_q), power in factors:
        inverse = 1.0 / factor
        e *= factor if power > 0 else inverse
        slope = power * inverse
        bend = slope * inverse
        slope_p += by_p * slope
        slope_q += by_q * slope
        bend_pp -= by_p * bend
        bend_pq -= by_p * by_q * bend
        bend_qq -= by_q * bend
    curves = (slope_p * slope_p + bend_pp, slope_p * slope_q + bend_pq, slope_q * slope_q + bend_qq)
    return np.stack([e, e * slope_p, e * slope_q, *(e * curve for curve in curves)])
