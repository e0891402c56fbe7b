"""Integrals over the whole line, of integrands with one peak that fall off on both sides."""

from __future__ import annotations

from collections.abc import Callable

_NEGLIGIBLE = 1e-13
_MOST_POINTS = 20_000


def integral(integrand: Callable[[float], float], peak: float, step: float) -> float:
    """By the trapezoidal rule, which for analytic integrands gains digits with every point.

    `step` is a third of the width of the peak, and `peak` is near it: some ten digits are right then.
    """
    total = integrand(peak)
    for direction in (step, -step):
        for point in range(1, _MOST_POINTS):
            value = integrand(peak + direction * point)
            total += value
            if value <= _NEGLIGIBLE * total:
                break
    return total * step
