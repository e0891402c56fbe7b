"""Where scores and deciles change, of whole columns: `domain.rfm.cuts_of` and `domain.model.decile_bounds_of`."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.grid import SCORES
from regulars_scoring.domain.model import DECILES, Bounds, bounds_between
from regulars_scoring.domain.rfm import Cuts, cuts_between


def fifths_of(values: Ints) -> Cuts:
    """As `cuts_of`."""
    distinct, equal = np.unique(values, return_counts=True)
    scores = _shares_until(equal, SCORES)
    first = _begins(scores)
    return cuts_between(zip(scores[first].tolist(), distinct[first].tolist(), strict=True))


def tenths_between(values: Floats) -> Bounds:
    """As `decile_bounds_of`."""
    distinct, equal = np.unique(values, return_counts=True)
    distinct, equal = distinct[::-1], equal[::-1]
    deciles = _shares_until(equal, DECILES)
    first = _begins(deciles)
    last = np.append(first[1:], deciles.size)[: first.size] - 1
    columns = deciles[first], distinct[first], distinct[last]
    return bounds_between(zip(*(column.tolist() for column in columns), strict=True))


def _shares_until(equal: Ints, shares: int) -> Ints:
    """1 + floor(shares (before + half of the equal) / n), at most `shares`, of values in their order."""
    before = np.cumsum(equal) - equal
    shares_until: Ints = np.minimum(shares, 1 + shares * (2 * before + equal) // (2 * equal.sum()))
    return shares_until


def _begins(ascending: Ints) -> Ints:
    """The first place of each value."""
    return np.flatnonzero(np.diff(ascending, prepend=0))
