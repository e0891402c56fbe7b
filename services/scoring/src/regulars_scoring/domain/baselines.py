"""Three baselines: what anybody would say of a customer without a model. They serve where no model can be trusted.

Own past rate: everybody goes on as before. Recency alone: as those did who had been silent for as long. Population
mean: as everybody did, which is a table of silence with one group.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import exp, log1p


@dataclass(frozen=True, slots=True)
class OwnRate:
    """A customer's own purchases a day, one more of everybody's to begin with: (x + 1) / (T + gap).

    `gap_days`, above 0, is the time observed per repeat purchase of all customers. The one purchase more is for who
    came today: they are expected like anybody, not never.
    """

    gap_days: float


@dataclass(frozen=True, slots=True)
class SilenceTable:
    """What customers did in the last `window_days`, by the days they had been silent before.

    `bounds`: from so many days on a customer belongs to the next group; ascending, one less than the groups.
    `rates`: purchases a day in each group; `silent`: the share of it, 0 to 1, that did not buy in the window. Both
    are monotone, so that longer silence never promises more.
    """

    window_days: int
    bounds: tuple[int, ...]
    rates: tuple[float, ...]
    silent: tuple[float, ...]


Baseline = OwnRate | SilenceTable


def group_of(table: SilenceTable, days_silent: float) -> int:
    return bisect_right(table.bounds, days_silent)


def expected_purchases(baseline: Baseline, x: int, t_x: float, T: float, horizon: float) -> float:
    """Purchases within the horizon, at one rate for as long as it lasts."""
    if isinstance(baseline, OwnRate):
        return (x + 1.0) / (T + baseline.gap_days) * horizon
    return baseline.rates[group_of(baseline, T - t_x)] * horizon


def churn(baseline: Baseline, x: int, t_x: float, T: float, horizon: float) -> float:
    """The probability of no purchase within the horizon.

    By their own rate: negative binomial, as that rate is not known exactly. By the table: the share of the window's
    length, as if each stretch of a horizon were like another.
    """
    if isinstance(baseline, OwnRate):
        return exp(-(x + 1.0) * log1p(horizon / (T + baseline.gap_days)))
    return float(baseline.silent[group_of(baseline, T - t_x)] ** (horizon / baseline.window_days))
