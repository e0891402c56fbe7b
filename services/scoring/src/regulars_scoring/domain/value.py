"""What a living customer is expected to buy within a horizon; and, discounted, over a year and for ever."""

from __future__ import annotations

from functools import lru_cache
from math import log1p

from regulars_scoring.domain.buying import Fitted, discounted_if_alive, expected_if_alive

MONTHS = 12
MONTH_DAYS = 30
MONTHLY_RATE = 0.01
"""One per cent a month: 12.7 a year."""
DAILY_FORCE = log1p(MONTHLY_RATE) / MONTH_DAYS
"""The same rate, compounded continuously per day."""
YEAR_OF_ONE_A_DAY = sum(MONTH_DAYS / (1.0 + MONTHLY_RATE) ** month for month in range(1, MONTHS + 1))
"""What a purchase a day comes to, discounted as below."""

# Most customers of a day share their x and T with others, the new ones above all.
_REMEMBERED = 10_000


@lru_cache(_REMEMBERED)
def purchases_within(model: Fitted, x: int, T: int, horizon_days: int) -> float:
    """Purchases of a living customer within the horizon."""
    return expected_if_alive(model, x, T, float(horizon_days))


@lru_cache(_REMEMBERED)
def discounted_purchases(model: Fitted, x: int, T: int) -> float:
    """Purchases of a living customer over the next 12 months of 30 days, each month's discounted by 1 % per month."""
    total, before = 0.0, 0.0
    for month in range(1, MONTHS + 1):
        until = expected_if_alive(model, x, T, float(MONTH_DAYS * month))
        total += (until - before) / (1.0 + MONTHLY_RATE) ** month
        before = until
    return total


@lru_cache(_REMEMBERED)
def purchases_to_come(model: Fitted, x: int, T: int) -> float:
    """All purchases of a living customer, discounted continuously at the same rate: DERT."""
    return discounted_if_alive(model, x, T, DAILY_FORCE)
