"""A member of a group on the PostgreSQL bus.

Membership and ownership are advisory locks on the member's one connection: each member holds the group's lock shared,
so that counting its holders says how many share the partitions, and each partition's lock alone. A member that is
killed loses its connection and with it everything it held; what it had not committed comes to the others. Offsets are
committed on that same connection, so an owner that lost its partitions cannot commit any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from regulars_kit.bus import Message, Received
from regulars_kit.bus.backoff import happened
from regulars_kit.bus.connections import AWAY, REPEATABLE, connect
from regulars_kit.bus.postgres_schema import Topic
from regulars_kit.values import Unavailable

_Place = tuple[str, int]
_Thing = TypeVar("_Thing")

_SHARE_EVERY_S = 0.5
"""How soon the partitions of a killed member are taken over; members that join or leave say so at once."""

_POLL_S = 0.5
"""The safety net behind the notifications: a writer may die between its commit and its NOTIFY."""

_MEMBERS = """
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid = $1 AND objid = 0 AND objsubid = 2 AND granted
    ORDER BY pid
"""

_READ = """
    SELECT message.* FROM unnest($1::smallint[], $2::bigint[]) AS place (partition, seq)
    CROSS JOIN LATERAL (
        SELECT seq, partition, event_id, type, key, body FROM {table} topic
        WHERE topic.partition = place.partition AND topic.seq >= place.seq ORDER BY topic.seq LIMIT $3
    ) message
    LIMIT $3
"""

_BEHIND = """
    SELECT coalesce(sum(topic.events), 0)::bigint FROM unnest($1::smallint[], $2::bigint[]) AS place (partition, seq)
    CROSS JOIN LATERAL (
        SELECT count(*) AS events FROM {table} WHERE partition = place.partition AND {table}.seq >= place.seq
    ) topic
"""

_COMMIT = """
    UPDATE group_offsets SET next_offset = done.next_offset
    FROM unnest($2::int[], $3::smallint[], $4::bigint[]) AS done (topic_id, partition, next_offset)
    WHERE group_id = $1 AND group_offsets.topic_id = done.topic_id AND group_offsets.partition = done.partition
