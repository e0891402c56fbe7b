"""Waiting for something that another connection sees, so that a test of two at once needs no sleep."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from regulars_kit.db import Database

# Not within one transaction over and over: there it would see again what it saw first.
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


async def until_somebody_waits_for_a_lock(database: Database) -> None:
    """Return once another transaction on the same database waits for one. Raises TimeoutError after 10 s."""
    async with asyncio.timeout(10):
        while True:
            async with database.transaction() as connection:
                if await connection.scalar(_WAITING):
                    return
