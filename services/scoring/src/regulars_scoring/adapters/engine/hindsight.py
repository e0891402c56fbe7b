"""A fit to the days before a cut held against those after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from regulars_scoring.adapters.engine.expectations import expectations_of, repeats_by_age
from regulars_scoring.adapters.engine.population import Floats, Ints, Population
from regulars_scoring.domain.hindsight import ChurnBin, Hindsight, LiftTenth, TrackedWeek
from regulars_scoring.domain.model import Model

BINS = 10
TENTHS = 10
WEEK = 7


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the customers of a population did in the days after its day, in its order: occasions, and net minor units.

    `newcomers` and `repeats` are theirs by day, both from `first` to the last day after the cut: how many began, and
    how many occasions there were of those who had begun before.
    """

    occasions: Ints
    net_minor: Ints
    first: date
    newcomers: Ints
    repeats: Ints


def hindsight_of(before: Population, model: Model, after: Aftermath) -> Hindsight:
    """`model` is fitted to `before`, and its horizon is the time that `after` tells of."""
    days = model.horizon_days
    expected = expectations_of(before, model, [days])
    return Hindsight(
        cut=model.as_of,
        days=days,
        customers=before.size,
        weeks=_weeks(model, after),
        lift=lift_of(expected.purchases[days] * expected.spend, after.net_minor),
        churn=churn_bins(expected.churn, after.occasions == 0),
    )


def lift_of(foretold: Floats, came: Ints) -> tuple[LiftTenth, ...]:
    """Tenths of equal size by what was foretold; of equals, the earlier in the columns come first."""
    order = np.argsort(-foretold, kind="stable")
    total, size = float(came.sum()), came.size
    tenths = []
    for tenth, inside in enumerate(np.array_split(order, TENTHS), 1):
        share = float(came[inside].sum()) / total if total > 0 else 0.0
        if inside.size:
            tenths.append(LiftTenth(tenth, int(inside.size), share * size / inside.size, share))
    return tuple(tenths)


def churn_bins(foretold: Floats, stayed_away: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[ChurnBin, ...]:
    """Ten bins of equal width; the empty ones are left out."""
    places = np.minimum((foretold * BINS).astype(np.int64), BINS - 1)
    bins = []
    for place in range(BINS):
        inside = places == place
        if customers := int(inside.sum()):
            bins.append(ChurnBin(float(foretold[inside].mean()), float(stayed_away[inside].mean()), customers))
    return tuple(bins)


def _weeks(model: Model, after: Aftermath) -> tuple[TrackedWeek, ...]:
    """Weeks end with the last day, and going back from it with every seventh; the cut is an end of its own."""
    days = after.newcomers.size
    curve = repeats_by_age(model, days)
    actual = np.cumsum(after.repeats)
    began = np.flatnonzero(after.newcomers)
    cut = (model.as_of - after.first).days
    ends = sorted({*range(days - 1, -1, -WEEK), cut})
    return tuple(
        TrackedWeek(
            after.first + timedelta(days=end),
            int(actual[end]),
            float(after.newcomers[began[began <= end]] @ curve[end - began[began <= end]]),
        )
        for end in ends
    )
