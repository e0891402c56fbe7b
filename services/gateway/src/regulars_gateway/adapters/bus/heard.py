"""What this service hears: everything that any service says."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_contracts.envelope import parse
from regulars_contracts.events import ALL_EVENTS
from regulars_contracts.topics import topic_of
from regulars_gateway.application.ports import Begin
from regulars_gateway.application.take_events import take_events
from regulars_gateway.domain.deliveries import Event
from regulars_kit.inbox_batches import BatchHandler
from regulars_kit.values import Clock

GROUP = "regulars-gateway"
TYPES = frozenset(event.type for event in ALL_EVENTS)
TOPICS = tuple(sorted({topic_of(kind) for kind in TYPES}))


def taking(begin: Begin, now: Clock) -> BatchHandler:
    """Takes events as they come. It raises ValueError for what is no CloudEvent."""

    async def take(delivered: Sequence[tuple[UUID, bytes]]) -> int:
        return await take_events([_event(event_id, body) for event_id, body in delivered], begin, now)

    return take


def _event(event_id: UUID, body: bytes) -> Event:
    read = parse(body)
    return Event(event_id, read.type, read.subject, body)
