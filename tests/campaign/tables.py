"""The tables of the service, emptied between tests."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from regulars_kit.db import Database

HEARD = (
    *("messages", "members", "totals", "rollups", "returns", "purchases", "scores", "accounts", "consents"),
    *("customers", "outbox", "inbox", "dead_letters"),
)
TABLES = (*HEARD, "campaigns", "templates", "segments", "idempotency", "jobs")


async def empty(database: Database) -> None:
    """Forget everything."""
    await _empty(database, TABLES)


async def forget_what_was_heard(database: Database) -> None:
    """Forget customers and what became of them; segments and campaigns stay."""
    await _empty(database, HEARD)


async def _empty(database: Database, tables: Sequence[str]) -> None:
    """Faster than TRUNCATE for the few rows of a test."""
    async with database.transaction() as connection:
        for table in tables:
            await connection.execute(text(f"DELETE FROM {table}"))
