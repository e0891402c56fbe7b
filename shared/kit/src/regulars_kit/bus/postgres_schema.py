"""The tables and locks of the PostgreSQL bus.

Advisory locks have two numbers. First number 0: a topic's writer (second: the topic's id; 0: the schema). From 1 on the
first number is a group's id; second number 0 is held shared by every member, and the others are its partitions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

MOST_PARTITIONS = 1_000

_TABLES = """
    CREATE TABLE IF NOT EXISTS topics (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE,
        "table" text NOT NULL UNIQUE,
        partitions integer NOT NULL
    );
    CREATE TABLE IF NOT EXISTS groups (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE
    );
    CREATE TABLE IF NOT EXISTS group_offsets (
        group_id integer NOT NULL REFERENCES groups,
        topic_id integer NOT NULL REFERENCES topics,
        partition smallint NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (group_id, topic_id, partition)
    );
"""

CATALOGUE = 'SELECT id, name, "table", partitions FROM topics'


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and the table that holds it (`topic_regulars_loyalty`, also the channel that announces its messages)."""

    id: int
    name: str
    table: str
    partitions: int

    async def lock(self, connection: Any) -> None:
        """Be the topic's one writer until the transaction ends."""
        await connection.execute("SELECT pg_advisory_xact_lock(0, $1)", self.id)

    def partition_lock(self, partition: int) -> int:
        """The second number of a partition's lock."""
        return self.id * MOST_PARTITIONS + partition + 1


async def locked_schema(connection: Any) -> None:
    """Make the bus's own tables when they are missing, and be alone in changing them until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(0, 0)")
    if await connection.fetchval("SELECT to_regclass('group_offsets')") is None:
        await connection.execute(_TABLES)


async def create_topic(connection: Any, name: str, partitions: int) -> None:
    """The topic's table, unless it is there. Call it in the transaction of `locked_schema`."""
    if not re.fullmatch(r"[a-z][a-z0-9._-]{0,50}", name) or not 0 < partitions < MOST_PARTITIONS:
        raise ValueError(f"not a topic: {name!r} with {partitions} partitions")
    table = "topic_" + re.sub(r"[^a-z0-9]", "_", name)
    created = await connection.fetchval(
        'INSERT INTO topics (name, "table", partitions) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING id',
        name,
        table,
        partitions,
    )
    if created is None:
        return
    await connection.execute(
        f"""
        CREATE TABLE {table} (
            seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            partition smallint NOT NULL,
            event_id uuid NOT NULL,
            type text NOT NULL,
            key text NOT NULL,
            body bytea NOT NULL,
            appended_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX ON {table} (partition, seq);
        """
    )
