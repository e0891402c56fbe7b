"""Every event goes into the feed, and on its way to each endpoint that wants it."""

from __future__ import annotations

from regulars_gateway.application.ports import Begin, Unit
from regulars_gateway.domain.deliveries import Event
from regulars_kit.values import Clock


async def note_event(event: Event, begin: Begin) -> None:
    """Remember an event until its unit is about to commit, with whatever else that unit has heard."""
    async with begin() as unit:
        unit.noted.append(event)


async def take_events(unit: Unit, now: Clock) -> None:
    """Store what the unit has heard, and the deliveries of it, all at once: the last thing before its commit."""
    if unit.noted:
        await unit.deliveries.take(unit.noted, now())
