"""Tenths of the customers by expected value, and what each has brought."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.findings import Tenth


def tenths_of(decile: Ints, total_minor: Ints, clv: Floats) -> tuple[Tenth, ...]:
    """The best first, with their share of revenue; ties can leave one empty, which is then missing."""
    revenue = int(total_minor.sum())
    found = []
    for place in np.unique(decile).tolist():
        inside = decile == place
        minor = int(total_minor[inside].sum())
        share = minor / revenue if revenue > 0 else None
        found.append(Tenth(place, int(inside.sum()), minor, share, float(clv[inside].sum())))
    return tuple(found)
