"""The likelihood of Gamma-Gamma with its derivatives; Fader and Hardie (2013), equation 1a."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, polygamma, psi

from regulars_scoring.adapters.engine.newton import Matrix, Vector
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.adapters.engine.slices import slices_of


class GammaLikelihood:
    """Over customers with x > 0 repeat occasions whose spend, `repeat_spend` in all, is above 0.

    Each row is one of them, or as many as `customers` says.
    """

    def __init__(self, x: Ints, repeat_spend: Floats, customers: Ints | None = None) -> None:
        alike = np.bincount(x, customers).astype(np.float64)
        self._k, self._alike = np.flatnonzero(alike).astype(np.float64), alike[alike > 0.0]
        self._m, self._n = repeat_spend, float(alike.sum())
        weight = np.ones(x.size) if customers is None else customers.astype(np.float64)
        self._weights = np.stack([weight, weight * x])
        logs = np.log(repeat_spend)
        self._by_x = float(self._weights[1] @ logs)
        self._by_mean = float(self._weights[0] @ logs - self._alike @ np.log(self._k))
        self.mean_log = self._by_mean / self._n

    def __call__(self, parameters: Vector) -> tuple[float, Vector, Matrix]:
        """Log-likelihood, gradient and Hessian at (p, q, v).

        z is the mean: sum of ln Gamma(px+q) - ln Gamma(px) - ln Gamma(q) + q ln v + px ln(xz) - ln z - (px+q) ln(v+xz).
        """
        p, q, v = parameters
        k, h, n = self._k, self._alike, self._n
        (log, inverse, square), (x_log, x_inverse, x_square) = self._sums(v)
        value = h @ (gammaln(p * k + q) - gammaln(p * k)) - n * gammaln(q) + n * q * np.log(v)
        value += p * (self._by_x - x_log) - self._by_mean - q * log
        both = psi(p * k + q)
        gradient = np.array(
            [
                h @ (k * (both - psi(p * k))) + self._by_x - x_log,
                h @ both - n * psi(q) + n * np.log(v) - log,
                n * q / v - p * x_inverse - q * inverse,
            ]
        )
        bends = polygamma(1, p * k + q)
        hessian = np.zeros((3, 3))
        hessian[0, 0] = h @ (k * k * (bends - polygamma(1, p * k)))
        hessian[0, 1] = hessian[1, 0] = h @ (k * bends)
        hessian[0, 2] = hessian[2, 0] = -x_inverse
        hessian[1, 1] = h @ bends - n * polygamma(1, q)
        hessian[1, 2] = hessian[2, 1] = n / v - inverse
        hessian[2, 2] = -n * q / v**2 + p * x_square + q * square
        return float(value), gradient, hessian

    def _sums(self, v: float) -> Matrix:
        """Of ln(v+xz), 1/(v+xz) and 1/(v+xz)^2 over the customers; and of x times each."""
        sums = np.zeros((2, 3))
        for rows in slices_of(self._m.size):
            whole = v + self._m[rows]
            inverse = 1.0 / whole
            terms = np.stack([np.log(whole), inverse, inverse * inverse])
            sums += self._weights[:, rows] @ terms.T
        return sums
