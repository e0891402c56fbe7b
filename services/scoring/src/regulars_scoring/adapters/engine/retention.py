"""How many customers are kept for another year, by what serves; and how many were, where the history is long enough."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from regulars_scoring.adapters.engine import outlook
from regulars_scoring.adapters.engine.drafting import Drafts
from regulars_scoring.adapters.engine.occasions import Occasions
from regulars_scoring.adapters.engine.population import Floats, Population
from regulars_scoring.domain.retention import YEAR_DAYS, KeptReport, ObservedReport, RetentionReport
from regulars_scoring.domain.rfm import SCORES, segment_of


def retention_of(drafts: Drafts, population: Population, occasions: Occasions) -> RetentionReport:
    """r is the mean over customers of 1 - churn_365: the share expected to buy within a year. As part of the report."""
    columns = population.x, population.t_x, population.T
    stays = 1.0 - outlook.churn(drafts.model.buying, *columns, float(YEAR_DAYS))
    return {
        "everybody": {"customers": population.size, "retention": float(stays.mean())},
        "segments": _by_segment(drafts, stays),
        "observed": _observed(occasions),
    }


def _by_segment(drafts: Drafts, stays: Floats) -> dict[str, KeptReport]:
    cells, size = drafts.recency * (SCORES + 1) + drafts.frequency, (SCORES + 1) ** 2
    customers: dict[str, int] = defaultdict(int)
    kept: dict[str, float] = defaultdict(float)
    counts, sums = np.bincount(cells, minlength=size), np.bincount(cells, stays, minlength=size)
    for cell in np.flatnonzero(counts).tolist():
        segment = segment_of(*divmod(cell, SCORES + 1))
        customers[segment] += int(counts[cell])
        kept[segment] += float(sums[cell])
    return {name: {"customers": size, "retention": kept[name] / size} for name, size in customers.items()}


def _observed(occasions: Occasions) -> ObservedReport | None:
    """Who bought in the year before last, and how many of them in the last; None where there are not two years."""
    if occasions.span_days < 2 * YEAR_DAYS:
        return None
    last, before = occasions.age < YEAR_DAYS, occasions.age < 2 * YEAR_DAYS
    customers = np.unique(occasions.customer[before & ~last])
    returned = np.isin(customers, occasions.customer[last])
    return {"customers": int(customers.size), "returned": int(returned.sum())}
