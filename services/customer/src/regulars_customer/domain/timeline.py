"""The timeline: everything that passed between a customer and the shop, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from regulars_customer.domain import facts
from regulars_kit.values import CustomerId

Figures = Mapping[str, object]
"""Published words and numbers, as JSON has them. Nothing in them names a person."""


class Kind(StrEnum):
    """What happened, in the words of the event that told it."""

    REGISTERED = "registered"
    IDENTIFIER_LINKED = "identifier_linked"
    IDENTIFIER_UNLINKED = "identifier_unlinked"
    CONSENT_CHANGED = "consent_changed"
    STAGE_CHANGED = "stage_changed"
    PURCHASE_RECORDED = "purchase_recorded"
    PURCHASE_RETURNED = "purchase_returned"
    PURCHASE_CLAIMED = "purchase_claimed"
    POINTS_EARNED = "points_earned"
    POINTS_SPENT = "points_spent"
    POINTS_RESTORED = "points_restored"
    POINTS_EXPIRED = "points_expired"
    POINTS_ADJUSTED = "points_adjusted"
    TIER_CHANGED = "tier_changed"
    FLAG_RAISED = "flag_raised"
    CUSTOMER_SCORED = "customer_scored"
    CHURN_RISK_RAISED = "churn_risk_raised"
    SEGMENT_ENTERED = "segment_entered"
    SEGMENT_LEFT = "segment_left"
    MESSAGE_SENT = "message_sent"
    MESSAGE_SKIPPED = "message_skipped"


TOUCHES = frozenset(
    {
        Kind.PURCHASE_RECORDED,
        Kind.PURCHASE_RETURNED,
        Kind.POINTS_SPENT,
        Kind.MESSAGE_SENT,
    }
)
"""Where customer and shop met, in either direction; the rest is bookkeeping about it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`occurred_at` is business time, `recorded_at` when it was told. `customer_id` None: nobody's yet.

    `purchase_id`: the purchase by which it may find its customer; None when it has one of its own.
    """

    event_id: UUID
    kind: Kind
    customer_id: CustomerId | None
    occurred_at: datetime
    recorded_at: datetime
    figures: Figures
    purchase_id: UUID | None = None


Place = tuple[datetime, UUID]
"""Where an entry stands on the timeline: when it happened, and its event's id among those of one instant."""


def entry_of(fact: facts.Fact, event_id: UUID) -> Entry | None:
    """What a fact of our own adds to the timeline; None: nothing."""
    told = _told(fact)
    if told is None:
        return None
    kind, figures = told
    occurred_at = fact.changed_at if isinstance(fact, facts.StageChanged) else fact.at
    return Entry(event_id, kind, fact.customer_id, occurred_at, fact.at, figures)


def _told(fact: facts.Fact) -> tuple[Kind, Figures] | None:
    match fact:
        case facts.CustomerRegistered():
            return Kind.REGISTERED, {"source": fact.origin.source}
        case facts.IdentifierLinked():
            return Kind.IDENTIFIER_LINKED, {"kind": fact.identifier.kind.value}
        case facts.IdentifierUnlinked():
            return Kind.IDENTIFIER_UNLINKED, {"kind": fact.identifier.kind.value}
        case facts.ConsentChanged():
            decision = fact.consent.decision
            said = {"purpose": decision.purpose.value, "channel": decision.channel.value}
            return Kind.CONSENT_CHANGED, {**said, "granted": decision.is_granted, "source": decision.source}
        case facts.StageChanged():
            move = {"from_stage": fact.from_stage.value, "to_stage": fact.to_stage.value}
            return Kind.STAGE_CHANGED, {**move, "reason": fact.reason}
        case facts.TraitsChanged():
            return None
