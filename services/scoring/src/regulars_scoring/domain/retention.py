"""Retention arithmetic: what a customer is worth who is kept from year to year with the same chance.

m r / (1 + i - r) (Gupta and Lehmann, "Customers as Assets", 2003): a margin m that is earned a year from now with the
probability r, in two years with r^2, and so on, each discounted by i a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from regulars_scoring.domain.profit import Profit
from regulars_scoring.domain.value import MONTHLY_RATE, MONTHS

YEAR_DAYS = 365
ANNUAL_RATE = (1.0 + MONTHLY_RATE) ** MONTHS - 1.0
"""The value's one per cent a month, compounded: 0.1268."""


class KeptReport(TypedDict):
    customers: int
    retention: float


class ObservedReport(TypedDict):
    """Customers of the year before last, and how many of them bought in the last."""

    customers: int
    returned: int


class RetentionReport(TypedDict):
    """The part of a run's report; `observed` None: there are not two years of history."""

    everybody: KeptReport
    segments: dict[str, KeptReport]
    observed: ObservedReport | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Customers, and the probability that one of them buys within a year, 0 to 1. `segment` None: everybody."""

    segment: str | None
    customers: int
    retention: float


@dataclass(frozen=True, slots=True)
class Year:
    """What customers brought in a year, and how many of them bought in it."""

    profit: Profit
    buyers: int

    @property
    def margin_minor(self) -> float | None:
        """m: contribution per customer who bought; None when nobody did."""
        return self.profit.contribution_minor / self.buyers if self.buyers else None


@dataclass(frozen=True, slots=True)
class Worth:
    """`margin_minor`, `value_minor` and `risen_minor`, the value after the rise, are of one customer; None: nobody
    bought within the year. `margin_of`: whose margin it is, everybody's where none of the segment bought.
    """

    kept: Kept
    margin_of: Literal["own", "everybody"]
    margin_minor: float | None
    value_minor: float | None
    risen_minor: float | None

    @property
    def rise_minor(self) -> float | None:
        """What the rise is worth for all of the customers together."""
        if self.value_minor is None or self.risen_minor is None:
            return None
        return self.kept.customers * (self.risen_minor - self.value_minor)


def lifetime_worth(margin: float, retention: float, rate: float = ANNUAL_RATE) -> float:
    """m r / (1 + i - r), in the unit of the margin. `retention` 0 to 1, `rate` above 0."""
    return margin * retention / (1.0 + rate - retention)


def worth_of(kept: Kept, own: Year, everybody: Year, rise_points: int) -> Worth:
    """With retention as it is, and risen by so many hundredths, to certainty at most."""
    mine = own.margin_minor
    margin = everybody.margin_minor if mine is None else mine
    risen = min(1.0, kept.retention + rise_points / 100.0)
    return Worth(
        kept=kept,
        margin_of="everybody" if mine is None else "own",
        margin_minor=margin,
        value_minor=None if margin is None else lifetime_worth(margin, kept.retention),
        risen_minor=None if margin is None else lifetime_worth(margin, risen),
    )
