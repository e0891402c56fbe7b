"""The bus is away and comes back: the outbox waits, nothing is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from conformance.rig import open_bus, running
from conformance.shop import SOLD, Recorder, each_once, handled, sales, sell
from regulars_kit.bus.connections import connect
from regulars_kit.bus.kafka import KafkaBus
from regulars_kit.db import Database
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay
from regulars_kit.values import Unavailable

if TYPE_CHECKING:
    from conftest import FreshDatabase
    from regulars.distributed.broker import KafkaBroker

GROUP = "regulars-test"


async def test_a_kafka_broker_killed_and_restarted_loses_nothing(kafka: KafkaBroker, shop: Database) -> None:
    bus, topic, recorder = open_bus("kafka", kafka.bootstrap_servers), f"shop.{uuid4().hex}", Recorder(shop, GROUP)
    relay = Relay(shop, bus, topic)
    async with running(relay, Consumer(bus, GROUP, [topic], {SOLD: recorder}, shop)):
        await sell(shop, sales(10, 5))
        relay.wake()
        await recorder.until(lambda: len(recorder.seen) == 50)
        await asyncio.to_thread(kafka.kill)
        await sell(shop, sales(10, 5, first=5))
        # Not in a thread: the broker dies with the thread that started it.
        kafka.start()
        await recorder.until(lambda: len(recorder.seen) == 100)
    await bus.close()
    assert await handled(shop) == each_once(10, 10)


async def test_without_a_broker_publishing_says_that_the_bus_is_away() -> None:
    bus = KafkaBus("127.0.0.1:1", publish_timeout_s=1)
    with pytest.raises(Unavailable):
        await bus.publish("shop.nowhere", sales(1, 1))
    with pytest.raises(Unavailable):
        await bus.subscribe(GROUP, ["shop.nowhere"])
    with pytest.raises(Unavailable):
        await bus.ensure_topics(["shop.nowhere"])
    await bus.close()


async def test_every_connection_to_the_postgres_bus_cut_loses_nothing(
    fresh_database: FreshDatabase, shop: Database
) -> None:
    address = await fresh_database()
    bus, topic, recorder = open_bus("postgres", address), "shop.sales", Recorder(shop, GROUP)
    relay = Relay(shop, bus, topic)
    async with running(relay, Consumer(bus, GROUP, [topic], {SOLD: recorder}, shop)):
        for round_number in range(4):
            await sell(shop, sales(10, 5, first=round_number * 5))
            relay.wake()
            await cut(address)
            await recorder.until(lambda: len(recorder.seen) == 50 * (round_number + 1))  # noqa: B023
    await bus.close()
    assert await handled(shop) == each_once(10, 20)


async def test_every_connection_to_the_services_database_cut_loses_nothing(
    fresh_database: FreshDatabase, shop: Database
) -> None:
    bus, topic, recorder = open_bus("postgres", await fresh_database()), "shop.sales", Recorder(shop, GROUP)
    relay = Relay(shop, bus, topic)
    async with running(relay, Consumer(bus, GROUP, [topic], {SOLD: recorder}, shop)):
        await sell(shop, sales(10, 50))
        relay.wake()
        await recorder.until(lambda: len(recorder.seen) >= 50)
        await cut(shop.url)
        await recorder.until(lambda: len(recorder.seen) >= 500)
    await bus.close()
    assert await handled(shop) == each_once(10, 50)


async def cut(url: str) -> None:
    """End every other connection to the database, as a restart of its server would."""
    connection = await connect(url, "scissors")
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    await connection.close()
