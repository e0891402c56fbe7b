"""What this service hears: who bought what, what came back, whose it is, who the customers are and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars_contracts.envelope import parse
from regulars_contracts.events import Event
from regulars_contracts.events.campaign import MessageSent
from regulars_contracts.events.customer import Erased, Merged, Registered, Unmerged
from regulars_contracts.events.loyalty import (
    PointsAdjusted,
    PointsEarned,
    PointsExpired,
    ProgrammePublished,
    PurchaseClaimed,
    PurchaseRecorded,
    PurchaseReturned,
)
from regulars_kit.inbox import Handler
from regulars_kit.values import CustomerId
from regulars_scoring.adapters.bus import heard_costs as costs
from regulars_scoring.application.follow_events import note_event
from regulars_scoring.application.listening import Listens
from regulars_scoring.domain.goods import goods_of
from regulars_scoring.domain.heard import Erasure, Heard, Registration
from regulars_scoring.domain.merges import Merge
from regulars_scoring.domain.purchases import Claim, Return, Sale

GROUP = "regulars-scoring"
TOPICS = ("regulars.loyalty", "regulars.customer", "regulars.campaign")

Deliver = Callable[[UUID], Listens]
"""Transactions for one delivery of the event with this id: its inbox row is in their commit."""

Some = TypeVar("Some", bound=Event)


def handlers(deliver: Deliver, zone: ZoneInfo) -> Mapping[str, Handler]:
    """Event type -> its handler. A handler raises ValueError for an event that does not fit its type.

    Instants fall on days of the zone.
    """
    table: dict[str, Handler] = {}

    def hear(event_class: type[Some], tell: Callable[[Some], Heard | None]) -> None:
        async def handle(event_id: UUID, body: bytes) -> None:
            await note_event(tell(event_class.model_validate(parse(body).data)), deliver(event_id))

        table[event_class.type] = handle

    hear(PurchaseRecorded, _sale)
    hear(PurchaseReturned, _return)
    hear(PurchaseClaimed, _claim)
    hear(Registered, partial(_registration, zone=zone))
    hear(Merged, partial(_merge, is_undone=False))
    hear(Unmerged, partial(_merge, is_undone=True))
    hear(Erased, lambda event: Erasure(CustomerId(event.customer_id)))
    hear(PointsEarned, partial(costs.points_earned, zone=zone))
    hear(PointsAdjusted, partial(costs.points_adjusted, zone=zone))
    hear(PointsExpired, partial(costs.points_expired, zone=zone))
    hear(ProgrammePublished, costs.terms)
    hear(MessageSent, partial(costs.message, zone=zone))
    return table


def _sale(event: PurchaseRecorded) -> Sale:
    return Sale(
        purchase_id=event.purchase_id,
        customer_id=_customer(event.customer_id),
        day=event.business_date,
        currency=event.currency,
        total_minor=event.total_minor,
        goods=goods_of((line.sku, line.net_minor, line.category) for line in event.lines),
        programme=event.programme,
        line_costs=costs.line_costs_of(event.lines),
        earned=None if event.customer_id is None else event.earned,
    )


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
        programme=event.programme,
        line_costs=costs.line_costs_of(event.lines),
        taken_back=event.taken_back,
    )


def _claim(event: PurchaseClaimed) -> Claim:
    return Claim(event.purchase_id, CustomerId(event.customer_id), event.earned - event.taken_back)


def _registration(event: Registered, zone: ZoneInfo) -> Registration:
    return Registration(CustomerId(event.customer_id), event.registered_at, costs.acquisition(event, zone))


def _merge(event: Merged | Unmerged, *, is_undone: bool) -> Merge:
    return Merge(event.merge_id, CustomerId(event.merged_id), CustomerId(event.surviving_id), is_undone)


def _customer(customer_id: UUID | None) -> CustomerId | None:
    return None if customer_id is None else CustomerId(customer_id)
