"""One function behind the models' integrals, by a continued fraction that neither overflows nor has a pole.

Gauss's 2F1(1, p; p+q; -y) is the mean of 1 / (1 + y w) for w ~ Beta(p, q). What Pareto/NBD writes with
2F1(r+s+x, .; r+s+x+1; z) is that after Euler's transformation, which takes the large exponents out in front.
"""

from __future__ import annotations

from math import ceil, log, sqrt

MOST_STEPS = 20_000
"""Enough for y up to some ten million. Beyond, fewer digits are right; no figure of a sound model lies there."""


def steps_for(y: float) -> int:
    """How many steps of the fraction give all digits: its error shrinks by ((sqrt(1+y)-1)/(sqrt(1+y)+1)) in each."""
    return min(MOST_STEPS, 12 + ceil(9.5 * sqrt(1.0 + y)))


def mean_inverse(p: float, q: float, y: float) -> float:
    """E[1 / (1 + y w)], w ~ Beta(p, q); p, q > 0, y >= 0. Between 1 / (1 + y) and 1.

    Gauss's continued fraction of 2F1(1, b; c; z), evaluated from its far end; all its terms are positive.
    """
    c = p + q
    value = (1.0 + sqrt(1.0 + y)) / 2.0  # what the far end tends to
    for k in range(steps_for(y), 0, -1):
        value = 1.0 + y * (p + k) * (c + k - 1.0) / ((c + 2 * k - 1.0) * (c + 2 * k)) / value
        value = 1.0 + y * k * (q + k - 1.0) / ((c + 2 * k - 2.0) * (c + 2 * k - 1.0)) / value
    return 1.0 / (1.0 + y * p / c / value)


def log_tail(A: float, B: float, by_A: float, by_B: float) -> float:
    """ln of the integral over u from 0 to infinity of (A+u)^-by_A (B+u)^-by_B; all > 0, by_A + by_B > 1.

    With low and high for the lesser and greater of A and B, p and q for their exponents:
    low^-p high^(1-q) E[1 / (1 + (high/low - 1) w)] / (p+q-1), w ~ Beta(p, q).
    """
    (low, p), (high, q) = sorted([(A, by_A), (B, by_B)])
    mean = mean_inverse(p, q, (high - low) / low)
    return (1.0 - q) * log(high) - p * log(low) + log(mean / (p + q - 1.0))
