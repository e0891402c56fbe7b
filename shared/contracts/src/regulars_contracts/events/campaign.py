"""What the campaign service announces: who is in which segment, and what became of each message."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from regulars_contracts.events.base import Event
from regulars_contracts.fields import Code, Currency, Instant, Minor, SequenceNo, Text


class SegmentEntered(Event):
    """A customer fulfils a segment's rule from now on."""

    type: ClassVar[str] = "campaign.segment_entered.v1"
    customer_id: UUID
    segment_id: UUID
    segment: Text
    """The segment's code."""
    entered_at: Instant


class SegmentLeft(Event):
    """A customer fulfils a segment's rule no longer."""

    type: ClassVar[str] = "campaign.segment_left.v1"
    customer_id: UUID
    segment_id: UUID
    segment: Text
    left_at: Instant


class MessageSent(Event):
    """A message was handed to its provider."""

    type: ClassVar[str] = "campaign.message_sent.v1"
    customer_id: UUID
    message_id: UUID
    campaign_id: UUID
    campaign: Text
    step: Text
    channel: Code
    template_id: UUID
    template_version: SequenceNo
    cost_minor: Minor | None = None
    """What sending it cost, in `currency`; None when nobody has said what a message costs."""
    currency: Currency | None = None
    sent_at: Instant


class MessageSkipped(Event):
    """A message was due and was not sent, for a reason that stays."""

    type: ClassVar[str] = "campaign.message_skipped.v1"
    customer_id: UUID
    message_id: UUID
    campaign_id: UUID
    campaign: Text
    step: Text
    channel: Code
    reason: Code
    """`no_consent`, `no_address`, `unknown_customer`, …"""
    skipped_at: Instant


EVENTS: tuple[type[Event], ...] = (SegmentEntered, SegmentLeft, MessageSent, MessageSkipped)
