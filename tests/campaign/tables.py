"""The tables of the service, emptied between tests."""

from __future__ import annotations

from sqlalchemy import text

from regulars_kit.db import Database

TABLES = (
    *("messages", "campaigns", "templates", "members", "segments", "totals", "rollups", "returns", "purchases"),
    *("scores", "accounts", "consents", "customers", "outbox", "inbox", "idempotency", "jobs", "dead_letters"),
)


async def empty(database: Database) -> None:
    """Forget everything: faster than TRUNCATE for the few rows of a test."""
    async with database.transaction() as connection:
        for table in TABLES:
            await connection.execute(text(f"DELETE FROM {table}"))
