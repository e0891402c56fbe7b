"""Many deliveries in one transaction: what the handlers, their units and the inbox see of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from conformance.shop import SOLD, Recorder, a_sale, handled, open_shop
from regulars_kit.db import Database
from regulars_kit.handling import Handling, Transient
from regulars_kit.transactions import Redelivered, Transactions, deliveries_together
from regulars_kit.values import Unavailable, utc_now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection

    from conftest import FreshDatabase
    from regulars_kit.handling import Handler

GROUP = "regulars-together"


@pytest.fixture
async def shop(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = await open_shop(await fresh_database())
    yield database
    await database.close()


class Till:
    """A unit that gathers what it is told, and writes it down in one statement at the end."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.gathered: list[int] = []


class Shop:
    """Handlers over the unit above, and what happened around their commits."""

    def __init__(self, database: Database) -> None:
        self.commits = 0
        self.settled: list[list[int]] = []
        begin = Transactions(database, Till, self._committed, before_commit=self._settle)
        self.deliver = partial(begin.for_delivery, GROUP)

    def handling(self, database: Database, handler: Handler) -> Handling:
        return Handling(GROUP, {SOLD: handler}, database, utc_now, None)

    async def gather(self, event_id: UUID, body: bytes) -> None:
        async with self.deliver(event_id)() as till:
            till.gathered.append(body.count(b"number"))

    async def _settle(self, till: Till) -> None:
        self.settled.append(till.gathered)
        rows = [{"key": "gathered", "number": number} for number in till.gathered]
        await till.connection.execute(text("INSERT INTO handled (key, number) VALUES (:key, :number)"), rows)

    def _committed(self) -> None:
        self.commits += 1


async def inbox_of(shop: Database) -> int:
    async with shop.transaction() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM inbox")) or 0)


async def test_deliveries_together_share_one_unit_one_commit_and_one_last_word(shop: Database) -> None:
    club = Shop(shop)
    assert await club.handling(shop, club.gather).together([a_sale("one", number) for number in range(5)])
    assert (club.commits, club.settled) == (1, [[1, 1, 1, 1, 1]])
    assert len((await handled(shop))["gathered"]) == await inbox_of(shop) == 5


async def test_alone_each_has_its_own_commit_and_its_own_last_word(shop: Database) -> None:
    club = Shop(shop)
    for number in range(3):
        assert await club.handling(shop, club.gather).one(a_sale("one", number)) is None
    assert (club.commits, club.settled) == (3, [[1], [1], [1]])


async def test_an_event_that_stands_twice_in_the_transaction_has_one_effect(shop: Database) -> None:
    sale, recorder = a_sale("one", 1), Recorder(shop, GROUP)
    handling = Handling(GROUP, {SOLD: recorder}, shop, utc_now, None)
    assert await handling.together([sale, a_sale("one", 2), sale, sale])
    assert await handling.together([a_sale("one", 3), sale])
    assert await handled(shop) == {"one": [1, 2, 3]}


async def test_one_that_fails_leaves_nothing_of_the_others(shop: Database) -> None:
    def stumble(key: str, number: int) -> None:
        if number == 3:
            raise KeyError("tier")

    handling = Handling(GROUP, {SOLD: Recorder(shop, GROUP, before=stumble)}, shop, utc_now, None)
    assert not await handling.together([a_sale("one", number) for number in range(5)])
    assert (await handled(shop), await inbox_of(shop)) == ({}, 0)


async def test_a_statement_that_fails_spoils_the_transaction_even_when_its_handler_keeps_quiet(shop: Database) -> None:
    deliver = partial(Transactions(shop, Till).for_delivery, GROUP)

    async def keep_quiet(event_id: UUID, body: bytes) -> None:
        try:
            async with deliver(event_id)() as till:
                await till.connection.execute(text("SELECT 1/0"))
        except DBAPIError:
            return

    handling = Handling(GROUP, {SOLD: keep_quiet}, shop, utc_now, None)
    assert not await handling.together([a_sale("one", 1), a_sale("one", 2)])
    assert await inbox_of(shop) == 0


async def test_a_database_that_is_away_is_found_out_one_by_one() -> None:
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", name="away")
    handling = Handling(GROUP, {SOLD: Recorder(database, GROUP)}, database, utc_now, None)
    assert not await handling.together([a_sale("one", 1)])
    with pytest.raises(Transient) as caught:
        await handling.one(a_sale("one", 1))
    assert isinstance(caught.value.__cause__, Unavailable)


async def test_other_work_of_a_handler_keeps_its_own_transactions(
    shop: Database, fresh_database: FreshDatabase
) -> None:
    begin = Transactions(shop, Till)
    sale, other = a_sale("one", 1), a_sale("one", 2)
    with pytest.raises(RuntimeError, match="after all"):
        async with deliveries_together(shop, GROUP, [sale.event_id]):
            async with begin.for_delivery(GROUP, sale.event_id)():
                pass
            async with begin.for_delivery("regulars-other", sale.event_id)():
                pass
            async with begin.for_delivery(GROUP, other.event_id)():
                pass
            with pytest.raises(Redelivered):
                async with begin.for_delivery(GROUP, sale.event_id)():
                    raise AssertionError("a second effect of one event")
            raise RuntimeError("after all")
    async with shop.transaction() as connection:
        rows = await connection.execute(text("SELECT consumer, event_id FROM inbox ORDER BY consumer"))
    assert [tuple(row) for row in rows] == [("regulars-other", sale.event_id), (GROUP, other.event_id)]
