"""Events of costs, of points and of programmes in our own words; instants become days of the house's zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from regulars_contracts.events.campaign import MessageSent
from regulars_contracts.events.customer import Registered
from regulars_contracts.events.loyalty import (
    AccountEvent,
    PointsAdjusted,
    PointsEarned,
    PointsExpired,
    ProgrammePublished,
    PurchaseLine,
    ReturnedLine,
)
from regulars_kit.values import CustomerId
from regulars_scoring.domain.costs import Cost, LineCosts, PointsMoved, Terms


def line_costs_of(lines: Iterable[PurchaseLine | ReturnedLine]) -> LineCosts:
    """Of the lines that say what they cost."""
    costed = [(line.net_minor, line.cost_minor) for line in lines if line.cost_minor is not None]
    return LineCosts(sum(net for net, _ in costed), sum(cost for _, cost in costed))


def acquisition(event: Registered, zone: ZoneInfo) -> Cost | None:
    """None where nobody knows what winning the customer cost, or it cost nothing."""
    if not event.acquisition_cost_minor or event.currency is None:
        return None
    customer_id = CustomerId(event.customer_id)
    day = _day(event.registered_at, zone)
    return Cost("acquisition", customer_id, customer_id, day, event.currency, event.acquisition_cost_minor)


def message(event: MessageSent, zone: ZoneInfo) -> Cost | None:
    """None where nobody has said what sending it cost, or it cost nothing."""
    if not event.cost_minor or event.currency is None:
        return None
    day = _day(event.sent_at, zone)
    return Cost("message", event.message_id, CustomerId(event.customer_id), day, event.currency, event.cost_minor)


def points_earned(event: PointsEarned, zone: ZoneInfo) -> PointsMoved:
    return _moved(event, "earned", event.points, zone)


def points_adjusted(event: PointsAdjusted, zone: ZoneInfo) -> PointsMoved:
    return _moved(event, "adjusted", event.points, zone)


def points_expired(event: PointsExpired, zone: ZoneInfo) -> PointsMoved:
    return _moved(event, "expired", -event.points, zone)


def terms(event: ProgrammePublished) -> Terms:
    """Raises ValueError for a fraction of nothing."""
    return Terms(
        event.code,
        event.version,
        event.effective_from,
        None if event.margin_rate is None else _fraction(event.margin_rate),
        {currency: _fraction(value) for currency, value in event.point_value.items()},
    )


def _moved(
    event: AccountEvent, cause: Literal["earned", "adjusted", "expired"], points: int, zone: ZoneInfo
) -> PointsMoved:
    return PointsMoved(
        CustomerId(event.customer_id),
        event.programme,
        event.wallet,
        event.balance.account_seq,
        cause,
        _day(event.occurred_at, zone),
        points,
    )


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError("a factor has 0 below its line") from None


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
