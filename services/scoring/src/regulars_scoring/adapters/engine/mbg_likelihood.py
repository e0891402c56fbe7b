"""The likelihood of MBG/NBD with its derivatives, over distinct (x, t_x, T) and their counts.

Batislam, Denizel, Filiztekin (2007). ln L is a sum of what depends on x alone, what depends on x and T, and ln(1 + e^u)
with u = ln a - ln(b+x) + (r+x) [ln(alpha+T) - ln(alpha+t_x)]: the log odds that the customer has left.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, polygamma, psi

from regulars_scoring.adapters.engine.newton import Matrix, Vector
from regulars_scoring.adapters.engine.population import Floats, Ints


class MbgLikelihood:
    """Built once, evaluated at any parameters (r, alpha, a, b)."""

    def __init__(self, x: Ints, t_x: Ints, T: Ints) -> None:
        rows, counts = np.unique(np.stack([x, np.where(x == 0, 0, t_x), T], axis=1), axis=0, return_counts=True)
        self._x, self._t_x, self._T = (rows[:, column].astype(np.float64) for column in range(3))
        self._counts = counts.astype(np.float64)
        self.customers = float(x.size)
        occasions, alike = np.unique(x, return_counts=True)
        self._k, self._alike = occasions.astype(np.float64), alike.astype(np.float64)

    def __call__(self, parameters: Vector) -> tuple[float, Vector, Matrix]:
        """Log-likelihood, gradient and Hessian at (r, alpha, a, b)."""
        value, gradient, hessian = self._of_counts(*parameters)
        for part in (self._of_rates(*parameters), self._of_leaving(*parameters)):
            value, gradient, hessian = value + part[0], gradient + part[1], hessian + part[2]
        return value, gradient, hessian

    def _of_counts(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Vector, Matrix]:
        """What depends on x alone: ln Gamma(r+x) - ln Gamma(r) + ln B(a, b+x+1) - ln B(a, b)."""
        k, h, n = self._k, self._alike, self.customers
        value = h @ (gammaln(r + k) + gammaln(b + k + 1) - gammaln(a + b + k + 1)) + n * (
            gammaln(a + b) - gammaln(b) - gammaln(r)
        )
        together = n * psi(a + b) - h @ psi(a + b + k + 1)
        by_r = h @ psi(r + k) - n * psi(r)
        gradient = np.array([by_r, 0.0, together, together + h @ psi(b + k + 1) - n * psi(b)])
        hessian = np.zeros((4, 4))
        bend = n * polygamma(1, a + b) - h @ polygamma(1, a + b + k + 1)
        hessian[0, 0] = h @ polygamma(1, r + k) - n * polygamma(1, r)
        hessian[2:, 2:] = bend
        hessian[3, 3] += h @ polygamma(1, b + k + 1) - n * polygamma(1, b)
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
        shape, end, last = r + self._x, alpha + self._T, alpha + self._t_x
        ratio = np.log(end) - np.log(last)
        u = np.log(a) - np.log(b + self._x) + shape * ratio
        gone = 1.0 / (1.0 + np.exp(-np.clip(u, -700.0, 700.0)))
        value = self._counts @ np.logaddexp(0.0, u)
        steep, bent = self._counts * gone, self._counts * gone * (1.0 - gone)
        narrowing = 1.0 / end - 1.0 / last
        slopes: Floats = np.stack([ratio, shape * narrowing, np.full_like(u, 1.0 / a), -1.0 / (b + self._x)])
        hessian = (slopes * bent) @ slopes.T
        hessian[0, 1] += steep @ narrowing
        hessian[1, 0] = hessian[0, 1]
        hessian[1, 1] -= steep @ (shape * (1.0 / end**2 - 1.0 / last**2))
        hessian[2, 2] -= steep.sum() / a**2
        hessian[3, 3] += steep @ (1.0 / (b + self._x) ** 2)
        return float(value), slopes @ steep, hessian
