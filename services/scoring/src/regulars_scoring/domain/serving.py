"""What serves, a model or a baseline, and what it says of a customer.

BG/NBD is no part of it: it takes every one-time buyer to be alive with certainty.
"""

from __future__ import annotations

from regulars_scoring.domain import baselines, buying
from regulars_scoring.domain.baselines import OwnRate, SilenceTable
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.pareto_nbd import ParetoNbd
from regulars_scoring.domain.value import (
    YEAR_OF_ONE_A_DAY,
    discounted_purchases,
    purchases_to_come,
    purchases_within,
)

Serving = MbgNbd | ParetoNbd | OwnRate | SilenceTable

SEEN_AGAIN_DAYS = 90
"""A baseline knows of nobody who left for good: in the place of P(alive) it says how likely a purchase is by then."""


def p_alive(model: Serving, x: int, t_x: int, T: int) -> float:
    """The probability of not having left for good; of a baseline, of a purchase within `SEEN_AGAIN_DAYS`."""
    if isinstance(model, OwnRate | SilenceTable):
        return 1.0 - baselines.churn(model, x, t_x, T, SEEN_AGAIN_DAYS)
    return buying.p_alive(model, x, t_x, T)


def churn(model: Serving, x: int, t_x: int, T: int, horizon_days: int) -> float:
    """churn_H, the probability of no purchase within the horizon."""
    if isinstance(model, OwnRate | SilenceTable):
        return baselines.churn(model, x, t_x, T, horizon_days)
    return buying.churn(model, x, t_x, T, horizon_days)


def expected_purchases(model: Serving, x: int, t_x: int, T: int, horizon_days: int) -> float:
    """Purchases within the horizon."""
    if isinstance(model, OwnRate | SilenceTable):
        return baselines.expected_purchases(model, x, t_x, T, horizon_days)
    return buying.p_alive(model, x, t_x, T) * purchases_within(model, x, T, horizon_days)


def purchases_within_a_year(model: Serving, x: int, t_x: int, T: int) -> float:
    """Purchases of the next 12 months of 30 days, each month's discounted by 1 % per month at its end."""
    if isinstance(model, OwnRate | SilenceTable):
        return baselines.expected_purchases(model, x, t_x, T, 1.0) * YEAR_OF_ONE_A_DAY
    return buying.p_alive(model, x, t_x, T) * discounted_purchases(model, x, T)


def purchases_forever(model: Serving, x: int, t_x: int, T: int) -> float | None:
    """DERT: all purchases to come, discounted by 1 % a month; None of a baseline, which has no end to its rates."""
    if isinstance(model, OwnRate | SilenceTable):
        return None
    return buying.p_alive(model, x, t_x, T) * purchases_to_come(model, x, T)
