"""What the worker reads of the baskets, and writes of what it found in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import astuple
from datetime import date
from uuid import UUID

from regulars_scoring.adapters.db.bulk import Connection
from regulars_scoring.adapters.db.goods import RECEIPTS, receipt_in
from regulars_scoring.domain.affinity import Counted
from regulars_scoring.domain.goods import Receipt

RECEIPTS_AT_ONCE = 5_000

# The row is locked by it: whoever else writes waits, and a worker left over from an earlier run comes too late.
_COUNTED = """
    INSERT INTO baskets_counted AS mine (run_id, since, as_of, currency, baskets, oversized)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (is_ours) DO UPDATE
        SET run_id = excluded.run_id, since = excluded.since, as_of = excluded.as_of, currency = excluded.currency,
            baskets = excluded.baskets, oversized = excluded.oversized
        WHERE mine.run_id <= excluded.run_id
    RETURNING run_id
"""

_BY_CUSTOMER = f"""
    SELECT receipts.*, coalesce(surviving_id, customer_id) AS who
    FROM ({RECEIPTS} AND purchases.customer_id IS NOT NULL AND purchases.day BETWEEN $1 AND $2) AS receipts
    LEFT JOIN customer_alias ON customer_alias.id = customer_id
    WHERE is_open ORDER BY who, day, purchase_id
"""


async def read_receipts(connection: Connection, since: date, as_of: date) -> AsyncIterator[Sequence[Receipt]]:
    """Open receipts of those days, both included, some at a time."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        query = f"SELECT * FROM ({RECEIPTS} AND purchases.day BETWEEN $1 AND $2) AS receipts WHERE is_open"
        cursor = await connection.cursor(query, since, as_of)
        while rows := await cursor.fetch(RECEIPTS_AT_ONCE):
            yield [receipt_in(row) for row in rows]


async def read_receipts_by_customer(
    connection: Connection, since: date, as_of: date
) -> AsyncIterator[tuple[UUID, Sequence[Receipt]]]:
    """One customer after the other, each with their open receipts of those days, both included, by day."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(_BY_CUSTOMER, since, as_of)
        who: UUID | None = None
        receipts: list[Receipt] = []
        while rows := await cursor.fetch(RECEIPTS_AT_ONCE):
            for row in rows:
                if row["who"] != who:
                    if who is not None:
                        yield who, receipts
                    who, receipts = row["who"], []
                receipts.append(receipt_in(row))
        if who is not None:
            yield who, receipts


async def write_affinity(
    connection: Connection,
    counted: Counted,
    products: Iterable[tuple[str, str | None, int, int | None]],
    rules: Iterable[tuple[str, str, int, float]],
) -> None:
    """Put them in the place of what an earlier run has found; rows in the order of the tables' columns."""
    async with connection.transaction():
        row = astuple(counted)
        if await connection.fetchrow(_COUNTED, *row) is None:
            return
        for table, records in (("basket_products", products), ("basket_rules", rules)):
            await connection.execute(f"DELETE FROM {table}")
            await connection.copy_records_to_table(table, records=records)
        # Else the first questions would be planned by what was there before.
        await connection.execute("ANALYZE basket_products, basket_rules")
