"""The laws of delivery where many events share a transaction, for every bus."""

from __future__ import annotations

import asyncio

from conformance.killed import LAST_NUMBER
from conformance.rig import DeadlyBus, Killed, Rig, running
from conformance.shop import PATIENCE_S, SOLD, Recorder, a_sale, each_once, handled, sales
from conformance.test_delivery import read
from conformance.test_errors import Rule, letters
from regulars_kit.db import Database
from regulars_kit.inbox import PACE_S, Consumer, PermanentError
from regulars_kit.values import Unavailable

GROUP = "regulars-test"
TOGETHER = 40


def a_consumer(
    rig: Rig, topic: str, shop: Database, recorder: Recorder | None = None, pace_s: float = PACE_S
) -> Consumer:
    handler = recorder or Recorder(shop, GROUP)
    return Consumer(rig.bus, GROUP, [topic], {SOLD: handler}, shop, together=TOGETHER, pace_s=pace_s)


async def until_handled(shop: Database, count: int, key: str | None = None) -> None:
    """Return once `count` events were handled, of the customer `key` or of all.

    Asked of the database: a handler alone cannot tell what its transaction has committed.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            numbers = await handled(shop)
            if sum(len(each) for name, each in numbers.items() if key in (None, name)) >= count:
                return
            await asyncio.sleep(0.01)


async def test_every_event_has_its_effect_once_and_in_its_customers_order(rig: Rig, shop: Database) -> None:
    topic = await rig.a_topic()
    async with running(a_consumer(rig, topic, shop)):
        for first in range(0, 20, 5):
            some = sales(20, 5, first=first)
            await rig.bus.publish(topic, [*some, *some[:30]])
        await until_handled(shop, 400)
    assert await handled(shop) == each_once(20, 20)


async def test_what_comes_alone_waits_for_nothing_and_what_follows_at_once_for_the_pace(
    rig: Rig, shop: Database
) -> None:
    topic = await rig.a_topic()
    async with running(a_consumer(rig, topic, shop, pace_s=60.0)):
        await rig.bus.publish(topic, [a_sale("one", 0)])
        await until_handled(shop, 1)
        await rig.bus.publish(topic, [a_sale("one", 1)])
        await asyncio.sleep(1.0)
        assert await handled(shop) == {"one": [0]}
    async with running(a_consumer(rig, topic, shop)):
        await until_handled(shop, 2)


async def test_two_members_with_many_at_once_share_the_work(rig: Rig, shop: Database) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, sales(24, 5))
    async with running(a_consumer(rig, topic, shop), a_consumer(rig, topic, shop)):
        await rig.bus.publish(topic, sales(24, 15, first=5))
        await until_handled(shop, 480)
    assert await handled(shop) == each_once(24, 20)


async def test_a_poisoned_event_in_the_middle_is_set_aside_and_its_neighbours_are_handled(
    rig: Rig, shop: Database
) -> None:
    rule = Rule("customer-2", 1, PermanentError("a sale below cost"))
    topic = await rig.a_topic()
    await rig.bus.publish(topic, sales(6, 3))
    async with running(a_consumer(rig, topic, shop, Recorder(shop, GROUP, before=rule))):
        await until_handled(shop, 17)
    assert await handled(shop) == {**each_once(6, 3), "customer-2": [0, 2]}
    [letter] = await letters(shop)
    assert (letter.reason, letter.attempts) == ("PermanentError: a sale below cost", 3)


async def test_a_later_version_and_an_old_event_in_the_middle_are_set_aside(rig: Rig, shop: Database) -> None:
    topic = await rig.a_topic()
    later, unrelated = a_sale("one", 1, type_="shop.sold.v2"), a_sale("one", 2, type_="shop.opened.v1")
    await rig.bus.publish(topic, [a_sale("one", 0), later, unrelated, a_sale("one", 3)])
    async with running(a_consumer(rig, topic, shop)):
        await until_handled(shop, 2)
    assert await handled(shop) == {"one": [0, 3]}
    assert [letter.event_id for letter in await letters(shop)] == [later.event_id]


async def test_what_may_pass_holds_back_its_own_partition_alone(rig: Rig, shop: Database) -> None:
    rule = Rule("customer-3", 1, Unavailable("the mail server is away"))
    topic = await rig.a_topic()
    await rig.bus.publish(topic, sales(12, 3))
    async with running(a_consumer(rig, topic, shop, Recorder(shop, GROUP, before=rule))):
        async with asyncio.timeout(PATIENCE_S):
            await rule.reached.wait()
        await until_handled(shop, 3, "customer-4")  # another partition on each of the buses
        rule.is_broken = False
        await until_handled(shop, 36)
    assert await handled(shop) == each_once(12, 3)
    assert await letters(shop) == []


async def killed(rig: Rig, moment: str, shop: Database, topic: str) -> None:
    """In a process of its own; with the memory bus, which lives in this one, its objects are dropped instead."""
    if rig.kind != "memory":
        await rig.killed_at(moment, shop.url, topic, GROUP, together=TOGETHER)
        return

    def die(key: str = "", number: int = LAST_NUMBER) -> None:
        if number == LAST_NUMBER:
            raise Killed

    recorder = Recorder(shop, GROUP, before=die) if moment == "while_handling" else Recorder(shop, GROUP)
    bus = DeadlyBus(rig.bus, moment, die)
    try:
        await Consumer(bus, GROUP, [topic], {SOLD: recorder}, shop, together=TOGETHER).run(asyncio.Event())
    except (Killed, BaseExceptionGroup):
        return
    raise AssertionError("it should have been killed")


async def test_a_consumer_killed_in_the_middle_of_its_transaction_has_handled_none_of_it(
    rig: Rig, shop: Database
) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, [a_sale("one", number) for number in range(10)])
    await killed(rig, "while_handling", shop, topic)
    assert await handled(shop) == {}
    async with running(a_consumer(rig, topic, shop)):
        await until_handled(shop, 10)
    assert await handled(shop) == {"one": list(range(10))}


async def test_a_consumer_killed_between_its_commit_and_its_offsets(rig: Rig, shop: Database) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, sales(10, 10))
    await killed(rig, "before_offset", shop, topic)
    assert await handled(shop), "the victim had handled something"
    async with running(a_consumer(rig, topic, shop)):
        await rig.bus.publish(topic, sales(10, 1, first=10))
        await until_handled(shop, 110)
    assert await handled(shop) == each_once(10, 11)


async def test_offsets_of_many_partitions_are_committed_in_one_go(rig: Rig) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, sales(24, 2))
    first = await rig.bus.subscribe(GROUP, [topic])
    received = await read(first, 48)
    middle = [event for event in received if event.message.body.count(b'"number": 0')]
    done = {(event.topic, event.partition): event.offset + 1 for event in middle}
    await first.commit_all({**done, ("shop.nowhere", 3): 7})
    await first.close()
    second = await rig.bus.subscribe(GROUP, [topic])
    after = [event for event in received if event.offset >= done[event.topic, event.partition]]
    again = await read(second, len(after))
    await second.close()
    assert sorted(again, key=str) == sorted(after, key=str)
