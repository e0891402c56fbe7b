"""What this service hears: who bought what, what came back, whose a purchase is, and who the customers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from regulars_contracts.envelope import parse
from regulars_contracts.events.customer import Registered
from regulars_contracts.events.loyalty import PurchaseClaimed, PurchaseRecorded, PurchaseReturned
from regulars_kit.inbox import Handler
from regulars_kit.values import CustomerId
from regulars_scoring.application.claim_purchase import claim_purchase
from regulars_scoring.application.ports import House, Transactions
from regulars_scoring.application.record_purchase import record_purchase
from regulars_scoring.application.register_customer import register_customer
from regulars_scoring.application.return_purchase import return_purchase
from regulars_scoring.domain.purchases import Return, Sale

GROUP = "regulars-scoring"
TOPICS = ("regulars.loyalty", "regulars.customer")

Deliver = Callable[[UUID], Transactions]
"""Transactions for one delivery of the event with this id: its inbox row is in their commit."""


def handlers(deliver: Deliver, house: House) -> Mapping[str, Handler]:
    """Event type -> its handler. A handler raises ValueError for an event that does not fit its type."""

    async def recorded(event_id: UUID, body: bytes) -> None:
        event = PurchaseRecorded.model_validate(parse(body).data)
        await record_purchase(_sale(event), deliver(event_id), house)

    async def returned(event_id: UUID, body: bytes) -> None:
        event = PurchaseReturned.model_validate(parse(body).data)
        await return_purchase(_return(event), deliver(event_id), house)

    async def claimed(event_id: UUID, body: bytes) -> None:
        event = PurchaseClaimed.model_validate(parse(body).data)
        await claim_purchase(event.purchase_id, CustomerId(event.customer_id), deliver(event_id), house)

    async def registered(event_id: UUID, body: bytes) -> None:
        event = Registered.model_validate(parse(body).data)
        await register_customer(CustomerId(event.customer_id), event.registered_at, deliver(event_id))

    return {
        PurchaseRecorded.type: recorded,
        PurchaseReturned.type: returned,
        PurchaseClaimed.type: claimed,
        Registered.type: registered,
    }


def _sale(event: PurchaseRecorded) -> Sale:
    return Sale(event.purchase_id, _customer(event.customer_id), event.business_date, event.currency, event.total_minor)


def _return(event: PurchaseReturned) -> Return:
    return Return(
        return_id=event.return_id,
        purchase_id=event.purchase_id,
        customer_id=_customer(event.customer_id),
        day=event.business_date,
        currency=event.currency,
        amount_minor=sum(line.net_minor for line in event.lines),
        is_void=event.voided,
    )


def _customer(customer_id: UUID | None) -> CustomerId | None:
    return None if customer_id is None else CustomerId(customer_id)
