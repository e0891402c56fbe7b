"""Rows live as long as the table of retention says, to the day, and go in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from conftest import FreshDatabase
from regulars_kit import idempotency, inbox, jobs
from regulars_kit.db import Database
from regulars_kit.retention import RETENTION, Retention, prune, retention_schedule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(await fresh_database(), name="test")
    async with database.transaction() as connection:
        for statement in (*idempotency.DDL, *inbox.DDL, *jobs.DDL):
            await connection.execute(text(statement))
    yield database
    await database.close()


async def keep_keys(database: Database, *ages: timedelta) -> None:
    async with database.transaction() as connection:
        for number, age in enumerate(ages):
            await connection.execute(
                text("INSERT INTO idempotency (client, key, content_hash, created_at) VALUES ('c', :key, '', :at)"),
                {"key": str(number), "at": NOW - age},
            )


async def keys(database: Database) -> list[str]:
    async with database.transaction() as connection:
        return list((await connection.execute(text("SELECT key FROM idempotency ORDER BY key"))).scalars())


async def test_a_key_lives_for_thirty_days_and_no_longer(database: Database) -> None:
    month = timedelta(days=30)
    await keep_keys(database, timedelta(0), month, month + timedelta(seconds=1))
    assert await prune(database, RETENTION["idempotency"], NOW) == 1
    assert await keys(database) == ["0", "1"]


async def test_what_is_old_goes_in_batches_until_none_is_left(database: Database) -> None:
    await keep_keys(database, *[timedelta(days=31)] * 10, timedelta(0))
    assert await prune(database, RETENTION["idempotency"], NOW, batch=3) == 10
    assert await keys(database) == ["10"]


async def test_a_job_that_still_runs_is_kept_however_old_it_is(database: Database) -> None:
    async with database.transaction() as connection:
        old = NOW - timedelta(days=400)
        for state, ended_at in (("running", None), ("done", old)):
            await connection.execute(
                text(
                    "INSERT INTO jobs (id, kind, state, payload, client, created_at, ended_at)"
                    " VALUES (:state, 'import', :state, '{}', 'c', :old, :ended_at)"
                ),
                {"state": state, "old": old, "ended_at": ended_at},
            )
    assert await prune(database, RETENTION["jobs"], NOW) == 1


async def test_the_schedule_prunes_every_table_of_the_kit(database: Database) -> None:
    await keep_keys(database, timedelta(days=31))
    schedule = retention_schedule(database, list(RETENTION.values()), lambda: NOW)
    await schedule.run()
    assert await keys(database) == []


def test_the_periods_are_those_promised() -> None:
    periods = {name: rule.keep.days for name, rule in RETENTION.items()}
    assert periods == {"inbox": 60, "dead_letters": 30, "jobs": 90, "idempotency": 30}
    assert all(isinstance(rule, Retention) and rule.table == name for name, rule in RETENTION.items())
