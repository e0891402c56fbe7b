"""The laws of delivery, for every bus."""

from __future__ import annotations

import asyncio

from conformance.rig import Rig, running
from conformance.shop import SOLD, Recorder, a_sale, each_once, handled, sales, sell
from regulars_kit.bus import Received, Subscription
from regulars_kit.db import Database
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay

GROUP = "regulars-test"


async def read(subscription: Subscription, count: int) -> list[Received]:
    received: list[Received] = []
    for _ in range(100):
        received += await subscription.poll(1_000, 0.3)
        if len(received) >= count:
            return received
    raise AssertionError(f"{len(received)} of {count} messages came")


async def test_a_customers_events_arrive_in_the_order_they_were_published(rig: Rig, shop: Database) -> None:
    topic, recorder = await rig.a_topic(), Recorder(shop, GROUP)
    for first in range(0, 20, 5):
        await rig.bus.publish(topic, sales(20, 5, first=first))
    async with running(Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)):
        await recorder.until(lambda: len(recorder.seen) == 400)
    assert await handled(shop) == each_once(20, 20)


async def test_a_message_keeps_its_id_type_key_and_body(rig: Rig) -> None:
    topic, sale = await rig.a_topic(), a_sale("Zoë", 1)
    await rig.bus.publish(topic, [sale])
    subscription = await rig.bus.subscribe(GROUP, [topic])
    received = await read(subscription, 1)
    await subscription.close()
    assert [(event.message, event.topic) for event in received] == [(sale, topic)]


async def test_what_was_not_committed_is_delivered_again(rig: Rig) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, [a_sale("one", number) for number in range(10)])
    first = await rig.bus.subscribe(GROUP, [topic])
    received = await read(first, 10)
    await first.commit(topic, received[0].partition, received[6].offset + 1)
    await first.close()
    second = await rig.bus.subscribe(GROUP, [topic])
    again = await read(second, 3)
    await second.close()
    assert [event.message for event in again] == [event.message for event in received[7:]]


async def test_a_member_knows_how_far_it_is_behind(rig: Rig) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, [a_sale("one", number) for number in range(30)])
    subscription = await rig.bus.subscribe(GROUP, [topic])
    received: list[Received] = []
    while not received:
        received += await subscription.poll(10, 0.3)
    assert len(received) <= 10
    assert await subscription.behind() == {topic: 30 - len(received)}
    await read(subscription, 30 - len(received))
    assert await subscription.behind() == {topic: 0}
    await subscription.close()


async def test_every_group_reads_everything(rig: Rig) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, sales(5, 2))
    for group in ("regulars-scoring", "regulars-campaign"):
        subscription = await rig.bus.subscribe(group, [topic])
        assert len(await read(subscription, 10)) == 10
        await subscription.close()


async def test_a_paused_partition_is_silent_and_then_goes_on_from_where_it_was_rewound_to(rig: Rig) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, [a_sale("one", number) for number in range(5)])
    subscription = await rig.bus.subscribe(GROUP, [topic])
    received = await read(subscription, 5)
    partition = received[0].partition
    subscription.pause(topic, partition)
    subscription.rewind(topic, partition, received[2].offset)
    assert await subscription.poll(10, 0.2) == []
    subscription.resume(topic, partition)
    assert [event.offset for event in await read(subscription, 3)] == [event.offset for event in received[2:]]
    await subscription.close()


async def test_an_old_owners_late_commit_changes_nothing(rig: Rig) -> None:
    topic = await rig.a_topic()
    await rig.bus.publish(topic, sales(24, 1))
    old = await rig.bus.subscribe(GROUP, [topic])
    first = await read(old, 24)
    new = await rig.bus.subscribe(GROUP, [topic])
    moved: list[Received] = []
    for _ in range(100):
        _, moved = await asyncio.gather(old.poll(1_000, 0.2), new.poll(1_000, 0.2))
        if moved:
            break
    place = moved[0].partition
    await old.commit(topic, place, max(event.offset for event in first if event.partition == place) + 1)
    await old.close()
    await new.close()
    heir = await rig.bus.subscribe(GROUP, [topic])
    again = await read(heir, 24)
    await heir.close()
    assert [event for event in again if event.partition == place] == [
        event for event in first if event.partition == place
    ]


async def wait_for(*recorders: Recorder, count: int) -> None:
    """Until the recorders have handled `count` events among them."""
    reached = [
        asyncio.create_task(recorder.until(lambda: sum(len(each.seen) for each in recorders) >= count))
        for recorder in recorders
    ]
    await asyncio.wait(reached, return_when=asyncio.FIRST_COMPLETED)
    for task in reached:
        task.cancel()
    await asyncio.gather(*reached, return_exceptions=True)
    assert sum(len(recorder.seen) for recorder in recorders) == count


async def test_two_members_share_the_partitions_and_one_takes_over(rig: Rig, shop: Database) -> None:
    topic, anna, ben = await rig.a_topic(), Recorder(shop, GROUP), Recorder(shop, GROUP)

    def member(recorder: Recorder) -> Consumer:
        return Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)

    number = 0
    async with running(member(anna)):
        async with running(member(ben)):
            while not (anna.seen and ben.seen):
                await rig.bus.publish(topic, sales(24, 1, first=number))
                number += 1
                await wait_for(anna, ben, count=24 * number)
            shared = len(ben.seen)
        await rig.bus.publish(topic, sales(24, 1, first=number))
        await wait_for(anna, ben, count=24 * (number + 1))
    assert shared and len(anna.seen) + len(ben.seen) == 24 * (number + 1)
    assert await handled(shop) == each_once(24, number + 1)


async def test_from_outbox_to_inbox_every_event_has_its_effect_once(rig: Rig, shop: Database) -> None:
    topic, recorder = await rig.a_topic(), Recorder(shop, GROUP)
    relay = Relay(shop, rig.bus, topic)
    async with running(relay, Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)):
        for first in range(0, 10, 2):
            await sell(shop, sales(30, 2, first=first))
            relay.wake()
        await recorder.until(lambda: len(recorder.seen) == 300)
    assert await handled(shop) == each_once(30, 10)
