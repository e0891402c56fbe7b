"""How often two products would meet in a basket by chance, as `domain.affinity` says it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from regulars_scoring.adapters.engine.baskets import Places
from regulars_scoring.adapters.engine.population import Floats, Ints

MEETINGS_AT_ONCE = 50_000
_STEPS = 100
_CLOSE = 1e-12


class Chance:
    """Of products that `held_in` baskets of these sizes hold."""

    def __init__(self, sizes: Places, held_in: Ints) -> None:
        distinct, counts = np.unique(sizes, return_counts=True)
        size, self._baskets = distinct.astype(np.float64), counts.astype(np.float64)
        rates = _rates(size, self._baskets, held_in)
        self._held: Floats = -np.expm1(-np.outer(rates, size))

    def expected(self, one: Ints, other: Ints) -> Floats:
        """Baskets that would hold both."""
        meetings = np.empty(one.size)
        for part in _parts(one.size):
            meetings[part] = np.einsum("ps,ps,s->p", self._held[one[part]], self._held[other[part]], self._baskets)
        return meetings


def _rates(size: Floats, baskets: Floats, held_in: Ints) -> Floats:
    """The rate of each product, with which 1 - exp(-rate s) of baskets of size s hold it: together, `held_in`.

    Newton's steps from below never pass the root, for the sum is concave in the rate. It has none for a product in all
    baskets: there the rate grows until nothing is left over.
    """
    rate: Floats = held_in / (size @ baskets)
    for _ in range(_STEPS):
        without = np.exp(-np.outer(rate, size)) * baskets
        missing = held_in - (baskets.sum() - without.sum(axis=1))
        if np.all(missing <= _CLOSE * held_in):
            break
        rate = rate + missing / (without @ size)
    return rate


def _parts(size: int) -> Iterator[slice]:
    return (slice(start, start + MEETINGS_AT_ONCE) for start in range(0, size, MEETINGS_AT_ONCE))
