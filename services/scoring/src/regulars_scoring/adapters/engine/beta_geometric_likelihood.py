"""The likelihoods of MBG/NBD and BG/NBD with their derivatives, over distinct (x, t_x, T) and their counts.

Batislam, Denizel, Filiztekin (2007); Fader, Hardie, Lee (2005). ln L is a sum of what depends on x alone, what depends
on x and T, and ln(1 + e^u) with u = ln a - ln(b+d-1) + (r+x) [ln(alpha+T) - ln(alpha+t_x)]: the log odds that the
customer has left, after d occasions at which they could leave. In MBG/NBD the first purchase is one of them, d = x + 1;
in BG/NBD it is not, d = x, and who never came again cannot have left.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, polygamma, psi

from regulars_scoring.adapters.engine.counting import counted
from regulars_scoring.adapters.engine.newton import Matrix, Vector
from regulars_scoring.adapters.engine.population import Floats, Ints


class BetaGeometricLikelihood:
    """Built once, evaluated at any parameters (r, alpha, a, b)."""

    def __init__(self, x: Ints, t_x: Ints, T: Ints, customers: Ints | None, *, first_may_be_last: bool) -> None:
        rows, counts = counted(np.stack([x, np.where(x == 0, 0, t_x), T], axis=1), customers)
        self._x, self._t_x, self._T = (rows[:, column].astype(np.float64) for column in range(3))
        self._counts = counts.astype(np.float64)
        self._first = float(first_may_be_last)
        self._may_have_left = self._x + self._first > 0
        self.customers = float(counts.sum())
        occasions, alike = counted(x, customers)
        self._k, self._alike = occasions.astype(np.float64), alike.astype(np.float64)

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
        """What depends on x and T: r ln(alpha) - (r+x) ln(alpha+T)."""
        w, shape, end, n = self._counts, r + self._x, alpha + self._T, self.customers
        logs = np.log(end)
        value = n * r * np.log(alpha) - w @ (shape * logs)
        hessian = np.zeros((4, 4))
        hessian[0, 1] = hessian[1, 0] = n / alpha - w @ (1.0 / end)
        hessian[1, 1] = -n * r / alpha**2 + w @ (shape / end**2)
        gradient = np.array([n * np.log(alpha) - w @ logs, n * r / alpha - w @ (shape / end), 0.0, 0.0])
        return float(value), gradient, hessian

    def _of_leaving(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Vector, Matrix]:
        """ln(1 + e^u), and its derivatives through those of u."""
        x, t_x, T, counts = (column[self._may_have_left] for column in (self._x, self._t_x, self._T, self._counts))
        shape, end, last, stayed = r + x, alpha + T, alpha + t_x, b + x + self._first - 1.0
        ratio = np.log(end) - np.log(last)
        u = np.log(a) - np.log(stayed) + shape * ratio
        gone = 1.0 / (1.0 + np.exp(-np.clip(u, -700.0, 700.0)))
        value = counts @ np.logaddexp(0.0, u)
        steep, bent = counts * gone, counts * gone * (1.0 - gone)
        narrowing = 1.0 / end - 1.0 / last
        slopes: Floats = np.stack([ratio, shape * narrowing, np.full_like(u, 1.0 / a), -1.0 / stayed])
        hessian = (slopes * bent) @ slopes.T
        hessian[0, 1] += steep @ narrowing
        hessian[1, 0] = hessian[0, 1]
        hessian[1, 1] -= steep @ (shape * (1.0 / end**2 - 1.0 / last**2))
        hessian[2, 2] -= steep.sum() / a**2
        hessian[3, 3] += steep @ (1.0 / stayed**2)
        return float(value), slopes @ steep, hessian


def mbg_likelihood(x: Ints, t_x: Ints, T: Ints, customers: Ints | None = None) -> BetaGeometricLikelihood:
    """Of MBG/NBD."""
    return BetaGeometricLikelihood(x, t_x, T, customers, first_may_be_last=True)


def bg_likelihood(x: Ints, t_x: Ints, T: Ints, customers: Ints | None = None) -> BetaGeometricLikelihood:
    """Of BG/NBD."""
    return BetaGeometricLikelihood(x, t_x, T, customers, first_may_be_last=False)
