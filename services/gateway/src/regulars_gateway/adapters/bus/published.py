"""What the gateway says, in the words of the bus; and the ping, which says nothing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from regulars_contracts.envelope import CONTENT_TYPE, encode, envelope, source_of
from regulars_contracts.events import gateway
from regulars_gateway.domain.facts import EndpointDisabled
from regulars_kit.bus import Message
from regulars_kit.values import new_id

SERVICE = "gateway"
TOPIC = "regulars.gateway"
MEDIA_TYPE = CONTENT_TYPE
PING = "gateway.ping.v1"
"""Sent to one endpoint when it is tested; it is on no topic, and nobody subscribes to it."""


def message_of(fact: EndpointDisabled) -> Message:
    """The fact as an event on its way, keyed by its endpoint; each call makes another event id."""
    event = gateway.EndpointDisabled(endpoint_id=fact.endpoint_id, reason=fact.reason, disabled_at=fact.at)
    event_id = new_id()
    body = envelope(event, source_service=SERVICE, subject=fact.endpoint_id, time=fact.at, id=event_id).to_bytes()
    return Message(event_id, event.type, str(fact.endpoint_id), body)


def ping_of(ping_id: UUID, endpoint_id: UUID, at: datetime) -> bytes:
    """The body of a test ping."""
    return encode(type=PING, source=source_of(SERVICE), subject=endpoint_id, id=ping_id, time=at, data={})
