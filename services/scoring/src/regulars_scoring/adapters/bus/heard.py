"""What this service hears: who bought what, what came back, whose a purchase is, and who the customers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

from regulars_contracts.envelope import parse
from regulars_contracts.events import Event
from regulars_contracts.events.customer import Registered
from regulars_contracts.events.loyalty import PurchaseClaimed, PurchaseRecorded, PurchaseReturned
from regulars_kit.inbox import Handler
from regulars_kit.values import CustomerId
from regulars_scoring.application.follow_events import note_event
from regulars_scoring.application.ports import Listens
from regulars_scoring.domain.goods import goods_of
from regulars_scoring.domain.heard import Heard, Registration
from regulars_scoring.domain.purchases import Claim, Return, Sale

GROUP = "regulars-scoring"
TOPICS = ("regulars.loyalty", "regulars.customer")

Deliver = Callable[[UUID], Listens]
"""Transactions for one delivery of the event with this id: its inbox row is in their commit."""

Some = TypeVar("Some", bound=Event)


def handlers(deliver: Deliver) -> Mapping[str, Handler]:
    """Event type -> its handler. A handler raises ValueError for an event that does not fit its type."""
    table: dict[str, Handler] = {}

    def hear(event_class: type[Some], tell: Callable[[Some], Heard]) -> None:
        async def handle(event_id: UUID, body: bytes) -> None:
            await note_event(tell(event_class.model_validate(parse(body).data)), deliver(event_id))

        table[event_class.type] = handle

    hear(PurchaseRecorded, _sale)
    hear(PurchaseReturned, _return)
    hear(PurchaseClaimed, _claim)
    hear(Registered, _registration)
    return table


def _sale(event: PurchaseRecorded) -> Sale:
    goods = goods_of((line.sku, line.net_minor, line.category) for line in event.lines)
    customer_id = _customer(event.customer_id)
    return Sale(event.purchase_id, customer_id, event.business_date, event.currency, event.total_minor, goods)


def _return(event: PurchaseReturned) -> Return:
    return Return(
        return_id=event.return_id,
        purchase_id=event.purchase_id,
        customer_id=_customer(event.customer_id),
        day=event.business_date,
        currency=event.currency,
        amount_minor=sum(line.net_minor for line in event.lines),
        is_void=event.voided,
        goods=goods_of((line.sku, line.net_minor, None) for line in event.lines),
    )


def _claim(event: PurchaseClaimed) -> Claim:
    return Claim(event.purchase_id, CustomerId(event.customer_id))


def _registration(event: Registered) -> Registration:
    return Registration(CustomerId(event.customer_id), event.registered_at)


def _customer(customer_id: UUID | None) -> CustomerId | None:
    return None if customer_id is None else CustomerId(customer_id)
