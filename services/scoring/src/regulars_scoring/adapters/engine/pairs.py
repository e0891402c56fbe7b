"""Distinct pairs of small whole numbers: what is dear to reckon is reckoned once for each, not for each customer."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.population import Ints

_BITS = 24
"""Days and occasions stay below 2**24, so that a pair is one integer, and sorting is quick."""


def distinct_pairs(first: Ints, second: Ints) -> tuple[Ints, Ints, Ints]:
    """The first and the second of each distinct pair, and for each row the place of its pair. All 0 or more."""
    keys, places = np.unique((first << _BITS) | second, return_inverse=True)
    return keys >> _BITS, keys & ((1 << _BITS) - 1), places.reshape(-1)
