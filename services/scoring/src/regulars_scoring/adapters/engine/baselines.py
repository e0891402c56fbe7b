"""The baselines, learnt from what customers did; and what they say of columns of customers."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.counting import quantiles
from regulars_scoring.adapters.engine.occasions import Occasions, bought_after, past_of
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain import baselines
from regulars_scoring.domain.baselines import Baseline, OwnRate, SilenceTable

GROUPS = 10
FEWEST_IN_WINDOW = 50
"""Customers known before the window: with fewer, ten groups of them say nothing."""


def own_rate(x: Ints, T: Ints, customers: Ints | None = None) -> OwnRate:
    """Each row is one customer, or as many as `customers` says."""
    days, repeats = (column.sum() if customers is None else column @ customers for column in (T, x))
    return OwnRate(max(1.0, float(days)) / max(1.0, float(repeats)))


def silence_table(occasions: Occasions, days_ago: int, window_days: int, groups: int = GROUPS) -> SilenceTable | None:
    """From the window that ended so many days ago; None where too few were customers before it."""
    past = past_of(occasions, days_ago + window_days)
    bought = bought_after(occasions, past, days_ago + window_days, window_days)
    return table_of_silence(past.T - past.t_x, bought, np.ones_like(bought), window_days, groups)


def table_of_silence(
    silence: Ints, bought: Ints, customers: Ints, window_days: int, groups: int = GROUPS
) -> SilenceTable | None:
    """From how long so many customers had been silent before a window, and how often each of them came in it.

    Groups of about equal size by silence; those that go against the others are pooled. None where they are too few.
    """
    if customers.sum() < FEWEST_IN_WINDOW:
        return None
    cuts = quantiles(silence, [place / groups for place in range(1, groups)], customers)
    # Every bound is somebody's silence, and longer than the shortest: no group is empty.
    bounds = np.unique(cuts[cuts > silence.min()])
    group = np.searchsorted(bounds, silence, side="right")
    sizes = np.bincount(group, customers).astype(np.float64)
    rates = np.bincount(group, bought * customers) / sizes / window_days
    # Half a customer of each kind more, so that nobody's return is certain or out of the question.
    silent = (np.bincount(group, (bought == 0) * customers) + 0.5) / (sizes + 1.0)
    return SilenceTable(
        window_days,
        tuple(bounds.tolist()),
        tuple((-_rising(-rates, sizes)).tolist()),
        tuple(_rising(silent, sizes).tolist()),
    )


def expected_purchases(baseline: Baseline, x: Ints, t_x: Ints, T: Ints, horizon: float) -> Floats:
    """As `domain.baselines.expected_purchases`."""
    if isinstance(baseline, OwnRate):
        return np.asarray((x + 1.0) / (T + baseline.gap_days) * horizon, dtype=np.float64)
    each = [rate * horizon for rate in baseline.rates]
    return np.array(each)[_groups(baseline, t_x, T)]


def churn(baseline: Baseline, x: Ints, t_x: Ints, T: Ints, horizon: float) -> Floats:
    """As `domain.baselines.churn`; a table's by that function itself, once for each group."""
    if isinstance(baseline, OwnRate):
        return np.asarray(np.exp(-(x + 1.0) * np.log1p(horizon / (T + baseline.gap_days))), dtype=np.float64)
    each = [baselines.churn(baseline, 0, 0, days, horizon) for days in (-1, *baseline.bounds)]
    return np.array(each)[_groups(baseline, t_x, T)]


def _groups(table: SilenceTable, t_x: Ints, T: Ints) -> Ints:
    return np.searchsorted(np.array(table.bounds, dtype=np.int64), T - t_x, side="right")


def _rising(values: Floats, weights: Floats) -> Floats:
    """The nearest values that never fall: neighbours that do are pooled at their weighted mean."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (low, light, few), (high, heavy, many) = pools.pop(), pools.pop()
            pools.append(((low * light + high * heavy) / (light + heavy), light + heavy, few + many))
    return np.repeat([pool[0] for pool in pools], [pool[2] for pool in pools])
