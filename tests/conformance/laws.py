"""Laws as functions over an implementation, so that a planted bug can be seen to break them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sqlalchemy import text

from conformance.rig import Killed
from conformance.shop import SOLD, Recorder, a_sale, each_once, handled, sales, sell
from regulars_kit import outbox
from regulars_kit.bus.connections import connect
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.db import Database
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay

TOPIC = "shop.laws"
GROUP = "regulars-laws"

Sell = Callable[[Database, str, int], Awaitable[None]]


async def a_crash_before_the_handlers_commit_loses_nothing(consumer: type[Consumer], shop: Database) -> None:
    """The first member dies as it begins to handle; the second must get the event again."""
    bus = MemoryBus()
    await bus.ensure_topics([TOPIC])
    await bus.publish(TOPIC, sales(5, 1))

    def die(key: str, number: int) -> None:
        raise Killed

    with suppress(BaseExceptionGroup):
        await consumer(bus, GROUP, [TOPIC], {SOLD: Recorder(shop, GROUP, before=die)}, shop).run(asyncio.Event())
    await handle_what_there_is(consumer, bus, shop)
    assert await handled(shop) == each_once(5, 1)


async def handle_what_there_is(consumer: type[Consumer], bus: MemoryBus, shop: Database) -> None:
    """Consume until a mark, published last into every partition, has come through all of them."""
    stop = asyncio.Event()
    marks: set[str] = set()

    async def mark(event_id: object, body: bytes) -> None:
        marks.add(str(event_id))
        if len(marks) == 200:
            stop.set()

    await bus.publish(TOPIC, [a_sale(f"mark-{number}", number, type_="shop.closed.v1") for number in range(200)])
    await consumer(bus, GROUP, [TOPIC], {SOLD: Recorder(shop, GROUP), "shop.closed.v1": mark}, shop).run(stop)


async def a_transaction_that_commits_late_is_published_too(relay_class: type[Relay], shop: Database) -> None:
    """The first to draw its id commits last, after the relay has published the second."""
    bus = MemoryBus()
    await bus.ensure_topics([TOPIC])
    relay = relay_class(shop, bus, TOPIC)
    early, late = a_sale("early", 1), a_sale("late", 2)
    connection = await connect(shop.url, "law")
    try:
        async with shop.transaction() as open_transaction:
            await outbox.append(open_transaction, [late])
            await sell(shop, [early])
            await relay.relay_batch(connection)
        await relay.relay_batch(connection)
    finally:
        await connection.close()
    published = {message.key for log in bus.logs.values() for message in log}
    assert published == {"early", "late"}


async def every_fact_has_its_event(sell_one: Sell, shop: Database) -> None:
    """Reconcile: as many events announced as facts stored, customer by customer."""
    for number in range(3):
        await sell_one(shop, f"customer-{number}", number)
    async with shop.transaction() as connection:
        rows = await connection.execute(
            text(
                "SELECT key FROM (SELECT key, count(*) FROM handled GROUP BY key "
                "EXCEPT SELECT key, count(*) FROM outbox GROUP BY key) missing ORDER BY key"
            )
        )
        unannounced = list(rows.scalars())
    assert not unannounced, f"facts without their event: {unannounced}"
