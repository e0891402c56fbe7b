from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from conformance.shop import a_sale, open_shop, sales
from regulars_kit import outbox
from waiting import until_somebody_waits_for_a_lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import FreshDatabase
    from regulars_kit.db import Database

TODAY = date(2030, 3, 1)


@pytest.fixture
async def shop(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = await open_shop(await fresh_database())
    yield database
    await database.close()


async def put(shop: Database, day: date, *, sent: bool) -> None:
    async with shop.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO outbox (event_id, type, key, body, created_on, sent_at) "
                "VALUES (gen_random_uuid(), 'shop.sold.v1', 'one', '', :day, CASE WHEN :sent THEN now() END)"
            ),
            {"day": day, "sent": sent},
        )


async def partitions_with_rows(shop: Database) -> dict[str, int]:
    async with shop.transaction() as connection:
        rows = await connection.execute(text("SELECT tableoid::regclass::text, count(*) FROM outbox GROUP BY 1"))
        return {str(name): int(count) for name, count in rows}


async def test_rows_keep_the_order_in_which_they_were_appended(shop: Database) -> None:
    messages = sales(50, 4)
    async with shop.transaction() as connection:
        await outbox.append(connection, messages)
        await outbox.append(connection, [])
        stored = list((await connection.execute(text("SELECT event_id FROM outbox ORDER BY id"))).scalars())
    assert stored == [message.event_id for message in messages]


async def test_what_is_rolled_back_was_never_announced(shop: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with shop.transaction() as connection:
            await outbox.append(connection, [a_sale("one", 1)])
            raise ZeroDivisionError
    assert await partitions_with_rows(shop) == {}


async def test_a_day_that_nobody_prepared_goes_to_the_default_partition(shop: Database) -> None:
    await put(shop, TODAY, sent=False)
    assert await partitions_with_rows(shop) == {"outbox_default": 1}


async def test_today_and_the_days_ahead_have_their_partitions(shop: Database) -> None:
    async with shop.transaction() as connection:
        made = await outbox.ensure_partitions(connection, TODAY, days_ahead=2)
        assert made == ["outbox_20300301", "outbox_20300302", "outbox_20300303"]
        assert await outbox.ensure_partitions(connection, TODAY, days_ahead=2) == []
    await put(shop, TODAY + timedelta(days=1), sent=False)
    assert await partitions_with_rows(shop) == {"outbox_20300302": 1}


async def test_a_day_whose_rows_lie_in_the_default_partition_stays_there(shop: Database) -> None:
    await put(shop, TODAY, sent=False)
    async with shop.transaction() as connection:
        assert await outbox.ensure_partitions(connection, TODAY, days_ahead=1) == ["outbox_20300302"]


async def test_who_writes_while_the_day_gets_its_partition_is_stored_in_it(shop: Database) -> None:
    # Sent on its way to the default partition before the day has its own, a row would fail there.
    async with shop.transaction() as connection:
        await outbox.ensure_partitions(connection, TODAY)
        writer = asyncio.create_task(put(shop, TODAY, sent=False))
        await until_somebody_waits_for_a_lock(shop)
    await writer
    assert await partitions_with_rows(shop) == {"outbox_20300301": 1}


async def test_old_days_are_dropped_and_a_day_with_an_unsent_row_stays(shop: Database) -> None:
    async with shop.transaction() as connection:
        await outbox.ensure_partitions(connection, TODAY, days_ahead=2)
    for ahead, sent in ((0, True), (1, False), (1, True), (2, True)):
        await put(shop, TODAY + timedelta(days=ahead), sent=sent)
    await put(shop, TODAY - timedelta(days=9), sent=True)
    await put(shop, TODAY - timedelta(days=9), sent=False)
    async with shop.transaction() as connection:
        dropped = await outbox.drop_old(connection, TODAY + timedelta(days=32), keep_days=30)
    assert dropped == ["outbox_20300301"]
    assert await partitions_with_rows(shop) == {"outbox_20300302": 2, "outbox_20300303": 1, "outbox_default": 1}
