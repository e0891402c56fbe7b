"""What happens to an event that cannot be handled, now or ever, on every bus."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from conformance.rig import Rig, running
from conformance.shop import PATIENCE_S, SOLD, Recorder, a_sale, handled, sales
from regulars_kit.db import Database
from regulars_kit.inbox import (
    Consumer,
    DeadLetter,
    PermanentError,
    ReplayRefused,
    list_dead_letters,
    replay_dead_letter,
)
from regulars_kit.values import Unavailable

GROUP = "regulars-test"


async def letters(shop: Database) -> list[DeadLetter]:
    async with shop.transaction() as connection:
        return await list_dead_letters(connection, "shop")


class Rule:
    """Refuses one customer's sale while it is broken; counts how often it was asked for it."""

    def __init__(self, key: str, number: int, error: Exception) -> None:
        self.is_broken = True
        self.asked = 0
        self.reached = asyncio.Event()
        self._culprit = (key, number)
        self._error = error

    def __call__(self, key: str, number: int) -> None:
        if (key, number) == self._culprit:
            self.asked += 1
            self.reached.set()
            if self.is_broken:
                raise self._error


async def test_a_poisoned_event_goes_to_the_dead_letters_and_its_partition_goes_on(rig: Rig, shop: Database) -> None:
    rule = Rule("one", 1, PermanentError("a sale below cost"))
    topic, recorder = await rig.a_topic(), Recorder(shop, GROUP, before=rule)
    await rig.bus.publish(topic, [a_sale("one", number) for number in range(3)])
    consumer = Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)
    async with running(consumer):
        await recorder.until(lambda: len(recorder.seen) == 2)
    [letter] = await letters(shop)
    assert (letter.reason, letter.attempts, rule.asked) == ("PermanentError: a sale below cost", 3, 3)
    assert await handled(shop) == {"one": [0, 2]}

    with pytest.raises(ReplayRefused, match="below cost"):
        await replay_dead_letter(consumer, "shop", letter.id)
    rule.is_broken = False
    replayed = await replay_dead_letter(consumer, "shop", letter.id)
    assert replayed.replayed_at is not None
    assert await replay_dead_letter(consumer, "shop", letter.id) == replayed
    assert await handled(shop) == {"one": [0, 2, 1]}
    assert await letters(shop) == []


async def test_a_transient_error_holds_back_its_own_partition_and_loses_nothing(rig: Rig, shop: Database) -> None:
    rule = Rule("customer-3", 1, Unavailable("the mail server is away"))
    topic, recorder = await rig.a_topic(), Recorder(shop, GROUP, before=rule)
    await rig.bus.publish(topic, sales(12, 3))
    async with running(Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)):
        async with asyncio.timeout(PATIENCE_S):
            await rule.reached.wait()
        elsewhere = "customer-4"  # another partition on each of the buses
        await recorder.until(lambda: [key for key, _ in recorder.seen].count(elsewhere) == 3)
        rule.is_broken = False
        await recorder.until(lambda: len(recorder.seen) == 36)
    assert (await handled(shop))["customer-3"] == [0, 1, 2]
    assert await letters(shop) == []


async def test_a_later_version_of_a_handled_event_is_set_aside_and_an_unrelated_one_is_skipped(
    rig: Rig, shop: Database
) -> None:
    topic, recorder = await rig.a_topic(), Recorder(shop, GROUP)
    later, unrelated = a_sale("one", 1, type_="shop.sold.v2"), a_sale("one", 2, type_="shop.opened.v1")
    await rig.bus.publish(topic, [later, unrelated, a_sale("one", 3)])
    async with running(Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)):
        await recorder.until(lambda: len(recorder.seen) == 1)
    assert [(letter.event_id, letter.reason) for letter in await letters(shop)] == [
        (later.event_id, "unknown version: shop.sold.v2")
    ]


async def test_an_event_older_than_the_inbox_remembers_is_set_aside_unhandled(rig: Rig, shop: Database) -> None:
    topic, recorder = await rig.a_topic(), Recorder(shop, GROUP)
    old = a_sale("one", 1, at=datetime.now(UTC) - timedelta(days=60, minutes=1))
    await rig.bus.publish(topic, [old, a_sale("one", 2, at=datetime.now(UTC) - timedelta(days=59))])
    async with running(Consumer(rig.bus, GROUP, [topic], {SOLD: recorder}, shop)):
        await recorder.until(lambda: len(recorder.seen) == 1)
    assert [letter.event_id for letter in await letters(shop)] == [old.event_id]
    assert await handled(shop) == {"one": [2]}
