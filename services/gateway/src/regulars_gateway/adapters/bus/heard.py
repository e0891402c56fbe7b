"""What this service hears: everything that any service says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from regulars_contracts.envelope import parse
from regulars_contracts.events import ALL_EVENTS
from regulars_contracts.topics import topic_of
from regulars_gateway.application.ports import Begin
from regulars_gateway.application.take_events import note_event
from regulars_gateway.domain.deliveries import Event
from regulars_kit.inbox import Handler

GROUP = "regulars-gateway"
TYPES = frozenset(event.type for event in ALL_EVENTS)
TOPICS = tuple(sorted({topic_of(kind) for kind in TYPES}))

Deliver = Callable[[UUID], Begin]
"""Transactions for one delivery of the event with this id: its inbox row is in their commit."""


def handlers(deliver: Deliver) -> Mapping[str, Handler]:
    """Every event type -> the one handler. It raises ValueError for what is no CloudEvent."""

    async def hear(event_id: UUID, body: bytes) -> None:
        read = parse(body)
        await note_event(Event(event_id, read.type, read.subject, body), deliver(event_id))

    return dict.fromkeys(TYPES, hear)
