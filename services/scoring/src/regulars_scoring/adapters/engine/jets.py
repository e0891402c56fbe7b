"""Values together with their first and second derivatives by three variables, column by column.

A jet is an array of ten rows: the value, the three slopes, and the six distinct curvatures in the order of `PAIRS`.
Derivatives of what a long recursion ends at follow the recursion itself, exact to rounding.
"""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.population import Floats

VARIABLES = 3
PAIRS: tuple[tuple[int, int], ...] = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
ROWS = 1 + VARIABLES + len(PAIRS)
_SLOPES, _CURVES = slice(1, 1 + VARIABLES), slice(1 + VARIABLES, ROWS)
_FIRST, _SECOND = ([1 + pair[place] for pair in PAIRS] for place in (0, 1))


def constant(values: Floats) -> Floats:
    jet = np.zeros((ROWS, values.size))
    jet[0] = values
    return jet


def quotient(numerator: Floats, denominator: Floats) -> Floats:
    """The jet of a quotient, from q v = u and its derivatives."""
    jet = np.empty_like(numerator)
    inverse = 1.0 / denominator[0]
    jet[0] = numerator[0] * inverse
    jet[_SLOPES] = (numerator[_SLOPES] - jet[0] * denominator[_SLOPES]) * inverse
    crossed = jet[_FIRST] * denominator[_SECOND] + jet[_SECOND] * denominator[_FIRST]
    jet[_CURVES] = (numerator[_CURVES] - crossed - jet[0] * denominator[_CURVES]) * inverse
    return jet


def logarithm(jet: Floats) -> Floats:
    """The jet of the logarithm."""
    log: Floats = jet / jet[0]
    log[0] = np.log(jet[0])
    log[_CURVES] -= log[_FIRST] * log[_SECOND]
    return log


def times_last_variable(e: Floats, last: Floats) -> Floats:
    """The jet of e y, y the third variable: e, which depends on the first two, has its value, slopes and curvatures."""
    jet = np.zeros((ROWS, last.size))
    jet[[0, 1, 2, 4, 5, 7]] = e * last
    jet[[3, 6, 8]] = e[:3]
    return jet
