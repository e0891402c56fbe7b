"""Facts as the other services hear them, keyed by customer."""

from __future__ import annotations

from dataclasses import fields

from regulars_campaign.domain import facts
from regulars_contracts.envelope import envelope
from regulars_contracts.events import Event
from regulars_contracts.events.campaign import MessageSent, MessageSkipped, SegmentEntered, SegmentLeft
from regulars_kit.bus import Message
from regulars_kit.values import new_id

SERVICE = "campaign"
TOPIC = "regulars.campaign"

# Each event's class, and what it calls the instant at which the fact became true.
_EVENTS: dict[type[facts.Fact], tuple[type[Event], str]] = {
    facts.SegmentEntered: (SegmentEntered, "entered_at"),
    facts.SegmentLeft: (SegmentLeft, "left_at"),
    facts.MessageSent: (MessageSent, "sent_at"),
    facts.MessageSkipped: (MessageSkipped, "skipped_at"),
}


def message_of(fact: facts.Fact) -> Message:
    """The fact as an event on its way; each call makes another event id."""
    event = event_of(fact)
    event_id = new_id()
    body = envelope(event, source_service=SERVICE, subject=fact.customer_id, time=fact.at, id=event_id).to_bytes()
    return Message(event_id, event.type, str(fact.customer_id), body)


def event_of(fact: facts.Fact) -> Event:
    """The published event that tells of the fact."""
    event, instant = _EVENTS[type(fact)]
    said = {field.name: getattr(fact, field.name) for field in fields(fact)}
    return event.model_validate({**said, instant: said.pop("at")})
