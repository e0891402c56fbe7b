"""The bus as a PostgreSQL database: one append-only table per topic, one offset per group and partition.

A topic has one writer at a time: appending takes the topic's lock until the commit, so the sequence grows in the order
of the commits, and reading on from a position skips nothing.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from regulars_kit.bus import PARTITIONS, Message
from regulars_kit.bus.connections import AWAY, connect, dsn
from regulars_kit.bus.postgres_schema import CATALOGUE, Topic, create_topic, locked_schema
from regulars_kit.bus.postgres_subscription import PostgresSubscription
from regulars_kit.values import Unavailable

KEEP = timedelta(days=7)
_PRUNE_ROWS = 10_000

_APPEND = """
    INSERT INTO {table} (partition, event_id, type, key, body)
    SELECT partition, event_id, type, key, body
    FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::bytea[])
         WITH ORDINALITY AS message (partition, event_id, type, key, body, place)
    ORDER BY place
"""

# Read by every group that ever subscribed; a topic nobody subscribed to goes by age alone.
_PRUNE = """
    DELETE FROM {table} WHERE seq IN (
        SELECT message.seq FROM {table} message
        LEFT JOIN (
            SELECT partition, min(next_offset) AS next_offset FROM group_offsets WHERE topic_id = $1 GROUP BY partition
        ) unread USING (partition)
        WHERE message.appended_at < $2 AND message.seq < coalesce(unread.next_offset, message.seq + 1)
        ORDER BY message.seq LIMIT $3
    )
"""


class PostgresBus:
    """The bus in the database at `url`, which must exist; its tables are made when first needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[Any] | None = None
        self._opening = asyncio.Lock()
        self._topics: dict[str, Topic] = {}

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Append in one transaction: all or nothing. Readers are woken after the commit."""
        if not messages:
            return
        async with self._connection() as connection:
            place = await self._topic(connection, topic)
            async with connection.transaction():
                await place.lock(connection)
                await connection.execute(_APPEND.format(table=place.table), *_columns(place, messages))
            await connection.execute(f"NOTIFY {place.table}")

    async def subscribe(self, group: str, topics: Sequence[str]) -> PostgresSubscription:
        async with self._connection() as connection:
            places = [await self._topic(connection, topic) for topic in topics]
        subscription = PostgresSubscription(self._url, group, places)
        await subscription.open()
        return subscription

    async def ensure_topics(self, topics: Sequence[str], partitions: int = PARTITIONS) -> None:
        missing = [topic for topic in topics if topic not in self._topics]
        if not missing:
            return
        async with self._connection() as connection, connection.transaction():
            await locked_schema(connection)
            for topic in missing:
                await create_topic(connection, topic, partitions)

    async def prune(self, now: datetime, *, keep: timedelta = KEEP) -> int:
        """Delete what is older than `keep` and has been read by every group; returns the number of messages."""
        deleted = 0
        async with self._connection() as connection:
            for row in await connection.fetch(CATALOGUE):
                topic = Topic(**row)
                while True:
                    status = await connection.execute(
                        _PRUNE.format(table=topic.table), topic.id, now - keep, _PRUNE_ROWS
                    )
                    count = int(status.split()[-1])
                    deleted += count
                    if count < _PRUNE_ROWS:
                        break
        return deleted

    async def forget_group(self, group: str) -> None:
        """Drop a group that will not come back: what it has not read is no longer kept for it."""
        async with self._connection() as connection:
            await connection.execute(
                "DELETE FROM group_offsets WHERE group_id IN (SELECT id FROM groups WHERE name = $1)", group
            )

    async def ping(self) -> None:
        async with self._connection() as connection:
            await connection.execute("SELECT 1")

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            async with (await self._opened()).acquire(timeout=5) as connection:
                yield connection
        except AWAY as error:
            raise Unavailable("the bus is away; try again") from error

    async def _opened(self) -> asyncpg.Pool[Any]:
        async with self._opening:
            if self._pool is None:
                connection = await connect(self._url, "bus")
                try:
                    async with connection.transaction():
                        await locked_schema(connection)
                finally:
                    await connection.close()
                self._pool = await asyncpg.create_pool(
                    dsn(self._url), min_size=0, max_size=4, command_timeout=30, server_settings={"timezone": "UTC"}
                )
        return self._pool

    async def _topic(self, connection: Any, name: str) -> Topic:
        if name not in self._topics:
            row = await connection.fetchrow(f"{CATALOGUE} WHERE name = $1", name)
            if row is None:
                raise Unavailable(f"the topic {name} is not there yet")
            self._topics[name] = Topic(**row)
        return self._topics[name]


def _columns(topic: Topic, messages: Sequence[Message]) -> tuple[list[Any], ...]:
    return (
        [zlib.crc32(message.key.encode()) % topic.partitions for message in messages],
        [message.event_id for message in messages],
        [message.type for message in messages],
        [message.key for message in messages],
        [message.body for message in messages],
    )
