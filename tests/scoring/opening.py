"""Opening a shop: the service built on a database, and a client of it.

Fits are made in the tests' own process, by the worker's own code; test_process.py starts real workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from uuid import UUID

import httpx

from conformance.rig import running
from regulars_contracts.events import Event
from regulars_kit.bus import Message
from regulars_kit.bus.memory import MemoryBus
from regulars_scoring import worker
from regulars_scoring.adapters.bus.heard import TOPICS
from regulars_scoring.application.ports import Fit
from regulars_scoring.bootstrap import build
from regulars_scoring.domain.goods import NOT_GOODS
from regulars_scoring.domain.scoring import Bands
from scoring.shop import Shop, Watch, a_verifier, settings_for


def in_this_process(database_url: str) -> Fit:
    async def fit(run_id: UUID, tick: Callable[[], Awaitable[None]]) -> None:
        await tick()
        task = {"database_url": database_url, "run_id": str(run_id), "bands": asdict(Bands()), "not_goods": NOT_GOODS}
        await worker.work(task)

    return fit


@asynccontextmanager
async def opened(database_url: str, fit: Fit | None = None) -> AsyncIterator[Shop]:
    watch = Watch()
    fit = fit or in_this_process(database_url)
    service = build(settings_for(database_url), MemoryBus(), a_verifier(), watch, fit=fit)
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
        yield Shop(service, client, watch)
    await service.database.close()


async def hear_together(shop: Shop, *messages: Message, together: int = 200) -> None:
    """Have another member of the shop's consumer hear the messages, so many in a commit.

    They lie on the bus before it begins. Returns once each of them is handled or a dead letter.
    """
    bus = MemoryBus()
    await bus.ensure_topics(TOPICS)
    for message in messages:
        await bus.publish(f"regulars.{message.type.partition('.')[0]}", [message])
    settings = settings_for(shop.service.database.url, events_together=together)
    service = build(settings, bus, a_verifier(), shop.watch)
    assert service.consumer is not None
    async with running(service.consumer):
        await _until_done(shop, messages)
    await service.database.close()


async def tell(shop: Shop, events: Sequence[Event], together: int) -> None:
    """Have the shop hear the events in their order: one by one, or so many in a commit."""
    if together == 1:
        await shop.hear(*events)
    else:
        await hear_together(shop, *map(shop.as_told, events), together=together)


async def _until_done(shop: Shop, messages: Sequence[Message]) -> None:
    """The service commits when it likes to."""
    async with asyncio.timeout(30):
        while True:
            rows = await shop.rows("SELECT event_id FROM inbox UNION SELECT event_id FROM dead_letters")
            if {message.event_id for message in messages} <= {row.event_id for row in rows}:
                return
            await asyncio.sleep(0.01)
