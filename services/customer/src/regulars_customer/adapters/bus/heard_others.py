"""Scores, segments and messages, in the words of our own domain."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from regulars_contracts.envelope import CloudEvent
from regulars_contracts.events import campaign, scoring
from regulars_customer.adapters.bus.told import entry, part
from regulars_customer.domain.heard import Heard, PartKind
from regulars_customer.domain.timeline import Kind

_NEWS = ("rfm_segment", "churn_band")
"""A score is said again at every purchase; it is a line of the timeline when one of these words changed."""


def customer_scored(event: scoring.CustomerScored, envelope: CloudEvent) -> Heard:
    figures = {
        "as_of": event.as_of.isoformat(),
        "model": event.model,
        "rfm": event.rfm.model_dump(),
        "rfm_segment": event.rfm_segment,
        "decile": event.decile,
        "churn_band": event.churn_band,
        "churn_90": event.churn_90,
        "p_alive": event.p_alive,
        "clv_major": event.clv_major,
        "currency": event.currency,
    }
    return Heard(
        envelope.time,
        entry(Kind.CUSTOMER_SCORED, envelope, event.customer_id, event.scored_at, figures),
        part(PartKind.SCORE, envelope, event.customer_id, "", figures),
        news=_NEWS,
    )


def churn_risk_raised(event: scoring.ChurnRiskRaised, envelope: CloudEvent) -> Heard:
    figures = {"churn_90": event.churn_90}
    return Heard(envelope.time, entry(Kind.CHURN_RISK_RAISED, envelope, event.customer_id, event.raised_at, figures))


def segment_entered(event: campaign.SegmentEntered, envelope: CloudEvent) -> Heard:
    return _segment(event, envelope, Kind.SEGMENT_ENTERED, event.entered_at)


def segment_left(event: campaign.SegmentLeft, envelope: CloudEvent) -> Heard:
    return _segment(event, envelope, Kind.SEGMENT_LEFT, event.left_at)


def message_sent(event: campaign.MessageSent, envelope: CloudEvent) -> Heard:
    figures = {
        **_message(event.message_id, event.campaign, event.step, event.channel),
        "template_id": str(event.template_id),
        "template_version": event.template_version,
    }
    return Heard(envelope.time, entry(Kind.MESSAGE_SENT, envelope, event.customer_id, event.sent_at, figures))


def message_skipped(event: campaign.MessageSkipped, envelope: CloudEvent) -> Heard:
    figures = {
        **_message(event.message_id, event.campaign, event.step, event.channel),
        "reason": event.reason,
    }
    return Heard(envelope.time, entry(Kind.MESSAGE_SKIPPED, envelope, event.customer_id, event.skipped_at, figures))


def _message(message_id: UUID, name: str, step: str, channel: str) -> dict[str, object]:
    return {"message_id": str(message_id), "campaign": name, "step": step, "channel": channel}


def _segment(
    event: campaign.SegmentEntered | campaign.SegmentLeft, envelope: CloudEvent, kind: Kind, at: datetime
) -> Heard:
    """Where one has left stays known, so that an older entry told late does not bring them back."""
    figures = {"segment_id": str(event.segment_id), "segment": event.segment}
    standing = {**figures, "is_in": kind is Kind.SEGMENT_ENTERED, "since": at.isoformat()}
    return Heard(
        envelope.time,
        entry(kind, envelope, event.customer_id, at, figures),
        part(PartKind.SEGMENT, envelope, event.customer_id, str(event.segment_id), standing),
    )
