"""The likelihood of Gamma-Gamma with its derivatives; Fader and Hardie (2013), equation 1a."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, polygamma, psi

from regulars_scoring.adapters.engine.newton import Matrix, Vector
from regulars_scoring.adapters.engine.population import Floats


class GammaLikelihood:
    """Over customers with x > 0 repeat occasions whose spend, `repeat_spend` in all, is above 0."""

    def __init__(self, x: Floats, repeat_spend: Floats) -> None:
        self._x, self._m = x, repeat_spend
        logs = np.log(repeat_spend)
        self._by_x = float(x @ logs)
        self._by_mean = float((logs - np.log(x)).sum())
        occasions, alike = np.unique(x, return_counts=True)
        self._k, self._alike = occasions, alike.astype(np.float64)
        self.mean_log = self._by_mean / x.size

    def __call__(self, parameters: Vector) -> tuple[float, Vector, Matrix]:
        """Log-likelihood, gradient and Hessian at (p, q, v).

        z is the mean: sum of ln Gamma(px+q) - ln Gamma(px) - ln Gamma(q) + q ln v + px ln(xz) - ln z - (px+q) ln(v+xz).
        """
        p, q, v = parameters
        k, h, n, x = self._k, self._alike, float(self._x.size), self._x
        whole = v + self._m
        logs, shape = np.log(whole), p * x + q
        value = h @ (gammaln(p * k + q) - gammaln(p * k)) - n * gammaln(q) + n * q * np.log(v)
        value += p * self._by_x - self._by_mean - shape @ logs
        gradient = np.array(
            [
                h @ (k * (psi(p * k + q) - psi(p * k))) + self._by_x - x @ logs,
                h @ psi(p * k + q) - n * psi(q) + n * np.log(v) - logs.sum(),
                n * q / v - shape @ (1.0 / whole),
            ]
        )
        return float(value), gradient, self._hessian(p, q, v, whole)

    def _hessian(self, p: float, q: float, v: float, whole: Floats) -> Matrix:
        k, h, n, x = self._k, self._alike, float(self._x.size), self._x
        both = polygamma(1, p * k + q)
        hessian = np.zeros((3, 3))
        hessian[0, 0] = h @ (k * k * (both - polygamma(1, p * k)))
        hessian[0, 1] = hessian[1, 0] = h @ (k * both)
        hessian[0, 2] = hessian[2, 0] = -(x @ (1.0 / whole))
        hessian[1, 1] = h @ both - n * polygamma(1, q)
        hessian[1, 2] = hessian[2, 1] = n / v - (1.0 / whole).sum()
        hessian[2, 2] = -n * q / v**2 + (p * x + q) @ (1.0 / whole**2)
        return hessian
