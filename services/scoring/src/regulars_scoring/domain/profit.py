"""What customers have brought and what they cost; and what their expected value comes to once that is paid for."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal

from regulars_scoring.domain.value import MONTH_DAYS, MONTHS, YEAR_OF_ONE_A_DAY

MONTHS_PAID = YEAR_OF_ONE_A_DAY / MONTH_DAYS
"""What a unit of money a month comes to over the value's twelve months, discounted as it is: 11.2551."""
RECENT_DAYS = MONTHS * MONTH_DAYS

MarginOf = Literal["line_cost", "margin_rate", "revenue", "mixed"]
"""How a margin was found: from what the lines had cost; from the programme's margin rate; it is the revenue itself, as
nobody has said a cost or a rate; or some of it in one way and some in another."""


@dataclass(frozen=True, slots=True)
class Profit:
    """Sums of some days of some customers, in minor units; returns count on the day of their purchase.

    Of the revenue `costed_minor` is of lines whose cost is known and `rated_minor` of lines priced by a margin rate. Of
    the rest nobody has said what it cost: it is margin in full. Points cost what they are worth from when they are
    given until they are taken back or expire.
    """

    revenue_minor: int = 0
    costed_minor: int = 0
    rated_minor: int = 0
    margin_minor: int = 0
    points_cost_minor: int = 0
    campaign_cost_minor: int = 0
    acquisition_cost_minor: int = 0

    def __add__(self, other: Profit) -> Profit:
        return Profit(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))

    @property
    def contribution_minor(self) -> int:
        """Margin less what it costs to keep a customer: points and messages."""
        return self.margin_minor - self.points_cost_minor - self.campaign_cost_minor

    @property
    def profit_minor(self) -> int:
        """The contribution less what it cost to win the customer."""
        return self.contribution_minor - self.acquisition_cost_minor

    @property
    def margin_of(self) -> MarginOf:
        parts: dict[MarginOf, int] = {
            "line_cost": self.costed_minor,
            "margin_rate": self.rated_minor,
            "revenue": self.revenue_minor - self.costed_minor - self.rated_minor,
        }
        ways = [way for way, minor in parts.items() if minor]
        return "mixed" if len(ways) > 1 else next(iter(ways), "revenue")


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the revenue: what is margin, and what its points cost."""

    margin: float = 1.0
    points: float = 0.0


ALL_MARGIN = Shares()


def shares_of(profit: Profit) -> Shares | None:
    """None without revenue, and where returns or gifts have left so little of it that they say nothing of what comes:
    a margin of more than all of it either way, points that are worth more than it, or less than nothing.
    """
    if profit.revenue_minor <= 0:
        return None
    shares = Shares(profit.margin_minor / profit.revenue_minor, profit.points_cost_minor / profit.revenue_minor)
    return shares if abs(shares.margin) <= 1 and 0 <= shares.points <= 1 else None


@dataclass(frozen=True, slots=True)
class Past:
    """A customer's past until a day: all of it, and the cost of messages in the last `RECENT_DAYS` of it.

    `known_days` is how long ago the first of it was.
    """

    profit: Profit
    recent_campaign_minor: int
    known_days: int


@dataclass(frozen=True, slots=True)
class NetValue:
    """Parts of `net_value`, in the unit of the value; `campaign_month` is a month's cost of messages."""

    shares: Shares
    shares_of: Literal["own_past", "everybody"]
    campaign_month: float
    margin: float
    points_cost: float
    campaign_cost: float
    acquisition_left: float

    @property
    def value(self) -> float:
        return self.margin - self.points_cost - self.campaign_cost - self.acquisition_left

    @property
    def is_unprofitable(self) -> bool:
        return self.value < 0


def net_value(clv: float, past: Past, everybody: Shares, unit: float) -> NetValue:
    """CLV less the cost stream to attract and retain, over the same twelve months.

    clv x (margin share - points share) - messages a month x 11.2551 - acquisition cost that is not earned back yet.
    The shares are those of the customer's own past revenue, everybody's where it has none (`shares_of`); messages go on
    as in the last twelve months, or since the customer is known, a month at least. What winning them cost counts as
    far as their past contribution has not paid for it: once, and never again. `clv` in major units, `unit` minor ones
    to each.
    """
    own = shares_of(past.profit)
    shares = own or everybody
    months = min(MONTHS, max(1.0, past.known_days / MONTH_DAYS))
    month = past.recent_campaign_minor / unit / months
    cost, earned = past.profit.acquisition_cost_minor, past.profit.contribution_minor
    return NetValue(
        shares=shares,
        shares_of="everybody" if own is None else "own_past",
        campaign_month=month,
        margin=clv * shares.margin,
        points_cost=clv * shares.points,
        campaign_cost=month * MONTHS_PAID,
        acquisition_left=(cost - min(max(earned, 0), cost)) / unit,
    )
