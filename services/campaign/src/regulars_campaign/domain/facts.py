"""What campaign tells the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars_campaign.domain.segments import SegmentId
from regulars_kit.values import CustomerId


@dataclass(frozen=True, slots=True)
class SegmentEntered:
    customer_id: CustomerId
    at: datetime
    segment_id: SegmentId
    segment: str


@dataclass(frozen=True, slots=True)
class SegmentLeft:
    customer_id: CustomerId
    at: datetime
    segment_id: SegmentId
    segment: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    customer_id: CustomerId
    at: datetime
    message_id: UUID
    campaign_id: UUID
    campaign: str
    step: str
    channel: str
    template_id: UUID
    template_version: int
    cost_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class MessageSkipped:
    customer_id: CustomerId
    at: datetime
    message_id: UUID
    campaign_id: UUID
    campaign: str
    step: str
    channel: str
    reason: str


Fact = SegmentEntered | SegmentLeft | MessageSent | MessageSkipped
