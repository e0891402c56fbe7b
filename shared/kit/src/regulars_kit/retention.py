"""How long each kind of row is kept, in one table, and the pruning that keeps to it.

Deleted in batches by age, each in its own short transaction: one DELETE of a month would hold its locks for minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text

from regulars_kit.db import Database
from regulars_kit.schedules import Schedule
from regulars_kit.values import Clock, utc_now

BATCH = 5_000
HOURLY_S = 3_600.0

log = structlog.get_logger("regulars.retention")


@dataclass(frozen=True, slots=True)
class Retention:
    """Rows of `table` go once `column` (an instant) is older than `keep`; rows where it is NULL stay."""

    table: str
    column: str
    keep: timedelta


RETENTION: dict[str, Retention] = {
    "inbox": Retention("inbox", "received_at", timedelta(days=60)),
    "dead_letters": Retention("dead_letters", "died_at", timedelta(days=30)),
    "jobs": Retention("jobs", "ended_at", timedelta(days=90)),
    "idempotency": Retention("idempotency", "created_at", timedelta(days=30)),
}
"""The kit's tables. The outbox (30 days) is missing on purpose: its days are partitions, dropped whole by the relay."""


async def prune(database: Database, rule: Retention, now: datetime, *, batch: int = BATCH) -> int:
    """Delete what is older than the rule keeps, `batch` rows a transaction; returns how many. Raises `Unavailable`."""
    statement = text(
        f"DELETE FROM {rule.table} WHERE ctid = ANY(ARRAY("
        f"SELECT ctid FROM {rule.table} WHERE {rule.column} < :before LIMIT :batch FOR UPDATE SKIP LOCKED))"
    )
    pruned = 0
    while True:
        async with database.transaction() as connection:
            deleted = await connection.execute(statement, {"before": now - rule.keep, "batch": batch})
        pruned += deleted.rowcount
        if deleted.rowcount < batch:
            return pruned


def retention_schedule(database: Database, rules: Sequence[Retention], clock: Clock = utc_now) -> Schedule:
    """Prune by each of `rules` once an hour."""

    async def run() -> None:
        for rule in rules:
            pruned = await prune(database, rule, clock())
            if pruned:
                log.info("pruned", table=rule.table, rows=pruned)

    return Schedule("retention", HOURLY_S, run)