"""


class PostgresSubscription:
    """Made by `PostgresBus.subscribe`. A lost connection shows as `Unavailable`; the next poll joins again."""

    def __init__(self, url: str, group: str, topics: Sequence[Topic]) -> None:
        self._url = url
        self._group = group
        self._group_id = 0
        self._topics = {topic.name: topic for topic in topics}
        self._connection: asyncpg.Connection[Any] | None = None
        # Handlers of several partitions commit side by side, and a connection does one thing at a time.
        self._one_at_a_time = asyncio.Lock()
        self._positions: dict[_Place, int] = {}
        self._paused: set[_Place] = set()
        self._arrived = asyncio.Event()
        self._shared_at = float("-inf")
        self._turn = 0

    async def open(self) -> None:
        """Join the group. Raises `Unavailable`."""
        async with self._joined():
            pass

    async def poll(self, max_messages: int, timeout_s: float) -> list[Received]:
        deadline = time.monotonic() + timeout_s
        while True:
            self._arrived.clear()
            async with self._joined() as connection:
                if time.monotonic() - self._shared_at >= _SHARE_EVERY_S:
                    await self._share(connection)
                received = await self._read(connection, max_messages)
            remaining_s = deadline - time.monotonic()
            if received or remaining_s <= 0:
                return received
            await happened(self._arrived, min(remaining_s, _POLL_S))

    async def commit(self, topic: str, partition: int, next_offset: int) -> None:
        await self.commit_all({(topic, partition): next_offset})

    async def commit_all(self, next_offsets: Mapping[_Place, int]) -> None:
        if next_offsets.keys().isdisjoint(self._positions):
            return
        async with self._joined() as connection:
            # Asked again: joining anew after a lost connection begins without partitions.
            mine = [place for place in next_offsets if place in self._positions]
            topics = [self._topics[topic].id for topic, _ in mine]
            offsets = [next_offsets[place] for place in mine]
            await connection.execute(_COMMIT, self._group_id, topics, [partition for _, partition in mine], offsets)

    async def behind(self) -> Mapping[str, int]:
        behind: dict[str, int] = {}
        async with self._joined() as connection:
            if not self._positions:
                return {}
            for topic in self._topics.values():
                places = [(place[1], position) for place, position in self._positions.items() if place[0] == topic.name]
                partitions, positions = [place[0] for place in places], [place[1] for place in places]
                behind[topic.name] = await connection.fetchval(_BEHIND.format(table=topic.table), partitions, positions)
        return behind

    def pause(self, topic: str, partition: int) -> None:
        self._paused.add((topic, partition))

    def resume(self, topic: str, partition: int) -> None:
        self._paused.discard((topic, partition))

    def rewind(self, topic: str, partition: int, offset: int) -> None:
        if (topic, partition) in self._positions:
            self._positions[topic, partition] = offset

    async def close(self) -> None:
        async with self._one_at_a_time:
            connection, self._connection = self._connection, None
            self._positions.clear()
            if connection is None:
                return
            try:
                await connection.execute("SELECT pg_advisory_unlock_all()")
                await connection.execute(f"NOTIFY {self._channel}")
                await connection.close(timeout=1)
            except AWAY:
                connection.terminate()

    @property
    def _channel(self) -> str:
        return f"group_{self._group_id}"

    @asynccontextmanager
    async def _joined(self) -> AsyncIterator[Any]:
        """The member's connection, ours alone. Any failure ends the membership and is `Unavailable`."""
        async with self._one_at_a_time:
            try:
                if self._connection is None:
                    self._connection = await self._join()
                yield self._connection
            except AWAY as error:
                if self._connection is not None:
                    self._connection.terminate()
                self._connection = None
                self._positions.clear()
                raise Unavailable("the bus is away; try again") from error

    async def _join(self) -> asyncpg.Connection[Any]:
        connection = await connect(self._url, f"member of {self._group}", settings=REPEATABLE)
        try:
            self._positions.clear()
            self._group_id = await _group_id(connection, self._group)
            for topic in self._topics.values():
                await connection.execute(
                    "INSERT INTO group_offsets SELECT $1, $2, generate_series(0, $3 - 1), 0 ON CONFLICT DO NOTHING",
                    self._group_id,
                    topic.id,
                    topic.partitions,
                )
                await connection.add_listener(topic.table, lambda *_: self._arrived.set())
            await connection.add_listener(self._channel, lambda *_: self._share_soon())
            await connection.execute("SELECT pg_advisory_lock_shared($1, 0)", self._group_id)
            await connection.execute(f"NOTIFY {self._channel}")
        except BaseException:
            connection.terminate()
            raise
        self._shared_at = float("-inf")
        return connection

    def _share_soon(self) -> None:
        self._shared_at = float("-inf")
        self._arrived.set()

    async def _share(self, connection: Any) -> None:
        """Keep the partitions that are ours by the number of members, let go of the others, take what is free."""
        self._shared_at = time.monotonic()
        pids = [row["pid"] for row in await connection.fetch(_MEMBERS, self._group_id)]
        rank = pids.index(connection.get_server_pid())
        places = [(topic.name, partition) for topic in self._topics.values() for partition in range(topic.partitions)]
        mine = places[rank :: len(pids)]
        lost = self._positions.keys() - set(mine)
        for place in lost:
            del self._positions[place]
            await connection.execute("SELECT pg_advisory_unlock($1, $2)", self._group_id, self._lock(place))
        for place in mine:
            if place not in self._positions:
                await self._take(connection, place)
        if lost:
            await connection.execute(f"NOTIFY {self._channel}")

    async def _take(self, connection: Any, place: _Place) -> None:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", self._group_id, self._lock(place)):
            return
        self._paused.discard(place)
        self._positions[place] = await connection.fetchval(
            "SELECT next_offset FROM group_offsets WHERE group_id = $1 AND topic_id = $2 AND partition = $3",
            self._group_id,
            self._topics[place[0]].id,
            place[1],
        )

    def _lock(self, place: _Place) -> int:
        return self._topics[place[0]].partition_lock(place[1])

    async def _read(self, connection: Any, max_messages: int) -> list[Received]:
        received: list[Received] = []
        self._turn += 1
        for topic in _from(self._turn, list(self._topics.values())):
            places = self._readable(topic)
            if not places or len(received) >= max_messages:
                continue
            partitions, positions = [partition for partition, _ in places], [position for _, position in places]
            rows = await connection.fetch(
                _READ.format(table=topic.table), partitions, positions, max_messages - len(received)
            )
            received += [_received(topic, row) for row in rows]
        for event in received:
            self._positions[event.topic, event.partition] = event.offset + 1
        return received

    def _readable(self, topic: Topic) -> list[tuple[int, int]]:
        """(partition, position) of ours; each poll begins with another one, so that no backlog starves the rest."""
        places = [
            (place[1], position)
            for place, position in self._positions.items()
            if place[0] == topic.name and place not in self._paused
        ]
        return _from(self._turn, places)


def _from(turn: int, things: list[_Thing]) -> list[_Thing]:
    start = turn % len(things) if things else 0
    return things[start:] + things[:start]


async def _group_id(connection: Any, group: str) -> int:
    await connection.execute("INSERT INTO groups (name) VALUES ($1) ON CONFLICT DO NOTHING", group)
    return int(await connection.fetchval("SELECT id FROM groups WHERE name = $1", group))


def _received(topic: Topic, row: Any) -> Received:
    message = Message(row["event_id"], row["type"], row["key"], row["body"])
    return Received(message, topic.name, row["partition"], row["seq"])
