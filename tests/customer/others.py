"""What the other services tell the customer service, as they would tell it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from customer.shop import Shop
from regulars_contracts.envelope import envelope
from regulars_contracts.events import Event, campaign, loyalty, scoring
from regulars_kit.bus import Message

SEGMENT, CAMPAIGN, TEMPLATE, RUN = uuid4(), uuid4(), uuid4(), uuid4()

_numbers = itertools.count(1)


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def a_balance(spendable: int = 100, seq: int | None = None) -> loyalty.Balance:
    """Newer than all that were made before, unless it says its number."""
    number = next(_numbers) if seq is None else seq
    return loyalty.Balance(spendable=spendable, pending=0, held=0, debt=0, account_seq=number)


def a_purchase(customer: UUID | None, at: datetime | None = None, **said: Any) -> loyalty.PurchaseRecorded:
    """19.99 euros in Cologne, ten points."""
    line = loyalty.PurchaseLine(line_id="1", sku="SOCKS-42", quantity="1", net_minor=1999, points=10)
    told: dict[str, Any] = {
        "purchase_id": uuid4(),
        "customer_id": customer,
        "programme": "main",
        "wallet": "points",
        "store": "koeln-1",
        "till": "1",
        "business_date": (at or days_ago(1)).date(),
        "occurred_at": at or days_ago(1),
        "currency": "EUR",
        "total_minor": 1999,
        "lines": (line,),
        "earned": 10,
        "tier": None,
        "balance": a_balance() if customer else None,
    }
    return loyalty.PurchaseRecorded(**{**told, **said})


def a_return(purchase: loyalty.PurchaseRecorded | None, net_minor: int = 500, **said: Any) -> loyalty.PurchaseReturned:
    """Of the purchase and by its customer; None: it matched none."""
    customer = purchase.customer_id if purchase else None
    told: dict[str, Any] = {
        "return_id": uuid4(),
        "purchase_id": purchase.purchase_id if purchase else None,
        "purchase_day": purchase.business_date if purchase else None,
        "customer_id": customer,
        "programme": "main",
        "wallet": "points",
        "business_date": days_ago(0).date(),
        "occurred_at": days_ago(0),
        "currency": purchase.currency if purchase else "EUR",
        "lines": (loyalty.ReturnedLine(line_id="1", sku="SOCKS-42", quantity="1", net_minor=net_minor, points=2),),
        "taken_back": 2,
        "restored": 0,
        "balance": a_balance() if customer or said.get("customer_id") else None,
    }
    return loyalty.PurchaseReturned(**{**told, **said})


def a_void(purchase: loyalty.PurchaseRecorded) -> loyalty.PurchaseReturned:
    return a_return(purchase, purchase.total_minor, voided=True)


def a_claim(purchase: loyalty.PurchaseRecorded, customer: UUID) -> loyalty.PurchaseClaimed:
    return loyalty.PurchaseClaimed(
        purchase_id=purchase.purchase_id,
        purchase_day=purchase.business_date,
        customer_id=customer,
        programme="main",
        wallet="points",
        occurred_at=purchase.occurred_at,
        earned=10,
        balance=a_balance(),
    )


def a_tier(customer: UUID, to_tier: str = "gold", **said: Any) -> loyalty.TierChanged:
    told: dict[str, Any] = {"from_tier": "base", "at": days_ago(0), "reason": "qualified"}
    return loyalty.TierChanged(customer_id=customer, programme="main", to_tier=to_tier, **{**told, **said})


def a_score(customer: UUID, rfm_segment: str = "champions", **said: Any) -> scoring.CustomerScored:
    told: dict[str, Any] = {
        "run_id": RUN,
        "as_of": days_ago(1).date(),
        "scored_at": days_ago(0),
        "model": "mbg_nbd",
        "rfm": scoring.RfmCell(recency=5, frequency=4, monetary=4),
        "decile": 2,
        "churn_band": "low",
        "churn_90": "0.12",
        "p_alive": "0.93",
        "clv_major": 412,
        "currency": "EUR",
    }
    return scoring.CustomerScored(customer_id=customer, rfm_segment=rfm_segment, **{**told, **said})


def entered(customer: UUID) -> campaign.SegmentEntered:
    return campaign.SegmentEntered(customer_id=customer, segment_id=SEGMENT, segment="vips", entered_at=days_ago(2))


def left(customer: UUID) -> campaign.SegmentLeft:
    return campaign.SegmentLeft(customer_id=customer, segment_id=SEGMENT, segment="vips", left_at=days_ago(1))


def a_message(customer: UUID, step: str = "first") -> campaign.MessageSent:
    return campaign.MessageSent(
        customer_id=customer,
        message_id=uuid4(),
        campaign_id=CAMPAIGN,
        campaign="win-back",
        step=step,
        channel="email",
        template_id=TEMPLATE,
        template_version=1,
        sent_at=days_ago(0),
    )


def as_told(event: Event, *, event_id: UUID | None = None, at: datetime | None = None) -> Message:
    """The event on its way. `at`: when its fact was recorded, now by default."""
    subject = getattr(event, "customer_id", None) or getattr(event, "purchase_id", None) or uuid4()
    identity = event_id or uuid4()
    service = event.type.partition(".")[0]
    body = envelope(event, source_service=service, subject=subject, time=at or datetime.now(UTC), id=identity)
    return Message(identity, event.type, str(subject), body.to_bytes())


async def tell(shop: Shop, *told: Event | Message) -> None:
    """Hand events to the service, one by one; each must be handled."""
    assert shop.service.consumer is not None
    for each in told:
        message = each if isinstance(each, Message) else as_told(each)
        assert await shop.service.consumer.handle(message) is None


async def picture(shop: Shop, customer_id: str) -> dict[str, Any]:
    response = await shop.send("GET", f"/v1/customers/{customer_id}/360")
    assert response.status_code == 200, response.text
    return dict(response.json())


async def stage(shop: Shop, customer_id: str) -> str:
    return str((await picture(shop, customer_id))["stage"]["value"]["stage"])


async def timeline(shop: Shop, customer_id: str, query: str = "") -> dict[str, Any]:
    response = await shop.send("GET", f"/v1/customers/{customer_id}/timeline{query}")
    assert response.status_code == 200, response.text
    return dict(response.json())


async def kinds(shop: Shop, customer_id: str, query: str = "") -> list[str]:
    return [str(item["kind"]) for item in (await timeline(shop, customer_id, query))["items"]]
