"""What customers brought and cost, as clients get it: sums of the past in minor units, expectations in major ones."""

from __future__ import annotations

from typing import Self

from regulars_scoring.adapters.http.shape import Answer
from regulars_scoring.domain.profit import MarginOf, NetValue, Profit


class ProfitOut(Answer):
    """Returns count on the day of their purchase. Profit is margin less the costs of points, campaigns, acquisition."""

    revenue_minor: int
    """Net of returns."""
    margin_minor: int
    margin_of: MarginOf
    """`line_cost`: what the lines had cost was said; `margin_rate`: the programme's; `revenue`: neither is known, and
    all of it is margin; `mixed`: see the next two."""
    line_cost_revenue_minor: int
    """Revenue of lines whose cost was said."""
    margin_rate_revenue_minor: int
    """Revenue of lines that the programme's margin rate was applied to."""
    points_cost_minor: int
    """Points given, less those taken back and expired, at their value."""
    campaign_cost_minor: int
    """Messages sent, where campaign says what they cost."""
    acquisition_cost_minor: int
    """Told at registration."""
    profit_minor: int

    @classmethod
    def of(cls, profit: Profit) -> Self:
        return cls(
            revenue_minor=profit.revenue_minor,
            margin_minor=profit.margin_minor,
            margin_of=profit.margin_of,
            line_cost_revenue_minor=profit.costed_minor,
            margin_rate_revenue_minor=profit.rated_minor,
            points_cost_minor=profit.points_cost_minor,
            campaign_cost_minor=profit.campaign_cost_minor,
            acquisition_cost_minor=profit.acquisition_cost_minor,
            profit_minor=profit.profit_minor,
        )


class NetValueOut(Answer):
    """`clv` less what it will cost, over the same twelve months:

    clv x (margin_share - points_share) - campaign_cost_a_month x 11.2551 - acquisition_left. 11.2551 is what 1 a month
    comes to over twelve months at 1 % a month.
    """

    value: float
    is_unprofitable: bool
    """Whether it is below 0."""
    margin: float
    points_cost: float
    campaign_cost: float
    acquisition_left: float
    """The part of the acquisition cost that past margin, less points and messages, has not paid for yet."""
    margin_share: float
    points_share: float
    """Of revenue, in the past."""
    shares_of: str
    """`own_past`; `everybody` where the customer has brought no revenue, or returns and gifts left next to nothing."""
    campaign_cost_a_month: float
    """Of the last 360 days, or since the customer is known, a month at least."""

    @classmethod
    def of(cls, net: NetValue) -> Self:
        return cls(
            value=net.value,
            is_unprofitable=net.is_unprofitable,
            margin=net.margin,
            points_cost=net.points_cost,
            campaign_cost=net.campaign_cost,
            acquisition_left=net.acquisition_left,
            margin_share=net.shares.margin,
            points_share=net.shares.points,
            shares_of=net.shares_of,
            campaign_cost_a_month=net.campaign_month,
        )
