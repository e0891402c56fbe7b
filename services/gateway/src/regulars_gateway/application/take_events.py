from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.domain.deliveries import Event
from regulars_kit.values import Clock


async def take_events(events: Sequence[Event], begin: Begin, now: Clock) -> int:
    """Put events into the feed and on their way to every endpoint that wants them, in one commit; how many were new."""
    once: dict[UUID, Event] = {}
    for event in events:
        once.setdefault(event.id, event)  # the bus may deliver one twice within a batch
    async with begin() as unit:
        return await unit.deliveries.take(list(once.values()), now())
