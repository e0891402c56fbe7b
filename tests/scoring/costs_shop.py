"""What tills, campaigns and registrations say of costs, with vivid defaults."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import UUID

from builders import ANNA, an_id
from regulars_contracts.events.campaign import MessageSent
from regulars_contracts.events.customer import Registered
from regulars_contracts.events.loyalty import (
    Balance,
    PointsAdjusted,
    PointsEarned,
    PointsExpired,
    ProgrammePublished,
    PurchaseLine,
    PurchaseRecorded,
    PurchaseReturned,
    ReturnedLine,
)
from scoring.shop import a_return, a_sale, day

Lines = tuple[tuple[int, int | None], ...]
"""Net and cost of each; None: the till does not say."""


def a_costed_sale(
    *lines: tuple[int, int | None],
    on: str | date = "2026-02-10",
    earned: int = 0,
    customer_id: UUID | None = ANNA,
    currency: str = "EUR",
    programme: str = "club",
) -> PurchaseRecorded:
    sale = a_sale(sum(net for net, _ in lines), on, customer_id, currency=currency)
    told = tuple(
        PurchaseLine(line_id=str(place), sku="SHOE-42", quantity="1", net_minor=net, cost_minor=cost, points=0)
        for place, (net, cost) in enumerate(lines, 1)
    )
    return sale.model_copy(update={"lines": told, "earned": earned, "programme": programme})


def a_costed_return(
    of: PurchaseRecorded, *lines: tuple[int, int | None], taken_back: int = 0, voided: bool = False
) -> PurchaseReturned:
    """Lines of the sale come back, each at what it had cost."""
    back = a_return(sum(net for net, _ in lines), of, voided=voided)
    told = tuple(ReturnedLine(sku="SHOE-42", net_minor=net, cost_minor=cost, points=0) for net, cost in lines)
    return back.model_copy(update={"lines": told, "taken_back": taken_back, "programme": of.programme})


def a_programme(
    margin_rate: str | None = "0.4",
    point_value: str = "0.01",
    effective_from: str = "2026-01-01",
    version: int = 1,
    code: str = "club",
) -> ProgrammePublished:
    return ProgrammePublished(
        code=code,
        version=version,
        effective_from=day(effective_from),
        time_zone="Europe/Berlin",
        wallet="points",
        point_value={"EUR": point_value},
        margin_rate=margin_rate,
    )


def a_message(
    cost: int | None = 2, on: str | date = "2026-06-01", customer_id: UUID = ANNA, message_id: UUID | None = None
) -> MessageSent:
    return MessageSent(
        customer_id=customer_id,
        message_id=message_id or an_id(),
        campaign_id=UUID(int=1),
        campaign="win-back",
        step="first",
        channel="email",
        template_id=UUID(int=2),
        template_version=1,
        cost_minor=cost,
        currency=None if cost is None else "EUR",
        sent_at=noon(on),
    )


def won(cost: int = 1500, customer_id: UUID = ANNA, currency: str = "EUR") -> Registered:
    """A registration that says what it took."""
    return Registered(
        customer_id=customer_id,
        registered_at=noon("2026-02-01"),
        source="web",
        acquisition_cost_minor=cost,
        currency=currency,
    )


def expired(points: int, seq: int = 9, on: str | date = "2026-06-10", customer_id: UUID = ANNA) -> PointsExpired:
    return PointsExpired(
        customer_id=customer_id,
        programme="club",
        wallet="points",
        occurred_at=noon(on),
        points=points,
        balance=balance(seq),
    )


def a_bonus(points: int, seq: int = 10, on: str | date = "2026-06-11", customer_id: UUID = ANNA) -> PointsEarned:
    return PointsEarned(
        customer_id=customer_id,
        programme="club",
        wallet="points",
        occurred_at=noon(on),
        points=points,
        origin="bonus",
        balance=balance(seq),
    )


def an_adjustment(
    points: int, seq: int = 11, on: str | date = "2026-06-12", customer_id: UUID = ANNA
) -> PointsAdjusted:
    return PointsAdjusted(
        customer_id=customer_id,
        programme="club",
        wallet="points",
        occurred_at=noon(on),
        adjustment_id=an_id(),
        points=points,
        balance=balance(seq),
    )


def balance(seq: int) -> Balance:
    return Balance(spendable=0, pending=0, held=0, debt=0, account_seq=seq)


def noon(on: str | date) -> datetime:
    return datetime.combine(day(on), time(12), UTC)
