"""What is dear to reckon and smooth in T is reckoned at a few days for each x, and interpolated at the others.

The logarithm of such a figure is a function of ln(nearest + T) that has no singularity near the days of customers,
where -`nearest` is the T at which it has its first. So 32 Chebyshev nodes give all digits; where the last coefficients
of the series say that they do not, every day is reckoned (Trefethen, Approximation Theory and Approximation Practice,
2013, chapters 3 and 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from regulars_scoring.adapters.engine.occasions import first_rows
from regulars_scoring.adapters.engine.population import Floats, Ints

NODES = 32
FEWEST_DAYS = 2 * NODES
"""Of one x: fewer are reckoned one by one."""
NEGLIGIBLE = 1e-12
"""Of the last coefficients, of a logarithm: what is left out is far below them."""

_ANGLES = (np.arange(NODES) + 0.5) * np.pi / NODES
_PLACES = np.cos(_ANGLES)
_WEIGHTS = np.sin(_ANGLES) * (-1.0) ** np.arange(NODES)
_LAST_COEFFICIENTS = 2.0 / NODES * np.cos(np.outer(_ANGLES, np.arange(NODES - 3, NODES)))

Formula = Callable[[Ints, Floats], Floats]
"""x and T -> a figure above 0."""


class BetweenDays:
    """Distinct pairs of x and T, sorted by both; called with a formula, it says what that is of each pair."""

    def __init__(self, x: Ints, T: Ints, nearest: float) -> None:
        self._x, self._T = x, T.astype(np.float64)
        starts = first_rows(x)
        sizes = np.diff(starts, append=x.size)
        self._alone = np.repeat(sizes < FEWEST_DAYS, sizes)
        runs = zip(starts.tolist(), sizes.tolist(), strict=True)
        self._runs = [slice(start, start + size) for start, size in runs if size >= FEWEST_DAYS]
        logs = [np.log(nearest + self._T[run]) for run in self._runs]
        middles, halves = ([(log[-1] + sign * log[0]) / 2.0 for log in logs] for sign in (1, -1))
        ends = list(zip(logs, middles, halves, strict=True))
        self._interpolations = [_interpolation((log - middle) / half) for log, middle, half in ends]
        nodes = [np.exp(middle + half * _PLACES) - nearest for _, middle, half in ends]
        of_runs = np.array([x[run.start] for run in self._runs], np.int64)
        self._reckoned_x = np.concatenate([np.repeat(of_runs, NODES), x[self._alone]])
        self._reckoned_T = np.concatenate([*nodes, self._T[self._alone]])

    def __call__(self, formula: Formula) -> Floats:
        found = formula(self._reckoned_x, self._reckoned_T)
        result = np.empty(self._x.size)
        at_nodes = len(self._runs) * NODES
        result[self._alone] = found[at_nodes:]
        logs = np.log(found[:at_nodes]).reshape(-1, NODES)
        for run, values in self._interpolated(logs):
            result[run] = formula(self._x[run], self._T[run]) if values is None else values
        return result

    def _interpolated(self, logs: Floats) -> Iterator[tuple[slice, Floats | None]]:
        """None where the nodes do not suffice."""
        are_enough = np.abs(logs @ _LAST_COEFFICIENTS).max(axis=1) <= NEGLIGIBLE
        for run, matrix, of_run, is_enough in zip(self._runs, self._interpolations, logs, are_enough, strict=True):
            yield run, np.exp(matrix @ of_run) if is_enough else None


def _interpolation(places: Floats) -> Floats:
    """From values at the nodes to values at places between -1 and 1: the barycentric formula, as a matrix."""
    distances = places[:, None] - _PLACES
    is_node = distances == 0.0
    distances[is_node] = 1.0
    matrix = _WEIGHTS / distances
    matrix[is_node.any(axis=1)] = is_node[is_node.any(axis=1)]
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), dtype=np.float64)
