"""Which sessions wait for their commits to be on disk, and how the bus is read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from conformance.shop import open_shop, sales
from regulars_kit.bus.connections import REPEATABLE, connect
from regulars_kit.bus.postgres import PostgresBus
from regulars_kit.bus.postgres_subscription import _BEHIND
from regulars_kit.relay import Relay

if TYPE_CHECKING:
    from conftest import FreshDatabase

TOPIC = "shop.sessions"
FLUSHES = "SHOW synchronous_commit"


@pytest.fixture
async def bus(fresh_database: FreshDatabase) -> AsyncIterator[PostgresBus]:
    bus = PostgresBus(await fresh_database())
    await bus.ensure_topics([TOPIC])
    yield bus
    await bus.close()


async def test_a_member_notes_its_offsets_without_a_flush_and_what_is_published_has_one(bus: PostgresBus) -> None:
    member = await bus.subscribe("regulars-test", [TOPIC])
    async with member._joined() as joined, bus._connection() as publishing:
        assert await joined.fetchval(FLUSHES) == "off"
        assert await publishing.fetchval(FLUSHES) == "on"
    await member.close()


async def test_a_relay_marks_without_a_flush(fresh_database: FreshDatabase, bus: PostgresBus) -> None:
    shop = await open_shop(await fresh_database())
    async with Relay(shop, bus, TOPIC)._connected() as relaying:
        assert await relaying.fetchval(FLUSHES) == "off"
    async with shop.transaction() as connection:
        assert (await connection.exec_driver_sql(FLUSHES)).scalar() == "on"
    await shop.close()


async def test_how_far_a_member_is_behind_is_counted_by_the_index(bus: PostgresBus) -> None:
    await bus.publish(TOPIC, sales(1_000, 3))
    connection = await connect(bus._url, "test", settings=REPEATABLE)
    (topic,) = [row["table"] for row in await connection.fetch('SELECT "table" FROM topics')]
    question = "EXPLAIN (FORMAT JSON) EXECUTE behind('{0,1,2}', '{1,1,1}')"
    await connection.execute(f"PREPARE behind AS {_BEHIND.format(table=topic)}")
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    assert nodes_of(json.loads(await connection.fetchval(question))[0]["Plan"]).isdisjoint({"Seq Scan", "Hash Join"})
    await connection.close()


def nodes_of(plan: dict[str, Any]) -> set[str]:
    return {plan["Node Type"]}.union(*(nodes_of(each) for each in plan.get("Plans", [])))
