"""The outbox: what a transaction announces lies in a table of the same commit until the relay has published it.

Partitioned by day, because dropping a day is free and deleting thirty million rows is not. The default partition
takes the rows of a day that nobody prepared, so a writer never fails for want of housekeeping.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit.bus import Message

DDL: tuple[str, ...] = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY,
        event_id uuid NOT NULL,
        type text NOT NULL,
        key text NOT NULL,
        body bytea NOT NULL,
        created_on date NOT NULL DEFAULT current_date,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        PRIMARY KEY (id, created_on)
    ) PARTITION BY RANGE (created_on)
    """,
    "CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL",
    "CREATE TABLE outbox_default PARTITION OF outbox DEFAULT",
)
"""Statements for a service's first migration (`op.execute` each)."""

KEEP_DAYS = 30

_APPEND = text(
    """
    INSERT INTO outbox (event_id, type, key, body)
    SELECT event_id, type, key, body
    FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:keys AS text[]), CAST(:bodies AS bytea[]))
         WITH ORDINALITY AS message (event_id, type, key, body, place)
    ORDER BY place
    """
)

# A day is attached only when the default partition has none of its rows: they would have to be moved first.
_HAS_ROWS = text("SELECT EXISTS (SELECT FROM outbox_default WHERE created_on = :day)")

_PARTITIONS = text(
    """
    SELECT child.relname FROM pg_inherits
    JOIN pg_class child ON child.oid = pg_inherits.inhrelid
    WHERE pg_inherits.inhparent = 'outbox'::regclass
    """
)


async def append(connection: AsyncConnection, messages: Sequence[Message]) -> None:
    """Put the messages into the transaction's outbox, in order, with one statement.

    Call it while the key's own row is locked: ids are drawn here, and the relay publishes in the order of ids.
    """
    if not messages:
        return
    columns = {
        "ids": [message.event_id for message in messages],
        "types": [message.type for message in messages],
        "keys": [message.key for message in messages],
        "bodies": [message.body for message in messages],
    }
    await connection.execute(_APPEND, columns)


async def ensure_partitions(connection: AsyncConnection, today: date, *, days_ahead: int = 3) -> list[str]:
    """Make the partitions of today and the days ahead; returns the names of those that were missing.

    A day whose rows already lie in the default partition stays there. Waits at most half a second for its locks, so
    that a relay that holds rows while the bus is slow delays this, and the writers behind it no longer than that;
    raises then (`DBAPIError`, 55P03), and the next call catches up.
    """
    await connection.execute(text("SET LOCAL lock_timeout = '500ms'"))
    present = set((await connection.execute(_PARTITIONS)).scalars())
    days = [today + timedelta(days=ahead) for ahead in range(days_ahead + 1)]
    missing = [day for day in days if partition_name(day) not in present]
    if missing:
        # ATTACH alone lets writers in, and a row that was on its way to the default partition then fails there.
        await connection.execute(text("LOCK TABLE outbox IN SHARE ROW EXCLUSIVE MODE"))
    made = []
    for day in missing:
        if await connection.scalar(_HAS_ROWS, {"day": day}):
            continue
        await _attach(connection, partition_name(day), day)
        made.append(partition_name(day))
    return made


async def drop_old(connection: AsyncConnection, today: date, *, keep_days: int = KEEP_DAYS) -> list[str]:
    """Drop the days before the last `keep_days`; returns their names. A day with an unsent row stays, whatever its age.

    Sent rows of such days in the default partition are deleted. Locks as in `ensure_partitions`.
    """
    await connection.execute(text("SET LOCAL lock_timeout = '500ms'"))
    oldest = today - timedelta(days=keep_days)
    dropped = []
    for name in sorted((await connection.execute(_PARTITIONS)).scalars()):
        if name == "outbox_default" or name >= partition_name(oldest):
            continue
        if not await connection.scalar(text(f"SELECT EXISTS (SELECT FROM {name} WHERE sent_at IS NULL)")):
            await connection.execute(text(f"DROP TABLE {name}"))
            dropped.append(name)
    await connection.execute(
        text("DELETE FROM outbox_default WHERE created_on < :oldest AND sent_at IS NOT NULL"), {"oldest": oldest}
    )
    return dropped


def partition_name(day: date) -> str:
    """`outbox_20261125`: names sort as their days do."""
    return f"outbox_{day:%Y%m%d}"


async def _attach(connection: AsyncConnection, name: str, day: date) -> None:
    # Made apart and then attached: CREATE … PARTITION OF would lock the whole outbox against its readers too.
    await connection.execute(text(f"CREATE TABLE {name} (LIKE outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    await connection.execute(
        text(
            f"ALTER TABLE outbox ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{day.isoformat()}') TO ('{(day + timedelta(days=1)).isoformat()}')"
        )
    )
