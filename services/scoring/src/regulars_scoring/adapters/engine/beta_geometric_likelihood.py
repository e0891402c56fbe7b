"""The likelihoods of MBG/NBD and BG/NBD with their derivatives, over distinct (x, t_x, T) and their counts.

Batislam, Denizel, Filiztekin (2007); Fader, Hardie, Lee (2005). ln L is a sum of what depends on x alone, what depends
on x and T, and ln(1 + e^u) with u = ln a - ln(b+d-1) + (r+x) [ln(alpha+T) - ln(alpha+t_x)]: the log odds that the
customer has left, after d occasions at which they could leave. In MBG/NBD the first purchase is one of them, d = x + 1;
in BG/NBD it is not, d = x, and who never came again cannot have left.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, polygamma, psi

from regulars_scoring.adapters.engine.newton import Matrix, Vector
from regulars_scoring.adapters.engine.pairs import distinct_rows
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.adapters.engine.slices import slices_of


class BetaGeometricLikelihood:
    """Built once, evaluated at any parameters (r, alpha, a, b)."""

    def __init__(self, x: Ints, t_x: Ints, T: Ints, customers: Ints | None, *, first_may_be_last: bool) -> None:
        x_, t_x_, T_, counts = distinct_rows(x, np.where(x == 0, 0, t_x), T, customers)
        self._first = float(first_may_be_last)
        self.customers = float(counts.sum())
        alike = np.bincount(x_, counts)
        self._k, self._alike = np.flatnonzero(alike).astype(np.float64), alike[alike > 0.0]
        self._ends, self._repeats = np.bincount(T_, counts), np.bincount(T_, counts * x_)
        self._days = np.arange(self._ends.size, dtype=np.float64)
        may_have_left = slice(0 if first_may_be_last else int(np.searchsorted(x_, 1)), None)
        rows = (x_, t_x_, T_, counts.astype(np.float64))
        self._x, self._t_x, self._T, self._counts = (column[may_have_left] for column in rows)

    def __call__(self, parameters: Vector) -> tuple[float, Vector, Matrix]:
        """Log-likelihood, gradient and Hessian at (r, alpha, a, b)."""
        value, gradient, hessian = self._of_counts(*parameters)
        for part in (self._of_rates(*parameters), self._of_leaving(*parameters)):
            value, gradient, hessian = value + part[0], gradient + part[1], hessian + part[2]
        return value, gradient, hessian

    def _of_counts(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Vector, Matrix]:
        """What depends on x alone: ln Gamma(r+x) - ln Gamma(r) + ln B(a, b+d) - ln B(a, b)."""
        k, h, n = self._k, self._alike, self.customers
        d = k + self._first
        value = h @ (gammaln(r + k) + gammaln(b + d) - gammaln(a + b + d)) + n * (
            gammaln(a + b) - gammaln(b) - gammaln(r)
        )
        together = n * psi(a + b) - h @ psi(a + b + d)
        by_r = h @ psi(r + k) - n * psi(r)
        gradient = np.array([by_r, 0.0, together, together + h @ psi(b + d) - n * psi(b)])
        hessian = np.zeros((4, 4))
        bend = n * polygamma(1, a + b) - h @ polygamma(1, a + b + d)
        hessian[0, 0] = h @ polygamma(1, r + k) - n * polygamma(1, r)
        hessian[2:, 2:] = bend
        hessian[3, 3] += h @ polygamma(1, b + d) - n * polygamma(1, b)
        return float(value), gradient, hessian

    def _of_rates(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Vector, Matrix]:
        """What depends on x and T: r ln(alpha) - (r+x) ln(alpha+T), by how many are observed so long, and their x."""
        n, end = self.customers, alpha + self._days
        shapes, logs = r * self._ends + self._repeats, np.log(end)
        value = n * r * np.log(alpha) - shapes @ logs
        hessian = np.zeros((4, 4))
        hessian[0, 1] = hessian[1, 0] = n / alpha - self._ends @ (1.0 / end)
        hessian[1, 1] = -n * r / alpha**2 + shapes @ (1.0 / end**2)
        gradient = np.array([n * np.log(alpha) - self._ends @ logs, n * r / alpha - shapes @ (1.0 / end), 0.0, 0.0])
        return float(value), gradient, hessian

    def _of_leaving(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Vector, Matrix]:
        """ln(1 + e^u), and its derivatives through those of u."""
        value, gradient, hessian = 0.0, np.zeros(4), np.zeros((4, 4))
        for rows in slices_of(self._x.size):
            part = self._of_rows(rows, r, alpha, a, b)
            value, gradient, hessian = value + part[0], gradient + part[1], hessian + part[2]
        return value, gradient, hessian

    def _of_rows(self, rows: slice, r: float, alpha: float, a: float, b: float) -> tuple[float, Vector, Matrix]:
        x, t_x, T, counts = (column[rows] for column in (self._x, self._t_x, self._T, self._counts))
        shape, end, last, stayed = r + x, alpha + T, alpha + t_x, b + x + (self._first - 1.0)
        ratio = np.log(end / last)
        u = shape * ratio - np.log(stayed / a)
        less = np.exp(-np.abs(u))
        more = 1.0 + less
        value = counts @ (np.maximum(u, 0.0) + np.log1p(less))
        steep = counts * (np.exp(np.minimum(u, 0.0)) / more)
        bent = counts * (less / (more * more))
        by_end, by_last, by_stayed = 1.0 / end, 1.0 / last, 1.0 / stayed
        narrowing = by_end - by_last
        slopes: Floats = np.stack([ratio, shape * narrowing, np.full_like(u, 1.0 / a), -by_stayed])
        hessian = (slopes * bent) @ slopes.T
        hessian[0, 1] += steep @ narrowing
        hessian[1, 0] = hessian[0, 1]
        hessian[1, 1] -= steep @ (slopes[1] * (by_end + by_last))
        hessian[2, 2] -= steep.sum() / a**2
        hessian[3, 3] += steep @ (by_stayed * by_stayed)
        return float(value), slopes @ steep, hessian


def mbg_likelihood(x: Ints, t_x: Ints, T: Ints, customers: Ints | None = None) -> BetaGeometricLikelihood:
    """Of MBG/NBD."""
    return BetaGeometricLikelihood(x, t_x, T, customers, first_may_be_last=True)


def bg_likelihood(x: Ints, t_x: Ints, T: Ints, customers: Ints | None = None) -> BetaGeometricLikelihood:
    """Of BG/NBD."""
    return BetaGeometricLikelihood(x, t_x, T, customers, first_may_be_last=False)
