"""The likelihood of BG/BB with its derivatives, over distinct (x, t_x, n) and their counts.

Fader, Hardie, Shang (2010), equation 4: each customer's is a sum of having stayed through all n slots and of having
left at the beginning of each one after t_x. Every term is a product of beta functions, whose logarithms are easily
derived.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, polygamma, psi

from regulars_scoring.adapters.engine.newton import Matrix, Vector
from regulars_scoring.adapters.engine.population import Floats, Ints


class BgBbLikelihood:
    """Built once, evaluated at any parameters (alpha, beta, gamma, delta). `customers`: how many are like each row."""

    def __init__(self, x: Ints, t_x: Ints, n: Ints, customers: Ints) -> None:
        self._counts = customers.astype(np.float64)
        terms = n - t_x + 1
        self._starts = np.cumsum(terms) - terms
        self._row = np.repeat(np.arange(x.size), terms)
        # A term for each number of slots seen, t_x to n. Who saw fewer than n left then; the last term stayed.
        slots = np.arange(terms.sum()) - self._starts[self._row] + t_x[self._row]
        self._left = (slots < n[self._row]).astype(np.float64)
        self._bought, self._slots = x[self._row].astype(np.float64), slots.astype(np.float64)

    def __call__(self, parameters: Vector) -> tuple[float, Vector, Matrix]:
        """Log-likelihood, gradient and Hessian at (alpha, beta, gamma, delta)."""
        alpha, beta, gamma, delta = parameters
        buying = _log_beta(alpha, beta, self._bought, self._slots - self._bought)
        leaving = _log_beta(gamma, delta, self._left, self._slots)
        logs = buying[0] + leaving[0]
        slopes = np.concatenate([buying[1], leaving[1]])
        most = np.maximum.reduceat(logs, self._starts)
        parts = np.exp(logs - most[self._row])
        sums = np.add.reduceat(parts, self._starts)
        share = parts / sums[self._row]
        weights = self._counts[self._row] * share
        means = np.add.reduceat(slopes * share, self._starts, axis=1)
        hessian = (slopes * weights) @ slopes.T - (means * self._counts) @ means.T
        hessian[:2, :2] += _bends(buying[2], weights)
        hessian[2:, 2:] += _bends(leaving[2], weights)
        return float(self._counts @ (most + np.log(sums))), means @ self._counts, hessian


def _log_beta(a: float, b: float, more_a: Floats, more_b: Floats) -> tuple[Floats, Floats, Floats]:
    """ln B(a + more, b + more) - ln B(a, b), its two slopes, and its three curvatures (aa, ab, bb)."""
    whole = a + b + more_a + more_b
    value = betaln(a + more_a, b + more_b) - betaln(a, b)
    once, twice = psi(a + b) - psi(whole), polygamma(1, a + b) - polygamma(1, whole)
    slopes = [psi(a + more_a) - psi(a) + once, psi(b + more_b) - psi(b) + once]
    by_a, by_b = (polygamma(1, own + more) - polygamma(1, own) for own, more in ((a, more_a), (b, more_b)))
    return value, np.stack(slopes), np.stack([by_a + twice, twice, by_b + twice])


def _bends(curves: Floats, weights: Floats) -> Matrix:
    aa, ab, bb = curves @ weights
    return np.array([[aa, ab], [ab, bb]])
