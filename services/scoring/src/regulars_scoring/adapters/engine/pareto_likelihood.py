"""The likelihood of Pareto/NBD with its derivatives.

Fader and Hardie (2005). ln L is what depends on x alone, the log of having stayed until T,
l = -(r+x) ln(alpha+T) - s ln(beta+T), and ln(1 + e^u) with u = ln s + ln(J(t_x) - J(T)) - l, the log odds that the
customer has left. J(t), the integral from t on of (alpha+y)^-(r+x) (beta+y)^-(s+1), depends on x and one day alone: it
is reckoned once for each such pair, however many customers share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, polygamma, psi

from regulars_scoring.adapters.engine.newton import Matrix, Vector
from regulars_scoring.adapters.engine.pairs import distinct_pairs, distinct_rows
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.adapters.engine.slices import slices_of
from regulars_scoring.adapters.engine.tails import log_mean_inverse_jet

_UPPER = tuple((i, j) for i in range(4) for j in range(i, 4))
_SLOPES, _CURVES = slice(1, 5), slice(5, 15)
_HUGE = 700.0


@dataclass(frozen=True, slots=True)
class _Rows:
    """Distinct customers: x, T, how many there are, and the places of (x, t_x) and (x, T) among the pairs."""

    x: Floats
    T: Floats
    counts: Ints
    last: Ints
    end: Ints


class ParetoLikelihood:
    """Built once, evaluated at any parameters (r, alpha, s, beta)."""

    def __init__(self, x: Ints, t_x: Ints, T: Ints, customers: Ints | None = None) -> None:
        x_, t_x_, T_, counts = distinct_rows(x, np.where(x == 0, 0, t_x), T, customers)
        pair_x, pair_day, places = distinct_pairs(np.concatenate([x_, x_]), np.concatenate([t_x_, T_]))
        last, end = places.reshape(2, -1)
        self._pair_day = pair_day.astype(np.float64)
        self._chunks = [
            _Rows(x_[rows].astype(np.float64), T_[rows].astype(np.float64), counts[rows], last[rows], end[rows])
            for rows in slices_of(x_.size)
        ]
        self.customers = float(counts.sum())
        alike = np.bincount(x_, counts)
        occasions = np.flatnonzero(alike)
        self._of_pair = np.searchsorted(occasions, pair_x)
        self._k, self._alike = occasions.astype(np.float64), alike[occasions]

    def __call__(self, parameters: Vector) -> tuple[float, Vector, Matrix]:
        """Log-likelihood, gradient and Hessian at (r, alpha, s, beta)."""
        value, gradient, hessian = self._of_counts(*parameters)
        tails = _log_tails(self._k, self._of_pair, self._pair_day, *parameters)
        for rows in self._chunks:
            part = _of_rows(rows, tails, *parameters)
            value, gradient, hessian = value + part[0], gradient + part[1], hessian + part[2]
        return value, gradient, hessian

    def _of_counts(self, r: float, alpha: float, s: float, beta: float) -> tuple[float, Vector, Matrix]:
        """ln Gamma(r+x) - ln Gamma(r) + r ln(alpha) + s ln(beta)."""
        k, h, n = self._k, self._alike, self.customers
        value = h @ gammaln(r + k) + n * (r * np.log(alpha) + s * np.log(beta) - gammaln(r))
        by_r = h @ psi(r + k) + n * (np.log(alpha) - psi(r))
        hessian = np.diag([h @ polygamma(1, r + k) - n * polygamma(1, r), -n * r / alpha**2, 0.0, -n * s / beta**2])
        hessian[0, 1] = hessian[1, 0] = n / alpha
        hessian[2, 3] = hessian[3, 2] = n / beta
        return float(value), np.array([by_r, n * r / alpha, n * np.log(beta), n * s / beta]), hessian


def _of_rows(rows: _Rows, tails: Floats, r: float, alpha: float, s: float, beta: float) -> tuple[float, Vector, Matrix]:
    stayed = _log_stayed(rows.x, rows.T, r, alpha, s, beta)
    u = _log_difference(tails[:, rows.last], tails[:, rows.end]) - stayed
    u[0] += np.log(s)
    u[3] += 1.0 / s
    u[_CURVES][_UPPER.index((2, 2))] -= 1.0 / s**2
    gone = 1.0 / (1.0 + np.exp(-np.clip(u[0], -_HUGE, _HUGE)))
    # Who bought on the last day has had no time to leave; there the log of nothing has no derivatives.
    u[1:, u[0] <= -_HUGE] = 0.0
    steep, bent = rows.counts * gone, rows.counts * gone * (1.0 - gone)
    value = rows.counts @ (stayed[0] + np.logaddexp(0.0, u[0]))
    gradient = stayed[_SLOPES] @ rows.counts + u[_SLOPES] @ steep
    hessian = _matrix(stayed[_CURVES] @ rows.counts + u[_CURVES] @ steep)
    return float(value), gradient, hessian + (u[_SLOPES] * bent) @ u[_SLOPES].T


def _log_stayed(x: Floats, T: Floats, r: float, alpha: float, s: float, beta: float) -> Floats:
    """l with its slopes and curvatures."""
    A, B, shape = alpha + T, beta + T, r + x
    log_A, log_B = np.log(A), np.log(B)
    jet = np.zeros((15, x.size))
    jet[0] = -shape * log_A - s * log_B
    jet[_SLOPES] = -log_A, -shape / A, -log_B, -s / B
    curves = jet[_CURVES]
    curves[_UPPER.index((0, 1))], curves[_UPPER.index((1, 1))] = -1.0 / A, shape / A**2
    curves[_UPPER.index((2, 3))], curves[_UPPER.index((3, 3))] = -1.0 / B, s / B**2
    return jet


def _log_difference(ever: Floats, later: Floats) -> Floats:
    """ln(e^ever - e^later) with slopes and curvatures; -1000 where there is no difference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.exp(np.minimum(later[0] - ever[0], 0.0))
        share = 1.0 / (1.0 - ratio)
        less = share * ratio
        found: Floats = share * ever - less * later
        for place, (i, j) in enumerate(_UPPER, 5):
            squares = share * ever[1 + i] * ever[1 + j] - less * later[1 + i] * later[1 + j]
            found[place] += squares - found[1 + i] * found[1 + j]
        found[0] = ever[0] + np.log1p(-ratio)
    found[:, ratio >= 1.0] = 0.0
    found[0, ratio >= 1.0] = -1e300
    return found


