"""A till that repeats itself has one effect and hears the first answer again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from conftest import FreshDatabase
from regulars_kit import idempotency
from regulars_kit.db import Database
from regulars_kit.idempotency import Answer, IdempotencyKeyConflict, content_hash, once
from waiting import until_somebody_waits_for_a_lock

SALE = content_hash({"total_minor": 1999})
OTHER_SALE = content_hash({"total_minor": 2999})


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(await fresh_database(), name="test", pool_size=20)
    async with database.transaction() as connection:
        for statement in (*idempotency.DDL, "CREATE TABLE sales (id int GENERATED ALWAYS AS IDENTITY)"):
            await connection.execute(text(statement))
    yield database
    await database.close()


async def sell(database: Database, key: str = "k1", client: str = "till-7", content: bytes = SALE) -> Answer:
    async with database.transaction() as connection:

        async def work() -> tuple[int, bytes]:
            sale = await connection.scalar(text("INSERT INTO sales DEFAULT VALUES RETURNING id"))
            return 201, b'{"sale": %d}' % sale

        return await once(connection, client, key, content, work)


async def sales(database: Database) -> int:
    async with database.transaction() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM sales")) or 0)


async def test_the_second_time_the_first_answer_comes_back_and_nothing_is_done(database: Database) -> None:
    assert await sell(database) == (201, b'{"sale": 1}', False)
    assert await sell(database) == (201, b'{"sale": 1}', True)
    assert await sales(database) == 1


async def test_a_replayed_answer_says_so_in_its_header(database: Database) -> None:
    first, second = (await sell(database)).response(), (await sell(database)).response()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert (second.status_code, second.body) == (first.status_code, first.body)


async def test_the_same_key_with_other_content_is_a_conflict(database: Database) -> None:
    await sell(database)
    with pytest.raises(IdempotencyKeyConflict):
        await sell(database, content=OTHER_SALE)
    assert await sales(database) == 1


async def test_keys_belong_to_their_client(database: Database) -> None:
    await sell(database, client="till-7")
    assert not (await sell(database, client="till-8", content=OTHER_SALE)).replayed
    assert not (await sell(database, key="k2")).replayed
    assert await sales(database) == 3


async def test_twins_in_flight_have_one_effect(database: Database) -> None:
    answers = await asyncio.gather(*(sell(database) for _ in range(16)))
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 15
    assert {answer.body for answer in answers} == {b'{"sale": 1}'}
    assert await sales(database) == 1


async def test_a_twin_waits_for_the_one_in_flight(database: Database) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow() -> tuple[int, bytes]:
        begun.set()
        await go.wait()
        return 201, b"{}"

    async def first() -> Answer:
        async with database.transaction() as connection:
            return await once(connection, "till-7", "k1", SALE, slow)

    one = asyncio.create_task(first())
    await begun.wait()
    twin = asyncio.create_task(sell(database))
    await until_somebody_waits_for_a_lock(database)
    assert not twin.done()
    go.set()
    assert (await one).replayed is False
    assert await twin == (201, b"{}", True)
    assert await sales(database) == 0


async def test_what_failed_leaves_its_key_free_to_try_again(database: Database) -> None:
    async def fail() -> tuple[int, bytes]:
        raise LookupError

    with pytest.raises(LookupError):
        async with database.transaction() as connection:
            await once(connection, "till-7", "k1", SALE, fail)
    assert not (await sell(database, content=OTHER_SALE)).replayed
