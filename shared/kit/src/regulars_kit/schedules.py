"""What a service does every so often, in one of its processes at a time: a row per schedule, claimed when it is due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import text

from regulars_kit.db import Database
from regulars_kit.leases import LEASE_S, LeaseLost, pause, under_lease
from regulars_kit.values import Unavailable

DDL: tuple[str, ...] = (
    """
    CREATE TABLE schedules (
        name text PRIMARY KEY,
        next_at timestamptz NOT NULL DEFAULT now(),
        lease_until timestamptz,
        last_began_at timestamptz,
        last_ended_at timestamptz,
        last_error text
    )
    """,
)

POLL_S = 5.0
"""How often a process looks whether a schedule is due; so late a schedule may begin."""

log = structlog.get_logger("regulars.schedules")


@dataclass(frozen=True, slots=True)
class Schedule:
    """`run` every `every_s` seconds, counted from its end, and once at the first start. `name` is its row's key.

    It may run again from its beginning after a crash, so it must do no harm twice.
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]


async def run_schedules(database: Database, schedules: Sequence[Schedule], stop: asyncio.Event) -> None:
    """Run all of them until `stop`; each by itself, so that a long one holds up no other."""
    async with asyncio.TaskGroup() as group:
        for schedule in schedules:
            group.create_task(_run(database, schedule, stop))


async def _run(database: Database, schedule: Schedule, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await run_if_due(database, schedule)
        except Unavailable as error:
            log.warning("schedule waits for the database", schedule=schedule.name, detail=error.detail)
        await pause(stop, min(POLL_S, schedule.every_s))


async def run_if_due(database: Database, schedule: Schedule) -> bool:
    """Run it if it is due and no other process is running it. Returns whether it ran. Raises `Unavailable`."""
    if not await _claim(database, schedule):
        return False
    error = None
    try:
        await under_lease(_call(schedule), lambda: _renew(database, schedule))
    except LeaseLost:
        return True  # the new holder keeps the row now
    except Unavailable as away:
        error = away.detail
    except Exception as bug:
        # The outermost loop of a schedule: a bug in one must not end the process that runs the others.
        log.exception("schedule failed", schedule=schedule.name)
        error = type(bug).__name__
    await _end(database, schedule, error)
    return True


async def _call(schedule: Schedule) -> None:
    await schedule.run()


_CLAIM = text(
    """
    INSERT INTO schedules AS mine (name, lease_until, last_began_at)
    VALUES (:name, now() + :lease_s * interval '1 second', now())
    ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until, last_began_at = excluded.last_began_at
    WHERE mine.next_at <= now() AND (mine.lease_until IS NULL OR mine.lease_until < now())
    RETURNING name
    """
)


async def _claim(database: Database, schedule: Schedule) -> bool:
    async with database.transaction() as connection:
        claimed = await connection.execute(_CLAIM, {"name": schedule.name, "lease_s": LEASE_S})
        return claimed.first() is not None


async def _renew(database: Database, schedule: Schedule) -> bool:
    async with database.transaction() as connection:
        renewed = await connection.execute(
            text(
                "UPDATE schedules SET lease_until = now() + :lease_s * interval '1 second'"
                " WHERE name = :name AND lease_until >= now()"
            ),
            {"name": schedule.name, "lease_s": LEASE_S},
        )
        return renewed.rowcount == 1


async def _end(database: Database, schedule: Schedule, error: str | None) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            text(
                "UPDATE schedules SET lease_until = NULL, last_ended_at = now(), last_error = :error,"
                " next_at = now() + :every_s * interval '1 second' WHERE name = :name"
            ),
            {"name": schedule.name, "every_s": schedule.every_s, "error": error},
        )
