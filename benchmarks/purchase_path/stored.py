"""What the databases say of a run: that every purchase answered is stored, and how much a purchase writes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from purchase_path.load import Load, Outcome
from purchase_path.measuring import Failed, Reading
from regulars_kit.db import Database

_TABLES = ("purchases", "purchase_lines", "lots", "postings", "outbox")
_WRITTEN = " UNION ALL ".join(f"SELECT count(*), sum(pg_column_size(t.*)) FROM {table} AS t" for table in _TABLES)


@dataclass(frozen=True, slots=True)
class Written:
    """Rows in all the tables that a purchase adds to, and their bytes; `purchases` of them are purchases."""

    purchases: int
    rows: int
    row_bytes: int

    def per_purchase_since(self, before: Written) -> tuple[float, float]:
        """Rows and bytes that one purchase has added since; nothing when there was none."""
        purchases = self.purchases - before.purchases
        if not purchases:
            return 0, 0
        return (self.rows - before.rows) / purchases, (self.row_bytes - before.row_bytes) / purchases


def checked(database_url: str, load: Load, outcome: Outcome) -> Reading:
    """The reading of a run, once the database holds what it answered. Raises `Failed` when it does not.

    Each client may have one request more stored than answered: the one that was under way when the time was up.
    """
    of_this_run = f"SELECT count(*) FROM purchases WHERE receipt_no LIKE '{outcome.run}-%'"
    stored = int(_ask(database_url, of_this_run)[0][0])
    if not outcome.purchases <= stored <= outcome.purchases + load.clients * max(load.batch, 1):
        raise Failed(f"{outcome.purchases} purchases were answered with success, {stored} are stored")
    return outcome.reading


def written(database_url: str) -> Written:
    counts = _ask(database_url, _WRITTEN)
    return Written(int(counts[0][0]), sum(int(rows) for rows, _ in counts), sum(int(size) for _, size in counts))


def analyse(database_url: str) -> None:
    """Let PostgreSQL know how large the tables are."""
    _ask(database_url, "ANALYZE")


def write_checkpoint(database_url: str) -> None:
    """So that none that is due falls into the time of the one or the other."""
    _ask(database_url, "CHECKPOINT")


def _ask(database_url: str, statement: str) -> Sequence[Any]:
    async def ask() -> Sequence[Any]:
        database = Database(database_url, name="benchmark", pool_size=1)
        try:
            async with database.transaction() as connection:
                result = await connection.execute(text(statement))
                return result.all() if result.returns_rows else []
        finally:
            await database.close()

    return asyncio.run(ask())
