"""Cohorts of a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from regulars_scoring.adapters.engine.ledger import Ledger
from regulars_scoring.domain.cohorts import CohortCell, Span, period_of


def cohort_cells_of(ledger: Ledger, span: Span, as_of: date) -> Sequence[CohortCell]:
    """Customers by the period of their first occasion and the periods since.

    What somebody gave back before their first occasion is in their first period.
    """
    occasions = ledger.occasions
    first = np.zeros(ledger.customers, np.int64)
    np.maximum.at(first, occasions.customer, occasions.age)
    oldest = int(first.max(initial=0))
    periods = np.array([period_of(as_of - timedelta(days=age), span) for age in range(oldest + 1)])
    began = periods[first][ledger.customer]
    age = periods[np.minimum(ledger.age, first[ledger.customer])] - began
    # Days are in their order, so that those of one customer in one period lie together.
    is_other = np.diff(ledger.customer[ledger.is_occasion], prepend=-1) != 0
    is_other |= np.diff(age[ledger.is_occasion], prepend=-1) != 0
    keys, places = np.unique(began << 32 | age, return_inverse=True)
    places = places.reshape(-1)
    active = np.bincount(places[ledger.is_occasion][is_other], minlength=keys.size)
    net = np.zeros(keys.size, np.int64)
    np.add.at(net, places, ledger.net_minor)
    rows = zip((keys >> 32).tolist(), (keys & 0xFFFFFFFF).tolist(), active.tolist(), net.tolist(), strict=True)
    return [CohortCell(*row) for row in rows]