def _log_tails(x: Floats, places: Ints, day: Floats, r: float, alpha: float, s: float, beta: float) -> Floats:
    """ln J for pairs of x and a day: `domain.hypergeometric.log_tail` with slopes and curvatures, by r, alpha, s, beta.

    `x` has each number of occasions once, `places` where a pair finds its own.
    p and low are s+1 and beta+t when beta is the lesser of alpha and beta, and r+x and alpha+t when alpha is.
    """
    is_alpha_low = alpha <= beta
    p, q = (r + x, np.full_like(x, s + 1.0)) if is_alpha_low else (np.full_like(x, s + 1.0), r + x)
    low, high = min(alpha, beta) + day, max(alpha, beta) + day
    jet = log_mean_inverse_jet(p, q, (high - low) / low, places)
    return _reordered(_by_ends(jet, p[places], q[places], low, high), (0, 1, 2, 3) if is_alpha_low else (2, 3, 0, 1))


def _by_ends(jet: Floats, p: Floats, q: Floats, low: Floats, high: Floats) -> Floats:
    """(1-q) ln high - p ln low - ln(p+q-1) + ln S(p, q, high/low - 1), with derivatives by p, low, q, high."""
    k = p + q - 1.0
    by_low, by_high = -high / low**2, 1.0 / low  # how y grows
    S, S_p, S_q, S_y, S_pp, S_pq, S_py, S_qq, S_qy, S_yy = jet
    return np.stack(
        [
            (1.0 - q) * np.log(high) - p * np.log(low) - np.log(k) + S,
            -np.log(low) - 1.0 / k + S_p,
            -p / low + S_y * by_low,
            -np.log(high) - 1.0 / k + S_q,
            (1.0 - q) / high + S_y * by_high,
            1.0 / k**2 + S_pp,
            -1.0 / low + S_py * by_low,
            1.0 / k**2 + S_pq,
            S_py * by_high,
            p / low**2 + S_yy * by_low**2 + S_y * 2.0 * high / low**3,
            S_qy * by_low,
            S_yy * by_low * by_high - S_y / low**2,
            1.0 / k**2 + S_qq,
            -1.0 / high + S_qy * by_high,
            -(1.0 - q) / high**2 + S_yy * by_high**2,
        ]
    )


def _reordered(jet: Floats, order: tuple[int, int, int, int]) -> Floats:
    """Derivatives by (p, low, q, high) as those by (r, alpha, s, beta); `order` has each one's place."""
    found = np.empty_like(jet)
    found[0] = jet[0]
    for place, (i, j) in enumerate(_UPPER, 5):
        found[place] = jet[5 + _UPPER.index((min(order[i], order[j]), max(order[i], order[j])))]
    for i in range(4):
        found[1 + i] = jet[1 + order[i]]
    return found


def _matrix(upper: Floats) -> Matrix:
    matrix = np.zeros((4, 4))
    for value, (i, j) in zip(upper, _UPPER, strict=True):
        matrix[i, j] = matrix[j, i] = value
    return matrix
