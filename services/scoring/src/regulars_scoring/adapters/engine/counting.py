"""Rows that stand for one customer each, or for as many as are said: a table of those who are alike is far shorter."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.population import Ints


def counted(values: Ints, customers: Ints) -> dict[int, int]:
    """How many customers have each value."""
    distinct, places = np.unique(values, return_inverse=True)
    counts = np.bincount(places, customers).astype(np.int64)
    return dict(zip(distinct.tolist(), counts.tolist(), strict=True))


def quantiles(values: Ints, shares: list[float], customers: Ints) -> Ints:
    """The least values that these shares of the customers do not exceed, the greater of two neighbours."""
    order = np.argsort(values, kind="stable")
    until = np.cumsum(customers[order])
    places = np.ceil(np.array(shares) * (until[-1] - 1)).astype(np.int64)
    found: Ints = values[order][np.searchsorted(until, places, side="right")]
    return found
