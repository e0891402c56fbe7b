"""A consumer of batches: one commit for many events, and a culprit that is found out alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest
from sqlalchemy import text

from conftest import FreshDatabase
from regulars_kit import inbox
from regulars_kit.bus import Message
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.db import Database
from regulars_kit.inbox import list_dead_letters
from regulars_kit.inbox_batches import BatchConsumer
from regulars_kit.values import Unavailable, new_id

_SEEN = text("INSERT INTO inbox (consumer, event_id) VALUES ('shelf', :id) ON CONFLICT DO NOTHING")
TOPIC, SOLD = "regulars.corner", "corner.sold.v1"


class Shelf:
    """Takes what is sold, in one commit; what it cannot take is marked in the body."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.batches: list[int] = []
        self.failures = 0

    async def take(self, events: Sequence[tuple[UUID, bytes]]) -> int:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the shelf is away")
        async with self.database.transaction() as connection:
            taken = [await self._take(connection, event_id, body) for event_id, body in events]
        self.batches.append(sum(taken))
        return sum(taken)

    async def _take(self, connection, event_id: UUID, body: bytes) -> bool:  # type: ignore[no-untyped-def]
        new = await connection.execute(
            text("INSERT INTO inbox (consumer, event_id) VALUES ('shelf', :id) ON CONFLICT DO NOTHING"),
            {"id": event_id},
        )
        if b"poison" in body:
            raise ValueError("this cannot be sold")
        if new.rowcount:
            await connection.execute(text("INSERT INTO sold VALUES (:body)"), {"body": body.decode()})
        return bool(new.rowcount)


def an_event(what: str, type_: str = SOLD, time: str = "2999-01-01T00:00:00Z", key: str = "anna") -> Message:
    return Message(new_id(), type_, key, b'{"time": "%b", "what": "%b"}' % (time.encode(), what.encode()))


@pytest.fixture
async def shelf(fresh_database: FreshDatabase) -> AsyncIterator[Shelf]:
    database = Database(await fresh_database(), name="shelf")
    async with database.transaction() as connection:
        for statement in (*inbox.DDL, "CREATE TABLE sold (body text)"):
            await connection.execute(text(statement))
    yield Shelf(database)
    await database.close()


async def consumed(shelf: Shelf, *messages: Message, sold: int) -> None:
    """Publish, and consume until so many are sold and nothing is left to commit."""
    bus = MemoryBus()
    await bus.ensure_topics([TOPIC])
    await bus.publish(TOPIC, messages)
    consumer = BatchConsumer(bus, "shelf", [TOPIC], [SOLD], shelf.take, shelf.database)
    stop = asyncio.Event()
    running = asyncio.ensure_future(consumer.run(stop))
    async with asyncio.timeout(20):
        while True:
            if await count(shelf, "sold") >= sold and sum(bus.offsets.values()) >= len(messages):
                break
            await asyncio.sleep(0.01)
    stop.set()
    await running


async def count(shelf: Shelf, table: str) -> int:
    async with shelf.database.transaction() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_what_one_poll_brings_is_one_commit(shelf: Shelf) -> None:
    await consumed(shelf, *(an_event(str(n), key=str(n)) for n in range(50)), sold=50)
    assert shelf.batches == [50]


async def test_what_is_said_again_has_no_effect(shelf: Shelf) -> None:
    events = [an_event(str(n)) for n in range(5)]
    await consumed(shelf, *events, *events, sold=5)
    await consumed(shelf, *events, sold=5)
    assert await count(shelf, "sold") == 5


async def test_a_poisoned_event_is_buried_alone(shelf: Shelf) -> None:
    await consumed(shelf, an_event("a"), an_event("poison"), an_event("b"), sold=2)
    async with shelf.database.transaction() as connection:
        (letter,) = await list_dead_letters(connection, "corner")
    assert "this cannot be sold" in letter.reason


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (an_event("x", "corner.sold.v2"), "unknown version: corner.sold.v2"),
        (an_event("x", time="2001-01-01T00:00:00Z"), "older than"),
        (Message(new_id(), SOLD, "anna", b"no JSON"), "ValidationError"),
    ],
)
async def test_what_is_not_to_be_taken_is_buried_with_its_reason(shelf: Shelf, event: Message, reason: str) -> None:
    await consumed(shelf, an_event("a"), event, an_event("b"), sold=2)
    async with shelf.database.transaction() as connection:
        (letter,) = await list_dead_letters(connection, "corner")
    assert letter.reason.startswith(reason)


async def test_events_nobody_asked_for_are_passed_over(shelf: Shelf) -> None:
    await consumed(shelf, an_event("a", "corner.swept.v1"), an_event("b"), sold=1)
    assert await count(shelf, "dead_letters") == 0


async def test_while_the_store_is_away_nothing_is_lost(shelf: Shelf) -> None:
    shelf.failures = 4
    await consumed(shelf, *(an_event(str(n)) for n in range(5)), sold=5)
    assert await count(shelf, "dead_letters") == 0
