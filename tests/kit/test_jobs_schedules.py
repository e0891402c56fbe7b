"""What happens every so often happens in one process at a time, and goes on after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from conftest import FreshDatabase
from regulars_kit import schedules
from regulars_kit.db import Database
from regulars_kit.schedules import Schedule, run_if_due, run_schedules
from regulars_kit.values import Unavailable


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(await fresh_database(), name="test")
    async with database.transaction() as connection:
        for statement in schedules.DDL:
            await connection.execute(text(statement))
    yield database
    await database.close()


class Expiry:
    """A schedule's work that counts its runs and can be held up or made to fail."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def __call__(self) -> None:
        self.runs += 1
        self.begun.set()
        await self.go.wait()
        if self.error is not None:
            raise self.error


async def move_clock(database: Database, seconds: int) -> None:
    """Let `seconds` pass for the rows, which is the same as moving them back."""
    async with database.transaction() as connection:
        moved = (
            "SET next_at = next_at - :by * interval '1 second', lease_until = lease_until - :by * interval '1 second'"
        )
        await connection.execute(text(f"UPDATE schedules {moved}"), {"by": seconds})


async def last_error(database: Database) -> str | None:
    async with database.transaction() as connection:
        return (await connection.execute(text("SELECT last_error FROM schedules"))).scalar_one()  # type: ignore[no-any-return]


async def test_it_runs_at_the_first_start_and_then_once_a_period(database: Database) -> None:
    expiry = Expiry()
    schedule = Schedule("expiry", 3_600, expiry)
    assert await run_if_due(database, schedule) is True
    assert await run_if_due(database, schedule) is False
    await move_clock(database, 3_599)
    assert await run_if_due(database, schedule) is False
    await move_clock(database, 2)
    assert await run_if_due(database, schedule) is True
    assert expiry.runs == 2


async def test_of_many_processes_one_runs_it(database: Database) -> None:
    expiry = Expiry()
    schedule = Schedule("expiry", 3_600, expiry)
    ran = await asyncio.gather(*(run_if_due(database, schedule) for _ in range(8)))
    assert (sorted(ran), expiry.runs) == ([False] * 7 + [True], 1)


async def test_while_one_process_runs_it_no_other_begins_until_that_one_falls_silent(database: Database) -> None:
    slow, other = Expiry(), Expiry()
    slow.go.clear()
    running = asyncio.create_task(run_if_due(database, Schedule("expiry", 1, slow)))
    await slow.begun.wait()
    await move_clock(database, 30)
    assert await run_if_due(database, Schedule("expiry", 1, other)) is False
    await move_clock(database, 60)
    assert await run_if_due(database, Schedule("expiry", 1, other)) is True
    slow.go.set()
    await running


async def test_a_failure_is_noted_and_it_runs_again_the_next_time(database: Database) -> None:
    expiry = Expiry()
    schedule = Schedule("expiry", 60, expiry)
    for error, noted in ((KeyError("x"), "KeyError"), (Unavailable("the bus is away"), "the bus is away")):
        expiry.error = error
        with capture_logs():
            assert await run_if_due(database, schedule) is True
        assert await last_error(database) == noted
        await move_clock(database, 61)
    expiry.error = None
    assert await run_if_due(database, schedule) is True
    assert await last_error(database) is None


async def test_a_schedule_that_takes_long_holds_up_no_other(database: Database) -> None:
    slow, quick, stop = Expiry(), Expiry(), asyncio.Event()
    slow.go.clear()
    both = [Schedule("expiry", 60, slow), Schedule("retention", 60, quick)]
    running = asyncio.create_task(run_schedules(database, both, stop))
    await asyncio.wait_for(asyncio.gather(slow.begun.wait(), quick.begun.wait()), 5)
    stop.set()
    slow.go.set()
    await asyncio.wait_for(running, 5)
