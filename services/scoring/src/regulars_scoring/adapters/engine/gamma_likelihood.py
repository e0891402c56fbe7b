"""The likelihood of Gamma-Gamma with its derivatives; Fader and Hardie (2013), equation 1a."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, polygamma, psi

from regulars_scoring.adapters.engine.counting import counted
from regulars_scoring.adapters.engine.newton import Matrix, Vector
from regulars_scoring.adapters.engine.population import Floats, Ints


class GammaLikelihood:
    """Over customers with x > 0 repeat occasions whose spend, `repeat_spend` in all, is above 0.

    Each row is one of them, or as many as `customers` says.
    """

    def __init__(self, x: Ints, repeat_spend: Floats, customers: Ints | None = None) -> None:
        occasions, alike = counted(x, customers)
        self._k, self._alike = occasions.astype(np.float64), alike.astype(np.float64)
        self._m, self._n = repeat_spend, float(alike.sum())
        self._weight = np.ones(x.size) if customers is None else customers.astype(np.float64)
        self._weighted_x = self._weight * x
        logs = np.log(repeat_spend)
        self._by_x = float(self._weighted_x @ logs)
        self._by_mean = float(self._weight @ (logs - np.log(x)))
        self.mean_log = self._by_mean / self._n

    def __call__(self, parameters: Vector) -> tuple[float, Vector, Matrix]:
        """Log-likelihood, gradient and Hessian at (p, q, v).

        z is the mean: sum of ln Gamma(px+q) - ln Gamma(px) - ln Gamma(q) + q ln v + px ln(xz) - ln z - (px+q) ln(v+xz).
        """
        p, q, v = parameters
        k, h, n, w, x = self._k, self._alike, self._n, self._weight, self._weighted_x
        whole = v + self._m
        logs, shape = np.log(whole), p * x + q * w
        value = h @ (gammaln(p * k + q) - gammaln(p * k)) - n * gammaln(q) + n * q * np.log(v)
        value += p * self._by_x - self._by_mean - shape @ logs
        gradient = np.array(
            [
                h @ (k * (psi(p * k + q) - psi(p * k))) + self._by_x - x @ logs,
                h @ psi(p * k + q) - n * psi(q) + n * np.log(v) - w @ logs,
                n * q / v - shape @ (1.0 / whole),
            ]
        )
        return float(value), gradient, self._hessian(p, q, v, whole)

    def _hessian(self, p: float, q: float, v: float, whole: Floats) -> Matrix:
        k, h, n, w, x = self._k, self._alike, self._n, self._weight, self._weighted_x
        both = polygamma(1, p * k + q)
        hessian = np.zeros((3, 3))
        hessian[0, 0] = h @ (k * k * (both - polygamma(1, p * k)))
        hessian[0, 1] = hessian[1, 0] = h @ (k * both)
        hessian[0, 2] = hessian[2, 0] = -(x @ (1.0 / whole))
        hessian[1, 1] = h @ both - n * polygamma(1, q)
        hessian[1, 2] = hessian[2, 1] = n / v - w @ (1.0 / whole)
        hessian[2, 2] = -n * q / v**2 + (p * x + q * w) @ (1.0 / whole**2)
        return hessian
