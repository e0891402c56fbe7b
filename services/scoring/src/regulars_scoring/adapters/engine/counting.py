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
    return at_places(values, customers, np.ceil(np.array(shares) * (customers.sum() - 1)).astype(np.int64))


def at_places(values: Ints, customers: Ints, places: Ints) -> Ints:
    """The values at these places, from 0, of all customers in the order of their values."""
    order = np.argsort(values, kind="stable")
    until = np.cumsum(customers[order])
    found: Ints = values[order][np.searchsorted(until, places, side="right")]
    return found
