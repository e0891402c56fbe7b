"""Killed at the worst moment and back: nothing lost, nothing handled twice, on every bus."""

from __future__ import annotations

import asyncio

from conformance.rig import DeadlyBus, Killed, Rig, running
from conformance.shop import SOLD, Recorder, a_sale, each_once, handled, sales, sell
from regulars_kit.db import Database
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay

GROUP = "regulars-test"


def die() -> None:
    raise Killed


async def killed(rig: Rig, moment: str, shop: Database, topic: str) -> None:
    """In a process of its own; with the memory bus, which lives in this one, its objects are dropped instead."""
    if rig.kind != "memory":
        await rig.killed_at(moment, shop.url, topic, GROUP)
        return
    bus = DeadlyBus(rig.bus, moment, die)
    consumer = Consumer(bus, GROUP, [topic], {SOLD: Recorder(shop, GROUP)}, shop)
    victim = Relay(shop, bus, topic) if moment == "after_publish" else consumer
    try:
        await victim.run(asyncio.Event())
    except (Killed, BaseExceptionGroup):
        return
    raise AssertionError("it should have been killed")


async def test_a_consumer_killed_between_its_commit_and_its_offset(rig: Rig, shop: Database) -> None:
    topic, recorder = await rig.a_topic(), Recorder(shop, GROUP)
    await rig.bus.publish(topic, sales(10, 10))
    await killed(rig, "before_offset", shop, topic)
    assert await handled(shop), "the victim had handled something"
    async with running(Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)):
        await rig.bus.publish(topic, sales(10, 1, first=10))
        await recorder.until(lambda: len([number for _, number in recorder.seen if number == 10]) == 10)
    assert await handled(shop) == each_once(10, 11)


async def test_a_relay_killed_between_publishing_and_marking(rig: Rig, shop: Database) -> None:
    topic, recorder = await rig.a_topic(), Recorder(shop, GROUP)
    await sell(shop, sales(10, 10))
    await killed(rig, "after_publish", shop, topic)
    await sell(shop, [a_sale("last", 0)])
    async with running(Relay(shop, rig.bus, topic), Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)):
        await recorder.until(lambda: len(recorder.seen) == 101)
    assert await handled(shop) == {**each_once(10, 10), "last": [0]}
