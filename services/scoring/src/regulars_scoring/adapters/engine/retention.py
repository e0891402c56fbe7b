"""How many customers are kept for another year, by what serves; and how many were, where the history is long enough."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.drafting import Drafts
from regulars_scoring.adapters.engine.occasions import Occasions
from regulars_scoring.adapters.engine.outlook import outlook_of
from regulars_scoring.adapters.engine.population import Floats, Population
from regulars_scoring.domain.retention import YEAR_DAYS, KeptReport, ObservedReport, RetentionReport


def retention_of(drafts: Drafts, population: Population, occasions: Occasions) -> RetentionReport:
    """r is the mean over customers of 1 - churn_365: the share expected to buy within a year. As part of the report."""
    columns = population.x, population.t_x, population.T
    stays = 1.0 - outlook_of(drafts.model.buying, *columns).churn(YEAR_DAYS)
    return {
        "everybody": {"customers": population.size, "retention": float(stays.mean())},
        "segments": _by_segment(drafts, stays),
        "observed": _observed(occasions),
    }


def _by_segment(drafts: Drafts, stays: Floats) -> dict[str, KeptReport]:
    names = drafts.model.grid.segments
    places = {name: place for place, name in enumerate(names)}
    segment = np.array([places[name] for name in drafts.segment])
    customers = np.bincount(segment, minlength=len(names)).tolist()
    kept = np.bincount(segment, stays, minlength=len(names)).tolist()
    return {
        name: {"customers": count, "retention": share / count}
        for name, count, share in zip(names, customers, kept, strict=True)
        if count
    }


def _observed(occasions: Occasions) -> ObservedReport | None:
    """Who bought in the year before last, and how many of them in the last; None where there are not two years."""
    if occasions.span_days < 2 * YEAR_DAYS:
        return None
    last, before = occasions.age < YEAR_DAYS, occasions.age < 2 * YEAR_DAYS
    customers = np.unique(occasions.customer[before & ~last])
    returned = np.isin(customers, occasions.customer[last])
    return {"customers": int(customers.size), "returned": int(returned.sum())}
