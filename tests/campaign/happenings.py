"""Events of the other services, with vivid defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from campaign.shop import NOON
from regulars_contracts.events.customer import ConsentChanged, Registered, StageChanged, TraitsChanged
from regulars_contracts.events.loyalty import (
    Balance,
    BalanceChanged,
    PurchaseClaimed,
    PurchaseLine,
    PurchaseRecorded,
    PurchaseReturned,
    ReturnedLine,
    TierChanged,
)
from regulars_contracts.events.scoring import ChurnRiskRaised, CustomerScored, RfmCell
from regulars_kit.values import new_id

ANNA = UUID("0a11a000-0000-4000-8000-000000000001")
BEN = UUID("0be11000-0000-4000-8000-000000000002")
RUN = UUID("0197a3d9-0a10-7d31-8e22-5a1c9d7b3e41")


def registered(customer: UUID = ANNA, at: datetime = NOON, **traits: Any) -> Registered:
    return Registered(customer_id=customer, registered_at=at, source="till", traits=traits)


def traits_changed(customer: UUID = ANNA, at: datetime = NOON, **traits: Any) -> TraitsChanged:
    return TraitsChanged(customer_id=customer, traits=traits, occurred_at=at)


def consented(
    customer: UUID = ANNA, granted: bool = True, at: datetime = NOON, purpose: str = "marketing", channel: str = "email"
) -> ConsentChanged:
    return ConsentChanged(
        customer_id=customer, purpose=purpose, channel=channel, granted=granted, source="web", occurred_at=at
    )


def staged(customer: UUID = ANNA, stage: str = "loyal", at: datetime = NOON) -> StageChanged:
    return StageChanged(customer_id=customer, to_stage=stage, reason="bought", changed_at=at)


def a_balance(points: int = 100, seq: int = 1) -> Balance:
    """Below 0: a debt."""
    return Balance(spendable=max(points, 0), pending=0, held=0, debt=max(-points, 0), account_seq=seq)


def balance_changed(customer: UUID = ANNA, points: int = 100, seq: int = 1, programme: str = "club") -> BalanceChanged:
    return BalanceChanged(
        customer_id=customer, programme=programme, wallet="points", occurred_at=NOON, balance=a_balance(points, seq)
    )


def tier_changed(
    customer: UUID = ANNA, tier: str = "gold", at: datetime = NOON, programme: str = "club"
) -> TierChanged:
    return TierChanged(
        customer_id=customer, programme=programme, from_tier=None, to_tier=tier, at=at, reason="qualified"
    )


def bought(
    customer: UUID | None = ANNA,
    *parts: tuple[str | None, int],
    at: datetime = NOON,
    purchase_id: UUID | None = None,
    balance: Balance | None = None,
    **said: Any,
) -> PurchaseRecorded:
    """A receipt of lines "1", "2", … by category and cents; shoes for 19.99 when none are given."""
    lines = [
        PurchaseLine(line_id=str(place), sku="SKU", category=category, quantity="1", net_minor=net, points=0)
        for place, (category, net) in enumerate(parts or [("shoes", 1999)], 1)
    ]
    given: dict[str, Any] = {"store": "mitte", "channel": "store", "currency": "EUR", **said}
    return PurchaseRecorded(
        purchase_id=purchase_id or new_id(),
        customer_id=customer,
        programme="club",
        wallet="points",
        till="1",
        business_date=at.date(),
        occurred_at=at,
        total_minor=sum(line.net_minor for line in lines),
        lines=tuple(lines),
        earned=0,
        tier=None,
        balance=balance,
        **given,
    )


def returned(
    purchase: PurchaseRecorded | None,
    *lines: tuple[str | None, int],
    customer: UUID | None = ANNA,
    at: datetime = NOON,
    voided: bool = False,
    return_id: UUID | None = None,
    **said: Any,
) -> PurchaseReturned:
    """Lines of the purchase, by their ids, and what was given back for each."""
    given: dict[str, Any] = {"store": "mitte", "currency": "EUR", **said}
    return PurchaseReturned(
        return_id=return_id or new_id(),
        purchase_id=purchase and purchase.purchase_id,
        purchase_day=purchase and purchase.business_date,
        customer_id=customer,
        programme="club",
        wallet="points",
        business_date=at.date(),
        occurred_at=at,
        lines=tuple(ReturnedLine(line_id=line, sku="SKU", net_minor=net, points=0) for line, net in lines),
        taken_back=0,
        restored=0,
        voided=voided,
        balance=None,
        **given,
    )


def claimed(purchase: PurchaseRecorded, customer: UUID = ANNA, at: datetime = NOON, seq: int = 1) -> PurchaseClaimed:
    return PurchaseClaimed(
        purchase_id=purchase.purchase_id,
        purchase_day=purchase.business_date,
        customer_id=customer,
        programme="club",
        wallet="points",
        occurred_at=at,
        earned=0,
        balance=a_balance(0, seq),
    )


def scored(customer: UUID = ANNA, at: datetime = NOON, rfm: Sequence[int] = (1, 4, 4), **said: Any) -> CustomerScored:
    recency, frequency, monetary = rfm
    given: Mapping[str, Any] = {
        "rfm_segment": "at risk", "decile": 2, "churn_band": "high", "churn_90": "0.81", "p_alive": "0.22",
        "clv_major": 412, "currency": "EUR", **said,
    }  # fmt: skip
    return CustomerScored(
        customer_id=customer,
        run_id=RUN,
        as_of=at.date(),
        scored_at=at,
        model="mbg_nbd",
        rfm=RfmCell(recency=recency, frequency=frequency, monetary=monetary),
        **given,
    )


def alarmed(customer: UUID = ANNA, at: datetime = NOON) -> ChurnRiskRaised:
    return ChurnRiskRaised(customer_id=customer, run_id=RUN, churn_90="0.81", raised_at=at)


def hundredth(number: Decimal) -> str:
    """A probability as events write it."""
    return f"{number:.2f}"
