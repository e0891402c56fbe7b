"""How far a group is behind, asked from beside it: on every bus that has an outside."""

from __future__ import annotations

import asyncpg
import pytest

from conformance.rig import Rig
from regulars_kit.bus import Message
from regulars_kit.bus.connections import dsn
from regulars_kit.bus.lag import Lag, kafka_lags, postgres_lags
from regulars_kit.values import new_id


async def lags_of(rig: Rig, group: str, topic: str) -> list[Lag]:
    if rig.kind == "kafka":
        return await kafka_lags(rig.address, {group: [topic]})
    connection = await asyncpg.connect(dsn(rig.address))
    try:
        return [lag for lag in await postgres_lags(connection) if (lag.group, lag.topic) == (group, topic)]
    finally:
        await connection.close()


@pytest.mark.parametrize("rig", ["postgres", "kafka"], indirect=True)
async def test_a_group_is_behind_by_what_it_has_not_said_it_is_done_with(rig: Rig) -> None:
    topic, group = await rig.a_topic(), "readers"
    # One key, one partition: what is left of it is counted.
    await rig.bus.publish(topic, [Message(new_id(), "shop.sold.v1", "anna", b"{}") for _ in range(5)])
    subscription = await rig.bus.subscribe(group, [topic])
    try:
        received = await subscription.poll(10, 10.0)
        while len(received) < 5:
            received += await subscription.poll(10, 10.0)
        assert await lags_of(rig, group, topic) == [Lag(group, topic, 5)]
        await subscription.commit(topic, received[2].partition, received[2].offset + 1)
        assert await lags_of(rig, group, topic) == [Lag(group, topic, 2)]
    finally:
        await subscription.close()
    # Also while none of its members runs.
    assert await lags_of(rig, group, topic) == [Lag(group, topic, 2)]


@pytest.mark.parametrize("rig", ["kafka"], indirect=True)
async def test_a_group_that_never_read_is_behind_by_all(rig: Rig) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, [Message(new_id(), "shop.sold.v1", str(number), b"{}") for number in range(7)])
    assert await kafka_lags(rig.address, {"strangers": [topic, "shop.of_nobody"]}) == [
        Lag("strangers", topic, 7),
        Lag("strangers", "shop.of_nobody", 0),
    ]
