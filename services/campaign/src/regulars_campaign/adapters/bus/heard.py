"""What this service hears of the others: customers, what they allow, buy, have and are expected to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars_campaign.adapters.bus import reading
from regulars_campaign.application.follow_events import note_event
from regulars_campaign.application.ports import Listens
from regulars_campaign.domain.heard import Heard
from regulars_contracts.envelope import parse
from regulars_contracts.events import Event, customer, loyalty, scoring
from regulars_kit.inbox import Handler

GROUP = "regulars-campaign"
TOPICS = ("regulars.customer", "regulars.loyalty", "regulars.scoring")

Deliver = Callable[[UUID], Listens]
"""Transactions for one delivery of the event with this id: its inbox row is in their commit."""

Said = TypeVar("Said", bound=Event)

_POINTS: tuple[type[loyalty.AccountEvent], ...] = (
    loyalty.PointsEarned,
    loyalty.PointsSpent,
    loyalty.PointsRestored,
    loyalty.PointsExpired,
    loyalty.PointsAdjusted,
    loyalty.BalanceChanged,
)


def handlers(deliver: Deliver, zone: ZoneInfo) -> Mapping[str, Handler]:
    """Event type -> its handler. A handler raises ValueError for an event that does not fit its type."""
    table: dict[str, Handler] = {}

    def hear(event: type[Said], read: Callable[[Said], Sequence[Heard]]) -> None:
        async def handle(event_id: UUID, body: bytes) -> None:
            await note_event(read(event.model_validate(parse(body).data)), deliver(event_id))

        table[event.type] = handle

    hear(customer.Registered, reading.registered)
    hear(customer.TraitsChanged, reading.traits_changed)
    hear(customer.ConsentChanged, reading.consent_changed)
    hear(customer.StageChanged, reading.stage_changed)
    hear(loyalty.PurchaseRecorded, partial(reading.purchase_recorded, zone=zone))
    hear(loyalty.PurchaseReturned, partial(reading.purchase_returned, zone=zone))
    hear(loyalty.PurchaseClaimed, reading.purchase_claimed)
    hear(loyalty.TierChanged, reading.tier_changed)
    for moved in _POINTS:
        hear(moved, reading.points_moved)
    hear(scoring.CustomerScored, reading.customer_scored)
    hear(scoring.ChurnRiskRaised, reading.churn_risk_raised)
    return table
