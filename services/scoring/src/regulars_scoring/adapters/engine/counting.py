"""Rows that stand for one customer each, or for as many as are said: a table of those who are alike is far shorter."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.population import Ints


def counted(rows: Ints, customers: Ints | None) -> tuple[Ints, Ints]:
    """The distinct rows, in their order, and how many customers each stands for."""
    if customers is None:
        distinct, counts = np.unique(rows, axis=0, return_counts=True)
        return distinct, counts.astype(np.int64)
    distinct, places = np.unique(rows, axis=0, return_inverse=True)
    return distinct, np.bincount(places.reshape(-1), customers).astype(np.int64)


def quantiles(values: Ints, shares: list[float], customers: Ints) -> Ints:
    """The least values that these shares of the customers do not exceed, the greater of two neighbours."""
    order = np.argsort(values, kind="stable")
    until = np.cumsum(customers[order])
    places = np.ceil(np.array(shares) * (until[-1] - 1)).astype(np.int64)
    found: Ints = values[order][np.searchsorted(until, places, side="right")]
    return found
