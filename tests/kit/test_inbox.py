from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from conformance.rig import running
from conformance.shop import SOLD, Recorder, a_sale, handled, open_shop
from regulars_kit.bus import Message
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.inbox import Consumer, UnknownDeadLetter, list_dead_letters, replay_dead_letter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import FreshDatabase
    from regulars_kit.db import Database

TOPIC, GROUP = "shop.inbox", "regulars-inbox"


@pytest.fixture
async def shop(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = await open_shop(await fresh_database())
    yield database
    await database.close()


@pytest.fixture
async def bus() -> MemoryBus:
    bus = MemoryBus()
    await bus.ensure_topics([TOPIC])
    return bus


async def test_an_event_delivered_three_times_has_one_effect(shop: Database, bus: MemoryBus) -> None:
    sale, recorder = a_sale("one", 1), Recorder(shop, GROUP)
    await bus.publish(TOPIC, [sale, sale, sale, a_sale("one", 2)])
    async with running(Consumer(bus, GROUP, [TOPIC], {SOLD: recorder}, shop)):
        await recorder.until(lambda: len(recorder.seen) == 2)
    assert await handled(shop) == {"one": [1, 2]}


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"not json", "ValidationError"), (b"{}", "ValidationError"), (b'{"time": "yesterday"}', "ValidationError")],
)
async def test_what_does_not_parse_is_a_dead_letter_with_its_body(
    shop: Database, bus: MemoryBus, body: bytes, reason: str
) -> None:
    recorder, broken = Recorder(shop, GROUP), Message(uuid4(), SOLD, "one", body)
    await bus.publish(TOPIC, [broken, a_sale("one", 2)])
    async with running(Consumer(bus, GROUP, [TOPIC], {SOLD: recorder}, shop)):
        await recorder.until(lambda: len(recorder.seen) == 1)
    async with shop.transaction() as connection:
        [letter] = await list_dead_letters(connection, "shop")
    assert letter.id.startswith("shop-") and letter.body == body and letter.reason.startswith(reason)


async def test_a_bug_in_a_handler_does_not_stop_its_partition(shop: Database, bus: MemoryBus) -> None:
    def stumble(key: str, number: int) -> None:
        if number == 1:
            raise KeyError("tier")

    recorder = Recorder(shop, GROUP, before=stumble)
    await bus.publish(TOPIC, [a_sale("one", 1), a_sale("one", 2)])
    async with running(Consumer(bus, GROUP, [TOPIC], {SOLD: recorder}, shop)):
        await recorder.until(lambda: len(recorder.seen) == 1)
    async with shop.transaction() as connection:
        assert [letter.reason for letter in await list_dead_letters(connection, "shop")] == ["KeyError: 'tier'"]


async def test_dead_letters_are_listed_newest_first_and_page_by_page(shop: Database, bus: MemoryBus) -> None:
    recorder = Recorder(shop, GROUP)
    later = [a_sale("one", number, type_="shop.sold.v9") for number in range(5)]
    await bus.publish(TOPIC, [*later, a_sale("one", 6)])
    async with running(Consumer(bus, GROUP, [TOPIC], {SOLD: recorder}, shop)):
        await recorder.until(lambda: len(recorder.seen) == 1)
    async with shop.transaction() as connection:
        first = await list_dead_letters(connection, "shop", limit=3)
        rest = await list_dead_letters(connection, "shop", limit=3, before=first[-1].uuid)
    numbers = [json.loads(letter.body)["data"]["number"] for letter in [*first, *rest]]
    assert sorted(numbers) == [0, 1, 2, 3, 4] and len(first) == 3


@pytest.mark.parametrize("letter_id", ["shop-", f"shop-{uuid4()}", f"loyalty-{uuid4()}", "shop-x\x00y", "", "shop"])
async def test_a_letter_that_is_not_there_is_refused(shop: Database, bus: MemoryBus, letter_id: str) -> None:
    consumer = Consumer(bus, GROUP, [TOPIC], {}, shop)
    with pytest.raises(UnknownDeadLetter):
        await replay_dead_letter(consumer, "shop", letter_id)
