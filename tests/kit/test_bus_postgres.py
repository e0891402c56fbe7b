from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from conformance.shop import sales
from regulars_kit.bus.connections import connect
from regulars_kit.bus.postgres import PostgresBus
from regulars_kit.values import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import FreshDatabase

TOPIC = "regulars.shop"
IN_TEN_DAYS = datetime.now(UTC) + timedelta(days=10)


@pytest.fixture
async def bus(fresh_database: FreshDatabase) -> AsyncIterator[PostgresBus]:
    bus = PostgresBus(await fresh_database())
    await bus.ensure_topics([TOPIC])
    yield bus
    await bus.close()


async def test_a_topic_that_exists_keeps_its_partitions(bus: PostgresBus) -> None:
    await bus.ensure_topics([TOPIC], partitions=3)
    await bus.publish(TOPIC, sales(100, 1))
    subscription = await bus.subscribe("group", [TOPIC])
    received = await subscription.poll(1_000, 5)
    await subscription.close()
    assert {event.partition for event in received} == set(range(12))


async def test_publishing_to_a_topic_nobody_made_says_so(bus: PostgresBus) -> None:
    with pytest.raises(Unavailable, match="not there"):
        await bus.publish("regulars.nowhere", sales(1, 1))


@pytest.mark.parametrize("topic", ["", "Regulars", "a b", "a;drop table topics", "1st", "x" * 60])
async def test_a_name_that_is_no_topic_is_refused(bus: PostgresBus, topic: str) -> None:
    with pytest.raises(ValueError, match="not a topic"):
        await bus.ensure_topics([topic])


async def test_what_a_group_has_not_read_is_kept_beyond_its_time(bus: PostgresBus) -> None:
    await bus.publish(TOPIC, sales(10, 3))
    slow = await bus.subscribe("slow", [TOPIC])
    assert await bus.prune(IN_TEN_DAYS) == 0
    received = await slow.poll(1_000, 5)
    done = [event for event in received if event.partition < 6]
    for event in done:
        await slow.commit(TOPIC, event.partition, event.offset + 1)
    assert await bus.prune(datetime.now(UTC)) == 0, "younger than seven days"
    assert 0 < await bus.prune(IN_TEN_DAYS) == len(done) < 30
    await slow.close()
    await bus.forget_group("slow")
    assert await bus.prune(IN_TEN_DAYS) == 30 - len(done)


async def test_a_second_writer_waits_so_that_the_sequence_grows_in_the_order_of_commits(bus: PostgresBus) -> None:
    """A reader that saw offset n must never find a smaller one afterwards."""
    writer = await connect(bus._url, "slow writer")
    topic = await bus._topic(writer, TOPIC)
    async with writer.transaction():
        await topic.lock(writer)
        other = await connect(bus._url, "second writer")
        await other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Exception, match="lock timeout"):
            await topic.lock(other)
        await other.close()
    await writer.close()
