"""What this service hears from loyalty, scoring and campaign: each event in the words of our own domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

from regulars_contracts.envelope import CloudEvent, parse
from regulars_contracts.events import Event, campaign, loyalty, scoring
from regulars_customer.adapters.bus import heard_loyalty, heard_others
from regulars_customer.adapters.bus.told import Teller
from regulars_customer.application.follow_events import note_event
from regulars_customer.application.ports import Listens
from regulars_kit.inbox import Handler

GROUP = "regulars-customer"
TOPICS = ("regulars.loyalty", "regulars.scoring", "regulars.campaign")

Deliver = Callable[[UUID], Listens]
"""Transactions for one delivery of the event with this id: its inbox row is in their commit."""

Some = TypeVar("Some", bound=Event)


def handlers(deliver: Deliver) -> Mapping[str, Handler]:
    """Event type -> its handler. A handler raises ValueError for an event that does not fit its type."""
    table: dict[str, Handler] = {}

    def hear(event_class: type[Some], tell: Teller[Some]) -> None:
        async def handle(event_id: UUID, body: bytes) -> None:
            envelope: CloudEvent = parse(body)
            heard = tell(event_class.model_validate(envelope.data), envelope)
            if heard is not None:
                await note_event(heard, deliver(event_id))

        table[event_class.type] = handle

    hear(loyalty.PurchaseRecorded, heard_loyalty.purchase_recorded)
    hear(loyalty.PurchaseReturned, heard_loyalty.purchase_returned)
    hear(loyalty.PurchaseClaimed, heard_loyalty.purchase_claimed)
    hear(loyalty.PointsEarned, heard_loyalty.points_earned)
    hear(loyalty.PointsSpent, heard_loyalty.points_spent)
    hear(loyalty.PointsRestored, heard_loyalty.points_restored)
    hear(loyalty.PointsExpired, heard_loyalty.points_expired)
    hear(loyalty.PointsAdjusted, heard_loyalty.points_adjusted)
    hear(loyalty.BalanceChanged, heard_loyalty.balance_changed)
    hear(loyalty.TierChanged, heard_loyalty.tier_changed)
    hear(loyalty.FlagRaised, heard_loyalty.flag_raised)
    hear(scoring.CustomerScored, heard_others.customer_scored)
    hear(scoring.ChurnRiskRaised, heard_others.churn_risk_raised)
    hear(campaign.SegmentEntered, heard_others.segment_entered)
    hear(campaign.SegmentLeft, heard_others.segment_left)
    hear(campaign.MessageSent, heard_others.message_sent)
    hear(campaign.MessageSkipped, heard_others.message_skipped)
    return table
