from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from conformance.rig import running
from conformance.shop import PATIENCE_S, a_sale, open_shop, sales, sell
from regulars_kit.bus.connections import connect
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.bus.metrics import OUTBOX_UNSENT, PUBLISHED
from regulars_kit.relay import _UNSENT, CHANNEL, POLL_S, Notifier, Relay
from regulars_kit.values import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from typing import Any

    import asyncpg

    from conftest import FreshDatabase
    from regulars_kit.bus import Message
    from regulars_kit.db import Database

TOPIC = "shop.relay"


class WatchedBus(MemoryBus):
    """Tells when it was published to; refuses while `is_away`."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.published: list[Message] = []
        self.refused = asyncio.Event()
        self._changed = asyncio.Condition()

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        if self.is_away:
            self.refused.set()
            raise Unavailable("the bus is away")
        self.published += messages
        async with self._changed:
            self._changed.notify_all()

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(reached)


class Explained(Relay):
    """Knows how many pages each of its looks at the outbox read."""

    def __init__(self, database: Database, bus: MemoryBus, topic: str) -> None:
        super().__init__(database, bus, topic)
        self.pages: list[int] = []

    async def unsent(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        (told,) = json.loads(await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {_UNSENT}"))
        self.pages.append(told["Plan"]["Shared Hit Blocks"] + told["Plan"]["Shared Read Blocks"])
        return await super().unsent(connection)


class Looking(Relay):
    """Tells when it has looked at the outbox."""

    def __init__(self, database: Database, bus: MemoryBus, topic: str) -> None:
        super().__init__(database, bus, topic)
        self.looked = asyncio.Event()

    async def unsent(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        rows = await super().unsent(connection)
        self.looked.set()
        return rows


@pytest.fixture
async def shop(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = await open_shop(await fresh_database())
    yield database
    await database.close()


async def test_more_than_a_batch_is_published_in_the_order_of_ids_and_marked(shop: Database) -> None:
    bus, messages = WatchedBus(), sales(25, 100)
    await sell(shop, messages)
    async with running(Relay(shop, bus, TOPIC)):
        await bus.until(lambda: len(bus.published) == 2_500)
    assert bus.published == messages
    connection = await connect(shop.url, "test")
    assert await connection.fetchval("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0
    await connection.close()


async def test_what_comes_alone_waits_for_nothing_and_what_follows_at_once_for_the_pace(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regulars_kit.relay.PACE_S", 60.0)
    bus = WatchedBus()
    relay = Looking(shop, bus, TOPIC)
    async with running(relay):
        async with asyncio.timeout(PATIENCE_S):
            await relay.looked.wait()
        await sell(shop, sales(1, 1))
        await bus.until(lambda: len(bus.published) == 1)
        relay.looked.clear()
        await sell(shop, sales(1, 1))
        await asyncio.sleep(2 * POLL_S)
        assert not relay.looked.is_set()


async def test_after_a_batch_it_looks_again_by_itself(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regulars_kit.relay.POLL_S", 60.0)
    monkeypatch.setattr("regulars_kit.relay.PACE_S", 2.0)  # longer than the sale takes
    bus = WatchedBus()
    await sell(shop, sales(1, 1))
    async with running(Relay(shop, bus, TOPIC)):
        await bus.until(lambda: len(bus.published) == 1)
        await sell(shop, sales(1, 1))
        await bus.until(lambda: len(bus.published) == 2)


async def test_while_the_bus_is_away_the_outbox_waits(shop: Database) -> None:
    bus = WatchedBus()
    bus.is_away = True
    published_before = PUBLISHED.labels(TOPIC)._value.get()
    await sell(shop, sales(3, 1))
    async with running(Relay(shop, bus, TOPIC)):
        async with asyncio.timeout(PATIENCE_S):
            await bus.refused.wait()
        bus.is_away = False
        await bus.until(lambda: len(bus.published) == 3)
    assert PUBLISHED.labels(TOPIC)._value.get() == published_before + 3
    assert OUTBOX_UNSENT.labels(TOPIC)._value.get() == 3  # as measured while it was away


async def test_one_relay_is_active_and_another_takes_over_when_its_connection_dies(shop: Database) -> None:
    bus = WatchedBus()
    first, second = Relay(shop, bus, TOPIC), Relay(shop, bus, TOPIC)
    scissors = await connect(shop.url, "scissors")
    async with running(first, second):
        for number in range(5):
            await sell(shop, [a_sale("one", number)])
            await bus.until(lambda: len(distinct(bus)) == number + 1)  # noqa: B023
            if number == 0:
                assert [first.is_active, second.is_active].count(True) == 1
            await scissors.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        await sell(shop, [a_sale("one", 5)])
        await bus.until(lambda: len(distinct(bus)) == 6)
    await scissors.close()
    assert [json.loads(body)["data"]["number"] for body in distinct(bus)] == [0, 1, 2, 3, 4, 5]


def distinct(bus: WatchedBus) -> list[bytes]:
    """The published bodies by their first appearance: one cut off before its mark is said again, which is allowed."""
    return list(dict.fromkeys(message.body for message in bus.published))


async def test_a_relay_stops_gracefully_and_leaves_the_lock(shop: Database) -> None:
    bus = WatchedBus()
    for number in range(2):
        await sell(shop, [a_sale("one", number)])
        async with running(Relay(shop, bus, TOPIC)):
            await bus.until(lambda: len(bus.published) == number + 1)  # noqa: B023


async def test_many_commits_of_another_process_become_few_notifications_and_wake_the_relay(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regulars_kit.relay.PACE_S", 60.0)
    heard: list[str] = []
    listening = await connect(shop.url, "listening")
    was_heard = asyncio.Event()

    def hear(*_: object) -> None:
        heard.append("woken")
        was_heard.set()

    await listening.add_listener(CHANNEL, hear)
    notifier = Notifier(shop)
    async with running(notifier):
        for _ in range(1_000):
            notifier.wake()
        async with asyncio.timeout(PATIENCE_S):
            await was_heard.wait()
        notifier.wake()
        await asyncio.sleep(2 * POLL_S)
    await listening.remove_listener(CHANNEL, hear)
    await listening.close()
    assert len(heard) == 1


async def test_what_was_sent_is_not_looked_at_again(shop: Database) -> None:
    bus = WatchedBus()
    relay = Explained(shop, bus, TOPIC)
    async with running(relay):
        for sold in range(1, 31):
            await sell(shop, sales(100, 1))
            relay.wake()
            await bus.until(lambda sold=sold: len(bus.published) == sold * 100)  # type: ignore[misc]
    assert max(relay.pages[-3:]) < 2 * max(relay.pages[:3]), "a hundred are new each time"
